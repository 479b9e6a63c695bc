/// What a new revision brings back: the whole declared state of an earlier one that was in force.
package struct Restoration: Sendable, Equatable {
    /// The earlier revision, all of which was in the cluster once, with nothing of it held.
    package var commit: String

    package init(commit: String) { self.commit = commit }
}

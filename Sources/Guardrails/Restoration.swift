package import Manifest

/// What of a revision brings back what was in force before, as far as the journal proves it.
package struct Restoration: Sendable, Equatable {
    /// The earlier revision, all of which was in the cluster once, with nothing of it held.
    package var commit: String
    /// What is as that revision declared it, or as absent as there; nil: everything.
    package var objects: Set<ObjectID>?
    /// Whether the configuration is the one of then.
    package var hasConfiguration: Bool

    package init(commit: String, objects: Set<ObjectID>? = nil, hasConfiguration: Bool = false) {
        self.commit = commit
        self.objects = objects
        self.hasConfiguration = hasConfiguration
    }

    func contains(_ id: ObjectID) -> Bool { objects?.contains(id) ?? true }
}

package import Manifest

/// An incident that nobody has resolved yet.
package struct OpenIncident: Sendable, Equatable {
    /// The entry that opened it.
    package var sequence: Int64
    package var since: Timestamp
    package var instance: String
    package var cluster: String
    package var reason: String
    /// Nil for the instance as a whole.
    package var object: ObjectID?
    package var message: String
    /// `Runbooks/<Reason>.md`.
    package var runbookPath: String { "Runbooks/\(reason).md" }

    package init(
        sequence: Int64, since: Timestamp, instance: String, cluster: String, reason: String, object: ObjectID?,
        message: String
    ) {
        self.sequence = sequence
        self.since = since
        self.instance = instance
        self.cluster = cluster
        self.reason = reason
        self.object = object
        self.message = message
    }
}

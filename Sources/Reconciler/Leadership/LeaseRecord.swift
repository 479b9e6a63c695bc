package import Manifest

/// What a Lease (`coordination.k8s.io/v1`) says.
package struct LeaseRecord: Sendable, Equatable {
    /// Who holds it; empty where it was released.
    package var holder: String
    /// Nil where it is not said.
    package var durationSeconds: Int64?
    package var acquired: Timestamp?
    /// For people only: it is never compared with a clock (rule K3).
    package var renewed: Timestamp?
    package var transitions: Int64

    package init(
        holder: String, durationSeconds: Int64?, acquired: Timestamp?, renewed: Timestamp?, transitions: Int64
    ) {
        self.holder = holder
        self.durationSeconds = durationSeconds
        self.acquired = acquired
        self.renewed = renewed
        self.transitions = transitions
    }

    /// Reads the spec of a Lease; what it does not say, or says in a way that cannot be read, is absent.
    package init(spec: Tree?) {
        self.init(
            holder: spec?["holderIdentity"]?.string ?? "", durationSeconds: spec?["leaseDurationSeconds"]?.integer,
            acquired: spec?["acquireTime"]?.string.flatMap { Timestamp($0) },
            renewed: spec?["renewTime"]?.string.flatMap { Timestamp($0) },
            transitions: spec?["leaseTransitions"]?.integer ?? 0)
    }

    /// How long it keeps others away from the moment on at which they saw it.
    ///
    /// - Parameter own: What counts where the record says nothing that can be meant.
    func duration(orElse own: Duration) -> Duration {
        guard let durationSeconds, durationSeconds > 0 else { return own }
        return min(.seconds(durationSeconds), LeaderElectionTiming.longestLease)
    }
}

/// A Lease as it was read or written, in the one version that the next write may replace.
package struct StoredLease: Sendable {
    package var record: LeaseRecord
    /// What the holder of then left to the next one.
    package var notes: LeaderNotes
    /// All that it says of its state: any difference is news from its holder.
    package var spec: Tree
    /// The whole object, so that what we do not know is kept (rule K4).
    package var object: LiveObject

    package init(_ object: LiveObject) {
        spec = object.tree["spec"] ?? .object(Members())
        record = LeaseRecord(spec: spec)
        let annotations = object.metadata["annotations"]
        notes = LeaderNotes(
            handover: annotations?[Handover.annotation]?.string.flatMap { Handover($0) },
            journal: annotations?[JournalMark.annotation]?.string.flatMap { JournalMark($0) })
        self.object = object
    }
}

/// Where the one Lease is kept that replicas share.
///
/// Each call is bounded in time, and uses no connection that others may block (rule K6).
package protocol LeaseStore: Sendable {
    /// What it is called, for messages.
    var name: String { get }

    /// The Lease as it is now; nil only where the server says that it is absent.
    func read() async throws(ClusterError) -> StoredLease?

    /// - Throws: ``ClusterError`` of the kind `alreadyExists` where somebody was faster.
    func create(_ record: LeaseRecord, leaving notes: LeaderNotes) async throws(ClusterError) -> StoredLease

    /// Replaces the Lease in exactly the version that was read, and keeps what the record does not speak of.
    ///
    /// - Throws: ``ClusterError`` of the kind `conflict` where it is another version now, or gone.
    func update(
        _ stored: StoredLease, to record: LeaseRecord, leaving notes: LeaderNotes
    ) async throws(ClusterError) -> StoredLease
}

package import Manifest

/// One request to the API server and what came of it, for whoever counts them.
package struct ClusterCall: Sendable, Equatable {
    /// As Kubernetes' audit log calls it: `get`, `list`, `watch`, `create`, `patch`, `apply`, `delete`.
    package var verb: String
    /// Nil for what is beside the managed kinds.
    package var resource: Resource?
    /// The status of the answer; 0 where there was none.
    package var status: Int
    /// Until the whole answer was there; of a watch until it was open.
    package var duration: Duration

    package init(verb: String, resource: Resource?, status: Int, duration: Duration) {
        self.verb = verb
        self.resource = resource
        self.status = status
        self.duration = duration
    }
}

/// Why the watch of a kind had to be begun again.
package enum WatchRestart: String, Sendable, CaseIterable {
    /// It ended as it should, or fell silent.
    case ended = "Ended"
    /// Its connection was lost.
    case lost = "ConnectionLost"
    /// What it was to go on from is gone from the server's memory, so that the kind was listed anew (rule C6).
    case expired = "Expired"
    /// The server refused it.
    case refused = "Refused"
    /// The server did not answer.
    case unreachable = "Unreachable"
    /// The server sent something that is no event.
    case rubbish = "Rubbish"
}

/// Who is told of traffic with the cluster; called on the way of each request, so it has to be quick.
package struct ClusterTraffic: Sendable {
    package var noteCall: @Sendable (ClusterCall) -> Void
    package var noteWatchRestart: @Sendable (Resource, WatchRestart) -> Void

    /// Tells nobody, where nothing else is given.
    package init(
        noteCall: @escaping @Sendable (ClusterCall) -> Void = { _ in },
        noteWatchRestart: @escaping @Sendable (Resource, WatchRestart) -> Void = { _, _ in }
    ) {
        self.noteCall = noteCall
        self.noteWatchRestart = noteWatchRestart
    }
}

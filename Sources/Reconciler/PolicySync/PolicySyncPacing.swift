package import Manifest

/// When the status of a PolicySync is written: soon after something has happened, and never often.
///
/// There is no queue: what is written is how it stands at that moment, and whatever came in between has been overtaken.
///
/// Pure: times are given, by a clock that only goes forward.
package struct PolicySyncPacing: Sendable {
    /// How long nothing is written after a write.
    package static let shortestPause = Duration.seconds(5)
    /// How long the same stays written, so that everybody sees that whoever writes it lives.
    package static let refreshInterval = Duration.seconds(300)
    /// How long nothing is tried where the object, its kind or a right is missing.
    package static let pauseWithoutObject = Duration.seconds(60)
    /// The longest pause after failures that may pass.
    static let longestPause = Duration.seconds(60)

    private var written: (content: Tree, at: Duration)?
    private var notBefore: Duration?
    private var failures = 0

    package init() {}

    /// Whether a request may be sent now.
    package func mayTry(at now: Duration) -> Bool { notBefore.map { now >= $0 } ?? true }

    /// Whether a status with this content is to be written now.
    package func isDue(_ content: Tree, at now: Duration) -> Bool {
        guard mayTry(at: now) else { return false }
        guard let written else { return true }
        return written.content != content || now - written.at >= Self.refreshInterval
    }

    /// Takes in that it was written.
    package mutating func noteWritten(_ content: Tree, at now: Duration) {
        written = (content, now)
        failures = 0
        notBefore = now + Self.shortestPause
    }

    /// Takes in that it could not be read or written.
    package mutating func noteFailure(_ error: ClusterError, at now: Duration) {
        // It may have been written all the same, and something else than what was meant to be.
        written = nil
        guard !error.isMissingObject else {
            notBefore = now + Self.pauseWithoutObject
            return
        }
        failures = min(failures + 1, 8)
        let pause = min(Self.shortestPause * (1 << (failures - 1)), Self.longestPause)
        notBefore = now + max(pause, min(error.retryAfter ?? .zero, Self.longestPause))
    }
}

extension ClusterError {
    /// Whether somebody has to install something, or to give a right, before a PolicySync can be written.
    package var isMissingObject: Bool {
        [.notFound, .namespaceNotFound, .resourceNotServed, .forbidden].contains(kind)
    }
}

package import Manifest

/// Which Events are written, and which only counted, so that what happens again and again is one Event (rule L3).
///
/// The first of a kind is made; the second begins its series; later ones are counted, and the count is written at most
/// every half hour, and once more when the series has ended, after six minutes without another.
package struct EventSeries: Sendable {
    /// What is the same in all Events of a series: everything but the note.
    private struct Identity: Hashable, Sendable {
        var severity: EventContent.Severity
        var reason: String
        var action: String
        var regarding: ObjectID
        var uid: String

        init(_ content: EventContent) {
            severity = content.severity
            reason = content.reason
            action = content.action
            regarding = content.regarding
            uid = content.regardingUID
        }
    }

    private struct Series: Sendable {
        var content: EventContent
        var event: EventReference?
        var count = 1
        var writtenCount = 1
        var lastSeen: Duration
        var lastSeenAt: Timestamp
        var lastWritten: Duration
    }

    /// An Event that was made.
    package struct EventReference: Sendable, Equatable {
        package var namespace: String
        package var name: String

        package init(namespace: String, name: String) {
            self.namespace = namespace
            self.name = name
        }
    }

    /// What has to be written.
    package enum Step: Sendable, Equatable {
        /// Make an Event, and tell by ``made(_:as:)`` what it is called.
        case make
        /// Set the count of that one; where it is not there any more, ``forget(_:)`` it and begin anew.
        case count(EventReference, to: Int, lastSeen: Timestamp)
        case nothing
    }

    package static let refreshInterval = Duration.seconds(1800)
    package static let idleTime = Duration.seconds(360)
    /// Beyond that the series that has been idle for longest is forgotten.
    package static let maximumSeries = 1024

    private var series: [Identity: Series] = [:]

    package init() {}

    /// Takes in that something happened.
    ///
    /// - Parameter now: By a clock that never goes back.
    package mutating func note(_ content: EventContent, at now: Duration, time: Timestamp) -> Step {
        let identity = Identity(content)
        guard var known = series[identity], now - known.lastSeen < Self.idleTime else {
            makeRoom()
            series[identity] = Series(content: content, lastSeen: now, lastSeenAt: time, lastWritten: now)
            return .make
        }
        known.count += 1
        known.lastSeen = now
        known.lastSeenAt = time
        defer { series[identity] = known }
        // The one that is being made, or could not be.
        guard let event = known.event else { return .nothing }
        guard known.writtenCount == 1 || now - known.lastWritten >= Self.refreshInterval else { return .nothing }
        known.writtenCount = known.count
        known.lastWritten = now
        return .count(event, to: known.count, lastSeen: time)
    }

    /// Takes in how an Event that was to be made is called.
    package mutating func made(_ content: EventContent, as event: EventReference) {
        series[Identity(content)]?.event = event
    }

    /// Takes in that an Event is not there, or could not be made: the next one of it is made anew.
    package mutating func forget(_ content: EventContent) { series[Identity(content)] = nil }

    /// Ends what has been idle, and tells which counts were not written yet.
    package mutating func endIdle(at now: Duration) -> [(content: EventContent, step: Step)] {
        var steps: [(EventContent, Step)] = []
        for (identity, known) in series where now - known.lastSeen >= Self.idleTime {
            series[identity] = nil
            guard let event = known.event, known.count > known.writtenCount else { continue }
            steps.append((known.content, .count(event, to: known.count, lastSeen: known.lastSeenAt)))
        }
        return steps
    }

    private mutating func makeRoom() {
        guard series.count >= Self.maximumSeries,
            let oldest = series.min(by: { $0.value.lastSeen < $1.value.lastSeen })?.key
        else { return }
        series[oldest] = nil
    }
}

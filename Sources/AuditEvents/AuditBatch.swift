/// What came of reading a body or a log file.
package struct AuditBatch: Sendable, Equatable {
    /// Why an event was read and left out.
    package enum Ignored: String, Sendable, CaseIterable {
        /// It reads, or writes something else than the object, or is known to have changed nothing.
        case notAChange
        /// It has no result yet, or ended without one (rule M4).
        case otherStage
        /// The server refused it.
        case failedRequest
        case dryRun
        /// We made it ourselves, and journal it ourselves (rule M7).
        case ourOwn
    }

    /// In the order in which they were sent, which is not the order in which things happened (rule M12).
    package var events: [AuditEvent] = []
    package var ignored: [Ignored: Int] = [:]
    /// How many were no events, or no text that can be read.
    package var unreadable = 0
    /// How many were left out because there were more than is allowed.
    package var beyondLimit = 0
    /// For a log file: how many bytes at its end are no whole line yet and were not read.
    package var unfinishedBytes = 0

    package init() {}

    /// How many events there were, whatever became of them.
    package var count: Int { events.count + ignored.values.reduce(0, +) + unreadable + beyondLimit }

    /// Puts another batch behind this one.
    package mutating func append(_ other: AuditBatch) {
        events += other.events
        ignored.merge(other.ignored, uniquingKeysWith: +)
        unreadable += other.unreadable
        beyondLimit += other.beyondLimit
        unfinishedBytes = other.unfinishedBytes
    }
}

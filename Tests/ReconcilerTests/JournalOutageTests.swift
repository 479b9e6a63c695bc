import Manifest
import Reconciler
import Testing

/// What is told of objects while nothing can be recorded.
@Suite struct JournalOutageTests {
    private let role = ObjectID(.role, namespace: "a", name: "r")
    private let other = ObjectID(.role, namespace: "a", name: "s")
    private let start = Timestamp(microsecondsSinceEpoch: 0)
    private var outage: JournalOutage

    init() {
        outage = JournalOutage(
            since: start, error: JournalError(kind: .unwritable, message: "the disk is full", hint: ""))
    }

    private func message(_ outage: JournalOutage) -> String { outage.entry(until: start, revision: nil).message }

    @Test mutating func anObjectThatComesAndGoesIsToldOnce() {
        var told = 0
        for _ in 0..<1000 {
            if outage.note(role, "deleted by hand") { told += 1 }
            #expect(outage.differing == 1)
            outage.noteAsDeclared(role)
            #expect(outage.differing == 0)
        }
        #expect(told == 1)
        #expect(message(outage).contains("1 object (Role a/r 1000 times)"), "\(message(outage))")
    }

    @Test mutating func whatAnObjectIsIsToldAFewTimes() {
        let told = (0..<1000).count { outage.note(role, "changed by hand at rules/\($0)") }
        #expect(told == 3)
        // That says nothing of others.
        let isNews = outage.note(other, "deleted by hand")
        #expect(isNews)
        #expect(message(outage).contains("2 objects (Role a/r 1000 times, Role a/s)"), "\(message(outage))")
    }

    @Test mutating func reasonsThatTakeTurnsAreToldOnceEach() {
        let kinds: [JournalError.Kind] = [.unwritable, .damaged, .unwritable, .damaged, .locked, .damaged]
        let told = kinds.map { outage.note(JournalError(kind: $0, message: "\($0)", hint: "")) }
        #expect(told == [false, true, false, false, true, false])
        #expect(outage.error.kind == .damaged)
    }

    @Test mutating func whatStaysTheSameIsNoNews() {
        let told = (0..<2).map { _ in outage.note(role, "deleted by hand") }
        #expect(told == [true, false])
        outage.keep(only: [other])
        #expect(outage.differing == 0)
        #expect(message(outage).contains("1 object (Role a/r)"), "\(message(outage))")
    }

    private func error(_ kind: JournalError.Kind, _ message: String) -> JournalError {
        JournalError(kind: kind, message: message, hint: "")
    }

    /// A lock at the end says nothing of the time before.
    @Test mutating func whatWasMoreThanALockIsRecordedByThat() {
        #expect(!outage.wasOnlyLocked)
        _ = outage.note(error(.locked, "another process has it"))
        _ = outage.note(error(.damaged, "a page is damaged"))
        _ = outage.note(error(.unwritable, "a right is missing"))
        #expect(!outage.wasOnlyLocked)
        #expect(message(outage).hasSuffix(": the disk is full; then a page is damaged"), "\(message(outage))")
        #expect(outage.entry(until: start, revision: nil).reason.incident == .journalDamaged)
    }

    @Test func aLockThatBecameMoreIsRecordedByThat() {
        var outage = JournalOutage(since: start, error: error(.locked, "another process has it"))
        #expect(outage.wasOnlyLocked)
        _ = outage.note(error(.damaged, "a page is damaged"))
        _ = outage.note(error(.locked, "another process has it"))
        #expect(!outage.wasOnlyLocked)
        #expect(message(outage).hasSuffix(": a page is damaged"), "\(message(outage))")
        #expect(outage.entry(until: start, revision: nil).reason.incident == .journalDamaged)
    }
}

import Manifest
import Reconciler
import Testing

/// Rules K1 to K5 and K7: who may lead, by what the Lease says and when that was seen.
@Suite struct LeaderElectionTests {
    private static let start = ContinuousClock.now
    private static let time = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)
    private static let us = "us_1"

    private static func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func election() -> LeaderElection { LeaderElection(identity: Self.us, timing: .standard) }

    /// A Lease with a spec as somebody may have written it.
    private func lease(_ spec: Tree) throws -> StoredLease {
        let tree: Tree = [
            "metadata": ["name": "bylaw", "namespace": "a", "uid": "1", "resourceVersion": "7"], "spec": spec,
        ]
        return StoredLease(try #require(LiveObject(tree, of: .lease)))
    }

    private func held(
        by holder: String, for seconds: Tree = 15, renewed: String = "2026-03-01T12:00:00.000000Z"
    ) throws -> StoredLease {
        try lease([
            "holderIdentity": .string(holder), "leaseDurationSeconds": seconds, "renewTime": .string(renewed),
            "acquireTime": "2026-03-01T11:00:00.000000Z", "leaseTransitions": 3,
        ])
    }

    private func isTaken(_ step: LeaderElection.Step) -> LeaderElection.Vacancy? {
        if case .take(_, let vacancy) = step { vacancy } else { nil }
    }

    // MARK: Timing

    struct TimingExample: CustomTestStringConvertible {
        var testDescription: String
        var lease = Duration.seconds(15)
        var deadline = Duration.seconds(10)
        var retry = Duration.seconds(2)
        var isSafe = false
    }

    @Test(arguments: [
        TimingExample(testDescription: "the usual", isSafe: true),
        TimingExample(
            testDescription: "short", lease: .seconds(3), deadline: .seconds(2), retry: .milliseconds(500), isSafe: true
        ),
        TimingExample(testDescription: "the deadline is the lease", deadline: .seconds(15)),
        TimingExample(testDescription: "the deadline is longer", deadline: .seconds(20)),
        TimingExample(testDescription: "the deadline is 1.2 times the pause", deadline: .milliseconds(2400)),
        TimingExample(testDescription: "a lease of part of a second", lease: .milliseconds(15_500)),
        TimingExample(testDescription: "a lease of hours", lease: .seconds(7200)),
        TimingExample(testDescription: "no lease", lease: .zero, deadline: .milliseconds(-1)),
        TimingExample(testDescription: "no pause", retry: .zero),
        TimingExample(testDescription: "a pause before its beginning", retry: .seconds(-1)),
    ]) func timesUnderWhichTwoCouldLeadAreRefused(_ example: TimingExample) {
        let timing = try? LeaderElectionTiming(
            lease: example.lease, deadline: example.deadline, retry: example.retry)
        #expect((timing != nil) == example.isSafe)
    }

    // MARK: Standing by

    @Test func aHeldLeaseIsTakenWhenItWasNotRenewedForAsLongAsItSays() throws {
        var election = election()
        let found = try held(by: "other", for: 20)
        #expect(election.next(on: found, at: Self.at(0), time: Self.time) == .wait(until: Self.at(20)))
        #expect(election.next(on: found, at: Self.at(19.9), time: Self.time) == .wait(until: Self.at(20)))
        let step = election.next(on: found, at: Self.at(20), time: Self.time)
        let record = LeaseRecord(
            holder: Self.us, durationSeconds: 15, acquired: Self.time, renewed: Self.time, transitions: 4)
        #expect(step == .take(record, .expired(holder: "other")))
    }

    @Test func eachRenewalThatIsSeenBeginsTheTimeAnew() throws {
        var election = election()
        for second in 0..<100 {
            let found = try held(
                by: "other", renewed: "2026-03-01T12:00:\(second % 60 < 10 ? "0" : "")\(second % 60).000000Z")
            let step = election.next(on: found, at: Self.at(Double(second) * 14), time: Self.time)
            #expect(step == .wait(until: Self.at(Double(second) * 14 + 15)))
        }
    }

    /// Rule K3: a record that is dated hours ago, or ahead, counts like any other.
    @Test(arguments: ["1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", "yesterday", "", "\u{0}"])
    func theTimesInTheRecordDecideNothing(_ renewed: String) throws {
        var election = election()
        let found = try held(by: "other", renewed: renewed)
        #expect(election.next(on: found, at: Self.at(0), time: Self.time) == .wait(until: Self.at(15)))
        #expect(isTaken(election.next(on: found, at: Self.at(15), time: Self.time)) == .expired(holder: "other"))
    }

    @Test func aReleasedLeaseIsTakenAtOnce() throws {
        var election = election()
        _ = election.next(on: try held(by: "other"), at: Self.at(0), time: Self.time)
        let step = election.next(on: try held(by: "", for: 1), at: Self.at(1), time: Self.time)
        guard case .take(let record, .released) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(record.transitions == 4 && record.acquired == Self.time)
    }

    /// An earlier request of ours went through, and its answer was lost.
    @Test func ourOwnNameInTheLeaseIsTakenUpWithoutAChangeOfHands() throws {
        var election = election()
        let step = election.next(on: try held(by: Self.us), at: Self.at(0), time: Self.time)
        guard case .take(let record, .ours) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(record.transitions == 3)
        #expect(record.acquired?.description == "2026-03-01T11:00:00.000000Z")
    }

    /// It may have been deleted under a leader who does not know it yet.
    @Test(arguments: [nil, 5, 60] as [Int64?]) func aLeaseThatIsGoneIsMadeOnlyAfterItsHolderMustHaveNoticed(
        _ seconds: Int64?
    ) throws {
        var election = election()
        if let seconds {
            _ = election.next(on: try held(by: "other", for: .integer(seconds)), at: Self.at(0), time: Self.time)
        }
        let wait = Double(max(15, seconds ?? 0))
        #expect(election.next(on: nil, at: Self.at(1), time: Self.time) == .wait(until: Self.at(1 + wait)))
        // The holder was there all the time, and makes it again.
        #expect(
            election.next(on: try held(by: "other"), at: Self.at(2), time: Self.time) == .wait(until: Self.at(17)))
        #expect(election.next(on: nil, at: Self.at(3), time: Self.time) == .wait(until: Self.at(18)))
        let step = election.next(on: nil, at: Self.at(18), time: Self.time)
        #expect(
            step
                == .take(
                    LeaseRecord(
                        holder: Self.us, durationSeconds: 15, acquired: Self.time, renewed: Self.time, transitions: 0),
                    .absent))
    }

    struct DurationCase: CustomTestStringConvertible {
        var testDescription: String
        var seconds: Tree
        var waits: Double
    }

    @Test(arguments: [
        DurationCase(testDescription: "none", seconds: .null, waits: 15),
        DurationCase(testDescription: "zero", seconds: 0, waits: 15),
        DurationCase(testDescription: "negative", seconds: -5, waits: 15),
        DurationCase(testDescription: "a text", seconds: "15", waits: 15),
        DurationCase(testDescription: "a fraction", seconds: .double(1.5), waits: 15),
        DurationCase(testDescription: "short", seconds: 1, waits: 1),
        DurationCase(testDescription: "the largest that the API takes", seconds: 2_147_483_647, waits: 3600),
        DurationCase(testDescription: "larger than any", seconds: .integer(.max), waits: 3600),
        DurationCase(testDescription: "larger than signed", seconds: .unsigned(.max), waits: 15),
    ]) func aRecordThatSaysNonsenseKeepsNobodyAwayForEverNorLetsAnybodyInAtOnce(_ example: DurationCase) throws {
        var election = election()
        let found = try held(by: "other", for: example.seconds)
        #expect(election.next(on: found, at: Self.at(0), time: Self.time) == .wait(until: Self.at(example.waits)))
        #expect(isTaken(election.next(on: found, at: Self.at(example.waits), time: Self.time)) != nil)
    }

    /// Swift's own equality takes two spellings of "é" for one.
    @Test(arguments: [
        ("us_1", true), ("us_1 ", false), ("US_1", false), ("us_1\u{0}", false), ("us\u{200B}_1", false),
        ("\u{FF55}s_1", false),
    ]) func onlyTheVerySameBytesAreOurName(_ holder: String, _ isOurs: Bool) throws {
        var election = election()
        let step = election.next(on: try held(by: holder), at: Self.at(0), time: Self.time)
        #expect((isTaken(step) == .ours) == isOurs)
        var accented = LeaderElection(identity: "caf\u{E9}", timing: .standard)
        let other = accented.next(on: try held(by: "cafe\u{301}"), at: Self.at(0), time: Self.time)
        #expect(isTaken(other) == nil)
    }

    @Test(
        arguments: [(-4, 1), (2_147_483_647, 2_147_483_647), (Int64.max, 2_147_483_647), (Int64.min, 1)]
            as [(Int64, Int64)])
    func theNumberOfTransitionsStaysOneThatTheServerTakes(_ written: Int64, _ ours: Int64) throws {
        var election = election()
        let found = try lease([
            "holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": .integer(written),
        ])
        guard case .take(let record, _) = election.next(on: found, at: Self.at(0), time: Self.time) else {
            Issue.record("a released lease is taken")
            return
        }
        #expect(record.transitions == ours)
        #expect((0...Int64(Int32.max)).contains(election.renewal(of: record, at: Self.time).transitions))
    }

    /// A Lease that somebody made without a spec is nobody's.
    @Test func aLeaseWithoutASpecIsTakenAtOnce() throws {
        var election = election()
        let tree: Tree = ["metadata": ["name": "bylaw", "uid": "1", "resourceVersion": "7"]]
        let found = StoredLease(try #require(LiveObject(tree, of: .lease)))
        #expect(isTaken(election.next(on: found, at: Self.at(0), time: Self.time)) == .released)
    }

    // MARK: Leading

    /// Others see by a difference that the holder lives, also where its clock stands still or goes back.
    @Test(arguments: [0, -3600, 3600]) func eachRenewalDiffersFromTheOneBefore(_ step: Int64) {
        let election = election()
        var record = LeaseRecord(
            holder: Self.us, durationSeconds: 15, acquired: Self.time, renewed: Self.time, transitions: 2)
        for count in 1...3 {
            let time = Self.time.advanced(by: .seconds(step * Int64(count)))
            let renewed = election.renewal(of: record, at: time)
            #expect(renewed.renewed != record.renewed)
            #expect(renewed.acquired == record.acquired && renewed.transitions == 2 && renewed.holder == Self.us)
            record = renewed
        }
    }

    @Test func aReleaseLeavesNoHolderAndADurationThatTheServerTakes() {
        let record = LeaseRecord(
            holder: Self.us, durationSeconds: 15, acquired: Self.time, renewed: Self.time, transitions: 2)
        let released = election().release(of: record, at: Self.time)
        #expect(released.holder.isEmpty && released.durationSeconds == 1 && released.transitions == 2)
    }
}

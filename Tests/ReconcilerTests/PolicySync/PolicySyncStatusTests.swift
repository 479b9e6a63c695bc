import Manifest
import Testing

@testable import Reconciler

/// The status as it is written.
@Suite struct PolicySyncStatusTests {
    private let later = syncTime.advanced(by: .seconds(60))

    private func since(_ status: Tree) -> [String: String] {
        (status["conditions"]?.array ?? []).reduce(into: [:]) {
            $0[$1["type"]?.string ?? ""] = $1["lastTransitionTime"]?.string
        }
    }

    @Test func aTransitionTimeChangesWithItsStatusOnly() {
        var state = syncState()
        state.note(wellStanding())
        let first = state.status(over: [:], generation: 1, at: syncTime)
        var standing = wellStanding(declared: 8)
        standing.openDrifts = 1
        state.note(standing)
        let second = state.status(over: first, generation: 1, at: later)
        #expect(
            since(second) == [
                "Ready": "2026-03-01T12:00:00Z", "Held": "2026-03-01T12:00:00Z", "Synced": "2026-03-01T12:01:00Z",
                "Drifted": "2026-03-01T12:01:00Z",
            ])
        state.note(wellStanding(declared: 9))
        let third = state.status(over: second, generation: 2, at: later.advanced(by: .seconds(60)))
        #expect(since(third)["Ready"] == "2026-03-01T12:00:00Z", "another message is no transition")
        #expect(since(third)["Drifted"] == "2026-03-01T12:02:00Z")
        #expect(third["conditions"]?.array?.allSatisfy { $0["observedGeneration"] == 2 } == true)
    }

    /// Whoever may write the object may have left anything there.
    @Test func whatIsNoTimeIsNotKept() {
        var state = syncState()
        state.note(wellStanding())
        let junk: Tree = [
            "conditions": [["type": "Ready", "status": "True", "lastTransitionTime": "long ago"], "Ready", 7]
        ]
        #expect(since(state.status(over: junk, generation: nil, at: later))["Ready"] == "2026-03-01T12:01:00Z")
        for junk: Tree in ["text", [], ["conditions": "none"], .null] {
            #expect(since(state.status(over: junk, generation: nil, at: later)).count == 4)
        }
    }

    @Test func onlyClocksAreNoNews() {
        var state = syncState()
        state.note(wellStanding())
        let first = state.status(over: [:], generation: 1, at: syncTime)
        state.note(.fetched(FetchReport(at: later, duration: .zero, newest: syncRevision("a"))))
        let second = state.status(over: first, generation: 1, at: syncTime)
        #expect(PolicySyncState.content(of: first) != PolicySyncState.content(of: second), "a revision was seen")
        state.note(
            .fetched(FetchReport(at: later.advanced(by: .seconds(9)), duration: .zero, newest: syncRevision("a"))))
        var report = PassReport(revision: "a")
        report.endedAt = later
        state.note(.synced(report))
        let third = state.status(over: second, generation: 1, at: later)
        #expect(third != second)
        #expect(third["lastSyncTime"] == "2026-03-01T12:01:00Z")
        #expect(PolicySyncState.content(of: second) == PolicySyncState.content(of: third))
        var standing = wellStanding()
        standing.strangers = 1
        state.note(standing)
        #expect(
            PolicySyncState.content(of: third)
                != PolicySyncState.content(of: state.status(over: third, generation: 1, at: later)))
    }

    @Test func theLastIncidentStaysOverARestart() {
        var state = syncState()
        state.note(
            .incident(
                EntryDraft(
                    at: syncTime, kind: .notice, reason: .incident(.driftFight), outcome: .failed,
                    object: ObjectID(.role, namespace: "team", name: "reader"), message: "rules changed by ann")))
        let status = state.status(over: [:], generation: 1, at: later)
        #expect(
            status["lastIncident"] == [
                "reason": "DriftFight", "object": "Role team/reader", "message": "What it is",
                "time": "2026-03-01T12:00:00Z", "runbook": "Runbooks/DriftFight.md",
            ], "what differed, and who did it, stays in the journal")
        var next = syncState()
        next.takeOver(status)
        #expect(next.status(over: status, generation: 1, at: later)["lastIncident"] == status["lastIncident"])
        next.note(
            .incident(
                EntryDraft(
                    at: later, kind: .notice, reason: .incident(.fetchFailed), outcome: .failed, message: "timed out")))
        next.takeOver(status)
        let newer = next.status(over: status, generation: 1, at: later)["lastIncident"]
        #expect(newer?["reason"] == "FetchFailed")
        #expect(newer?["object"] == nil)
    }

    @Test func whatIsNotKnownIsLeftOut() {
        let status = syncState().status(over: [:], generation: nil, at: syncTime)
        #expect(
            Set(status.members?.keys ?? []) == [
                "cluster", "conditions", "heartbeatTime", "instance", "path", "reporter", "repository",
            ])
    }

    /// Subjects and names are anybody's words, and are shown on terminals.
    @Test func textsAreBoundedAndPlain() {
        var state = syncState()
        var standing = wellStanding()
        standing.enforcedRevision = syncRevision("a", subject: "\u{1b}[2J\u{202e}" + String(repeating: "ä", count: 500))
        state.note(standing)
        let subject = state.status(over: [:], generation: 1, at: syncTime)["revision"]?["subject"]?.string ?? ""
        #expect(subject.utf8.count <= 256 && subject.hasPrefix(" [2J ää"), "\(subject)")
    }
}

/// When it is written.
@Suite struct PolicySyncPacingTests {
    private func missing(_ kind: ClusterError.Kind, retryAfter: Duration? = nil) -> ClusterError {
        ClusterError(kind: kind, status: 0, message: "", retryAfter: retryAfter)
    }

    @Test func somethingNewIsWrittenAfterFiveSeconds() {
        var pacing = PolicySyncPacing()
        #expect(pacing.isDue("a", at: .seconds(100)), "the first is due at once")
        pacing.noteWritten("a", at: .seconds(100))
        #expect(!pacing.isDue("b", at: .seconds(104)))
        #expect(!pacing.isDue("a", at: .seconds(105)), "the same is not written again")
        #expect(pacing.isDue("b", at: .seconds(105)))
    }

    @Test func theSameIsWrittenEveryFiveMinutes() {
        var pacing = PolicySyncPacing()
        pacing.noteWritten("a", at: .seconds(100))
        #expect(!pacing.isDue("a", at: .seconds(399)))
        #expect(pacing.isDue("a", at: .seconds(400)))
        pacing.noteWritten("a", at: .seconds(400))
        #expect(!pacing.isDue("a", at: .seconds(500)))
    }

    /// However fast things change and however long it runs.
    @Test func neverMoreThanOneWriteInFiveSeconds() {
        var pacing = PolicySyncPacing()
        var writes = 0
        for second in 0..<1000 where pacing.isDue(.integer(Int64(second)), at: .seconds(second)) {
            pacing.noteWritten(.integer(Int64(second)), at: .seconds(second))
            writes += 1
        }
        #expect(writes == 200)
    }

    @Test(arguments: [.notFound, .namespaceNotFound, .resourceNotServed, .forbidden] as [ClusterError.Kind])
    func withoutObjectOrRightItIsTriedOnceAMinute(_ kind: ClusterError.Kind) {
        var pacing = PolicySyncPacing()
        for round in 0..<5 {
            let now = Duration.seconds(100 + 60 * round)
            #expect(pacing.mayTry(at: now))
            pacing.noteFailure(missing(kind), at: now)
            #expect(!pacing.mayTry(at: now + .seconds(59)))
        }
    }

    @Test func afterFailuresThatMayPassThePausesGrowToAMinute() {
        var pacing = PolicySyncPacing()
        var now = Duration.zero
        for pause in [5, 10, 20, 40, 60, 60] {
            pacing.noteFailure(missing(.unreachable), at: now)
            #expect(!pacing.mayTry(at: now + .seconds(pause - 1)))
            now += .seconds(pause)
            #expect(pacing.mayTry(at: now))
        }
        #expect(pacing.isDue("a", at: now))
        pacing.noteWritten("a", at: now)
        pacing.noteFailure(missing(.busy, retryAfter: .seconds(30)), at: now)
        #expect(!pacing.mayTry(at: now + .seconds(29)))
        #expect(pacing.isDue("a", at: now + .seconds(30)), "a write that failed may have come to nothing")
        pacing.noteFailure(missing(.busy, retryAfter: .seconds(36_000)), at: now)
        #expect(pacing.mayTry(at: now + .seconds(60)), "no server lets it wait for hours")
    }
}

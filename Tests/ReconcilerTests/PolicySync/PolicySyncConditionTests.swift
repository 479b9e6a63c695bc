import Manifest
import Testing

@testable import Reconciler

/// What the four conditions say of each way in which a controller may stand.
@Suite struct PolicySyncConditionTests {
    private func state(_ change: (inout ControllerStanding) -> Void = { _ in }) -> PolicySyncState {
        var state = syncState()
        var standing = wellStanding()
        change(&standing)
        state.note(standing)
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: syncRevision("a"))))
        return state
    }

    private func expect(
        _ state: PolicySyncState, _ kind: PolicySyncCondition.Kind, _ status: String, _ reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = state.condition(kind)
        #expect(found.status == status && found.reason == reason, "\(found)", sourceLocation: sourceLocation)
    }

    // MARK: Whether it is known at all

    @Test func nothingIsKnownAtTheStart() {
        #expect(syncState().statuses == "Unknown Unknown Unknown Unknown")
        expect(syncState(), .ready, "Unknown", "Starting")
    }

    @Test func aControllerThatStandsWellSaysSo() {
        #expect(state().statuses == "True True False False")
        expect(state(), .synced, "True", "AsDeclared")
        expect(state(), .drifted, "False", "NothingDrifted")
        expect(state(), .held, "False", "NothingHeld")
    }

    @Test func whatAStuckControllerSaidLastCountsNoMore() {
        var state = state { $0.openDrifts = 1 }
        state.isAnswering = false
        #expect(state.statuses == "Unknown Unknown Unknown Unknown")
        expect(state, .held, "Unknown", "NotAnswering")
        state.note(wellStanding())
        #expect(state.statuses == "True True False False", "it answers again")
    }

    @Test func afterItsEndNothingIsEnforcedAndTheRestUnknown() {
        var state = state()
        state.isStopped = true
        #expect(state.statuses == "False Unknown Unknown Unknown")
        for kind in PolicySyncCondition.Kind.allCases { #expect(state.condition(kind).reason == "Stopped") }
    }

    @Test func whatEndedIsNotTakenForWhatRuns() {
        var state = state()
        state.note(nil)
        #expect(state.statuses == "Unknown Unknown Unknown Unknown")
    }

    /// What was found so far does not say what is still to be found.
    @Test func whatWasNotReadYetIsUnknown() {
        let unread = state { $0.isGathered = false }
        #expect(unread.statuses == "False Unknown Unknown Unknown")
        expect(unread, .ready, "False", "KindsUnread")
        let found = state {
            $0.isGathered = false
            $0.openDrifts = 1
            $0.heldActions = 1
        }
        #expect(found.statuses == "False False True True", "what was found is there, whatever else is")
        let nothing = state { $0.isEnforcing = false }
        #expect(nothing.statuses == "False Unknown Unknown Unknown")
        expect(nothing, .synced, "Unknown", "NothingEnforced")
    }

    // MARK: The journal

    @Test func withoutAJournalNothingIsEnforced() {
        let error = JournalError(kind: .damaged, message: "page 3", hint: "")
        var state = syncState()
        state.note(.journalLost(JournalOutage(since: syncTime, error: error)))
        #expect(state.statuses == "False Unknown Unknown Unknown", "no controller was begun")
        expect(state, .ready, "False", "JournalDamaged")
        var standing = wellStanding()
        standing.isJournalUsable = false
        standing.openDrifts = 2
        standing.objects[.failing] = ["Role": 2]
        state.note(standing)
        #expect(state.statuses == "False False True False", "what is seen meanwhile is told")
        expect(state, .ready, "False", "JournalDamaged")
        state.note(.journalBack(JournalOutage(since: syncTime, error: error), entry: nil))
        state.note(wellStanding())
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: syncRevision("a"))))
        #expect(state.statuses == "True True False False")
    }

    /// Two processes on one journal must not contradict each other in one status.
    @Test func whoeverHasTheJournalIsTheOneThatTells() {
        var state = syncState()
        #expect(!state.isAnotherAtWork)
        for (kind, isAnother) in [(.locked, true), (.unwritable, false)] as [(JournalError.Kind, Bool)] {
            let outage = JournalOutage(since: syncTime, error: JournalError(kind: kind, message: "", hint: ""))
            state.note(.journalLost(outage))
            #expect(state.isAnotherAtWork == isAnother)
        }
        let locked = JournalOutage(since: syncTime, error: JournalError(kind: .locked, message: "", hint: ""))
        state.note(.journalStillLost(locked))
        #expect(state.isAnotherAtWork)
        state.note(.journalBack(locked, entry: nil))
        #expect(!state.isAnotherAtWork)
        state.note(wellStanding())
        state.note(.journalLost(locked))
        #expect(!state.isAnotherAtWork, "a controller of our own runs")
    }

    // MARK: Synced

    @Test(
        arguments: [
            (.failing, "Failing"), (.waiting, "Waiting"), (.pending, "Applying"), (.held, "ActionsHeld"),
        ] as [(ControllerStanding.ObjectState, String)])
    func oneObjectThatIsNotAsDeclaredIsEnough(_ object: ControllerStanding.ObjectState, _ reason: String) {
        expect(state { $0.objects[object] = ["Role": 1] }, .synced, "False", reason)
    }

    @Test func aRefusedRevisionIsNamedByItsIncident() {
        let refused = state {
            $0.isRevisionRefused = true
            $0.openIncidents = [.fetchFailed: 1, .commitUnsigned: 1]
        }
        expect(refused, .synced, "False", "CommitUnsigned")
        #expect(refused.condition(.ready).status == "True", "the last good one stays enforced")
        expect(state { $0.isRevisionRefused = true }, .synced, "False", "RevisionRefused")
        let nothing = state {
            $0.isRevisionRefused = true
            $0.isEnforcing = false
        }
        #expect(nothing.statuses == "False False Unknown Unknown")
    }

    @Test func aRevisionThatIsSeenAndNotEnforcedYet() {
        var state = state()
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: syncRevision("b"))))
        expect(state, .synced, "False", "RevisionPending")
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: syncRevision("a"))))
        expect(state, .synced, "True", "AsDeclared")
    }

    /// That the repository cannot be read says nothing against the cluster, nor that nothing newer is there.
    @Test func withoutTheRepositoryItIsUnknown() {
        let unread = state { $0.openIncidents = [.fetchFailed: 1] }
        #expect(unread.statuses == "True Unknown False False")
        expect(unread, .synced, "Unknown", "FetchFailed")
        let drifted = state {
            $0.openIncidents = [.fetchFailed: 1]
            $0.openDrifts = 1
        }
        expect(drifted, .synced, "False", "Drifted")
    }

    /// What was in force before the start may be old.
    @Test func beforeTheRepositoryHasAnsweredItIsUnknown() {
        var state = syncState()
        state.note(wellStanding())
        #expect(state.statuses == "True Unknown False False")
        expect(state, .synced, "Unknown", "NotFetched")
    }

    /// No incident can be opened then.
    @Test func aRepositoryThatFailsWhileTheJournalCannotBeUsedIsUnknownToo() {
        var state = state { $0.isJournalUsable = false }
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: nil)))
        expect(state, .synced, "Unknown", "FetchFailed")
        state.note(.fetched(FetchReport(at: syncTime, duration: .zero, newest: syncRevision("a"))))
        expect(state, .synced, "True", "AsDeclared")
    }

    @Test func whatChangesWhileAKindCannotBeWatchedIsUnknown() {
        let broken = state { $0.isViewBroken = true }
        #expect(broken.statuses == "True Unknown Unknown Unknown")
        for kind in [PolicySyncCondition.Kind.synced, .drifted, .held] {
            expect(broken, kind, "Unknown", "ClusterUnreachable")
        }
        let found = state {
            $0.isViewBroken = true
            $0.openDrifts = 1
            $0.heldActions = 1
        }
        #expect(found.statuses == "True False True True", "what was found is there, whatever else is")
    }

    // MARK: Drifted and Held

    @Test func aDriftIsOpenUntilItsEnd() {
        var state = state {
            $0.openDrifts = 2
            $0.oldestDrift = syncTime
        }
        #expect(state.statuses == "True False True False")
        let message = state.conditions.first { $0.kind == .drifted }?.message ?? ""
        #expect(message.contains("2 objects are") && message.contains("since 2026-03-01T12:00:00Z"), "\(message)")
        let role = ObjectID(.role, namespace: "team", name: "reader")
        state.note(.driftEnded(EndedDrift(object: role, reason: .changed, duration: .seconds(1), isCorrected: true)))
        #expect(state.condition(.drifted).status == "True", "another one is open")
        state.note(wellStanding())
        expect(state, .drifted, "False", "Corrected")
        state.note(.driftEnded(EndedDrift(object: role, reason: .changed, duration: .seconds(1), isCorrected: false)))
        expect(state, .drifted, "False", "NothingDrifted")
    }

    @Test func whatIsHeldNamesWhatHoldsIt() {
        let held = state {
            $0.heldActions = 3
            $0.openIncidents = [.approvalMissing: 2, .driftFight: 1]
        }
        #expect(held.statuses == "True False False True")
        expect(held, .held, "True", "ApprovalMissing")
        expect(held, .synced, "False", "ApprovalMissing")
        expect(state { $0.heldActions = 1 }, .held, "True", "ActionsHeld")
    }

    @Test func anEmergencyHoldHoldsNewerRevisions() {
        let held = state { $0.openIncidents = [.holdActive: 1] }
        #expect(held.statuses == "True False False True")
        expect(held, .held, "True", "HoldActive")
        expect(held, .synced, "False", "HoldActive")
    }

    /// metav1.Condition: what the definition's pattern asks for as well.
    @Test func everyReasonIsOneWord() throws {
        var states = [syncState(), state(), state { $0.isEnforcing = false }, state { $0.isGathered = false }]
        for object in ControllerStanding.ObjectState.allCases {
            states.append(state { $0.objects[object] = ["Role": 1] })
        }
        for reason in IncidentReason.allCases { states.append(state { $0.openIncidents = [reason: 1] }) }
        for condition in states.flatMap(\.conditions) {
            #expect(condition.reason.wholeMatch(of: /[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?/) != nil, "\(condition)")
            #expect(!condition.message.isEmpty && !condition.message.hasSuffix("."), "\(condition)")
        }
    }
}

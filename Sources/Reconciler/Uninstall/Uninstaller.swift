package import Manifest
package import Planning

/// Takes what an instance made out of a cluster, or only its marker off it.
///
/// Context: a revision that declares nothing is refused, so that nobody deletes everything by mistake; somebody who wants
/// just that needs another way. Choice: it is planned and shown first, done only when asked for, by the same rules as any
/// deletion (rules H3 and H4), and recorded like one. Given up: what the journal does not know stays, although it carries
/// the marker.
package struct Uninstaller: Sendable {
    private let surveyor: UninstallSurveyor
    private let journal: any RunJournal

    private var cluster: any ClusterAPI { surveyor.cluster }
    private var ownership: Ownership { surveyor.ownership }
    private var surroundings: Surroundings { surveyor.surroundings }

    /// How often an object is looked at again that somebody writes meanwhile.
    private static let maximumRounds = 4

    package init(_ surveyor: UninstallSurveyor, journal: any RunJournal) {
        self.surveyor = surveyor
        self.journal = journal
    }

    // MARK: Doing

    /// What became of one object.
    package enum Outcome: Sendable, Equatable {
        case done
        /// Marked for deletion, and held by finalizers.
        case pending(String)
        case failed(String, hint: String)
        case left(UninstallStep.Reason)
        /// It is none of ours any more.
        case passedOver

        package var isSettled: Bool { self == .done || self == .passedOver }
    }

    /// Does what a survey found, one after the other.
    ///
    /// - Parameter tell: Is told of each object what became of it.
    /// - Throws: ``JournalError`` where it cannot be recorded: nothing more is done then. ``ClusterError`` where the cluster
    ///   does not answer; what is open is settled by the next call.
    package func perform(
        _ survey: UninstallSurvey, tell: (ObjectID, UninstallStep.Fate, Outcome) -> Void
    ) async throws {
        var arePoliciesGone = survey.policiesLeft.isEmpty
        for left in survey.policiesLeft { tell(left.id, .leave(left.reason), .left(left.reason)) }
        for change in survey.policies {
            let outcome = try await remove(change)
            if !outcome.isSettled { arePoliciesGone = false }
            tell(change.id, .delete, outcome)
        }
        if arePoliciesGone { try await journal.remember(.keptPrevention, KeptPrevention.none) }
        // Nothing is opened while somebody has rights that were to go first.
        var doRightsRemain = false
        for step in survey.steps {
            let outcome: Outcome
            if case .leave(let reason) = step.fate {
                outcome = .left(reason)
                if step.keepsRights { doRightsRemain = true }
            } else if step.opens, doRightsRemain {
                outcome = .left(.rightsRemain)
            } else {
                outcome = try await perform(step, survey)
                if step.isAboutRights, step.fate == .delete, !outcome.isSettled { doRightsRemain = true }
            }
            tell(step.object.id, step.fate, outcome)
        }
    }

    private func remove(_ first: PreventionChange) async throws -> Outcome {
        guard let before = first.before else { return .passedOver }
        var change = first
        var intent = intent(.delete, on: before, patch: nil, desired: nil)
        let id = try await journal.begin(intent)
        // From now on it is there by half, which no digest stands for.
        try await journal.remember(.keptPrevention, KeptPrevention.inPart)
        var held: LiveObject?
        for round in 1... {
            do throws(ClusterError) {
                held = try await cluster.make(change)
                break
            } catch {
                guard isWorthAnotherLook(error, round) else { return try await settleFailure(error, id, intent) }
            }
            let found = try await finding(of: intent)
            switch PolicyIntentFate(of: intent, wanted: nil, found: found) {
            case .goesOn:
                guard case .differs(let next) = found, let before = next.before else { break }
                change = next
                intent = try await revise(id, intent, to: self.intent(.delete, on: before, patch: nil, desired: nil))
            case .wasDone:
                if case .leaving(let live) = found, live.uid == intent.uid {
                    try await settle(id, intent, .succeeded, after: live, owned: .unchanged, note: Self.isOnItsWay)
                    return .left(.terminating)
                }
                try await settle(id, intent, .succeeded, after: nil, owned: .unchanged, note: Self.wasGone)
                return .done
            case .isLeft(let why):
                try await settle(id, intent, .abandoned, after: nil, owned: .unchanged, note: why)
                return .passedOver
            }
        }
        return try await settleDeletion(id, intent, after: held, owned: .unchanged)
    }

    /// What a policy that is to go is like now; nothing is to be done where the server has none any more.
    private func finding(of intent: Intent) async throws(ClusterError) -> PreventionFinding {
        do throws(ClusterError) {
            return try await cluster.preventionFinding(of: intent.object, wanted: nil, instance: surveyor.instance)
        } catch {
            guard error.kind == .resourceNotServed else { throw error }
            return .asWanted
        }
    }

    private func isWorthAnotherLook(_ error: ClusterError, _ round: Int) -> Bool {
        round < Self.maximumRounds && ([.conflict, .notFound].contains(error.kind) || error.leavesOutcomeUnknown)
    }

    /// Makes durable what a write has turned into, since somebody changed meanwhile what it is about.
    private func revise(_ id: IntentID, _ earlier: Intent, to next: Intent) async throws(JournalError) -> Intent {
        var later = next
        later.at = earlier.at
        if later != earlier { try await journal.revise(id, as: later) }
        return later
    }

    private func perform(_ first: UninstallStep, _ survey: UninstallSurvey) async throws -> Outcome {
        var step = first
        var intent = intent(of: step)
        let id = try await journal.begin(intent)
        for round in 1... {
            let after: LiveObject?
            do throws(ClusterError) { after = try await request(step) } catch {
                guard isWorthAnotherLook(error, round) else { return try await settleFailure(error, id, intent) }
                switch try await lookAgain(at: first, survey, id, intent) {
                case .again(let next):
                    step = next
                    intent = try await revise(id, intent, to: self.intent(of: next))
                case .over(let outcome): return outcome
                }
                continue
            }
            guard step.fate == .delete else {
                try await settle(id, intent, .succeeded, after: after, owned: .released(step.object.id))
                return .done
            }
            return try await settleDeletion(id, intent, after: after, owned: .released(step.object.id))
        }
        return .passedOver
    }

    /// What is still there was only marked for deletion, and is held.
    private func settleDeletion(
        _ id: IntentID, _ intent: Intent, after: LiveObject?, owned: OwnershipChange
    ) async throws(JournalError) -> Outcome {
        guard let after else {
            try await settle(id, intent, .succeeded, after: nil, owned: owned)
            return .done
        }
        let finalizers = after.finalizers.joined(separator: ", ")
        try await settle(
            id, intent, .succeeded, after: after, owned: .unchanged,
            note: "marked for deletion; finalizers \(finalizers) hold it")
        return .pending(finalizers)
    }

    private enum SecondLook {
        case again(UninstallStep)
        case over(Outcome)
    }

    /// Judges anew what stands there now: it may be another one, or marked no more.
    private func lookAgain(
        at first: UninstallStep, _ survey: UninstallSurvey, _ id: IntentID, _ intent: Intent
    ) async throws -> SecondLook {
        let name = first.object.id
        guard let object = try await cluster.read(name), object.uid == first.object.uid else {
            let isDone = first.fate == .delete
            try await settle(
                id, intent, isDone ? .succeeded : .abandoned, after: nil, owned: .released(name),
                note: Self.wasGone)
            return .over(isDone ? .done : .passedOver)
        }
        if first.fate == .delete, object.isTerminating {
            try await settle(id, intent, .succeeded, after: object, owned: .unchanged, note: Self.isOnItsWay)
            return .over(.left(.terminating))
        }
        let next = planUninstall(
            of: [object], ownership: ownership, proof: survey.knowledge.proof, access: survey.access,
            protection: survey.protection, wish: surveyor.wish
        ).first
        if let next, next.fate == first.fate { return .again(next) }
        if first.fate == .unmark, next == nil || ownership.claim(of: object) == .unmarked {
            try await settle(id, intent, .succeeded, after: object, owned: .released(name))
            return .over(.done)
        }
        try await settle(
            id, intent, .abandoned, after: object, owned: .unchanged, note: "somebody changed it meanwhile")
        if case .leave(let reason)? = next?.fate { return .over(.left(reason)) }
        return .over(.passedOver)
    }

    /// - Returns: The object afterwards; nil where it is gone.
    private func request(_ step: UninstallStep) async throws(ClusterError) -> LiveObject? {
        guard step.fate == .delete else {
            return try await cluster.mergePatch(unmarkingPatch, to: step.object.id, expecting: step.object).live
        }
        switch try await cluster.delete(step.object.id, expecting: step.object) {
        case .gone: return nil
        case .pending(let object, _): return object
        }
    }

    // MARK: The record

    private static let wasGone = "it was gone by then"
    private static let isOnItsWay = "it is on its way"

    private func intent(of step: UninstallStep) -> Intent {
        guard step.fate == .delete else {
            var desired = step.object.content
            desired.set(["metadata", "labels", Ownership.instanceLabel], to: nil)
            desired.set(["metadata", "annotations", Ownership.identityAnnotation], to: nil)
            return intent(.update, on: step.object, patch: .array([["mergePatch": unmarkingPatch]]), desired: desired)
        }
        return intent(.delete, on: step.object, patch: nil, desired: nil)
    }

    private func intent(_ action: ActionKind, on object: LiveObject, patch: Tree?, desired: Tree?) -> Intent {
        let what = action == .delete ? "delete \(object.id)" : "take the marker off \(object.id), which stays"
        return Intent(
            at: surroundings.now(), action: action, reason: .uninstalled, object: object.id, uid: object.uid,
            resourceVersion: object.resourceVersion, before: object.content, desired: desired, patch: patch,
            revision: nil, actor: nil, message: "\(what): instance \(surveyor.instance) is uninstalled")
    }

    private func settle(
        _ id: IntentID, _ intent: Intent, _ outcome: EntryOutcome, after: LiveObject?, owned: OwnershipChange,
        note: String? = nil
    ) async throws(JournalError) {
        // A policy is no part of any declared state.
        let isOfState = !intent.isOfPolicy
        try await journal.settle(
            id,
            as: EntryDraft(
                at: surroundings.now(), kind: isOfState ? .action : .event, reason: .uninstalled, outcome: outcome,
                action: isOfState ? intent.action : nil,
                object: intent.object, uid: intent.uid,
                resourceVersion: after?.resourceVersion ?? intent.resourceVersion,
                before: intent.before, after: after?.content, patch: intent.patch,
                message: intent.message + (note.map { "; \($0)" } ?? "")),
            owned: owned)
    }

    /// - Throws: The error, where nobody knows what became of the request; then the intent stays open.
    private func settleFailure(_ error: ClusterError, _ id: IntentID, _ intent: Intent) async throws -> Outcome {
        guard !error.leavesOutcomeUnknown, error.kind != .cancelled else { throw error }
        try await settle(id, intent, .failed, after: nil, owned: .unchanged, note: error.message)
        return .failed(error.message, hint: error.hint)
    }

    // MARK: What was cut short

    /// Learns what became of the requests of an uninstall that was cut short.
    ///
    /// What an earlier `run` left open is left to the next one: what it may have made is not known as ours.
    package func settleInterrupted() async throws {
        for (id, intent) in try await journal.unsettledIntents() where intent.reason == .uninstalled {
            if intent.isOfPolicy {
                let fate = PolicyIntentFate(of: intent, wanted: nil, found: try await finding(of: intent))
                try await settleInterrupted(id, intent, isDone: fate == .wasDone, after: nil, owned: .unchanged)
            } else {
                try await settleInterrupted(id, intent, live: try await cluster.read(intent.object))
            }
        }
    }

    private func settleInterrupted(_ id: IntentID, _ intent: Intent, live: LiveObject?) async throws(JournalError) {
        let isGone = live?.uid != intent.uid
        let isDone =
            intent.action == .delete
            ? isGone || live?.isTerminating == true : live.map { ownership.claim(of: $0) } == .unmarked
        try await settleInterrupted(
            id, intent, isDone: isDone, after: live,
            owned: isGone || intent.action != .delete && isDone ? .released(intent.object) : .unchanged)
    }

    private func settleInterrupted(
        _ id: IntentID, _ intent: Intent, isDone: Bool, after: LiveObject?, owned: OwnershipChange
    ) async throws(JournalError) {
        try await settle(
            id, intent, isDone ? .succeeded : .abandoned, after: after, owned: owned,
            note: isDone ? "found done after it was cut short" : "found not done after it was cut short")
    }
}

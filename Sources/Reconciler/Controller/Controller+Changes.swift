import Manifest
import Planning
import Policy

extension Controller {
    // MARK: A change

    /// One change on its way, under one intent.
    struct Attempt {
        /// What is sent now.
        var action: Action
        /// What the record tells: the first action, or a later one where that tells more of what was found.
        var described: Action
        var enforced: EnforcedState
        var isDrift: Bool
        var begun: Duration
        var actor: Actor?
        /// The entry that it undoes.
        var undoes: Int64?
        /// What was deleted by hand before the object is made again.
        var lost: LiveObject?
        /// One of its requests has changed something already.
        var hasWritten = false
        /// What was deleted to be made anew, where somebody else's came in its place.
        var replaced: LiveObject?
        /// The object that one of its requests has made.
        var madeUID: String?
        /// How often something was written to the object meanwhile.
        var conflicts = 0
        var span: OpenSpan?

        /// What a request expects to find.
        ///
        /// Whoever writes an object all the time must not keep it from being put right: after some attempts it is the
        /// object that counts, and not its version. What is there then is looked at once more.
        func expected(_ object: LiveObject) -> LiveObject {
            conflicts < Controller.patientRounds ? object : object.inAnyVersion
        }

        /// Takes in what is done next, for the record.
        ///
        /// After our own first request what is found now is no longer what was there before, and what was made stays so,
        /// however it is corrected. But what stands there instead, made by somebody else, tells of itself.
        mutating func describe(next action: Action) {
            let isOfWhatWasMade = madeUID != nil && action.before?.uid == madeUID
            let isKept =
                switch described.kind {
                case .create: isOfWhatWasMade && action.kind != .replace
                case .replace: isOfWhatWasMade || action.before == nil || madeUID == nil && action.kind != .adopt
                case .update, .delete, .adopt: action.kind != .adopt || described.kind == .adopt
                }
            guard hasWritten, isKept else {
                if hasWritten, described.kind == .replace { replaced = described.before }
                described = action
                return
            }
        }

        /// Why it is made, for the record.
        var reason: EntryReason {
            action.isOfStranger
                ? .incident(.undeclaredRemoved) : isDrift ? .incident(.driftCorrected) : .revisionChanged
        }
    }

    /// What a change left behind; `object` is nil where the object is gone.
    struct Outcome {
        var object: LiveObject?
        var warnings: [String] = []
        var auditID: String?
        var note: String?

        init(object: LiveObject?, warnings: [String] = [], auditID: String? = nil, note: String? = nil) {
            self.object = object
            self.warnings = warnings
            self.auditID = auditID
            self.note = note
        }
    }

    private enum NextStep {
        case again(Action, by: EnforcedState)
        case alreadyDone(LiveObject?)
        /// It is no longer to be done.
        case superseded
        case unknown
    }

    /// How often one change is decided anew before it is left to a later attempt.
    private static let maximumRounds = 6
    /// How many conflicts in a row are still taken for chance.
    private static let patientRounds = 2

    func execute(_ action: Action, enforced: EnforcedState) async throws(JournalError) {
        let change = beginChange(action, isDrift: isDrift(action.id, enforced))
        defer { endChange(change, of: action, by: enforced) }
        do throws(JournalError) {
            try await execute(action, enforced: enforced, span: change?.span)
        } catch {
            change?.span.fail(error)
            throw error
        }
    }

    private func execute(
        _ action: Action, enforced: EnforcedState, span: OpenSpan?
    ) async throws(JournalError) {
        let id = action.id
        let isDrift = isDrift(id, enforced)
        var attempt = Attempt(
            action: action, described: action, enforced: enforced, isDrift: isDrift, begun: surroundings.uptime(),
            lost: isDrift && action.before == nil ? live.lastSeen(id) : nil)
        attempt.actor = isDrift || action.isOfStranger ? actor(of: action) : nil
        attempt.undoes = try await entryUndone(by: attempt)
        attempt.span = span
        let intent = try await span.part("journal intent") { _ throws(JournalError) in
            try await journal.begin(intentOf(attempt))
        }
        var differencesBefore: [Difference]?
        for round in 1... {
            let result: Result<Outcome, ClusterError>
            do throws(ClusterError) {
                result = .success(try await perform(&attempt))
            } catch {
                result = .failure(error)
            }
            switch result {
            case .success(let outcome):
                noteAnswered()
                noteFound(outcome.object, of: id)
                // The write may have landed on something else than what it was decided for: that is looked at once more,
                // and only the same answer twice is stubborn.
                if let next = correction(of: outcome, attempt), round < Self.maximumRounds,
                    next.differences != differencesBefore
                {
                    differencesBefore = next.differences
                    try await turn(&attempt, to: next, by: attempt.enforced, intent: intent)
                    continue
                }
                try await succeed(attempt, outcome, intent: intent)
                return
            case .failure(let error):
                if error.kind == .unreachable { noteUnreachable() } else { noteAnswered() }
                if error.kind == .conflict { attempt.conflicts += 1 }
                // Nothing is wrong with the object. Whoever leads next finds the intent, and settles it by a look.
                guard error.kind != .notLeading else {
                    span?.fail(error)
                    return stop()
                }
                guard let next = await nextStep(after: error, round: round, attempt: attempt) else {
                    try await fail(attempt, error, intent: intent)
                    return
                }
                switch next {
                case .again(let action, let enforced):
                    try await turn(&attempt, to: action, by: enforced, intent: intent)
                case .alreadyDone(let object):
                    try await succeed(attempt, Outcome(object: object, note: "found done"), intent: intent)
                    return
                case .superseded:
                    try await abandon(attempt, intent: intent)
                    return
                case .unknown:
                    // Whether it happened cannot be learned now: the intent stays open, and is settled with the next look.
                    span?.fail(error)
                    openIntents[id] = OpenIntent(id: intent, intent: intentOf(attempt), isFromEarlierRun: false)
                    noteFailing(attempt.action)
                    scheduleRetry(id, .afterBackOff)
                    notify(.trouble(error.message, hint: error.hint))
                    return
                }
            }
        }
    }

    /// The entry of an earlier revision's change that an attempt undoes, where the revision behind it is a revert.
    ///
    /// A correction of drift undoes what somebody did, and no revision.
    private func entryUndone(by attempt: Attempt) async throws(JournalError) -> Int64? {
        guard let undoing = attempt.enforced.undoing, !attempt.isDrift, !attempt.action.isOfStranger else { return nil }
        let latest = try await journal.lastChange(
            of: attempt.action.id, under: undoing.revisions, from: undoing.firstEntry)
        return undoing.entry(undoneBy: attempt.action.desired, latest: latest)
    }

    /// Goes on with another action under the same intent, which is rewritten first where it would tell something else.
    private func turn(
        _ attempt: inout Attempt, to action: Action, by enforced: EnforcedState, intent: IntentID
    ) async throws(JournalError) {
        let earlier = intentOf(attempt)
        attempt.action = action
        attempt.enforced = enforced
        attempt.describe(next: action)
        attempt.isDrift = isDrift(action.id, enforced)
        attempt.actor = attempt.isDrift || action.isOfStranger ? actor(of: attempt.described) : nil
        if attempt.described.before != nil { attempt.lost = nil }
        attempt.undoes = try await entryUndone(by: attempt)
        var later = intentOf(attempt)
        later.at = earlier.at
        guard later != earlier else { return }
        do throws(JournalError) {
            try await journal.revise(intent, as: later)
        } catch {
            // What was begun is settled by a look at the object when that can be recorded.
            openIntents[action.id] = OpenIntent(id: intent, intent: earlier, isFromEarlierRun: false)
            throw error
        }
    }

    /// The action that is still needed after a write that was answered well.
    private func correction(of outcome: Outcome, _ attempt: Attempt) -> Action? {
        guard let object = outcome.object, attempt.action.kind != .delete,
            remainingDifferences(attempt, outcome) != nil,
            case .act(let action) = decision(on: object.id, live: object, by: attempt.enforced)
        else { return nil }
        return action
    }

    // MARK: Requests

    private func perform(_ attempt: inout Attempt) async throws(ClusterError) -> Outcome {
        let action = attempt.action
        var outcome = Outcome(object: action.before)
        for step in action.steps {
            switch step {
            case .takeOver(let patch):
                outcome.take(
                    try await attempt.span.request("patch") { () throws(ClusterError) in
                        try await cluster.jsonPatch(patch, to: action.id)
                    })
            case .removeUndeclared(let patch):
                guard let expected = outcome.object else { continue }
                outcome.take(
                    try await attempt.span.request("patch") { () throws(ClusterError) in
                        try await cluster.mergePatch(patch, to: action.id, expecting: attempt.expected(expected))
                    })
            case .apply:
                guard let desired = action.desired else { continue }
                guard let expected = outcome.object.map(attempt.expected) else {
                    outcome.take(try await make(desired, &attempt))
                    break
                }
                outcome.take(
                    try await attempt.span.request("apply") { () throws(ClusterError) in
                        try await cluster.apply(desired, to: action.id, expecting: expected, isDryRun: false)
                    })
            case .recreate:
                guard let desired = action.desired, let expected = outcome.object else { continue }
                let name = probeName()
                try await attempt.span.request("create") { () throws(ClusterError) in
                    try await cluster.dryRunCreate(desired.renamed(name), as: action.id.renamed(name))
                }
                try await delete(attempt, expecting: attempt.expected(expected), into: &outcome)
                attempt.hasWritten = true
                if let pending = outcome.object {
                    throw ClusterError(
                        kind: .terminating, status: 200,
                        message: "recreate \(action.id): finalizers \(describeFinalizers(pending)) hold the old object",
                        hint: "Remove the finalizers, or find out who set them.")
                }
                outcome.take(try await make(desired, &attempt))
            case .delete:
                guard let expected = outcome.object else { continue }
                try await delete(attempt, expecting: attempt.expected(expected), into: &outcome)
            }
            attempt.hasWritten = true
        }
        return outcome
    }

    private func make(_ desired: Tree, _ attempt: inout Attempt) async throws(ClusterError) -> WriteAnswer {
        let id = attempt.action.id
        let answer = try await attempt.span.request("apply") { () throws(ClusterError) in
            try await cluster.applyNew(desired, as: id)
        }
        attempt.madeUID = answer.live?.uid
        return answer
    }

    private func delete(
        _ attempt: Attempt, expecting: LiveObject, into outcome: inout Outcome
    ) async throws(ClusterError) {
        let answer = try await attempt.span.request("delete") { () throws(ClusterError) in
            try await cluster.delete(attempt.action.id, expecting: expecting)
        }
        switch answer {
        case .gone(let auditID):
            outcome.object = nil
            outcome.auditID = auditID
        case .pending(let object, let auditID):
            outcome.object = object
            outcome.auditID = auditID
            outcome.note = "marked for deletion; finalizers \(describeFinalizers(object)) hold it"
        }
    }

    /// A name under which a create is only checked: the right name is still taken (rule F3), and a name that somebody
    /// could foresee might be taken as well.
    private func probeName() -> String {
        "bylaw-probe-" + String(UInt64(surroundings.randomness() * 0x1p52), radix: 36)
    }

    // MARK: After a refusal

    /// After a refusal that may come from a state that moved, looks again and decides anew (rules A15 and N5).
    ///
    /// - Returns: nil where looking again cannot help.
    private func nextStep(after error: ClusterError, round: Int, attempt: Attempt) async -> NextStep? {
        let action = attempt.action
        // Between the two halves of a replacement access is missing: the second half is not left to a later attempt.
        let isHalfDone = attempt.described.kind == .replace && attempt.hasWritten
        switch error.kind {
        case .namespaceNotFound, .roleNotFound:
            // Admission and the bind check read caches that lag behind what was just made (rules G4 and G5).
            guard round < Self.maximumRounds, isPrerequisiteKnown(action), await pause(round) else { return nil }
            return .again(action, by: attempt.enforced)
        case .conflict, .alreadyExists, .notFound, .fieldConflict, .expired: break
        case .roleRefImmutable where action.kind != .replace: break
        case _ where error.leavesOutcomeUnknown: break
        default: return nil
        }
        guard round < Self.maximumRounds else { return error.leavesOutcomeUnknown ? .unknown : nil }
        if isHalfDone, error.leavesOutcomeUnknown { guard await pause(round + 1) else { return .unknown } }
        let object: LiveObject?
        do throws(ClusterError) {
            object = try await readWhereServed(action.id)
        } catch {
            return .unknown
        }
        noteFound(object, of: action.id)
        guard let enforced else { return .unknown }
        switch decision(on: action.id, live: object, by: enforced) {
        case .act(let next) where next.stage == .loosen && action.stage != .loosen:
            // What opens goes by its stage, behind what is to protect, and not on the way of something else.
            return .superseded
        case .act(let next):
            // The server is busy or out of reach, and the change did not happen: later, not at once.
            return error.leavesOutcomeUnknown && !isHalfDone ? nil : .again(next, by: enforced)
        case .leave, .recognise, .release:
            // By another declaration than the one that was to be applied it is no success of this change.
            guard enforced.digests[action.id] == attempt.enforced.digests[action.id] else { return .superseded }
            let isDone = action.kind != .delete || object == nil || object?.isTerminating == true
            return isDone ? .alreadyDone(object) : .superseded
        case .waitForDeletion where action.kind == .delete: return .alreadyDone(object)
        case .hold, .stranger, .leaveUntil, .waitForDeletion: return .superseded
        }
    }

    private func pause(_ round: Int) async -> Bool {
        do {
            try await surroundings.sleep(.milliseconds(25) * Int(1 << round))
            return true
        } catch {
            return false
        }
    }

    /// Takes in what a request or a look of our own has found.
    func noteFound(_ object: LiveObject?, of id: ObjectID) {
        if let object {
            if live.store(object) { reconsiderForbidden(after: id) }
        } else if let before = live[id] {
            _ = live.remove(id, uid: before.uid)
        }
    }

    /// Whether the namespace, and the role that a binding names, are known to be there.
    private func isPrerequisiteKnown(_ action: Action) -> Bool {
        if !action.id.namespace.isEmpty, live[ObjectID(.namespace, name: action.id.namespace)] == nil { return false }
        guard let role = referencedRole(action) else { return true }
        return live[role] != nil
    }
}

extension Controller.Outcome {
    fileprivate mutating func take(_ answer: WriteAnswer) {
        object = answer.live ?? object
        warnings += answer.warnings
        auditID = answer.auditID
    }
}

extension ObjectID {
    fileprivate func renamed(_ name: String) -> ObjectID {
        var id = self
        id.name = name
        return id
    }
}

extension Tree {
    fileprivate func renamed(_ name: String) -> Tree {
        var tree = self
        tree.set(["metadata", "name"], to: .string(name))
        return tree
    }
}

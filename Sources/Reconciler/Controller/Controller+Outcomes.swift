import Manifest
import Planning
import Policy
import Tracing

extension Controller {
    // MARK: Outcomes

    func succeed(_ attempt: Attempt, _ outcome: Outcome, intent: IntentID) async throws(JournalError) {
        let action = attempt.action
        let id = action.id
        if let stubborn = remainingDifferences(attempt, outcome) {
            // Not drift: something on the server's side writes this on every request (rule N3).
            let error = ClusterError(
                kind: .denied, status: 200,
                message: "\(action.kind.rawValue) \(id): the server's answer still differs at \(stubborn)",
                hint:
                    "An admission webhook or another controller rewrites it: exempt Bylaw's field manager, or declare its value."
            )
            try await fail(attempt, error, intent: intent)
            return
        }
        var change = OwnershipChange.unchanged
        if let object = outcome.object, action.kind != .delete {
            change = .owns(
                id,
                OwnedObject(
                    uid: object.uid, declarationDigest: attempt.enforced.digests[id] ?? "",
                    revision: attempt.enforced.revision.commit))
        } else if outcome.object == nil {
            change = .released(id)
        }
        var entry = entryOf(attempt, outcome: .succeeded)
        entry.reason = attempt.reason
        entry.after = outcome.object?.content
        entry.uid = outcome.object?.uid ?? entry.uid
        entry.resourceVersion = outcome.object?.resourceVersion
        entry.auditID = outcome.auditID
        entry.refersTo = attempt.undoes
        entry.message = ([entry.message] + [outcome.note].compactMap { $0 } + outcome.warnings.map { "warning: \($0)" })
            .joined(separator: "; ")
        let sequence = try await settle(attempt, intent, as: entry, owned: change)
        note(change)
        pass?.report.changes[attempt.described.kind, default: 0] += 1
        if attempt.isDrift { pass?.report.driftCorrections += 1 }
        notify(.changed(entry, sequence: sequence))
        endDrift(id, isCorrected: attempt.isDrift || attempt.action.isOfStranger)
        try await noteAsDeclared(id)
        if attempt.isDrift || attempt.action.isOfStranger { try await noteCorrection(id, attempt: attempt) }
        if id.resource == .namespace { considerWaiting(in: id.name) }
        let isPending = action.kind == .delete && outcome.object != nil
        // What was decided by a revision that is no longer enforced is looked at once more by the one that is.
        if isPending || enforced?.digests[id] != attempt.enforced.digests[id] { queue.addUrgent(id) }
    }

    func fail(_ attempt: Attempt, _ error: ClusterError, intent: IntentID) async throws(JournalError) {
        let id = attempt.action.id
        attempt.span?.fail(error)
        let (reason, usual) = classifyFailure(error.kind, isDrift: attempt.isDrift)
        let next = error.kind == .forbidden ? nextAttempt(afterForbidden: usual) : usual
        // What was decided by a revision that is no longer enforced is no failure of the one that is.
        let isCurrent = enforced?.digests[id] == attempt.enforced.digests[id]
        if isCurrent {
            noteFailing(attempt.action)
            failedDifferences[id] = decidedDifferences(id)
            if error.kind == .forbidden { forbidden.insert(id) } else { forbidden.remove(id) }
        }
        // Half of a replacement is done: what is missing now is our own doing, and nobody's drift.
        if attempt.described.kind == .replace, attempt.hasWritten { settledDigests[id] = nil }
        var entry = entryOf(attempt, outcome: .failed)
        entry.reason = .incident(reason)
        let causes = error.causes.map { "\($0.field): \($0.message)" }
        let advice = error.kind == .forbidden && !error.hint.isEmpty ? [error.hint] : []
        entry.message = ([entry.message, error.message] + causes + advice).joined(separator: "; ")
        let sequence = try await settle(attempt, intent, as: entry, owned: .unchanged)
        openIncidents[id, default: []].insert(reason)
        notify(.changed(entry, sequence: sequence))
        if isCurrent { scheduleRetry(id, next, retryAfter: error.retryAfter) } else { queue.addUrgent(id) }
    }

    /// What the object as it is known now would have to change; nil where nothing would be changed.
    private func decidedDifferences(_ id: ObjectID) -> [Difference]? {
        guard let enforced, case .act(let action) = decision(on: id, live: live[id], by: enforced) else { return nil }
        return action.differences
    }

    /// Gives an intent its entry although what is left of it is not to be done any more.
    func abandon(_ attempt: Attempt, intent: IntentID) async throws(JournalError) {
        let id = attempt.action.id
        attempt.span?.add([SpanAttribute("bylaw.superseded", true)])
        var entry = entryOf(attempt, outcome: attempt.hasWritten ? .failed : .abandoned)
        entry.reason = attempt.reason
        if attempt.hasWritten {
            let reason = classifyFailure(.conflict, isDrift: attempt.isDrift).0
            entry.reason = .incident(reason)
            entry.after = live[id]?.content
            openIncidents[id, default: []].insert(reason)
        }
        entry.message +=
            "; \(attempt.hasWritten ? "done in part" : "not done"), since what was found meanwhile asks for something else"
        _ = try await settle(attempt, intent, as: entry, owned: .unchanged)
        consider(id, isEvent: false)
    }

    /// Turns the intent into an entry; where that fails the intent stays open, and nothing is forgotten.
    private func settle(
        _ attempt: Attempt, _ intent: IntentID, as entry: EntryDraft, owned change: OwnershipChange
    ) async throws(JournalError) -> Int64 {
        do throws(JournalError) {
            let sequence = try await attempt.span.part("journal outcome") { _ throws(JournalError) in
                try await journal.settle(intent, as: entry, owned: change)
            }
            attempt.span?.add([SpanAttribute("bylaw.entry", Int(sequence))])
            return sequence
        } catch {
            openIntents[attempt.action.id] = OpenIntent(
                id: intent, intent: intentOf(attempt), isFromEarlierRun: false)
            throw error
        }
    }

    func note(_ change: OwnershipChange) {
        switch change {
        case .owns(let id, let record):
            owned[id] = record
            settledDigests[id] = record.declarationDigest
        case .released(let id): forget(id)
        case .unchanged: break
        }
    }

    func remainingDifferences(_ attempt: Attempt, _ outcome: Outcome) -> String? {
        guard let desired = attempt.action.desired, let object = outcome.object,
            let resource = attempt.action.id.resource
        else { return nil }
        let differences = compare(
            desired: desired, live: canonicalLive(object.tree, of: resource), of: resource,
            closedLabels: attempt.enforced.closedLabels)
        return differences.isEmpty ? nil : differences.map(\.pathDescription).joined(separator: ", ")
    }

    // MARK: Later attempts

    /// Notes that an object is not as declared, and whether something stays open because of it.
    func noteFailing(_ action: Action) {
        failing.insert(action.id)
        switch action.id.resource {
        case .networkPolicy, .resourceQuota, .limitRange, .namespace:
            if action.stage != .loosen { failingProtections.insert(action.id) }
        default: break
        }
    }

    func scheduleRetry(_ id: ObjectID, _ next: NextAttempt, retryAfter: Duration? = nil) {
        let count = (failureCounts[id] ?? 0) + 1
        failureCounts[id] = count
        let now = surroundings.uptime()
        let backOff = configuration.backOff.wait(afterFailures: count, randomness: surroundings.randomness())
        let wait = max(backOff, retryAfter ?? .zero)
        switch (mode, next) {
        case (.singlePass, .afterChange): return
        case (.singlePass, .afterBackOff):
            // A single pass does not wait for minutes, whatever the server asks for.
            guard count < configuration.attemptsPerPass, wait <= .seconds(30) else { return }
            queue.addDelayed(id, due: now + wait)
        case (.continuous, .afterBackOff):
            queue.addDelayed(id, due: now + wait, dueIfAdded: now + .seconds(1))
        case (.continuous, .afterChange):
            queue.addDelayed(id, due: now + configuration.slowRecheck, dueIfAdded: now + .seconds(1))
        }
    }

    func noteAnswered() {
        unreachableInARow = 0
        gateOpensAt = .zero
    }

    func noteUnreachable() {
        unreachableInARow += 1
        let gate = BackOff(first: .milliseconds(200), longest: .seconds(30))
        gateOpensAt =
            surroundings.uptime()
            + gate.wait(afterFailures: unreachableInARow, randomness: surroundings.randomness())
    }

    private func noteCorrection(_ id: ObjectID, attempt: Attempt) async throws(JournalError) {
        guard fights.correct(id, at: surroundings.uptime()) else { return }
        let opponent = attempt.actor.map(\.name).flatMap { $0.isEmpty ? nil : $0 } ?? "an unknown writer"
        try await raise(
            .driftFight, object: id, live: live[id],
            message: "\(id) had to be put back again and again; \(opponent) writes it as well")
    }

    /// Ends the incidents of fights that are over.
    func endOldFights() async throws(JournalError) {
        let now = surroundings.uptime()
        for id in fights.endOld(at: now) { pausedUntil[id] = nil }
        for case let id? in openIncidents.filter({ $0.value.contains(.driftFight) }).keys {
            guard !fights.isKnown(id), !yielded.contains(id) else { continue }
            try await resolve([.driftFight], object: id)
        }
    }

    // MARK: Words for the record

    func actor(of action: Action) -> Actor {
        guard let before = action.before,
            let entry = attribute(action.differences, of: before, ourFieldManager: configuration.fieldManager)
        else { return Actor(name: "", operation: "", time: nil, certainty: .unknown) }
        return Actor(name: entry.manager, operation: entry.operation.rawValue, time: entry.time, certainty: .claimed)
    }

    func intentOf(_ attempt: Attempt) -> Intent {
        let action = attempt.described
        let before = action.before ?? attempt.lost
        return Intent(
            at: surroundings.now(), action: action.kind,
            reason: attempt.reason, object: action.id,
            uid: before?.uid, resourceVersion: before?.resourceVersion, before: before?.content,
            desired: attempt.action.desired, patch: patchOf(attempt.action),
            revision: RevisionFacts(attempt.enforced.revision), actor: attempt.actor, refersTo: attempt.undoes,
            message: describe(attempt))
    }

    private func entryOf(_ attempt: Attempt, outcome: EntryOutcome) -> EntryDraft {
        let action = attempt.described
        let before = action.before ?? attempt.lost
        return EntryDraft(
            at: surroundings.now(), kind: .action, reason: .revisionChanged, outcome: outcome, action: action.kind,
            object: action.id, uid: before?.uid, resourceVersion: before?.resourceVersion, before: before?.content,
            after: nil, patch: patchOf(action), revision: RevisionFacts(attempt.enforced.revision),
            approver: attempt.isDrift ? nil : attempt.enforced.approvers[action.id], actor: attempt.actor,
            duration: surroundings.uptime() - attempt.begun, message: describe(attempt))
    }

    /// The requests of an action, as the journal keeps them.
    private func patchOf(_ action: Action) -> Tree {
        .array(
            action.steps.map { step in
                switch step {
                case .takeOver(let patch): ["jsonPatch": patch]
                case .removeUndeclared(let patch): ["mergePatch": patch]
                case .apply: ["apply": action.desired ?? .null]
                case .recreate: ["recreate": action.desired ?? .null]
                case .delete: ["delete": .object(Members())]
                }
            })
    }

    /// What a binding gives to whom, for a message; empty for other objects.
    func describeGrant(_ object: LiveObject?) -> String {
        guard let reference = object?.tree["roleRef"], let role = reference["name"]?.string else { return "" }
        let subjects = (object?.tree["subjects"]?.array ?? []).compactMap { subject in
            subject["name"]?.string.map { "\(subject["kind"]?.string ?? "") \($0)" }
        }
        let shown = subjects.prefix(3).joined(separator: ", ")
        let rest = subjects.count > 3 ? " and \(subjects.count - 3) more" : ""
        return " (\(reference["kind"]?.string ?? "") \(role) to \(shown)\(rest))"
    }

    private func describe(_ attempt: Attempt) -> String {
        let words = describeLastPart(attempt)
        guard let replaced = attempt.replaced else { return words }
        return words
            + "; the earlier one, \(replaced.uid), was deleted to be made anew, and another one came in its place"
    }

    private func describeLastPart(_ attempt: Attempt) -> String {
        let action = attempt.described
        let paths = action.differences.prefix(12).map(\.pathDescription).joined(separator: ", ")
        if attempt.isDrift {
            return action.before == nil
                ? "\(action.id) was deleted by hand; made again"
                : "\(action.id) was changed by hand at \(paths); put back"
        }
        switch action.kind {
        case .create: return "\(action.id)"
        case .update: return "\(action.id) at \(paths)"
        case .replace: return "\(action.id): \(paths) cannot be changed in place"
        case .adopt: return "\(action.id), which existed before; set \(paths)"
        case .delete where action.isOfStranger:
            return "\(action.id)\(describeGrant(action.before)), which nobody declares"
        case .delete: return "\(action.id), which is no longer declared"
        }
    }
}

import Manifest
import Planning
import Policy

extension Controller {
    // MARK: One object

    /// Decides what has to happen to an object now, and does it.
    func process(_ id: ObjectID) async {
        guard let enforced, let resource = id.resource, live.isKnown(resource) else { return }
        let declared = enforced.objects[id]
        let decision = decide(
            id: id, declared: declared, live: live[id], record: owned[id].map { OwnershipRecord(uid: $0.uid) },
            in: context(enforced))
        await withJournal("record \(id)") { () async throws(JournalError) in
            try await self.follow(decision, id: id, enforced: enforced)
        }
    }

    private func follow(_ decision: Decision, id: ObjectID, enforced: EnforcedState) async throws(JournalError) {
        switch decision {
        case .leave:
            try await noteAsDeclared(id)
            if let digest = enforced.digests[id], owned[id] != nil { settledDigests[id] = digest }
        case .recognise(let object):
            try await recognise(object, enforced: enforced)
        case .release:
            forget(id)
            try await journal.record(
                EntryDraft(
                    at: surroundings.now(), kind: .event, reason: .recognised, outcome: .succeeded, object: id,
                    revision: RevisionFacts(enforced.revision), message: "\(id) is gone or belongs to another instance"),
                owned: .released(id))
            try await noteAsDeclared(id)
        case .hold(let hold):
            held.insert(id)
            try await raise(
                hold.reason.incident, object: id, outcome: .held, live: live[id], message: hold.message)
        case .waitForDeletion(let object):
            waiting.insert(id)
            if id.resource == .namespace {
                try await raise(
                    .namespaceTerminating, object: id, outcome: .held, live: object,
                    message: "\(id) is declared and is being deleted: \(describeDeletion(object))")
            }
        case .act(let action):
            if let namespace = missingNamespace(of: action) {
                waiting.insert(id)
                waitingForNamespace[namespace, default: []].insert(id)
                if enforced.objects[ObjectID(.namespace, name: namespace)] == nil {
                    try await raise(
                        .actionFailed, object: id,
                        message: "\(id) waits for namespace \(namespace), which does not exist and is not declared")
                }
                return
            }
            if isDrift(id, enforced), let pause = fights[id]?.pause(at: surroundings.uptime()), pause > .zero,
                pausedFights.insert(id).inserted
            {
                queue.addDelayed(id, due: surroundings.uptime() + pause)
                return
            }
            pausedFights.remove(id)
            try await execute(action, enforced: enforced)
        }
    }

    /// The namespace that has to be there first, where it is known not to be, or to be on its way out (rules F9 and G5).
    private func missingNamespace(of action: Action) -> String? {
        guard action.kind != .delete, !action.id.namespace.isEmpty, live.isKnown(.namespace) else { return nil }
        guard let namespace = live[ObjectID(.namespace, name: action.id.namespace)] else { return action.id.namespace }
        return namespace.isTerminating && action.before == nil ? action.id.namespace : nil
    }

    private func describeDeletion(_ namespace: LiveObject) -> String {
        let conditions = (namespace.tree["status"]?["conditions"]?.array ?? []).compactMap { condition -> String? in
            guard condition["status"]?.string == "True", let message = condition["message"]?.string else { return nil }
            return message
        }
        return conditions.isEmpty ? "it is made anew when it is gone" : conditions.joined(separator: "; ")
    }

    private func noteAsDeclared(_ id: ObjectID) async throws(JournalError) {
        let wasTroubled = [
            held.remove(id) != nil, failing.remove(id) != nil, waiting.remove(id) != nil,
            failureCounts.removeValue(forKey: id) != nil,
        ].contains(true)
        guard wasTroubled else { return }
        try await resolve(objectIncidents, object: id)
    }

    private func recognise(_ object: LiveObject, enforced: EnforcedState) async throws(JournalError) {
        let record = OwnedObject(
            uid: object.uid, declarationDigest: enforced.digests[object.id] ?? "", revision: enforced.revision.commit)
        try await journal.record(
            EntryDraft(
                at: surroundings.now(), kind: .event, reason: .recognised, outcome: .succeeded, object: object.id,
                uid: object.uid, resourceVersion: object.resourceVersion, after: object.content,
                revision: RevisionFacts(enforced.revision), message: "\(object.id) is as declared and carries our marker"),
            owned: .owns(object.id, record))
        owned[object.id] = record
        settledDigests[object.id] = record.declarationDigest
        try await noteAsDeclared(object.id)
    }

    // MARK: A change

    private func execute(_ first: Action, enforced: EnforcedState) async throws(JournalError) {
        let id = first.id
        let begun = surroundings.uptime()
        let isDrift = isDrift(id, enforced)
        var attempt = Attempt(action: first, isDrift: isDrift, revision: enforced.revision, begun: begun)
        attempt.actor = isDrift ? actor(of: first) : nil
        let intent: IntentID
        if let open = openIntents.removeValue(forKey: id) {
            intent = open
        } else {
            intent = try await journal.begin(intentOf(attempt))
        }
        for round in 1... {
            let result: Result<Outcome, ClusterError>
            do throws(ClusterError) {
                result = .success(try await perform(attempt.action))
            } catch {
                result = .failure(error)
            }
            switch result {
            case .success(let outcome):
                noteAnswered()
                try await succeed(attempt, outcome, intent: intent, enforced: enforced)
                return
            case .failure(let error):
                if error.kind == .unreachable { noteUnreachable() } else { noteAnswered() }
                guard let next = await nextStep(after: error, round: round, attempt: attempt) else {
                    try await fail(attempt, error, intent: intent)
                    return
                }
                switch next {
                case .again(let action): attempt.action = action
                case .alreadyDone(let object):
                    let outcome = Outcome(object: object, note: "found done")
                    try await succeed(attempt, outcome, intent: intent, enforced: enforced)
                    return
                case .unknown:
                    // Whether it happened cannot be learned now: the intent stays open, and is settled with the next look.
                    openIntents[id] = intent
                    scheduleRetry(id, .afterBackOff)
                    failing.insert(id)
                    notify(.trouble(error.message, hint: error.hint))
                    return
                }
            }
        }
    }

    /// One change on its way.
    struct Attempt {
        var action: Action
        var isDrift: Bool
        var revision: Revision
        var begun: Duration
        var actor: Actor?
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
        case again(Action)
        case alreadyDone(LiveObject?)
        case unknown
    }

    private func perform(_ action: Action) async throws(ClusterError) -> Outcome {
        var outcome = Outcome(object: action.before)
        for step in action.steps {
            switch step {
            case .takeOver(let patch):
                outcome.take(try await cluster.jsonPatch(patch, to: action.id))
            case .removeUndeclared(let patch):
                guard let expected = outcome.object else { continue }
                outcome.take(try await cluster.mergePatch(patch, to: action.id, expecting: expected))
            case .apply:
                guard let desired = action.desired else { continue }
                outcome.take(
                    try await cluster.apply(desired, to: action.id, expecting: outcome.object, isDryRun: false))
            case .recreate:
                guard let desired = action.desired, let expected = outcome.object else { continue }
                try await cluster.dryRunCreate(probe(of: desired), as: probeID(of: action.id))
                try await delete(action.id, expecting: expected, into: &outcome)
                if let pending = outcome.object {
                    throw ClusterError(
                        kind: .terminating, status: 200,
                        message: "recreate \(action.id): finalizers \(describeFinalizers(pending)) hold the old object",
                        hint: "Remove the finalizers, or find out who set them.")
                }
                outcome.take(try await cluster.apply(desired, to: action.id, expecting: nil, isDryRun: false))
            case .delete:
                guard let expected = outcome.object else { continue }
                try await delete(action.id, expecting: expected, into: &outcome)
            }
        }
        return outcome
    }

    private func delete(
        _ id: ObjectID, expecting: LiveObject, into outcome: inout Outcome
    ) async throws(ClusterError) {
        switch try await cluster.delete(id, expecting: expecting) {
        case .gone(let auditID):
            outcome.object = nil
            outcome.auditID = auditID
        case .pending(let object, let auditID):
            outcome.object = object
            outcome.auditID = auditID
            outcome.note = "marked for deletion; finalizers \(describeFinalizers(object)) hold it"
        }
    }

    private func describeFinalizers(_ object: LiveObject) -> String {
        (object.metadata["finalizers"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    }

    /// A name under which a create is only checked: the right name is still taken (rule F3).
    private func probeID(of id: ObjectID) -> ObjectID {
        var probe = id
        probe.name = "bylaw-probe"
        return probe
    }

    private func probe(of desired: Tree) -> Tree {
        var probe = desired
        probe.set(["metadata", "name"], to: "bylaw-probe")
        return probe
    }

    /// After a refusal that may come from a state that moved, looks again and decides anew (rules A15 and N5).
    ///
    /// - Returns: nil where looking again cannot help.
    private func nextStep(after error: ClusterError, round: Int, attempt: Attempt) async -> NextStep? {
        let action = attempt.action
        switch error.kind {
        case .namespaceNotFound, .roleNotFound:
            // Admission and the bind check read caches that lag behind what was just made (rules G4 and G5).
            guard round < 5, isPrerequisiteKnown(action) else { return nil }
            do { try await surroundings.sleep(.milliseconds(25) * Int(1 << round)) } catch { return nil }
            return .again(action)
        case .conflict, .alreadyExists, .notFound, .fieldConflict, .expired: break
        case .roleRefImmutable where action.kind != .replace: break
        case _ where error.leavesOutcomeUnknown: break
        default: return nil
        }
        guard round < 5 else { return error.leavesOutcomeUnknown ? .unknown : nil }
        let object: LiveObject?
        do throws(ClusterError) {
            object = try await cluster.read(action.id)
        } catch {
            return attempt.action.kind == .create && error.kind == .namespaceNotFound ? nil : .unknown
        }
        if let object {
            _ = live.store(object)
        } else if let before = live[action.id] {
            _ = live.remove(action.id, uid: before.uid)
        }
        guard let enforced else { return .unknown }
        let decision = decide(
            id: action.id, declared: enforced.objects[action.id], live: object,
            record: owned[action.id].map { OwnershipRecord(uid: $0.uid) }, in: context(enforced))
        switch decision {
        case .act(let next):
            // The server is busy or out of reach, and the change did not happen: later, not at once.
            return error.leavesOutcomeUnknown ? nil : .again(next)
        case .leave, .recognise, .release: return .alreadyDone(object)
        case .hold, .waitForDeletion: return nil
        }
    }

    /// Whether the namespace, and the role that a binding names, are known to be there.
    private func isPrerequisiteKnown(_ action: Action) -> Bool {
        if !action.id.namespace.isEmpty, live[ObjectID(.namespace, name: action.id.namespace)] == nil { return false }
        guard let role = referencedRole(action) else { return true }
        return live[role] != nil
    }

    // MARK: Outcomes

    private func succeed(
        _ attempt: Attempt, _ outcome: Outcome, intent: IntentID, enforced: EnforcedState
    ) async throws(JournalError) {
        let action = attempt.action
        let id = action.id
        if let object = outcome.object {
            _ = live.store(object)
        } else if let before = action.before {
            _ = live.remove(id, uid: before.uid)
        }
        if let stubborn = remainingDifferences(action, outcome) {
            // Not drift: something on the server's side writes this on every request (rule N3).
            let error = ClusterError(
                kind: .denied, status: 200,
                message: "\(action.kind.rawValue) \(id): the server's answer still differs at \(stubborn)",
                hint: "An admission webhook or another controller rewrites it: exempt Bylaw's field manager, or declare its value.")
            try await fail(attempt, error, intent: intent)
            return
        }
        let change: OwnershipChange
        if let object = outcome.object, action.kind != .delete {
            let record = OwnedObject(
                uid: object.uid, declarationDigest: enforced.digests[id] ?? "", revision: enforced.revision.commit)
            change = .owns(id, record)
            owned[id] = record
            settledDigests[id] = record.declarationDigest
        } else if outcome.object == nil {
            change = .released(id)
            forget(id)
        } else {
            change = .unchanged
        }
        var entry = entryOf(attempt, outcome: .succeeded)
        entry.reason = attempt.isDrift ? .incident(.driftCorrected) : .revisionChanged
        entry.after = outcome.object?.content
        entry.uid = outcome.object?.uid ?? entry.uid
        entry.resourceVersion = outcome.object?.resourceVersion
        entry.auditID = outcome.auditID
        entry.message = ([entry.message] + [outcome.note].compactMap { $0 } + outcome.warnings.map { "warning: \($0)" })
            .joined(separator: "; ")
        let sequence = try await journal.settle(intent, as: entry, owned: change)
        pass?.report.changes[action.kind, default: 0] += 1
        if attempt.isDrift { pass?.report.driftCorrections += 1 }
        notify(.changed(entry, sequence: sequence))
        try await noteAsDeclared(id)
        if attempt.isDrift { try await noteCorrection(id, attempt: attempt) }
        if id.resource == .namespace { considerWaiting(in: id.name) }
    }

    private func remainingDifferences(_ action: Action, _ outcome: Outcome) -> String? {
        guard let desired = action.desired, let object = outcome.object, let resource = action.id.resource else {
            return nil
        }
        let differences = compare(
            desired: desired, live: canonicalLive(object.tree, of: resource), of: resource,
            closedLabels: enforced?.closedLabels ?? ClosedLabels())
        return differences.isEmpty ? nil : differences.map(\.pathDescription).joined(separator: ", ")
    }

    private func fail(_ attempt: Attempt, _ error: ClusterError, intent: IntentID) async throws(JournalError) {
        let id = attempt.action.id
        let (reason, next) = classifyFailure(error.kind, isDrift: attempt.isDrift)
        failing.insert(id)
        var entry = entryOf(attempt, outcome: .failed)
        entry.reason = .incident(reason)
        let causes = error.causes.map { "\($0.field): \($0.message)" }
        entry.message = ([entry.message, error.message] + causes).joined(separator: "; ")
        let sequence = try await journal.settle(intent, as: entry, owned: .unchanged)
        notify(.changed(entry, sequence: sequence))
        scheduleRetry(id, next, retryAfter: error.retryAfter)
    }

    private func scheduleRetry(_ id: ObjectID, _ next: NextAttempt, retryAfter: Duration? = nil) {
        let count = (failureCounts[id] ?? 0) + 1
        failureCounts[id] = count
        let now = surroundings.uptime()
        let backOff = configuration.backOff.wait(afterFailures: count, randomness: surroundings.randomness())
        switch (mode, next) {
        case (.singlePass, .afterChange): return
        case (.singlePass, .afterBackOff):
            guard count < configuration.attemptsPerPass else { return }
            queue.addDelayed(id, due: now + max(backOff, retryAfter ?? .zero))
        case (.continuous, .afterBackOff):
            queue.addDelayed(id, due: now + max(backOff, retryAfter ?? .zero))
        case (.continuous, .afterChange):
            queue.addDelayed(id, due: now + configuration.slowRecheck)
        }
    }

    private func noteAnswered() {
        unreachableInARow = 0
        gateOpensAt = .zero
    }

    private func noteUnreachable() {
        unreachableInARow += 1
        let gate = BackOff(first: .milliseconds(200), longest: .seconds(30))
        gateOpensAt =
            surroundings.uptime()
            + gate.wait(afterFailures: unreachableInARow, randomness: surroundings.randomness())
    }

    private func noteCorrection(_ id: ObjectID, attempt: Attempt) async throws(JournalError) {
        guard fights[id, default: FightMeter()].correct(at: surroundings.uptime()) else {
            return
        }
        let opponent = attempt.actor?.name ?? "an unknown writer"
        try await raise(
            .driftFight, object: id, live: live[id],
            message: "\(id) had to be put back again and again; \(opponent) writes it as well")
    }

    // MARK: Words for the record

    private func actor(of action: Action) -> Actor {
        guard let before = action.before,
            let entry = attribute(action.differences, of: before, ourFieldManager: configuration.fieldManager)
        else { return Actor(name: "", operation: "", time: nil, certainty: .unknown) }
        return Actor(name: entry.manager, operation: entry.operation.rawValue, time: entry.time, certainty: .claimed)
    }

    private func intentOf(_ attempt: Attempt) -> Intent {
        let action = attempt.action
        return Intent(
            at: surroundings.now(), action: action.kind,
            reason: attempt.isDrift ? .incident(.driftCorrected) : .revisionChanged, object: action.id,
            uid: action.before?.uid, resourceVersion: action.before?.resourceVersion, before: action.before?.content,
            desired: action.desired, patch: patchOf(action), revision: RevisionFacts(attempt.revision),
            actor: attempt.actor, message: describe(attempt))
    }

    private func entryOf(_ attempt: Attempt, outcome: EntryOutcome) -> EntryDraft {
        let action = attempt.action
        return EntryDraft(
            at: surroundings.now(), kind: .action, reason: .revisionChanged, outcome: outcome, action: action.kind,
            object: action.id, uid: action.before?.uid, resourceVersion: action.before?.resourceVersion,
            before: action.before?.content, after: nil, patch: patchOf(action),
            revision: RevisionFacts(attempt.revision), actor: attempt.actor,
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

    private func describe(_ attempt: Attempt) -> String {
        let action = attempt.action
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
        case .delete: return "\(action.id), which is no longer declared"
        }
    }
}

extension Controller.Outcome {
    fileprivate mutating func take(_ answer: WriteAnswer) {
        object = answer.live ?? object
        warnings += answer.warnings
        auditID = answer.auditID
    }
}

extension Hold.Reason {
    /// The incident, and so the runbook, of an action that is held back.
    package var incident: IncidentReason {
        switch self {
        case .namespaceDeletion: .namespaceDeletionHeld
        case .ownershipConflict: .ownershipConflict
        case .pruneUnproven: .pruneUnproven
        }
    }
}

/// The incidents that end when their object is as declared again.
private let objectIncidents: [IncidentReason] = [
    .driftCorrectionFailed, .actionFailed, .actionRejected, .actionForbidden, .namespaceDeletionHeld,
    .namespaceTerminating, .ownershipConflict, .pruneUnproven,
]

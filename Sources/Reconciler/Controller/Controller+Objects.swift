import Manifest
import Planning
import Policy

extension Controller {
    // MARK: One object

    /// Decides what has to happen to an object now, and does it.
    func process(_ id: ObjectID) async {
        guard let resource = id.resource, live.isKnown(resource) else { return }
        guard outage == nil else { return noteUnrecorded(id) }
        do throws(JournalError) {
            guard try await settleOpenIntent(of: id), let enforced else { return }
            let decision = decision(on: id, live: live[id], by: enforced)
            noteDrift(decision, id, enforced)
            try await follow(decision, id: id, enforced: enforced)
        } catch {
            // Nothing may be changed that cannot be recorded: it waits, and is told.
            failing.insert(id)
            guard noteJournalFailure(error, "record \(id)") else { return scheduleRetry(id, .afterBackOff) }
            noteUnrecorded(id)
        }
    }

    /// What has to happen to an object by the rules of Planning.
    func decision(on id: ObjectID, live object: LiveObject?, by enforced: EnforcedState) -> Decision {
        decide(
            id: id, declared: enforced.objects[id], live: object,
            record: owned[id].map { OwnershipRecord(uid: $0.uid) }, in: context(enforced))
    }

    private func follow(_ decision: Decision, id: ObjectID, enforced: EnforcedState) async throws(JournalError) {
        switch decision {
        case .leave:
            try await keepDigest(id, enforced)
            try await noteAsDeclared(id)
        case .recognise(let object):
            try await recognise(object, enforced: enforced)
        case .release:
            forget(id)
            let isManaged = id.resource.map(enforced.configuration.managedKinds.contains) == true
            let why =
                isManaged ? "is gone or belongs to another instance" : "is let go of: its kind is not managed any more"
            try await journal.record(
                EntryDraft(
                    at: surroundings.now(), kind: .event, reason: .recognised, outcome: .succeeded, object: id,
                    revision: RevisionFacts(enforced.revision), message: "\(id) \(why)"),
                owned: .released(id))
            try await noteAsDeclared(id)
        case .hold(let hold):
            held.insert(id)
            try await raise(
                hold.reason.incident, object: id, outcome: .held, live: live[id], message: hold.message)
        case .stranger(let object):
            try await noteStranger(object, enforced: enforced)
        case .leaveUntil(let object, let end):
            endDrift(id, isCorrected: false)
            try await noteBrokenGlass(object, until: end)
        case .waitForDeletion(let object):
            try await noteDeletion(of: object, isDeclared: enforced.objects[id] != nil)
        case .act(let action):
            guard try await mayBegin(action, enforced: enforced) else { return }
            try await execute(action, enforced: enforced)
        }
    }

    /// Whether nothing stands in the way of an action now; what stands there is noted, and the object comes again.
    private func mayBegin(_ action: Action, enforced: EnforcedState) async throws(JournalError) -> Bool {
        let id = action.id
        if let namespace = missingNamespace(of: action) {
            waiting.insert(id)
            waitingForNamespace[namespace, default: []].insert(id)
            if enforced.objects[ObjectID(.namespace, name: namespace)] == nil {
                try await raise(
                    .actionFailed, object: id,
                    message: "\(id) waits for namespace \(namespace), which does not exist and is not declared")
            }
            return false
        }
        // What only opens is no protection, whatever it was to be before.
        if action.stage == .loosen { endFailedProtection(id) }
        if action.stage == .loosen, let other = failedProtection(beside: action, enforced: enforced) {
            waiting.insert(id)
            waitingForProtection[other, default: []].insert(id)
            try await raise(
                .actionFailed, object: id, outcome: .held,
                message:
                    "\(action.kind.rawValue) \(id) waits, since it opens what \(other) is to close, and that failed")
            return false
        }
        guard isDrift(id, enforced) || action.isOfStranger else { return true }
        let now = surroundings.uptime()
        if yielded.contains(id) || fights.isOn(id, at: now), yields(id, by: enforced) {
            // The repository says so: until it is as declared again, or is no longer to be given up.
            yielded.insert(id)
            waiting.insert(id)
            endDrift(id, isCorrected: false)
            return false
        }
        if let until = pausedUntil[id] {
            guard now < until else {
                pausedUntil[id] = nil
                return true
            }
            queue.addDelayed(id, due: until, isUrgent: true)
            return false
        }
        let pause = fights.pause(of: id, at: now)
        guard pause > .zero else { return true }
        pausedUntil[id] = now + pause
        queue.addDelayed(id, due: now + pause, isUrgent: true)
        return false
    }

    /// Whether the repository gives an object up in a fight.
    private func yields(_ id: ObjectID, by enforced: EnforcedState) -> Bool {
        enforced.configuration.yieldsInFights.contains { $0.matches(id) }
    }

    /// The namespace that has to be there first, where it is known not to be, or to be on its way out (rules F9 and G5).
    private func missingNamespace(of action: Action) -> String? {
        guard action.kind != .delete, !action.id.namespace.isEmpty, live.isKnown(.namespace) else { return nil }
        guard let namespace = live[ObjectID(.namespace, name: action.id.namespace)] else { return action.id.namespace }
        return namespace.isTerminating && action.before == nil ? action.id.namespace : nil
    }

    /// Something declared in the same namespace that was to protect it and could not be applied: what opens the
    /// namespace waits for it, since it may be its replacement (rules F6, G3 and N7).
    private func failedProtection(beside action: Action, enforced: EnforcedState) -> ObjectID? {
        failingProtections.first { other in
            other != action.id && enforced.objects[other] != nil && other.scopeNamespace == action.id.scopeNamespace
        }
    }

    private func noteStranger(_ object: LiveObject, enforced: EnforcedState) async throws(JournalError) {
        if owned[object.id] != nil {
            // Somebody else's object stands where ours stood.
            forget(object.id)
            try await journal.record(
                event(.recognised, "\(object.id) is another object now"), owned: .released(object.id))
        }
        let words = strangerWords(object)
        let told = toldStrangers[object.id]
        let now = surroundings.uptime()
        if mode == .continuous, told != words, let end = tellings.pauseEnd(of: object.id, at: now) {
            queue.addDelayed(object.id, due: end, isUrgent: true)
            return
        }
        if told != words { tellings.note(object.id, at: now) }
        // What an earlier run has told is told once.
        try await noteAsDeclared(object.id, exceptThat: told == nil || told == words ? .undeclaredObject : nil)
        toldStrangers[object.id] = words
        let writer = attribute([], of: object, ourFieldManager: configuration.fieldManager)
        try await raise(
            .undeclaredObject, object: object.id, outcome: .succeeded, live: object,
            message: words + (writer.map { "; \($0.manager) wrote it last" } ?? ""))
    }

    /// What is to be said of an object that nobody declares: it changes with what the object gives.
    func strangerWords(_ object: LiveObject) -> String {
        let fields = ["rules", "aggregationRule", "subjects", "roleRef", "spec", "automountServiceAccountToken"]
        let content = canonical.digest(.array(fields.map { object.tree[$0] ?? .null })).prefix(12)
        return "\(object.id)\(describeGrant(object)) is there, and no revision declares it (content \(content))"
    }

    private func noteDeletion(of object: LiveObject, isDeclared: Bool) async throws(JournalError) {
        let id = object.id
        waiting.insert(id)
        if id.resource == .namespace {
            try await raise(
                .namespaceTerminating, object: id, outcome: .held, live: object,
                message: "\(id) is declared and is being deleted: \(describeDeletion(object))")
        } else {
            try await raise(
                .deletionBlocked, object: id, outcome: .held, live: object,
                message:
                    "\(id) is \(isDeclared ? "declared and is being deleted" : "no longer declared and was deleted")"
                    + ", but finalizers hold it and it keeps its effect: \(describeFinalizers(object))")
        }
    }

    private func describeDeletion(_ namespace: LiveObject) -> String {
        let conditions = (namespace.tree["status"]?["conditions"]?.array ?? []).compactMap { condition -> String? in
            guard condition["status"]?.string == "True", let message = condition["message"]?.string else { return nil }
            return message
        }
        return conditions.isEmpty ? "it is made anew when it is gone" : conditions.joined(separator: "; ")
    }

    func describeFinalizers(_ object: LiveObject) -> String {
        object.finalizers.joined(separator: ", ")
    }

    // MARK: What is as it should be

    /// Ends the incidents of an object that is as declared, or gone as it should be.
    ///
    /// - Parameter incident: One that goes on.
    func noteAsDeclared(_ id: ObjectID, exceptThat incident: IncidentReason? = nil) async throws(JournalError) {
        endDrift(id, isCorrected: false)
        held.remove(id)
        failing.remove(id)
        toldStrangers[id] = nil
        yielded.remove(id)
        endFailedProtection(id)
        waiting.remove(id)
        failureCounts[id] = nil
        failedDifferences[id] = nil
        forbidden.remove(id)
        try await resolve(objectIncidents.filter { $0 != incident }, object: id)
    }

    /// Notes that nothing has to wait for an object because it failed to protect.
    private func endFailedProtection(_ id: ObjectID) {
        failingProtections.remove(id)
        // They go by their stage again, behind whatever else is to protect.
        for other in waitingForProtection.removeValue(forKey: id) ?? [] { consider(other, isEvent: false) }
    }

    /// Whether something is still noted about an object that is as declared now.
    func isTroubled(_ id: ObjectID) -> Bool {
        waiting.contains(id) || held.contains(id) || failing.contains(id) || openIntents[id] != nil
            || drifts.contains(id) || !(openIncidents[id]?.isDisjoint(with: objectIncidents) ?? true)
    }

    /// Writes down that an object is as a new declaration wants it without having been changed; a difference from now on
    /// is drift, also after a restart.
    private func keepDigest(_ id: ObjectID, _ enforced: EnforcedState) async throws(JournalError) {
        guard let record = settleDigest(of: id, enforced) else { return }
        try await journal.note(owned: [id: record])
        owned[id] = record
    }

    private func recognise(_ object: LiveObject, enforced: EnforcedState) async throws(JournalError) {
        let record = OwnedObject(
            uid: object.uid, declarationDigest: enforced.digests[object.id] ?? "", revision: enforced.revision.commit)
        try await journal.record(
            EntryDraft(
                at: surroundings.now(), kind: .event, reason: .recognised, outcome: .succeeded, object: object.id,
                uid: object.uid, resourceVersion: object.resourceVersion, after: object.content,
                revision: RevisionFacts(enforced.revision),
                message: "\(object.id) is as declared and carries our marker"),
            owned: .owns(object.id, record))
        owned[object.id] = record
        settledDigests[object.id] = record.declarationDigest
        try await noteAsDeclared(object.id)
    }
}

extension Hold.Reason {
    /// The incident, and so the runbook, of an action that is held back.
    package var incident: IncidentReason {
        switch self {
        case .namespaceDeletion: .namespaceDeletionHeld
        case .ownershipConflict: .ownershipConflict
        case .pruneUnproven: .pruneUnproven
        case .ownAccess: .ownAccessHeld
        case .protectedObject: .protectedObjectHeld
        }
    }
}

/// The incidents that end when their object is as declared again.
private let objectIncidents: [IncidentReason] = [
    .driftCorrectionFailed, .actionFailed, .actionRejected, .actionForbidden, .namespaceTerminating, .deletionBlocked,
    .ownershipConflict, .pruneUnproven, .ownAccessHeld, .protectedObjectHeld, .undeclaredObject,
    .breakGlassUsed,
]

import Manifest
import Planning
import Policy

/// Changes to admission policies: as with every other, the intent is durable before the request, the outcome after it.
extension Controller {
    /// Makes one policy or binding what is wanted, or sees that it is gone.
    ///
    /// - Parameter isOthersDoing: It was as wanted before, so somebody else has changed it.
    /// - Returns: Why it could not be done. Its intent stays open then: the same change is tried again under it, so that a
    ///   refusal that stays fills nothing, and what came of a lost answer is seen with the next look.
    func keepPolicy(
        _ id: ObjectID, as wanted: Tree?, isOthersDoing: Bool
    ) async throws(JournalError) -> ClusterError? {
        let found: PreventionChange?
        do throws(ClusterError) {
            found = try await cluster.preventionChange(of: id, to: wanted, instance: configuration.instance)
        } catch {
            return error
        }
        guard let change = found, change.patch == nil || change.patch != fruitlessPatches[id] else {
            try await settlePolicyIntent(of: id, wasDone: true)
            return nil
        }
        if openPolicyIntents[id]?.isFromEarlierRun == true { try await settlePolicyIntent(of: id, wasDone: false) }
        let intent = try await beginPolicyChange(change, isOthersDoing: isOthersDoing)
        let after: LiveObject?
        do throws(ClusterError) { after = try await cluster.make(change) } catch { return error }
        // Members that a later server fills in by itself come back at once, and are nobody's doing.
        let isFruitless = after != nil && after?.resourceVersion == change.before?.resourceVersion
        fruitlessPatches[id] = isFruitless ? change.patch : nil
        try await settle(intent, change, after: after, isOthersDoing: isOthersDoing && !isFruitless)
        return nil
    }

    private func beginPolicyChange(
        _ change: PreventionChange, isOthersDoing: Bool
    ) async throws(JournalError) -> OpenIntent {
        var intent = Intent(
            at: surroundings.now(), action: change.action,
            reason: isOthersDoing ? .incident(.preventionFailed) : .revisionChanged, object: change.id,
            uid: change.before?.uid, resourceVersion: change.before?.resourceVersion, before: change.before?.content,
            desired: change.wanted, patch: change.patch, revision: enforced.map { RevisionFacts($0.revision) },
            actor: isOthersDoing ? change.actor : nil, message: "prevention: \(change)")
        let begun: OpenIntent
        if let open = openPolicyIntents[change.id] {
            intent.at = open.intent.at
            if intent != open.intent { try await journal.revise(open.id, as: intent) }
            begun = OpenIntent(id: open.id, intent: intent, isFromEarlierRun: false)
        } else {
            begun = OpenIntent(id: try await journal.begin(intent), intent: intent, isFromEarlierRun: false)
        }
        openPolicyIntents[change.id] = begun
        return begun
    }

    private func settle(
        _ open: OpenIntent, _ change: PreventionChange, after: LiveObject?, isOthersDoing: Bool
    ) async throws(JournalError) {
        var entry = entry(of: open, outcome: .succeeded)
        (entry.uid, entry.resourceVersion) = (after?.uid ?? entry.uid, after?.resourceVersion)
        entry.after = after?.content
        if !isOthersDoing {
            (entry.kind, entry.reason, entry.actor) = (.event, .revisionChanged, nil)
        } else {
            let what = change.kind == .made ? "was removed by somebody else" : "was changed by somebody else"
            entry.message =
                "\(change.id) \(what): until it was put back the API server may have let pass what is not declared"
        }
        try await journal.settle(open.id, as: entry, owned: .unchanged)
        openPolicyIntents[change.id] = nil
        if isOthersDoing { notify(.incident(entry)) }
    }

    // MARK: Intents without an outcome

    /// Takes up the intents that an earlier run left without an outcome; each is settled when its object is looked at.
    func takeUpPolicyIntents() async throws(JournalError) {
        for (id, intent) in try await journal.unsettledIntents() where intent.isOfPolicy {
            openPolicyIntents[intent.object] = OpenIntent(id: id, intent: intent, isFromEarlierRun: true)
        }
    }

    private func settlePolicyIntent(of id: ObjectID, wasDone: Bool) async throws(JournalError) {
        guard let open = openPolicyIntents[id] else { return }
        var entry = entry(of: open, outcome: wasDone ? .succeeded : .abandoned)
        if open.isFromEarlierRun || !wasDone { entry.reason = .incident(.actionInterrupted) }
        let how = open.isFromEarlierRun ? "after a restart" : "after the answer was lost"
        entry.message += wasDone ? ": found done \(how)" : ": found not done \(how), decided anew"
        try await journal.settle(open.id, as: entry, owned: .unchanged)
        openPolicyIntents[id] = nil
    }

    /// Settles what is not looked at any more, since no policy is asked for.
    func leavePolicyIntents() async throws(JournalError) {
        for (id, open) in openPolicyIntents.sorted(by: { $0.key < $1.key }) {
            var entry = entry(of: open, outcome: .abandoned)
            entry.reason = .incident(.actionInterrupted)
            entry.message += ": what came of it was not looked at, since nothing is to be prevented any more"
            try await journal.settle(open.id, as: entry, owned: .unchanged)
            openPolicyIntents[id] = nil
        }
    }

    /// Not of the kind of changes to managed objects: it is no part of any declared state.
    private func entry(of open: OpenIntent, outcome: EntryOutcome) -> EntryDraft {
        let intent = open.intent
        return EntryDraft(
            at: surroundings.now(), kind: intent.reason.incident == nil ? .event : .notice, reason: intent.reason,
            outcome: outcome, object: intent.object, uid: intent.uid, before: intent.before, patch: intent.patch,
            revision: intent.revision, actor: intent.actor, message: intent.message)
    }
}

extension Intent {
    /// Whether it is about an admission policy or its binding.
    var isOfPolicy: Bool {
        [Resource.admissionPolicy, .admissionPolicyBinding].contains {
            $0.kind == object.kind && $0.group == object.group
        }
    }
}

extension PreventionChange: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .made: "\(id) made"
        case .putBack: "\(id) changed"
        case .removed: "\(id) removed"
        }
    }

    fileprivate var action: ActionKind {
        switch kind {
        case .made: .create
        case .putBack: .update
        case .removed: .delete
        }
    }

    fileprivate var actor: Actor? {
        writer.map { Actor(name: $0, operation: "", time: nil, certainty: .claimed) }
    }
}

extension Tree {
    /// Which policy or binding it is.
    var policyID: ObjectID {
        let isPolicy = self["kind"]?.string == Resource.admissionPolicy.kind
        return ObjectID(
            isPolicy ? .admissionPolicy : .admissionPolicyBinding, name: self["metadata"]?["name"]?.string ?? "")
    }
}

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
        var found: PreventionFinding
        do throws(ClusterError) {
            found = try await cluster.preventionFinding(of: id, wanted: wanted, instance: configuration.instance)
        } catch {
            return error
        }
        if case .differs(let change) = found, isKnownFruitless(change) { found = .asWanted }
        try await settlePolicyIntent(of: id, wanted: wanted, found: found)
        guard case .differs(let change) = found else { return nil }
        let intent = try await beginPolicyChange(change, isOthersDoing: isOthersDoing)
        let after: LiveObject?
        do throws(ClusterError) { after = try await cluster.make(change) } catch { return error }
        // Members that a later server fills in by itself come back at once, and are nobody's doing.
        let isFruitless = after != nil && after?.resourceVersion == change.before?.resourceVersion
        if isFruitless {
            try await settleFruitless(intent)
        } else {
            try await settle(intent, after: after)
        }
        try await noteFruitless(isFruitless ? attemptDigest(change) : nil, of: id)
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
        // From now on it may be there by half, which no digest stands for: nobody is blamed for that, and it is removed
        // where nothing is wanted.
        if !isOthersDoing { try await journal.remember(.keptPrevention, KeptPrevention.inPart) }
        return begun
    }

    private func settle(_ open: OpenIntent, after: LiveObject?) async throws(JournalError) {
        var entry = entry(of: open, outcome: .succeeded)
        (entry.uid, entry.resourceVersion) = (after?.uid ?? entry.uid, after?.resourceVersion)
        entry.after = after?.content
        if open.intent.isPuttingBack { entry.message = open.intent.tampering }
        try await close(open, as: entry)
        if open.intent.isPuttingBack { notify(.incident(entry)) }
    }

    private func close(_ open: OpenIntent, as entry: EntryDraft) async throws(JournalError) {
        try await journal.settle(open.id, as: entry, owned: .unchanged)
        openPolicyIntents[open.intent.object] = nil
    }

    // MARK: What changes nothing

    private func settleFruitless(_ open: OpenIntent) async throws(JournalError) {
        var entry = entry(of: open, outcome: .abandoned)
        (entry.kind, entry.reason, entry.actor) = (.event, .revisionChanged, nil)
        entry.message += ": the server took it and left all as it was, so what differs is its own and stays"
        try await close(open, as: entry)
    }

    /// Names a patch of an object in one version: whatever anybody changes since is another.
    private func attemptDigest(_ change: PreventionChange) -> String? {
        guard let before = change.before, let patch = change.patch else { return nil }
        return canonical.digest([.string(before.uid), .string(before.resourceVersion), patch])
    }

    private func isKnownFruitless(_ change: PreventionChange) -> Bool {
        attemptDigest(change).map { fruitlessPatches["\(change.id)"] == $0 } ?? false
    }

    /// Remembers, also for the next run, what the server does not let be changed.
    private func noteFruitless(_ digest: String?, of id: ObjectID) async throws(JournalError) {
        guard fruitlessPatches["\(id)"] != digest else { return }
        fruitlessPatches["\(id)"] = digest
        var members = Members()
        for (name, digest) in fruitlessPatches { members[name] = .string(digest) }
        try await journal.remember(.fruitlessPatches, canonical.text(.object(members)))
    }

    private func recallFruitless() async throws(JournalError) {
        guard let text = try await journal.remembered(.fruitlessPatches) else { return }
        for (name, digest) in canonical.tree(text)?.members ?? Members() { fruitlessPatches[name] = digest.string }
    }

    // MARK: Intents without an outcome

    /// Takes up the intents that an earlier run left without an outcome; each is settled when its object is looked at.
    func takeUpPolicyIntents() async throws(JournalError) {
        for (id, intent) in try await journal.unsettledIntents() where intent.isOfPolicy {
            openPolicyIntents[intent.object] = OpenIntent(id: id, intent: intent, isFromEarlierRun: true)
        }
        try await recallFruitless()
    }

    /// Settles what a look at the policy tells of; what is still to be done the same way stays open.
    private func settlePolicyIntent(
        of id: ObjectID, wanted: Tree?, found: PreventionFinding
    ) async throws(JournalError) {
        guard let open = openPolicyIntents[id] else { return }
        switch PolicyIntentFate(of: open.intent, wanted: wanted, found: found) {
        case .goesOn: return
        case .wasDone:
            let how = "found done \(open.isFromEarlierRun ? "after a restart" : "after the answer was lost")"
            var entry = entry(of: open, outcome: .succeeded)
            // That somebody switched a policy off is what counts, however it came to be known that it is back.
            if open.intent.isPuttingBack {
                entry.message = "\(open.intent.tampering); \(how)"
            } else {
                if open.isFromEarlierRun { entry.reason = .incident(.actionInterrupted) }
                entry.message += ": \(how)"
            }
            try await close(open, as: entry)
            if open.intent.isPuttingBack { notify(.incident(entry)) }
        case .isLeft(let why): try await leave(open, why: why)
        }
    }

    private func leave(_ open: OpenIntent, why: String) async throws(JournalError) {
        var entry = entry(of: open, outcome: .abandoned)
        // That somebody switched a policy off counts also where it is not put back any more.
        if open.intent.isPuttingBack {
            entry.message = "\(open.intent.tampering); putting it back: \(why)"
        } else {
            entry.reason = .incident(.actionInterrupted)
            entry.message += ": \(why)"
        }
        try await close(open, as: entry)
        if open.intent.isPuttingBack { notify(.incident(entry)) }
    }

    /// Settles what is not looked at any more, since no policy is asked for.
    func leavePolicyIntents() async throws(JournalError) {
        for (_, open) in openPolicyIntents.sorted(by: { $0.key < $1.key }) {
            try await leave(
                open, why: "what came of it was not looked at, since nothing is to be prevented any more")
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

    /// Whether it puts a policy back that somebody else has removed or changed.
    fileprivate var isPuttingBack: Bool { reason == .incident(.preventionFailed) }

    fileprivate var tampering: String {
        "\(object) was \(action == .create ? "removed" : "changed") by somebody else: "
            + "until it was put back the API server may have let pass what is not declared"
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

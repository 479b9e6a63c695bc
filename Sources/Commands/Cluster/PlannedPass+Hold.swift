import GitSource
import KubeClient
import Manifest
import Reconciler

/// What a pass would enforce: the newest revision, or what an emergency hold keeps.
struct PlanSubject {
    var revision: Revision
    var hold: EmergencyHold?
    /// Why the revision of the hold is not enforced, and what is in force stays.
    var refusal: String?
    /// The newest revision, where it waits behind the hold.
    var waiting: Revision?

    var tree: Tree {
        guard let hold else { return .null }
        var tree = holdTree(hold)
        tree.set(["refusal"], to: refusal.map(Tree.string) ?? .null)
        tree.set(["waitingRevision"], to: waiting.map { .string($0.commit) } ?? .null)
        tree.set(["waitingSubject"], to: waiting.map { .string($0.subject) } ?? .null)
        return tree
    }

    func render(on terminal: Terminal) -> String {
        guard let hold else { return "" }
        var text = renderHold(hold, on: terminal) + "\n"
        if let refusal { text += "    it is not enforced: \(printable(refusal)); what is in force stays\n" }
        if let waiting {
            text += "    waiting behind it: \(waiting.commit.prefix(12)) \"\(printable(waiting.subject))\"\n"
        }
        return text
    }
}

extension PlannedPass {
    /// Finds out whether a hold is in force, as the controller does.
    func subject(_ newest: Revision, trust: TrustMode) async throws -> PlanSubject {
        let cluster = wiring.cluster(endpoint, instance: instance)
        guard let holds = try wiring.holds(instance: instance, cluster: cluster) else {
            return PlanSubject(revision: newest)
        }
        let known = try await journalKnowledge(wiring, instance, endpoint)
        let decision = EmergencyHoldDecision(
            await holds.read(),
            known: known.emergencyHold.flatMap(wiring.canonical.tree).flatMap(EmergencyHoldMemory.init),
            instance: instance, cluster: wiring.clusterName(endpoint), at: systemNow())
        if let ignored = decision.ignored {
            complain("\(holds.name) is not honoured: \(ignored)", "Set it anew with bylaw hold, or end it with --end.")
        }
        switch decision.order {
        case .wait(let error):
            throw CommandFailure(
                message: "whether an emergency hold is in force cannot be told: \(error.message)", hint: error.hint)
        case .follow:
            if let unread = decision.unread {
                complain(
                    "emergency holds cannot be read: \(unread.message)",
                    "It is planned as if there were none; Deploy/components/emergency-hold/rbac.yaml gives the right.")
            }
            return PlanSubject(revision: newest)
        case .hold(let hold):
            return try await subject(held: hold, newest, trust: trust, known)
        }
    }

    /// What was in force before the hold that enforces what is; nil where none does.
    func beforeHold(_ known: JournalKnowledge) async -> StateBeforeHold? {
        guard var before = StateBeforeHold(rememberedIn: known.guardedState, canonical: wiring.canonical) else {
            return nil
        }
        do throws(SourceError) {
            try await before.load(from: source, canonical: wiring.canonical)
        } catch {
            complain(error.explanation.message, error.explanation.hint)
        }
        return before
    }

    private func subject(
        held hold: EmergencyHold, _ newest: Revision, trust: TrustMode, _ known: JournalKnowledge
    ) async throws -> PlanSubject {
        let examination = try await examineHeld(
            hold, inForce: known.enforcedRevision,
            accepted: DeclaredStates(known.declaredStates.flatMap(wiring.canonical.tree)), newest: newest.commit,
            trust: trust, after: known.trustedRevision, from: source, canonical: wiring.canonical
        ) { () throws(SourceError) in
            try await loadRememberedState(
                enforced: known.enforcedRevision, guarded: known.guardedState, from: source,
                canonical: wiring.canonical)?.cluster
        }
        var refusal: String?
        let kept: Revision
        switch examination {
        case .sound(let loaded): kept = loaded.revision
        case .refused(let message, _):
            guard let inForce = known.enforcedRevision else {
                throw CommandFailure(
                    message: "revision \(hold.revision) of the emergency hold cannot be enforced: \(message); "
                        + "nothing is in force here, and until \(hold.until) nothing else is taken on",
                    hint: "End the hold with bylaw hold --end, or set it for a revision that was accepted here.")
            }
            refusal = message
            kept = try await source.cachedRevision(commit: inForce)
        case .inForce: kept = try await source.cachedRevision(commit: hold.revision)
        }
        return PlanSubject(
            revision: kept, hold: hold, refusal: refusal, waiting: newest.commit == kept.commit ? nil : newest)
    }
}

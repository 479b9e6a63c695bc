import Analysis
import Guardrails
import Manifest
import Planning
import Policy

/// What of a new revision may happen, and the record of it.
extension Controller {
    /// What a revision is judged by: the guardrails that are in force before it, and all that is known.
    func judgement() async throws(JournalError) -> RevisionJudgement {
        // What is enforced knows its own; the memory is read only where its revision is lost.
        let basis = enforced ?? handedOver
        let remembered = basis == nil ? try await journal.remembered(.guardedState) : nil
        await loadStateBeforeHold()
        return RevisionJudgement(
            enforced: basis, before: hold.before, isJournalBehind: isJournalBehind,
            configurationInForce: rememberedConfiguration(remembered, canonical: canonical),
            live: live, ownership: ownership, owned: Set(owned.keys), user: user,
            trust: configuration.trust, source: source, states: try await declaredStates(), canonical: canonical,
            memory: history, takesApprovals: hold.active == nil)
    }

    /// Judges a sound revision, and says what of it may be enforced.
    func judge(
        _ loaded: LoadedRevision, by judgement: RevisionJudgement
    ) async throws -> (GuardVerdict, GuardedState) {
        var judgement = judgement
        let (verdict, basis) = try await judgement.verdict(on: loaded) { notify(.trouble($0, hint: $1)) }
        lastJudgedAt = surroundings.uptime()
        let guarded = GuardedState(
            verdict, basis: basis, on: loaded.revision.commit, after: judgement.inForce)
        return (verdict, guarded)
    }

    /// Judges the revision in force once more, where what was held of it may be let through now without a new commit: kinds
    /// could not be read, or keys were missing.
    ///
    /// - Parameter hold: What it is in force by, where that is not its being the newest one.
    /// - Returns: Whether that gave another verdict, which is enforced.
    func judgeAgain(_ newest: Revision, by hold: EmergencyHold? = nil) async throws -> Bool {
        try await settleDeletedNamespaces()
        // The next look comes anyway: the repository is followed meanwhile.
        guard let before = enforced, isGathered, !before.holds.isEmpty || before.basis?.unseenKinds.isEmpty == false
        else { return false }
        let judgement = try await judgement()
        let isLongAgo = lastJudgedAt.map { surroundings.uptime() - $0 >= configuration.slowRecheck } ?? true
        guard judgement.mayBeOtherwise,
            isLongAgo || judgement.hasBecomeReadable && !isLaterApprovalRefused
        else { return false }
        let loaded = try await source.load(newest)
        let (verdict, guarded) = try await judge(loaded, by: judgement)
        guard verdict.holds != before.holds || verdict.frozen != before.frozen else {
            isLaterApprovalRefused = false
            var basis = guarded.basis
            // Trailers that were not looked at are looked at after the hold.
            if !judgement.takesApprovals, let earlier = enforced?.basis { basis?.keepTrust(of: earlier) }
            enforced?.basis = basis
            if judgement.hasBecomeReadable { needsPass = true }
            var guarded = guarded
            guarded.basis = basis
            try await remember(guarded, of: newest, before: self.hold.before)
            return false
        }
        await learnUser()
        if let lockout = await lockout(by: verdict) {
            // It stays as it was judged, with what was left as it is.
            isLaterApprovalRefused = true
            try await raise(
                .selfLockoutRefused, object: nil, revision: newest,
                message: "what is approved of revision \(newest.commit) is refused: \(lockout)")
            return false
        }
        try await announce(guarded, of: newest, by: hold)
        try await accept(loaded, verdict, guarded, by: hold)
        return true
    }

    /// Forgets the approvals to delete namespaces that are used up, so that they keep no next leader from what is in force.
    private func settleDeletedNamespaces() async throws(JournalError) {
        guard let state = enforced, !state.deletableNamespaces.isEmpty, live.knownKinds.contains(.namespace) else {
            return
        }
        let pending = state.deletableNamespaces.filter { live[$0] != nil }
        guard pending.count < state.deletableNamespaces.count else { return }
        enforced?.deletableNamespaces = pending
        var guarded = GuardedState(of: state)
        guarded.deletableNamespaces = pending
        try await remember(guarded, of: state.revision, before: hold.before)
    }

    /// Writes down what the guardrails let through of a revision.
    ///
    /// - Parameter before: What it stands in the place of, where it is in force by a hold.
    func remember(
        _ guarded: GuardedState, of revision: Revision, before: StateBeforeHold?
    ) async throws(JournalError) {
        let tree = guarded.encoded(revision: revision.commit, place: source.place)
        try await journal.remember(.guardedState, canonical.text(before?.stored(in: tree) ?? tree))
    }

    func lockout(by verdict: GuardVerdict) async -> String? {
        await findLockout(by: verdict, user: user, instance: configuration.instance, live: live, cluster: cluster) {
            notify(.trouble($0, hint: $1))
        }
    }

    // MARK: The record

    /// Opens an incident for what is held and ends those of what is not any more.
    func noteHolds(_ holds: [GuardrailHold], revision: Revision) async throws(JournalError) {
        var open: [ObjectID?: Set<IncidentReason>] = [:]
        let budgeted = holds.filter { $0.guardrails.contains(.deletionBudget) }
        if let first = budgeted.first {
            open[nil, default: []].insert(.deletionBudgetExceeded)
            let names = budgeted.prefix(5).map(\.id.description).joined(separator: ", ")
            let rest = budgeted.count > 5 ? " and \(budgeted.count - 5) more" : ""
            try await raise(
                .deletionBudgetExceeded, object: nil, outcome: .held, revision: revision,
                message:
                    "\(first.meanings.first ?? ""): nothing of it is deleted (\(names)\(rest)); to let it through, "
                    + "commit with the trailer \(Approval.trailerKey): \(Guardrail.deletionBudget.rawValue) by NAME")
        }
        for hold in holds {
            guard let reason = hold.incident else { continue }
            open[hold.id, default: []].insert(reason)
            try await raise(
                reason, object: hold.id, outcome: .held, revision: revision, live: live[hold.id],
                message: hold.explanation)
        }
        for (object, reasons) in openIncidents {
            let over = reasons.intersection(guardIncidents).subtracting(open[object] ?? [])
            if !over.isEmpty { try await resolve(Array(over), object: object) }
        }
    }

    /// Writes down what is applied and has to be told.
    func noteReported(_ findings: [ChangeFinding], revision: Revision) async throws(JournalError) {
        for finding in findings {
            let entry = EntryDraft(
                at: surroundings.now(), kind: .notice, reason: .incident(.riskReported), outcome: .succeeded,
                object: finding.causes.first?.object, revision: RevisionFacts(revision),
                message: "\(finding.reason.rawValue) (\(finding.severity.rawValue)): \(finding.message); see "
                    + finding.runbook)
            try await journal.record(entry, owned: .unchanged)
            notify(.incident(entry))
        }
    }
}

extension GuardrailHold {
    /// The incident of its object; nil where another one stands for it.
    package var incident: IncidentReason? {
        if guardrails.contains(.namespaceDeletion) { return .namespaceDeletionHeld }
        if id == RepositoryConfiguration.id { return .configurationHeld }
        // One for all of them says it, and what waits for a namespace is said of that.
        if guardrails.subtracting([.deletionBudget]).isEmpty { return nil }
        return .approvalMissing
    }

    /// What is held, why, and what lets it through.
    package var explanation: String {
        let shown = meanings.prefix(3).joined(separator: "; ")
        let rest = meanings.count > 3 ? "; and \(meanings.count - 3) more" : ""
        let runbook = runbook.map { "; see \($0)" } ?? ""
        let trailers = trailers.joined(separator: ", ")
        return "\(id) is held: \(shown)\(rest)\(runbook)"
            + (trailers.isEmpty ? "" : "; to let it through, commit with the trailer \(trailers)")
    }
}

/// The incidents that a revision's judgement opens and ends.
private let guardIncidents: Set<IncidentReason> = [
    .approvalMissing, .deletionBudgetExceeded, .configurationHeld, .namespaceDeletionHeld,
]

import Planning
import Manifest
import Tracing

/// A pass over everything.
extension Controller {
    struct PassInProgress {
        var report: PassReport
        var startedAt: Duration
        var total: Int
        var done = 0
        /// Tells the reader of the progress line how far it is, in few enough steps.
        var lastShown = 0
        var trace: SyncTrace?
        /// The stage in which objects are changed.
        var applying: OpenSpan?
    }

    /// Whether every kind has been listed, or has failed to be.
    var isGathered: Bool { unreadKinds.isEmpty }

    /// Puts everything that differs into the queue, in the order of a plan.
    ///
    /// A pass that is under way is not waited for: objects that fail for long must not keep a later revision from taking
    /// rights away (design, section 5.2).
    ///
    /// - Parameter trace: Of what led to it; a new one is begun where there is none.
    func beginPass(_ trace: SyncTrace? = nil) async {
        let trace = trace ?? waitingTrace ?? beginTrace(.state)
        guard isGathered, !isPlanning else {
            needsPass = true
            waitingTrace = trace
            return
        }
        waitingTrace = nil
        isPlanning = true
        // The state may move while the history is read, and then it has to be asked about that one.
        var asked: String?
        while let enforced, enforced.revision.commit != asked {
            asked = enforced.revision.commit
            await trace.stage("read history") { _ in await askHistory(enforced) }
        }
        isPlanning = false
        guard let enforced else { return }
        needsPass = false
        let planning = trace?.stage("plan")
        let plan = Planning.plan(planInput(enforced))
        planning?.add([
            SpanAttribute("bylaw.actions", plan.actions.count), SpanAttribute("bylaw.holds", plan.holds.count),
        ])
        planning?.end()
        isStandingOld = true
        let troubled = Set(openIncidents.keys.compactMap { $0 }).union(openIntents.keys).filter(isTroubled)
            .union(held).union(failing).union(waiting).union(drifts.objects)
        held = []
        // What cannot be read may differ, be it declared or still to be removed.
        failing = Set(enforced.objects.keys).union(owned.keys).filter { $0.resource.map { !live.isKnown($0) } ?? true }
        waiting = []
        var report = PassReport(revision: enforced.revision.commit)
        report.declaredCount = enforced.objects.count
        let acting = Set(plan.actions.map(\.id))
        // What failed to protect still does, whoever asks for another look: nothing opens beside it until it succeeds.
        failingProtections.formIntersection(plan.actions.lazy.filter { $0.stage != .loosen }.map(\.id))
        waitingForProtection = [:]
        endInterruptedTrace(as: "superseded")
        pass = PassInProgress(
            report: report, startedAt: surroundings.uptime(),
            total: acting.count + plan.holds.count + plan.strangers.count + plan.leftForNow.count
                + plan.recognised.count + plan.waiting.count,
            trace: trace, applying: trace?.stage("apply"))
        for action in plan.actions { enqueue(action) }
        let different = plan.holds.map(\.id) + plan.strangers.map(\.id) + plan.leftForNow.map(\.id)
        let others = different + plan.recognised.map(\.id)
        for id in others + plan.waiting.map(\.id) + plan.released {
            queue.addUrgent(id)
        }
        // What is as declared now may have incidents that are over.
        for id in troubled where !acting.contains(id) { queue.addUrgent(id) }
        await keepDigests(enforced, except: acting.union(different).union(plan.waiting.map(\.id)))
        isStandingOld = true
        await advancePass()
        wake()
    }

    /// Writes down which owned objects are as this revision declares them without a change: a difference from now on is
    /// drift, also after a restart.
    private func keepDigests(_ enforced: EnforcedState, except different: Set<ObjectID>) async {
        var changed: [ObjectID: OwnedObject] = [:]
        for id in enforced.digests.keys where !different.contains(id) && owned[id]?.uid == live[id]?.uid {
            if let record = settleDigest(of: id, enforced) { changed[id] = record }
        }
        guard !changed.isEmpty else { return }
        await (pass?.trace).stage("record what is as declared") { _ in
            await withJournal("record what is as declared") { () async throws(JournalError) in
                try await self.journal.note(owned: changed)
                self.owned.merge(changed) { $1 }
            }
        }
    }

    /// Notes that an owned object is as declared.
    ///
    /// - Returns: What the journal has to know of it from now on; nil where it knows that, or does not know the object.
    func settleDigest(of id: ObjectID, _ enforced: EnforcedState) -> OwnedObject? {
        guard var record = owned[id], let digest = enforced.digests[id] else { return nil }
        settledDigests[id] = digest
        guard record.declarationDigest != digest else { return nil }
        record.declarationDigest = digest
        record.revision = enforced.revision.commit
        return record
    }

    /// Asks who we are until that is known, so that nothing takes our own rights away.
    func learnUser() async {
        if case .notAsked = user {
            do throws(ClusterError) {
                user = OwnAccess.User(answered: try await cluster.whoWeAre())
            } catch {
                notify(.trouble(error.message, hint: error.hint))
            }
        }
        // Whoever uninstalls it from elsewhere has to know what not to take away under it.
        guard let namespace = user.namespace, namespace != rememberedNamespace, outage == nil else { return }
        await withJournal("remember where Bylaw runs") { () async throws(JournalError) in
            try await journal.remember(.ownNamespace, namespace)
            rememberedNamespace = namespace
        }
    }

    func planInput(_ enforced: EnforcedState) -> PlanInput {
        PlanInput(
            declared: enforced.objects, live: live.all, record: owned.mapValues { OwnershipRecord(uid: $0.uid) },
            readKinds: live.knownKinds, context: context(enforced))
    }

    func context(_ enforced: EnforcedState) -> DecisionContext {
        enforced.context(
            live: live, ownership: ownership, fieldManager: configuration.fieldManager,
            declaredEarlier: declaredEarlier, user: user, settledDigests: settledDigests,
            breakGlass: breakGlass(enforced), memory: ownRights)
    }

    /// Asks the repository's history about marked objects that the journal does not know, each of them once.
    ///
    /// Only where the journal was lost: with it, an object that it does not know was put there by somebody else.
    private func askHistory(_ enforced: EnforcedState) async {
        guard isHistoryProof else { return }
        let unproven = objectsOfUnprovenOwnership(planInput(enforced)).subtracting(historyAsked)
        guard !unproven.isEmpty else { return }
        do throws(SourceError) {
            declaredEarlier.formUnion(try await source.declaredEarlier(unproven, before: enforced.revision.commit))
            historyAsked.formUnion(unproven)
        } catch {
            notify(.trouble(error.explanation.message, hint: error.explanation.hint))
        }
    }

    /// Puts one action's object into the queue, behind the role that it refers to where that is still to be made.
    func enqueue(_ action: Action) {
        var stage = action.stage
        let role = referencedRole(action).flatMap { enforced?.objects[$0] != nil && live[$0] == nil ? $0 : nil }
        // Nothing takes away access that it cannot give back in the new form.
        if role != nil, action.kind == .replace { stage = max(stage, .binding) }
        // What takes away waits for no role: it might wait for a stage that waits for it.
        queue.add(action.id, stage: stage, after: stage > .role ? role : nil)
    }

    /// The role that a binding names.
    func referencedRole(_ action: Action) -> ObjectID? {
        action.desired.flatMap { ObjectID(roleReferencedBy: $0, in: action.id.namespace) }
    }

    /// Notes that work went on, and ends the pass when nothing of it is left.
    func advancePass() async {
        guard var current = pass else { return }
        current.done = max(current.done, current.total - queue.activeCount)
        if current.done - current.lastShown >= max(1, current.total / 100) {
            current.lastShown = current.done
            notify(.progress(done: min(current.done, current.total), total: current.total))
        }
        pass = current
        guard queue.activeCount == 0, mode == .continuous || queue.delayedCount == 0 else { return }
        var report = current.report
        report.failures = failing.count
        report.held = held.count + (enforced?.holds.count ?? 0)
        report.strangers = toldStrangers.count
        report.waiting = waiting.count
        report.isRevisionRefused = refusedCommit != nil
        report.hold = hold.active
        report.duration = surroundings.uptime() - current.startedAt
        report.endedAt = surroundings.now()
        report.trace = current.trace?.id.description
        pass = nil
        lastReport = report
        current.applying?.end()
        notify(.synced(report))
        guard let enforced else { return endTrace(current.trace, report) }
        let entry = EntryDraft(
            at: surroundings.now(), kind: .event, reason: .synced,
            outcome: report.failures > 0 ? .failed : report.held > 0 ? .held : .succeeded,
            revision: RevisionFacts(enforced.revision), duration: report.duration, message: report.summary)
        await current.trace.stage("record sync") { _ in
            await withJournal("record the end of a pass") { () async throws(JournalError) in
                try await self.journal.record(entry, owned: .unchanged)
                if report.isConverged {
                    try await self.resolve([.clusterRewound], object: nil)
                    try await self.trustJournal()
                    if report.revision == enforced.revision.commit { try await self.noteInForce(report.revision) }
                }
                if self.interruptedKinds.isEmpty, Resource.managed.allSatisfy(self.live.isKnown) {
                    try await self.resolve([.clusterUnreachable], object: nil)
                }
                try await self.endOldFights()
                try await self.rememberStatus()
            }
        }
        endTrace(current.trace, report)
        if mode == .continuous, needsPass { await beginPass() }
    }

    /// After a whole pass the journal knows everything that is ours: the history has no say from then on.
    private func trustJournal() async throws(JournalError) {
        guard isHistoryProof, Resource.managed.allSatisfy(live.isKnown) else { return }
        try await journal.remember(.ownershipSettled, "true")
        isHistoryProof = false
        declaredEarlier = []
        historyAsked = []
    }
}

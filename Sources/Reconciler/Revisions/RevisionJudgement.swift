import Analysis
package import Guardrails
package import Manifest
package import Planning
package import Policy

/// What a verdict rested on that may be otherwise the next time, for the same commit.
package struct JudgementBasis: Sendable, Equatable {
    /// Kinds that could not be read: what depends on them was held.
    package var unreadKinds: Set<Resource>
    /// Those of them that never could be since what was in force is not known: of these nothing that an earlier run left
    /// was judged.
    package var unseenKinds: Set<Resource>
    /// The revision that was judged when they could not be.
    package var unseenSince: String?
    package var trust: TrustMode
    /// Up to which commit signatures were asked for, where they no longer are: what anybody wrote into a trailer under
    /// those does not count without one.
    package var signaturesRequiredUpTo: String?
    /// Whether a signature did not count that may count with other keys.
    package var hasMetDistrust: Bool

    package init(
        unreadKinds: Set<Resource>, unseenKinds: Set<Resource> = [], unseenSince: String? = nil, trust: TrustMode,
        signaturesRequiredUpTo: String? = nil, hasMetDistrust: Bool
    ) {
        self.unreadKinds = unreadKinds
        self.unseenKinds = unseenKinds
        self.unseenSince = unseenSince
        self.signaturesRequiredUpTo = signaturesRequiredUpTo
        self.trust = trust
        self.hasMetDistrust = hasMetDistrust
    }

    /// Says of signatures what an earlier one said, since the trailers under them were not looked at.
    mutating func keepTrust(of earlier: JudgementBasis) {
        trust = earlier.trust
        hasMetDistrust = earlier.hasMetDistrust
    }
}

/// Everything that judging a new revision takes, besides the revision.
package struct RevisionJudgement: Sendable {
    /// What is enforced so far; nil where nothing is.
    package var enforced: EnforcedState?
    /// What the revision is compared with: what is enforced, or what was before the hold that enforces it; nil where nothing
    /// is in force, or that is not known.
    package var inForce: EnforcedState?
    /// The settings that were in force, which are remembered even where their commit cannot be read; nil at the first start.
    package var configurationInForce: RepositoryConfiguration?
    /// Whether other settings may have been in force since: whoever they list may be no approver any more.
    package var isConfigurationOutdated: Bool
    /// Whether another replica may have led since what is owned was written down.
    package var isJournalBehind: Bool
    package var live: LiveState
    package var ownership: Ownership
    /// What the journal knows as ours.
    package var owned: Set<ObjectID>
    package var user: OwnAccess.User
    /// Where commits must be signed, approvals must be as well.
    package var trust: TrustMode
    package var source: any RevisionSource
    /// Which revisions were in force before.
    package var states: DeclaredStates
    package var canonical: Canonical
    /// Spares reading the history again with each revision.
    package var memory: HistoryMemory
    /// Whether trailers let anything through.
    ///
    /// Under an emergency hold they do not: what an earlier revision's trailers approved was approved for then. Nor does what
    /// its settings let through: the stricter of both counts.
    package var takesApprovals: Bool
    /// What the hold found there that enforces what is (``StateBeforeHold/found``); nil where none does.
    package var foundByHold: Set<ObjectID>?

    package init(
        enforced: EnforcedState?, before: StateBeforeHold?, isJournalBehind: Bool = false,
        configurationInForce: RepositoryConfiguration?,
        live: LiveState, ownership: Ownership,
        owned: Set<ObjectID>, user: OwnAccess.User,
        trust: TrustMode,
        source: any RevisionSource, states: DeclaredStates, canonical: Canonical,
        memory: HistoryMemory = HistoryMemory(), takesApprovals: Bool = true
    ) {
        self.enforced = enforced
        foundByHold = before?.found
        // Where nobody knows what the hold has enforced, its effect is not known either: all that is ours is left behind.
        inForce = before == nil || enforced == nil ? enforced : before?.state
        self.configurationInForce = inForce?.configuration ?? before?.configuration ?? configurationInForce
        isConfigurationOutdated = inForce == nil && (isJournalBehind || before?.isOutdated == true)
        self.isJournalBehind = isJournalBehind
        if isConfigurationOutdated, let known = self.configurationInForce?.guardrails {
            // Stricter ones may have been in force since.
            self.configurationInForce?.guardrails = known.stricter(GuardrailSettings())
            self.configurationInForce?.guardrails.approvers = known.approvers
        }
        self.live = live
        self.ownership = ownership
        self.owned = owned
        self.user = user
        self.trust = trust
        self.source = source
        self.states = states
        self.canonical = canonical
        self.memory = memory
        self.takesApprovals = takesApprovals
    }

    /// What of a sound revision may happen.
    ///
    /// - Parameter complain: Takes what is wrong with a trailer, and what to do about it.
    package mutating func verdict(
        on loaded: LoadedRevision, complain: (_ message: String, _ hint: String) -> Void
    ) async throws(SourceError) -> (GuardVerdict, JudgementBasis) {
        let effect = holdEffect(on: loaded.declared)
        var objects = live.all
        for id in effect.brought { objects[id] = nil }
        let left = leftBehind(among: objects.values, besides: effect.left)
        let removed = left.subtracting(loaded.declared.objects.keys)
        if isJournalBehind, let revision = inForce?.revision {
            inForce?.leftSince = try await LeftBehindSearch(source: source).lastDeclarations(
                of: removed, before: revision, live: live)
        }
        let approvals =
            !takesApprovals
            ? FoundApprovals()
            : try await ApprovalSearch(
                inForce: inForce, approvers: approvers(besides: loaded.declared), head: loaded,
                removed: removed, requiresSignatures: trust != .off, signaturesRequiredUpTo: signaturesRequiredUpTo,
                source: source, memory: memory
            ).find(complain: complain)
        var privileged: Set<String> = ["kube-system"]
        if let own = user.namespace { privileged.insert(own) }
        let question = GuardQuestion(
            inForce: inForce?.inForce, configurationInForce: configurationInForce, head: loaded.declared, live: objects,
            leftBehind: left, owned: owned, approvals: approvals.sources,
            privilegedNamespaces: privileged, unreadKinds: Set(Resource.managed).subtracting(live.knownKinds),
            // Under a hold nothing is exempt: whoever set it need not be one who may merge.
            isRestoration: inForce != nil && takesApprovals
                && RestorationSearch(states: states, canonical: canonical).finds(loaded),
            isByHold: !takesApprovals,
            // From one hold to the next the deletions of both count: somebody could take everything away in small steps.
            alreadyGone: takesApprovals ? effect.takenAway.filter(isSeenGone) : [], instance: ownership.instance)
        var verdict = await Self.decide(question)
        verdict.removed += effect.brought.sorted()
        // What was approved before and is not gone yet stays approved, unless it is declared again.
        let used = effect.usedNamespaces.union(loaded.declared.objects.keys.map(\.scopeNamespace))
        verdict.deletableNamespaces.formUnion(
            inForce?.deletableNamespaces.filter { !used.contains($0.name) && !isSeenGone($0) } ?? [])
        let unread = question.unreadKinds
        let unseen = inForce == nil ? unread : unseenKinds.intersection(unread)
        let basis = JudgementBasis(
            unreadKinds: unread, unseenKinds: unseen,
            unseenSince: inForce == nil ? loaded.revision.commit : inForce?.basis?.unseenSince, trust: trust,
            signaturesRequiredUpTo: verdict.holds.isEmpty && unseen.isEmpty ? nil : signaturesRequiredUpTo,
            hasMetDistrust: approvals.hasMetDistrust)
        return (verdict, basis)
    }

    private func approvers(besides head: DeclaredState) -> [Approver] {
        let approvers = configurationInForce?.guardrails.approvers ?? []
        return isConfigurationOutdated ? approvers.filter(head.configuration.guardrails.approvers.contains) : approvers
    }

    private var signaturesRequiredUpTo: String? {
        guard trust == .off, let inForce, let basis = inForce.basis else { return nil }
        return basis.trust == .off ? basis.signaturesRequiredUpTo : inForce.revision.commit
    }

    private var unseenKinds: Set<Resource> { inForce?.basis?.unseenKinds ?? [] }

    private func isSeenGone(_ id: ObjectID) -> Bool {
        live[id] == nil && id.resource.map(live.knownKinds.contains) == true
    }

    private func holdEffect(on head: DeclaredState) -> HoldEffect {
        guard let foundByHold, let inForce, let enforced else { return .none }
        return HoldEffect(before: inForce, enforced: enforced, found: foundByHold, head: head) { id in
            // What another replica's hold has made is not known from what it took over.
            !isJournalBehind && owned.contains(id) && live[id].map { ownership.claim(of: $0) == .ours } == true
        }
    }

    /// What is ours, and of which nobody knows any more what was declared.
    ///
    /// - Parameter others: What is ours besides, and was declared by what a hold enforced.
    private func leftBehind(
        among objects: some Collection<LiveObject>, besides others: Set<ObjectID>
    ) -> Set<ObjectID> {
        let ours = objects.lazy.filter { ownership.claim(of: $0) == .ours || owned.contains($0.id) }.map(\.id)
        guard let inForce else { return Set(ours) }
        return Set(
            ours.filter { id in
                // Nor does this journal know what the leader before left as it is.
                inForce.objects[id] == nil
                    && (isJournalBehind || inForce.frozen.contains(id)
                        || id.resource.map(unseenKinds.contains) == true || others.contains(id))
            })
    }

    /// Whether the verdict on the revision in force may be another one now, without a new commit.
    package var mayBeOtherwise: Bool {
        guard let enforced else { return false }
        let isHeld = !enforced.holds.isEmpty
        guard let basis = enforced.basis else { return isHeld }
        if isHeld, basis.trust != trust || basis.hasMetDistrust { return true }
        return hasBecomeReadable && (isHeld || !basis.unseenKinds.isDisjoint(with: live.knownKinds))
    }

    /// Whether a kind that could not be read then can be read now.
    package var hasBecomeReadable: Bool {
        enforced?.basis?.unreadKinds.isDisjoint(with: live.knownKinds) == false
    }

    /// Off whatever actor asks, so that drift is corrected meanwhile: a large repository takes up to a second.
    @concurrent private static func decide(_ question: GuardQuestion) async -> GuardVerdict { guardRevision(question) }
}

/// Why a revision would lock Bylaw out; nil where it would not.
///
/// What RBAC says is confirmed by what the server says of us now: a right that another authorizer gives is not lost with a
/// binding. Where the server does not answer, RBAC alone counts.
package func findLockout(
    by verdict: GuardVerdict, user: OwnAccess.User, instance: String, live: LiveState, cluster: any ClusterAPI,
    complain: (_ message: String, _ hint: String) -> Void
) async -> String? {
    guard case .known(let identity) = user else { return nil }
    let lockout = SelfLockout(
        of: identity, live: live.all, enforcing: verdict.state,
        closedLabels: ClosedLabels(readBy: verdict.state.objects.values.lazy.map(\.tree)), removing: verdict.removed,
        needed: neededRights(for: verdict.state.configuration)
            + preventionRights(for: verdict.state.configuration, instance: instance))
    guard !lockout.isEmpty else { return nil }
    var lost: [AccessRequest] = []
    var isConfirmed = !lockout.lostObjects.isEmpty
    for (namespace, requests) in Dictionary(grouping: lockout.lostRights, by: \.namespace).sorted(by: {
        $0.key < $1.key
    }) {
        // One that is confirmed is enough: there may be a thousand namespaces.
        guard !isConfirmed else {
            lost += requests
            continue
        }
        do throws(ClusterError) {
            let rules = try await cluster.ownRules(in: namespace.isEmpty ? "default" : namespace)
            lost += requests.filter { request in rules.contains { $0.allows(request) } }
        } catch {
            complain(error.message, error.hint)
            lost += requests
        }
        isConfirmed = !lost.isEmpty
    }
    let words = lockout.lostObjects.map(\.description) + lost.map { "the right to \($0)" }
    guard let first = words.first else { return nil }
    let rest = words.count - 1
    return "it takes away from Bylaw itself \(first)" + (rest > 0 ? " and \(rest) more" : "")
}

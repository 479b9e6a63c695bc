package import Analysis
package import Manifest
package import Policy

/// Everything that is asked before a revision is enforced.
package struct GuardQuestion: Sendable {
    /// What is enforced so far; nil where nothing is, as at the first start.
    package var inForce: DeclaredState?
    /// The settings that were in force before, also where their revision is no longer known; nil at the first start.
    package var configurationInForce: RepositoryConfiguration?
    /// What the new revision declares.
    package var head: DeclaredState
    /// Every live object, as far as it is known.
    package var live: [ObjectID: LiveObject]
    /// Live objects that an earlier run of this instance made, where nothing is known to be in force.
    package var marked: Set<ObjectID>
    /// What the journal knows as ours.
    package var owned: Set<ObjectID>
    package var approvals: [ApprovalSource]
    /// Namespaces where rights weigh as much as in the whole cluster.
    package var privilegedNamespaces: Set<String>
    /// Kinds of roles and bindings that cannot be read now.
    package var unreadKinds: Set<Resource>

    package init(
        inForce: DeclaredState?, configurationInForce: RepositoryConfiguration? = nil, head: DeclaredState,
        live: [ObjectID: LiveObject] = [:], marked: Set<ObjectID> = [],
        owned: Set<ObjectID> = [], approvals: [ApprovalSource] = [],
        privilegedNamespaces: Set<String> = ["kube-system"], unreadKinds: Set<Resource> = []
    ) {
        self.inForce = inForce
        self.configurationInForce = inForce?.configuration ?? configurationInForce
        self.head = head
        self.live = live
        self.marked = marked
        self.owned = owned
        self.approvals = approvals
        self.privilegedNamespaces = privilegedNamespaces
        self.unreadKinds = unreadKinds
    }
}

/// A change to one object that waits for an approval.
package struct GuardrailHold: Sendable, Equatable {
    package var id: ObjectID
    /// What has to be approved; more than one where the change means several things.
    package var guardrails: Set<Guardrail>
    /// What the change means, a sentence each.
    package var meanings: [String]
    /// The gravest meaning's runbook.
    package var runbook: String?

    package init(id: ObjectID, guardrails: Set<Guardrail>, meanings: [String], runbook: String?) {
        self.id = id
        self.guardrails = guardrails
        self.meanings = meanings
        self.runbook = runbook
    }

    /// The trailers that let it through, each to be ended with the name of whoever approves.
    package var trailers: [String] {
        guardrails.sorted().map { "\(Approval.trailerKey): \($0.rawValue) \(id) by NAME" }
    }
}

/// What may happen of a revision.
package struct GuardVerdict: Sendable {
    /// What is to be enforced: the new declarations, and the earlier ones of what is held.
    package var state: DeclaredState
    /// In the order of their objects.
    package var holds: [GuardrailHold]
    /// Objects that are neither changed nor removed: what an earlier revision declared of them is not known.
    package var frozen: Set<ObjectID>
    /// Namespaces whose deletion is approved.
    package var deletableNamespaces: Set<ObjectID>
    /// What is applied and has to be told.
    package var reported: [ChangeFinding]
    /// What was approved, by object.
    package var approved: [ObjectID: GivenApproval]
    /// What is to be deleted.
    package var removed: [ObjectID]

    package init(
        state: DeclaredState, holds: [GuardrailHold], frozen: Set<ObjectID>, deletableNamespaces: Set<ObjectID>,
        reported: [ChangeFinding], approved: [ObjectID: GivenApproval], removed: [ObjectID]
    ) {
        self.state = state
        self.holds = holds
        self.frozen = frozen
        self.deletableNamespaces = deletableNamespaces
        self.reported = reported
        self.approved = approved
        self.removed = removed
    }
}

/// Decides what of a revision may happen, by the guardrails that were in force before it.
///
/// What is held keeps its earlier declaration, and everything else goes on: so a held object is still protected against
/// drift, and a later revision that approves it is compared with what really holds. What the revision takes away from a held
/// role or binding goes at once, since no revocation waits for a grant (design, section 5.3).
///
/// Pure and total.
package func guardRevision(_ question: GuardQuestion) -> GuardVerdict {
    var guardian = RevisionGuard(question)
    guardian.judgeConfiguration()
    guardian.judgeDeletions()
    guardian.judgeUnknownRoles()
    guardian.judgeMeaning()
    guardian.judgeContents()
    return guardian.verdict
}

private struct RevisionGuard {
    private let question: GuardQuestion
    private let approvals: ApprovalSet
    /// The guardrails that were in force before.
    private let settings: GuardrailSettings
    private var holds: [ObjectID: GuardrailHold] = [:]
    private var reported: [ChangeFinding] = []
    private var approved: [ObjectID: GivenApproval] = [:]
    private var deletableNamespaces: Set<ObjectID> = []
    private var configuration: RepositoryConfiguration
    /// What holds so far: what is in force, or what an earlier run of this instance left in the cluster.
    private let before: [ObjectID: DeclaredObject]
    /// What the new revision no longer declares, namespaces among it.
    private let removed: [ObjectID]

    /// How often what is left is analysed again after something was held.
    private static let maximumRounds = 8

    init(_ question: GuardQuestion) {
        self.question = question
        approvals = ApprovalSet(sources: question.approvals, head: question.head)
        // At the first start nothing was in force: then the strict table counts, and what is stricter still.
        let first = question.head.configuration.guardrails.stricter(GuardrailSettings())
        settings = question.configurationInForce?.guardrails ?? first
        configuration = question.head.configuration
        before =
            question.inForce?.objects
            ?? question.live.filter { question.marked.contains($0.key) }
            .compactMapValues(\.asDeclared)
        removed = before.keys.filter { question.head.objects[$0] == nil }.sorted()
    }

    var verdict: GuardVerdict {
        GuardVerdict(
            state: DeclaredState(objects: effectiveObjects, configuration: configuration),
            holds: holds.values.sorted { $0.id < $1.id },
            frozen: Set(holds.keys.filter(isFrozen)),
            deletableNamespaces: deletableNamespaces, reported: reported.sorted(), approved: approved,
            removed: removed.filter { holds[$0] == nil })
    }

    /// Whether an object is to be left as it is: nothing is known of what was declared of it.
    ///
    /// What is ours, though, and what is in force no longer declares goes, as it would without this revision.
    private func isFrozen(_ id: ObjectID) -> Bool {
        guard id.resource != nil, let inForce = question.inForce else { return id.resource != nil }
        return inForce.objects[id] == nil && !question.owned.contains(id)
    }

    private var effectiveObjects: [ObjectID: DeclaredObject] {
        var objects = question.head.objects
        for id in holds.keys {
            objects[id] = question.inForce?.objects[id].map { $0.without(whatIsTakenAwayBy: question.head.objects[id]) }
        }
        return objects
    }

    private mutating func hold(_ id: ObjectID, _ guardrail: Guardrail, _ meaning: String, runbook: String? = nil) {
        var hold = holds[id] ?? GuardrailHold(id: id, guardrails: [], meanings: [], runbook: runbook)
        hold.guardrails.insert(guardrail)
        if !hold.meanings.contains(meaning) { hold.meanings.append(meaning) }
        holds[id] = hold
    }

    /// Whether what happens to an object is approved under one of some names; then that is noted.
    private mutating func isApproved(_ id: ObjectID, by subjects: String...) -> Bool {
        guard let approval = approvals.approval(of: subjects, for: id) else { return false }
        approved[id] = approval
        return true
    }

    // MARK: The configuration

    mutating func judgeConfiguration() {
        let id = RepositoryConfiguration.id
        let before = baseConfiguration
        let loosened = isFirstStart ? [] : ConfigurationChange(old: before, new: configuration).loosened
        if !loosened.isEmpty {
            if !isApproved(id, by: Guardrail.configurationLoosened.rawValue) {
                hold(
                    id, .configurationLoosened,
                    "the change of \(id.name) loosens what is in force: \(loosened.joined(separator: "; "))")
                let clusters = configuration.clusters
                configuration = before
                configuration.clusters = clusters
                return
            }
        }
        guard ConfigurationChange(old: before, new: configuration).enforcesMore else { return }
        if !isApproved(id, by: Guardrail.scopeEnforced.rawValue) {
            hold(id, .scopeEnforced, "the change of \(id.name) would remove what is not declared in more scopes")
            // What is enforced already stays so, where the scopes are the same otherwise.
            configuration.scopes =
                question.configurationInForce == nil ? configuration.scopes.reportingOnly : before.scopes
        }
    }

    /// Whether nothing was ever enforced here: then there is nothing to loosen.
    private var isFirstStart: Bool { question.configurationInForce == nil && question.marked.isEmpty }

    /// What the configuration is compared with.
    ///
    /// Where an earlier run has left objects and the record of what was in force is lost, it is the standard one; who may
    /// approve has to be taken from the revision, or nobody ever could.
    private var baseConfiguration: RepositoryConfiguration {
        if let known = question.configurationInForce { return known }
        var base = RepositoryConfiguration.standard
        base.guardrails.approvers = configuration.guardrails.approvers
        return base
    }

    // MARK: Deletions

    mutating func judgeDeletions() {
        let total = before.count
        var unapproved: [ObjectID] = []
        for id in removed where id.resource == .namespace { judgeNamespace(id) }
        for id in removed where id.resource != .namespace && !goesWithItsNamespace(id) {
            if !isApproved(id, by: Guardrail.deletionBudget.rawValue) { unapproved.append(id) }
        }
        guard !settings.deletions.allows(unapproved.count, of: total) else { return }
        let meaning =
            "the revision deletes \(unapproved.count) of \(total) objects, more than the \(settings.deletions.maximum) or "
            + "\(settings.deletions.maximumPercent) % that may go at once"
        for id in unapproved { hold(id, .deletionBudget, meaning) }
    }

    /// Whether an object is removed together with its namespace, whose approval covers all that is in it.
    private func goesWithItsNamespace(_ id: ObjectID) -> Bool {
        question.head.objects[id] == nil && deletableNamespaces.contains(ObjectID(.namespace, name: id.namespace))
    }

    private mutating func judgeNamespace(_ id: ObjectID) {
        let rest = question.head.objects.keys.filter { $0.namespace.hasSameBytes(as: id.name) }.min()
        if let rest {
            hold(
                id, .namespaceDeletion,
                "\(id) is no longer declared, but \(rest) in it is: deleting the namespace would delete that too")
        } else if isApproved(id, by: Guardrail.namespaceDeletion.rawValue) {
            deletableNamespaces.insert(id)
        } else {
            hold(
                id, .namespaceDeletion,
                "\(id) is no longer declared; deleting it would delete everything in it, so it is held")
        }
    }

    // MARK: Meaning

    /// Holds what makes the revision mean something that needs an approval, until nothing of that is left.
    mutating func judgeMeaning() {
        let context = SecurityState(live: question.live)
        let base = SecurityState(DeclaredState(objects: before))
        for round in 1... {
            let findings = analyseChange(
                base: base,
                head: SecurityState(
                    DeclaredState(objects: effectiveObjects.merging(frozenAsLive) { first, _ in first })),
                context: context,
                options: ChangeOptions(privilegedNamespaces: question.privilegedNamespaces, knowsCluster: true))
            let heldBefore = holds.count
            var isOpen = false
            reported = []
            for finding in findings {
                guard let (guardrail, decision) = settings.decision(about: finding) else { continue }
                switch decision {
                case .allow: break
                case .report: reported.append(finding)
                case .hold: isOpen = judge(finding, guardrail) || isOpen
                }
            }
            guard isOpen else { return }
            // What is held was put back, and it still means the same: whatever else was edited there waits as well.
            if holds.count == heldBefore || round >= Self.maximumRounds { holdRest(of: findings) }
            if round > Self.maximumRounds { return }
        }
    }

    /// - Returns: Whether something of it was not approved.
    private mutating func judge(_ finding: ChangeFinding, _ guardrail: Guardrail) -> Bool {
        var isOpen = false
        for cause in finding.causes where !goesWithItsNamespace(cause.object) {
            guard !isApproved(cause.object, by: guardrail.rawValue, finding.reason.rawValue) else { continue }
            isOpen = true
            hold(cause.object, guardrail, finding.message, runbook: finding.runbook)
        }
        return isOpen
    }

    private mutating func holdRest(of findings: [ChangeFinding]) {
        for finding in findings {
            guard let (guardrail, decision) = settings.decision(about: finding), decision == .hold else { continue }
            let kinds = kinds(of: finding.reason.area)
            for id in editedObjects where id.resource.map(kinds.contains) == true && !goesWithItsNamespace(id) {
                hold(id, guardrail, finding.message, runbook: finding.runbook)
            }
        }
    }

    private func kinds(of area: FindingArea) -> Set<Resource> {
        switch area {
        case .access: [.role, .clusterRole, .roleBinding, .clusterRoleBinding, .serviceAccount]
        case .network: [.networkPolicy, .namespace]
        case .podSecurity: [.namespace]
        case .baseline: [.resourceQuota, .limitRange, .serviceAccount]
        }
    }

    private var editedObjects: [ObjectID] {
        Set(before.keys).union(question.head.objects.keys)
            .filter { before[$0]?.tree != question.head.objects[$0]?.tree }.sorted()
    }

    /// Held objects of which no earlier declaration is known: they stay as they are.
    private var frozenAsLive: [ObjectID: DeclaredObject] {
        var objects: [ObjectID: DeclaredObject] = [:]
        for id in holds.keys where question.inForce?.objects[id] == nil {
            objects[id] = question.live[id]?.asDeclared
        }
        return objects
    }

    /// Holds new and changed bindings whose role's rules cannot be looked at: unknown is not harmless.
    mutating func judgeUnknownRoles() {
        for id in editedObjects {
            guard
                let role = question.head.objects[id].flatMap({ ObjectID(roleReferencedBy: $0.tree, in: id.namespace) }),
                question.head.objects[role] == nil, role.resource.map(question.unreadKinds.contains) == true,
                !isApproved(id, by: Guardrail.riskyGrant.rawValue)
            else { continue }
            hold(id, .riskyGrant, "what \(id) gives cannot be told, since \(role) cannot be read now")
        }
    }

    // MARK: What depends on a held object

    /// What is to be made in a namespace that is held back cannot be made either.
    mutating func judgeContents() {
        let missing = Set(
            holds.keys.filter {
                $0.resource == .namespace && question.inForce?.objects[$0] == nil && question.live[$0] == nil
            })
        guard !missing.isEmpty else { return }
        for id in question.head.objects.keys where !id.namespace.isEmpty && holds[id] == nil {
            let namespace = ObjectID(.namespace, name: id.namespace)
            guard missing.contains(namespace), let hold = holds[namespace] else { continue }
            holds[id] = GuardrailHold(
                id: id, guardrails: [], meanings: ["\(id) waits for \(namespace), which is held"],
                runbook: hold.runbook)
        }
    }
}

extension LiveObject {
    /// As it would stand in a repository; nil for a kind that is not managed.
    fileprivate var asDeclared: DeclaredObject? {
        id.resource.map { resource in
            DeclaredObject(id: id, tree: canonicalLive(tree, of: resource), origin: Origin(file: "", line: 0))
        }
    }
}

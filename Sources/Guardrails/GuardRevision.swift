import Analysis
import Manifest
import Policy

/// Decides what of a revision may happen, by the guardrails that were in force before it.
///
/// What is held keeps its earlier declaration, and everything else goes on: so a held object is still protected against
/// drift, and a later revision that approves it is compared with what really holds. What the revision takes away from a held
/// role, binding or namespace goes at once, since no revocation waits for a grant (design, section 5.3).
///
/// Pure and total.
package func guardRevision(_ question: GuardQuestion) -> GuardVerdict {
    var guardian = RevisionGuard(question)
    guardian.judgeConfiguration()
    guardian.judgeScopes()
    guardian.judgeDeletions()
    guardian.judgeUnread()
    guardian.judgeMeaning()
    guardian.judgeContents()
    return guardian.verdict
}

/// A judgement on its way: what is held, reported and approved so far.
struct RevisionGuard {
    let question: GuardQuestion
    private let approvals: ApprovalSet
    /// The guardrails that were in force before.
    let settings: GuardrailSettings
    private(set) var holds: [ObjectID: GuardrailHold] = [:]
    var reported: [ChangeFinding] = []
    private(set) var approved: [ObjectID: GivenApproval] = [:]
    var deletableNamespaces: Set<ObjectID> = []
    /// What needs no approval since it restores a stricter state.
    var restored: Set<ObjectID> = []
    /// What the revision says of itself, as far as it may.
    var configuration: RepositoryConfiguration
    /// What holds so far: what is in force, and what an earlier run of this instance left in the cluster where that is not
    /// known.
    let before: [ObjectID: DeclaredObject]
    /// What the new revision no longer declares, namespaces among it.
    private let noLongerDeclared: [ObjectID]

    init(_ question: GuardQuestion) {
        self.question = question
        approvals = ApprovalSet(sources: question.approvals, head: question.head)
        // At the first start nothing was in force: then the strict table counts, and what is stricter still.
        let first = question.head.configuration.guardrails.stricter(GuardrailSettings())
        let known = question.configurationInForce?.guardrails
        settings = known.map { question.isByHold ? $0.stricter(question.head.configuration.guardrails) : $0 } ?? first
        configuration = question.head.configuration
        before = question.live.filter { question.leftBehind.contains($0.key) }.compactMapValues(\.asDeclared)
            .merging(question.inForce?.objects ?? [:]) { $1 }
        noLongerDeclared = before.keys.filter { question.head.objects[$0] == nil }.sorted()
    }

    var verdict: GuardVerdict {
        var verdict = GuardVerdict(
            state: DeclaredState(objects: effectiveObjects, configuration: configuration),
            holds: holds.values.sorted { $0.id < $1.id },
            frozen: Set(holds.keys.filter(isFrozen)),
            deletableNamespaces: deletableNamespaces, reported: reported.sorted(), approved: approved,
            removed: removed.filter { holds[$0] == nil })
        verdict.restored = restored.filter { holds[$0] == nil }
        return verdict
    }

    /// Whether an object is to be left as it is: nothing is known of what was declared of it.
    ///
    /// What is ours, though, and what is in force no longer declares goes, as it would without this revision; unless that
    /// was not known of it before either.
    private func isFrozen(_ id: ObjectID) -> Bool {
        guard id.resource != nil, let inForce = question.inForce else { return id.resource != nil }
        return inForce.objects[id] == nil && (question.leftBehind.contains(id) || !question.owned.contains(id))
    }

    /// What is to be deleted, unless it is held: what is no longer declared, and still managed.
    var removed: [ObjectID] { noLongerDeclared.filter(isManaged) }

    /// What is no longer declared since its kind is no longer managed: it is left as it is.
    var leftAsItIs: [ObjectID: DeclaredObject] {
        var objects: [ObjectID: DeclaredObject] = [:]
        for id in noLongerDeclared where !isManaged(id) { objects[id] = before[id] }
        return objects
    }

    private func isManaged(_ id: ObjectID) -> Bool { id.resource.map(configuration.managedKinds.contains) == true }

    var effectiveObjects: [ObjectID: DeclaredObject] {
        var objects = question.head.objects
        let scopeKeys = configuration.scopes.namespaceLabelKeys.union(
            question.head.configuration.scopes.namespaceLabelKeys)
        for id in holds.keys {
            objects[id] = question.inForce?.objects[id].map {
                $0.without(whatIsTakenAwayBy: question.head.objects[id], scopeKeys: scopeKeys)
            }
        }
        return objects
    }

    mutating func hold(
        _ id: ObjectID, _ guardrail: Guardrail, _ meaning: String, runbook: String? = nil, removes: [ObjectID] = []
    ) {
        var hold = holds[id] ?? GuardrailHold(id: id, guardrails: [], meanings: [], runbook: runbook)
        hold.removes += removes
        hold.guardrails.insert(guardrail)
        if !hold.meanings.contains(meaning) { hold.meanings.append(meaning) }
        holds[id] = hold
    }

    /// Whether what happens to an object is approved under one of some names; then that is noted.
    ///
    /// - Parameter other: Another object whose approval covers this one.
    mutating func isApproved(_ id: ObjectID, by subjects: String..., or other: ObjectID? = nil) -> Bool {
        guard let approval = approvals.approval(of: subjects, for: id, or: other) else { return false }
        approved[id] = approval
        return true
    }

    /// Holds an object back for as long as another one is held.
    mutating func hold(_ id: ObjectID, behind other: ObjectID) {
        guard holds[id] == nil else { return }
        holds[id] = GuardrailHold(
            id: id, guardrails: [], meanings: ["\(id) waits for \(other), which is held"],
            runbook: holds[other]?.runbook)
    }

    // MARK: What depends on a held object

    /// What is to be made in a namespace that is held back cannot be made either.
    mutating func judgeContents() {
        // Not known is not missing.
        guard !question.unreadKinds.contains(.namespace) else { return }
        let missing = Set(
            holds.keys.filter {
                $0.resource == .namespace && question.inForce?.objects[$0] == nil && question.live[$0] == nil
            })
        guard !missing.isEmpty else { return }
        for id in question.head.objects.keys where !id.namespace.isEmpty && holds[id] == nil {
            let namespace = ObjectID(.namespace, name: id.namespace)
            if missing.contains(namespace) { hold(id, behind: namespace) }
        }
    }
}

extension LiveObject {
    /// As it would stand in a repository; nil for a kind that is not managed.
    var asDeclared: DeclaredObject? {
        id.resource.map { resource in
            DeclaredObject(id: id, tree: canonicalLive(tree, of: resource), origin: Origin(file: "", line: 0))
        }
    }
}

import Manifest
import Policy

extension RevisionGuard {
    /// Holds changes of a namespace's labels that take it out of a scope, or into one where something would be removed.
    ///
    /// The rules of the scopes are the same before and after: what a change of theirs does is judged with the
    /// configuration.
    mutating func judgeScopes() {
        guard !configuration.scopes.namespaceLabelKeys.isEmpty else { return }
        for id in question.head.objects.keys.sorted() where id.resource == .namespace && holds[id] == nil {
            judgeScope(of: id)
        }
    }

    private mutating func judgeScope(of id: ObjectID) {
        guard let from = scoped(id, before[id]?.tree ?? question.live[id]?.tree, isDeclared: before[id] != nil),
            let to = scoped(id, question.head.objects[id]?.tree, isDeclared: true)
        else { return }
        let scopes = configuration.scopes
        let kinds = ScopeRules.closableKinds.intersection(configuration.managedKinds).filter(\.isNamespaced)
        let opened = kinds.filter { from.isDeclared && scopes.mode(of: $0, in: to) < scopes.mode(of: $0, in: from) }
        let enforced = kinds.filter {
            scopes.mode(of: $0, in: to) == .enforce && scopes.mode(of: $0, in: from) < .enforce
        }
        if !opened.isEmpty, !isApproved(id, by: Guardrail.configurationLoosened.rawValue) {
            let words = opened.map(\.kind).sorted().joined(separator: ", ")
            hold(
                id, .configurationLoosened,
                "other labels take \(id) out of a scope: what nobody declares there would be looked at less (\(words))")
        }
        // Whoever approved the scope in this revision has approved what it selects.
        let isScopeApproved = approved[RepositoryConfiguration.id]?.approval.subject == Guardrail.scopeEnforced.rawValue
        let undeclared = isScopeApproved ? [] : undeclaredObjects(of: enforced, in: id.name)
        if let first = undeclared.first, !isApproved(id, by: Guardrail.scopeEnforced.rawValue) {
            let rest = undeclared.count > 1 ? " and \(undeclared.count - 1) more" : ""
            hold(
                id, .scopeEnforced,
                "its labels bring \(id) into a scope that is enforced, where \(first)\(rest) would be removed")
        }
    }

    private func scoped(_ id: ObjectID, _ tree: Tree?, isDeclared: Bool) -> ScopedNamespace? {
        tree.map {
            ScopedNamespace(name: id.name, labels: Labels($0["metadata"]?["labels"]), isDeclared: isDeclared)
        }
    }

    /// What nobody declares, neither before nor after; some of it may be excluded or Kubernetes' own.
    private func undeclaredObjects(of kinds: Set<Resource>, in namespace: String) -> [ObjectID] {
        question.live.keys.filter { id in
            id.namespace.hasSameBytes(as: namespace) && id.resource.map(kinds.contains) == true
                && before[id] == nil && question.head.objects[id] == nil
                && !(id.resource == .serviceAccount && id.name == "default")
        }.sorted()
    }
}

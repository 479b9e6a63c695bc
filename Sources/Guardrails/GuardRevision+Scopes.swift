import Manifest
import Planning
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
        guard before[id] != nil || question.live[id] != nil else { return }
        let (from, to) = (namespaceBefore(id.name), namespaceAfter(id.name))
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
        guard !enforced.isEmpty else { return }
        let removes = removals(by: scopes, besides: scopes, in: id.name)
        let isUnknown = !question.unreadKinds.isDisjoint(with: enforced)
        // Whoever approved the scope saw what it selects, as long as the namespace is as it was then.
        let isApproved = isApproved(id, by: Guardrail.scopeEnforced.rawValue, or: RepositoryConfiguration.id)
        let ofOthers = ofUnnamedInstances(removes)
        guard !removes.isEmpty || isUnknown, !isApproved || !ofOthers.isEmpty else { return }
        hold(
            id, .scopeEnforced,
            "its labels bring \(id) into a scope that is enforced, which would remove what is not declared there: "
                + (isUnknown ? "what, cannot be read now" : describe(removes)) + wordsForUnnamedInstances(ofOthers),
            removes: removes)
    }

    /// What of it carries the marker of an instance that the configuration does not name.
    ///
    /// Two instances would remove and make it in turns for ever, and no approval makes that right. Only what is there when a
    /// scope begins to be enforced counts: later anybody could keep an object by writing such a marker.
    func ofUnnamedInstances(_ removes: [ObjectID]) -> [ObjectID] {
        removes.filter { id in
            guard let marker = question.live[id]?.label(Ownership.instanceLabel) else { return false }
            return !marker.hasSameBytes(as: question.instance)
        }
    }

    func wordsForUnnamedInstances(_ objects: [ObjectID]) -> String {
        guard let first = objects.first else { return "" }
        let name = question.live[first]?.label(Ownership.instanceLabel) ?? ""
        return
            "; no approval lets it through while \(describe(objects)) carries the marker of another instance, \"\(name)\": name "
            + "it in scopes: otherInstances, or take the marker away"
    }

    /// What nobody declares and would be removed from now on, and was not before.
    ///
    /// - Parameter namespace: Nil for every namespace and the whole cluster.
    func removals(by scopes: ScopeRules, besides earlier: ScopeRules, in namespace: String? = nil) -> [ObjectID] {
        let after = ClosedWorld(scopes, namespace: namespaceAfter)
        let before = ClosedWorld(earlier, namespace: namespaceBefore)
        let kindsBefore = question.configurationInForce?.managedKinds ?? []
        let kinds = question.head.configuration.managedKinds
        return question.live.values.filter { live in
            if let namespace, !live.id.namespace.hasSameBytes(as: namespace) { return false }
            guard let resource = live.id.resource, kinds.contains(resource), isOfNobody(live.id) else { return false }
            return after.removes(live) && !(kindsBefore.contains(resource) && before.removes(live))
        }.map(\.id).sorted()
    }

    private func isOfNobody(_ id: ObjectID) -> Bool {
        before[id] == nil && question.head.objects[id] == nil && !question.owned.contains(id)
    }

    /// Some objects in a few words.
    func describe(_ objects: [ObjectID]) -> String {
        guard !objects.isEmpty else { return "nothing that is there now" }
        let shown = objects.prefix(3).map(\.description).joined(separator: ", ")
        return shown + (objects.count > 3 ? " and \(objects.count - 3) more" : "")
    }

    private var namespaceBefore: @Sendable (String) -> ScopedNamespace { namespaces(in: before) }

    private var namespaceAfter: @Sendable (String) -> ScopedNamespace { namespaces(in: question.head.objects) }

    private func namespaces(
        in declared: [ObjectID: DeclaredObject]
    ) -> @Sendable (String) -> ScopedNamespace {
        let live = question.live
        return { name in
            let id = ObjectID(.namespace, name: name)
            return ScopedNamespace(name: name, declared: declared[id], live: live[id])
        }
    }
}

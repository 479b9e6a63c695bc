import Manifest

/// Finds who gains and who loses which right.
struct AccessChange {
    let change: StateChange
    let base: AccessModel
    let head: AccessModel
    /// Namespaces where whoever may run pods may become somebody with strong rights over the cluster.
    let privilegedNamespaces: Set<String>

    init(_ change: StateChange, options: ChangeOptions) {
        self.change = change
        base = AccessModel(change.base)
        head = AccessModel(change.head)
        privilegedNamespaces = options.privilegedNamespaces.union(head.namespacesOfStrongAccounts)
    }

    /// A subject and where its rights are looked at: a namespace, or empty for the whole cluster.
    private struct Place: Hashable {
        var subject: AccessSubject
        var scope: String
    }

    func findings() -> [ChangeFinding] {
        let places = touchedPlaces().sorted {
            $0.subject != $1.subject ? $0.subject < $1.subject : $0.scope.precedesByBytes($1.scope)
        }
        var known: [Weighing: UncoveredRights] = [:]
        return places.flatMap { place in
            gains(of: place.subject, in: place.scope, &known) + losses(of: place.subject, in: place.scope, &known)
        }
    }

    /// Which roles are weighed against which: a binding with a thousand subjects asks the same question a thousand times.
    private struct Weighing: Hashable {
        var isGain: Bool
        var own: [ObjectID]
        var heldBefore: [ObjectID]
        var heldAfter: [ObjectID]
    }

    /// What `own` gives that neither the one nor the other gives, without what no request can ask for.
    private func surplus(
        in scope: String, isGain: Bool, of own: [AccessGrant], before: [AccessGrant], after: [AccessGrant],
        _ known: inout [Weighing: UncoveredRights]
    ) -> [PolicyRule] {
        let weighing = Weighing(
            isGain: isGain, own: own.map(\.role.id), heldBefore: before.map(\.role.id), heldAfter: after.map(\.role.id))
        let rights = known[weighing] ?? uncoveredRights(of: own.map(\.rule), by: (before + after).map(\.rule))
        known[weighing] = rights
        return rights.parts.filter { !$0.isVoid(in: scope) } + rights.wholeRules
    }

    /// Whose bindings or whose roles' rules differ, and in which scopes.
    private func touchedPlaces() -> Set<Place> {
        var changedRoles: [ObjectID: Bool] = [:]
        func hasChanged(_ role: ObjectID) -> Bool {
            if let known = changedRoles[role] { return known }
            let result = base.roles[role].map { Set($0.rules) } != head.roles[role].map { Set($0.rules) }
            changedRoles[role] = result
            return result
        }
        var places: Set<Place> = []
        for binding in base.bindings + head.bindings
        where change.edits[binding.id] != nil || hasChanged(binding.role) {
            for subject in binding.subjects { places.insert(Place(subject: subject, scope: binding.scope)) }
        }
        return places
    }

    /// The grants of a scope alone: a namespace's bindings, or those of the whole cluster.
    private func grants(_ model: AccessModel, _ identity: AccessIdentity, in scope: String) -> [AccessGrant] {
        model.grants(of: identity, in: scope).filter { $0.binding.scope == scope }
    }

    // MARK: Gains

    private func gains(
        of subject: AccessSubject, in scope: String, _ known: inout [Weighing: UncoveredRights]
    ) -> [ChangeFinding] {
        let identity = AccessIdentity(of: subject)
        guard !identity.isMaster else { return [] }
        // Only what the subject itself is given: what everybody gains is told of everybody.
        let own = grants(head, identity, in: scope).filter { $0.subject == subject }
        let before = base.grants(of: identity, in: scope)
        let after =
            (scope.isEmpty ? [] : grants(head, identity, in: ""))
            + grants(head, identity, in: scope).filter { $0.subject != subject }
        let parts = surplus(in: scope, isGain: true, of: own, before: before, after: after, &known)
        guard !parts.isEmpty else { return [] }
        let assessment = GainAssessment(
            parts: parts, held: (before + after).map(\.rule), subject: subject,
            isSystemScope: scope.isEmpty || privilegedNamespaces.contains(scope),
            isOfSystem: scope.isEmpty || scope == "kube-system", isClusterWide: scope.isEmpty)
        return assessment.risks().map { risk in
            let responsible = own.filter { grant in risk.parts.contains { grant.rule.covers($0) } }
            return ChangeFinding(
                reason: risk.reason, severity: risk.severity, direction: .loosens, subject: FindingSubject(subject),
                scope: scopeName(scope), message: message(risk, subject, scope),
                after: lines(risk.parts, by: responsible), causes: causes(of: responsible, in: head),
                guardrail: risk.severity >= .high ? .riskyGrant : nil)
        }
    }

    private func message(_ risk: GainedRisk, _ subject: AccessSubject, _ scope: String) -> String {
        let rights = minimalRules(risk.parts).map(\.description)
        let shown = rights.prefix(3).joined(separator: "; ")
        let rest = rights.count > 3 ? " and \(rights.count - 3) more" : ""
        return "\(subject) can newly \(shown)\(rest) in \(scopeName(scope))"
    }

    // MARK: Losses

    private func losses(
        of subject: AccessSubject, in scope: String, _ known: inout [Weighing: UncoveredRights]
    ) -> [ChangeFinding] {
        let identity = AccessIdentity(of: subject)
        guard !identity.isMaster else { return [] }
        let own = grants(base, identity, in: scope).filter { $0.subject == subject }
        let before = grants(base, identity, in: scope).filter { $0.subject != subject }
        let after = head.grants(of: identity, in: scope)
        let parts = surplus(in: scope, isGain: false, of: own, before: before, after: after, &known)
        guard !parts.isEmpty else { return [] }
        let responsible = own.filter { grant in parts.contains { grant.rule.covers($0) } }
        let rights = minimalRules(parts).map(\.description)
        let rest = rights.count > 3 ? " and \(rights.count - 3) more" : ""
        return [
            ChangeFinding(
                reason: .rightRevoked, severity: .info, direction: .tightens, subject: FindingSubject(subject),
                scope: scopeName(scope),
                message: "\(subject) can no longer \(rights.prefix(3).joined(separator: "; "))\(rest) in "
                    + scopeName(scope),
                before: lines(parts, by: responsible), causes: causes(of: responsible, in: base))
        ]
    }

    // MARK: Words

    private func lines(_ parts: [PolicyRule], by grants: [AccessGrant]) -> [String] {
        let rules = minimalRules(parts)
        let shown = rules.prefix(20).map { rule in
            let grant = grants.first { grant in parts.contains { rule.covers($0) && grant.rule.covers($0) } }
            return rule.description + (grant.map { " (\($0.binding.id), \($0.role.id))" } ?? "")
        }
        return shown + (rules.count > 20 ? ["and \(rules.count - 20) more"] : [])
    }

    /// What was edited among the bindings, the roles and the roles that these gather.
    private func causes(of grants: [AccessGrant], in model: AccessModel) -> [FindingCause] {
        var ids: [ObjectID] = []
        for grant in grants {
            ids += [grant.binding.id, grant.role.id]
            if grant.role.sources.indices.contains(grant.ruleIndex) { ids.append(grant.role.sources[grant.ruleIndex]) }
        }
        let causes = change.causes(among: ids)
        guard causes.isEmpty else { return causes }
        // Such as a rule that another role's rule was put in front of: the binding says at least where to look.
        return Set(grants.map(\.binding.id)).sorted().prefix(1).map { change.cause($0, .changed) }
    }
}

/// How a finding names where something holds.
func scopeName(_ scope: String) -> String { scope.isEmpty ? "the whole cluster" : "namespace \(scope)" }

extension FindingSubject {
    init(_ subject: AccessSubject) {
        self.init(kind: subject.kind.rawValue, namespace: subject.namespace, name: subject.name)
    }
}

import Manifest
import Policy

/// Finds who gains and who loses which right.
struct AccessChange {
    let change: StateChange
    let base: AccessModel
    let head: AccessModel
    /// Namespaces where rights weigh as much as in the whole cluster.
    private let privileged: Set<String>
    private let strong: StrongNamespaces

    init(_ change: StateChange, options: ChangeOptions) {
        self.change = change
        base = AccessModel(change.base)
        head = AccessModel(change.head)
        privileged = options.privilegedNamespaces
        strong = head.strongNamespaces
    }

    /// A subject in its canonical form, and where its rights are looked at: a namespace, or empty for the whole cluster.
    private struct Place: Hashable {
        var subject: AccessSubject
        var scope: String
    }

    func findings() -> [ChangeFinding] {
        let places = touchedPlaces().sorted {
            $0.subject != $1.subject ? $0.subject < $1.subject : $0.scope.precedesByBytes($1.scope)
        }
        var known: [Question: [Verdict]] = [:]
        return places.flatMap { findings($0, &known) }
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
            for subject in binding.subjects { places.insert(Place(subject: subject.canonical, scope: binding.scope)) }
        }
        return places
    }

    // MARK: Questions

    /// What decides about a verdict: a binding with a thousand subjects asks the same a thousand times.
    private struct Question: Hashable {
        var isGain: Bool
        var scope: String
        /// How the subject weighs by itself.
        var isAnybody: Bool
        var isEverybody: Bool
        var own: [ObjectID]
        var heldBefore: [ObjectID]
        var heldAfter: [ObjectID]
    }

    /// A finding without its subject.
    private struct Verdict {
        var reason: ChangeReason
        var severity: Severity
        /// The rights, in a few words.
        var rights: String
        var lines: [String]
        var causes: [FindingCause]
    }

    private func findings(_ place: Place, _ known: inout [Question: [Verdict]]) -> [ChangeFinding] {
        let identity = AccessIdentity(of: place.subject)
        guard !identity.isMaster else { return [] }
        return [true, false].flatMap { isGain in
            verdicts(place, identity, isGain: isGain, &known).map { finding($0, place, isGain: isGain) }
        }
    }

    private func verdicts(
        _ place: Place, _ identity: AccessIdentity, isGain: Bool, _ known: inout [Question: [Verdict]]
    ) -> [Verdict] {
        let (before, after) = isGain ? (base, head) : (head, base)
        func concerns(_ binding: AccessBinding) -> Bool { binding.scope.isEmpty || binding.scope == place.scope }
        // Only what the subject itself is given: what everybody gains is told of everybody.
        func isOwn(_ binding: AccessBinding, _ subject: AccessSubject) -> Bool {
            subject.canonical == place.subject && binding.scope == place.scope
        }
        let all = after.namings(of: identity).filter { concerns($0.binding) }
        let own = all.filter(isOwn)
        guard !own.isEmpty else { return [] }
        let question = Question(
            isGain: isGain, scope: place.scope, isAnybody: place.subject.isAnybody,
            isEverybody: place.subject.isEverybody, own: own.flatMap { [$0.binding.id, $0.binding.role] },
            heldBefore: before.namings(of: identity).filter { concerns($0.binding) }.map(\.binding.role),
            heldAfter: all.filter { !isOwn($0.binding, $0.subject) }.map(\.binding.role))
        if let verdicts = known[question] { return verdicts }
        let grants = after.grants(of: identity, in: place.scope)
        let held =
            before.grants(of: identity, in: place.scope).map(\.rule)
            + grants.filter { !isOwn($0.binding, $0.subject) }.map(\.rule)
        let given = grants.filter { isOwn($0.binding, $0.subject) }
        let rights = uncoveredRights(of: given.map(\.rule), by: held)
        let parts = rights.parts.filter { !$0.isVoid(in: place.scope) } + rights.wholeRules
        let verdicts = parts.isEmpty ? [] : weigh(parts, given, held: held, place, isGain: isGain)
        known[question] = verdicts
        return verdicts
    }

    private func weigh(
        _ parts: [PolicyRule], _ own: [AccessGrant], held: [PolicyRule], _ place: Place, isGain: Bool
    ) -> [Verdict] {
        let model = isGain ? head : base
        let sources = GrantIndex(own)
        let isSystem = place.scope.isEmpty || privileged.contains(place.scope) || strong.contains(place.scope)
        let risks =
            isGain
            ? GainAssessment(
                parts: parts, held: held, subject: place.subject, isSystemScope: isSystem,
                isOfSystem: place.scope.isEmpty || place.scope == "kube-system", isClusterWide: place.scope.isEmpty
            ).risks() : [GainedRisk(reason: .rightRevoked, severity: .info, parts: parts)]
        return risks.map { risk in
            let rules = minimalRules(risk.parts)
            let words = rules.prefix(3).map(\.words).joined(separator: "; ")
            return Verdict(
                reason: risk.reason, severity: risk.severity,
                rights: words + (rules.count > 3 ? " and \(rules.count - 3) more" : ""),
                lines: lines(rules, risk.parts, sources),
                causes: causes(of: sources.grants(giving: risk.parts), in: model)
            )
        }
    }

    // MARK: Words

    private func finding(_ verdict: Verdict, _ place: Place, isGain: Bool) -> ChangeFinding {
        let scope = scopeName(place.scope)
        let can = isGain ? "can newly" : "can no longer"
        return ChangeFinding(
            reason: verdict.reason, severity: verdict.severity, direction: isGain ? .loosens : .tightens,
            subject: FindingSubject(place.subject), scope: scope,
            message: "\(place.subject) \(can) \(verdict.rights) in \(scope)", before: isGain ? [] : verdict.lines,
            after: isGain ? verdict.lines : [], causes: verdict.causes,
            guardrail: isGain && verdict.severity >= .high ? .riskyGrant : nil)
    }

    private func lines(_ rules: [PolicyRule], _ parts: [PolicyRule], _ sources: GrantIndex) -> [String] {
        let shown = rules.prefix(20).map { rule in
            let grant = parts.first { rule.covers($0) }.flatMap(sources.grant)
            return rule.words + (grant.map { " (\($0.binding.id), \($0.role.id))" } ?? "")
        }
        return shown + (rules.count > 20 ? ["and \(rules.count - 20) more"] : [])
    }

    /// What was edited among the bindings, the roles and the roles that these gather.
    private func causes(of grants: [AccessGrant], in model: AccessModel) -> [FindingCause] {
        var ids: Set<ObjectID> = []
        for grant in grants {
            ids.formUnion([grant.binding.id, grant.role.id])
            if let source = grant.gatheredFrom { ids.insert(source) }
        }
        let causes = change.causes(among: ids)
        guard causes.isEmpty else { return causes }
        // Such as a rule that another role's rule was put in front of: the binding says at least where to look.
        return Set(grants.map(\.binding.id)).sorted().prefix(1).map { change.cause($0, .changed) }
    }
}

/// Which grant gives a part of a right.
private struct GrantIndex {
    private let grants: [AccessGrant]
    /// Of the parts of the grants' rules, as far as they can be taken apart.
    private var places: [PolicyRule: Int] = [:]
    private var wide: [Int] = []

    init(_ grants: [AccessGrant]) {
        self.grants = grants
        var count = 0
        for (index, grant) in grants.enumerated() {
            let parts = grant.rule.countOfParts
            if parts <= 100_000 - count {
                count += parts
                for part in grant.rule.parts where places[part] == nil { places[part] = index }
            } else {
                wide.append(index)
            }
        }
    }

    func grant(_ part: PolicyRule) -> AccessGrant? {
        (places[part] ?? wide.first { grants[$0].rule.covers(part) }).map { grants[$0] }
    }

    func grants(giving parts: [PolicyRule]) -> [AccessGrant] {
        let indices = parts.compactMap { part in places[part] ?? wide.first { grants[$0].rule.covers(part) } }
        return Set(indices).sorted().map { grants[$0] }
    }
}

/// How a finding names where something holds.
func scopeName(_ scope: String) -> String { scope.isEmpty ? "the whole cluster" : "namespace \(scope)" }

extension FindingSubject {
    init(_ subject: AccessSubject) {
        self.init(kind: subject.kind.rawValue, namespace: subject.namespace, name: subject.name)
    }
}

extension PolicyRule {
    /// The rule in a sentence: what gives everything says so, and long lists are cut.
    fileprivate var words: String {
        if isClusterAdmin { return "do everything" }
        var short = self
        for list in [\PolicyRule.verbs, \.resources, \.resourceNames, \.nonResourceURLs]
        where short[keyPath: list].count > 6 {
            let rest = short[keyPath: list].count - 5
            short[keyPath: list] = Array(short[keyPath: list].prefix(5)) + ["and \(rest) more"]
        }
        return short.description
    }
}

import Analysis
import Arguments
import Guardrails
import Manifest
import Planning
import Policy

/// What is missing of a ceiling, and what is held beyond it, in the whole cluster (the empty name) or in a namespace.
struct RightsDifference {
    var missing: [(namespace: String, rule: PolicyRule)] = []
    var excess: [(namespace: String, rule: PolicyRule)] = []

    /// By the roles and bindings that name the account itself: what everybody may do is not Bylaw's to hold or to lack.
    ///
    /// Bylaw's own namespace, with the ConfigMaps and Leases of its options, is left out.
    init(_ ceiling: Ceiling, of account: ObjectID, for state: DeclaredState, in model: AccessModel, instance: String) {
        let identity = AccessIdentity(
            user: "system:serviceaccount:\(account.namespace):\(account.name)", groups: [])
        let work = workRules(for: state.configuration)
        let options = (preventionRights(for: state.configuration, instance: instance) + eventRights).compactMap(\.rule)
        let bindings = model.bindings(naming: identity)
        let namespaces = Set(ceiling.grants.keys).union(bindings.map(\.scope)).union([""])
        for namespace in namespaces.sorted() where namespace != account.namespace {
            let everywhere = bindings.filter { $0.scope.isEmpty }.flatMap { model.roles[$0.role]?.rules ?? [] }
            let here =
                namespace.isEmpty
                ? everywhere : bindings.filter { $0.scope == namespace }.flatMap { model.roles[$0.role]?.rules ?? [] }
            let own = (ceiling.grants[namespace] ?? []).map(\.rule)
            let wanted = namespace.isEmpty ? own + work : own
            missing += Self.rules(uncoveredRights(of: wanted, by: here + everywhere)).map { (namespace, $0) }
            excess += Self.rules(uncoveredRights(of: here, by: ceiling.rules(in: namespace) + work + options))
                .map { (namespace, $0) }
        }
    }

    private static func rules(_ rights: UncoveredRights) -> [PolicyRule] {
        minimalRules(rights.parts) + rights.wholeRules
    }
}

extension AccessRequest {
    fileprivate var rule: PolicyRule? {
        guard case .resource(let group, let resource, let subresource, let name, _) = target else { return nil }
        return PolicyRule(
            verbs: [verb], apiGroups: [group],
            resources: [subresource.isEmpty ? resource : "\(resource)/\(subresource)"],
            resourceNames: name.isEmpty ? [] : [name])
    }
}

/// Compares what an account holds with what it needs, and says so.
func checkRights(
    _ ceiling: Ceiling, of account: ObjectID, for state: DeclaredState, _ invocation: Invocation
) async throws -> Int32 {
    let answer = try await SecurityStateSource(invocation: invocation).read(Resource.ofAccess)
    let difference = RightsDifference(
        ceiling, of: account, for: state, in: AccessModel(answer.state), instance: try Wiring(invocation).instance())
    let isRight = difference.missing.isEmpty && difference.excess.isEmpty
    if invocation.arguments.text("output") == "json" {
        invocation.terminal.write(
            renderAnswer(
                kind: "RightsReport",
                [("missing", trees(difference.missing)), ("excess", trees(difference.excess))]))
    } else {
        for (word, rules) in [("missing", difference.missing), ("too much", difference.excess)] {
            for (namespace, rule) in rules {
                let place = namespace.isEmpty ? "in the whole cluster" : "in \(namespace)"
                invocation.terminal.write(printable("\(word) \(place): \(rule.description)") + "\n")
            }
        }
        if isRight { invocation.terminal.write("\(account): holds what it needs, and no more\n") }
    }
    return isRight ? ExitStatus.success : ExitStatus.findings
}

private func trees(_ rules: [(namespace: String, rule: PolicyRule)]) -> Tree {
    .array(
        rules.map { namespace, rule in
            var tree = ruleTree(rule)
            tree.set(["namespace"], to: .string(namespace))
            return tree
        })
}

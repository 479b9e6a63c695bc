import Manifest
import Planning
import Policy
import Testing

/// Where changes of NetworkPolicies stand in the order (design, section 5.3): what cuts off goes first, what opens last.
///
/// Deleting one cuts off only where others keep its pods isolated.
@Suite struct NetworkPolicyOrderTests {
    private static let allow: Tree = [
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": ["name": "allow-web", "namespace": "a"],
        "spec": [
            "podSelector": ["matchLabels": ["app": "web"]], "policyTypes": ["Ingress"], "ingress": [[:]],
        ],
    ]

    private static func policy(_ tree: Tree, namespace: String = "a", types: [Tree]? = nil, selector: Tree? = nil)
        -> Tree
    {
        var tree = tree
        tree.set(["metadata", "namespace"], to: .string(namespace))
        if let types { tree.set(["spec", "policyTypes"], to: .array(types)) }
        if let selector { tree.set(["spec", "podSelector"], to: selector) }
        return tree
    }

    private static func stageOfDeletion(declared: [Tree], live: [Tree]) throws -> Stage {
        let declaredObjects = try declared.map(Build.declared)
        let liveObjects = try live.map { try Build.applied($0, uid: "uid-2") }
        let byID = Dictionary(uniqueKeysWithValues: liveObjects.map { ($0.id, $0) })
        var context = Build.context
        context.isolation = Isolation(
            of: Dictionary(uniqueKeysWithValues: declaredObjects.map { ($0.id, $0) }), live: { byID[$0] })
        let action = try #require(try Build.decide(nil, Build.applied(allow), context: context).action)
        #expect(action.kind == .delete)
        return action.stage
    }

    @Test func anAllowanceBesideADefaultDenyGoesFirst() throws {
        #expect(try Self.stageOfDeletion(declared: [Build.denyAll], live: [Build.denyAll]) == .revoke)
        let ingressOnly = Self.policy(Build.denyAll, types: ["Ingress"])
        #expect(try Self.stageOfDeletion(declared: [ingressOnly], live: [ingressOnly]) == .revoke)
    }

    @Test func withoutALiveDefaultDenyItGoesLast() throws {
        #expect(try Self.stageOfDeletion(declared: [], live: []) == .loosen)
        #expect(try Self.stageOfDeletion(declared: [Build.denyAll], live: []) == .loosen)
        #expect(try Self.stageOfDeletion(declared: [], live: [Build.denyAll]) == .loosen)
    }

    @Test func whatIsolatesLessDoesNotCount() throws {
        let elsewhere = Self.policy(Build.denyAll, namespace: "b")
        let egressOnly = Self.policy(Build.denyAll, types: ["Egress"])
        let someOnly = Self.policy(Build.denyAll, selector: ["matchLabels": ["app": "web"]])
        for (declared, live) in [
            (elsewhere, elsewhere), (egressOnly, Build.denyAll), (Build.denyAll, egressOnly), (someOnly, Build.denyAll),
            (Build.denyAll, someOnly),
        ] {
            #expect(try Self.stageOfDeletion(declared: [declared], live: [live]) == .loosen)
        }
    }

    /// What only opens comes after everything that protects; what cuts off anything waits for nothing.
    @Test func aChangedRuleGoesByWhatItCutsOff() throws {
        func stage(from live: Tree, to declared: Tree) throws -> Stage {
            func policy(_ rules: Tree) -> Tree {
                var tree = Self.allow
                tree.set(["spec", "ingress"], to: rules)
                return tree
            }
            return try #require(try Build.decide(policy(declared), Build.applied(policy(live))).action).stage
        }
        func port(_ number: Int64) -> Tree { ["protocol": "TCP", "port": .integer(number)] }
        let web: Tree = ["podSelector": ["matchLabels": ["app": "web"]]]
        let one: Tree = ["ports": .array([port(80)]), "from": .array([web])]
        let two: Tree = ["ports": .array([port(80), port(81)]), "from": .array([web])]
        let anyone: Tree = ["ports": .array([port(80)])]
        #expect(try stage(from: .array([one]), to: .array([two])) == .loosen)
        #expect(try stage(from: .array([one]), to: .array([anyone])) == .loosen)
        #expect(try stage(from: .array([one]), to: .array([one, anyone])) == .loosen)
        #expect(try stage(from: .array([two]), to: .array([one])) == .revoke)
        #expect(try stage(from: .array([anyone]), to: .array([two])) == .revoke)
        #expect(try stage(from: .array([anyone]), to: .array([one])) == .revoke)
        #expect(try stage(from: .array([one, anyone]), to: .array([one])) == .revoke)
    }
}

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

    /// The stage of changing a policy beside others that are declared and live as given.
    private static func stageOfChange(from live: Tree, to declared: Tree, beside others: [Tree] = []) throws -> Stage {
        let objects = try (others + [declared]).map(Build.declared)
        let liveObjects = try others.map { try Build.applied($0, uid: "uid-2") } + [Build.applied(live)]
        let byID = Dictionary(uniqueKeysWithValues: liveObjects.map { ($0.id, $0) })
        var context = Build.context
        context.isolation = Isolation(
            of: Dictionary(uniqueKeysWithValues: objects.map { ($0.id, $0) }), live: { byID[$0] })
        return try #require(try Build.decide(declared, Build.applied(live), context: context).action).stage
    }

    /// Rule F6: pods that a policy lets go are open until another one isolates them, so that comes last.
    @Test func lettingPodsGoComesLastUnlessTheyStayIsolated() throws {
        let all: Tree = [:]
        let some: Tree = ["matchLabels": ["app": "web"]]
        let guardAll = Self.policy(Self.allow, selector: all)
        let guardSome = Self.policy(Self.allow, selector: some)
        let other = Self.policy(Self.allow, selector: ["matchLabels": ["app": "db"]])
        #expect(try Self.stageOfChange(from: guardAll, to: guardSome) == .loosen)
        #expect(try Self.stageOfChange(from: guardSome, to: other) == .loosen)
        #expect(try Self.stageOfChange(from: guardAll, to: guardSome, beside: [Build.denyAll]) == .revoke)
        // To select more isolates more, or only allows more where everything is isolated already.
        #expect(try Self.stageOfChange(from: guardSome, to: guardAll) == .revoke)
        #expect(try Self.stageOfChange(from: guardSome, to: guardAll, beside: [Build.denyAll]) == .loosen)
        // A direction that is left is open, whatever is cut off in it by the way.
        var both = Self.policy(Self.allow, types: ["Ingress", "Egress"])
        both.set(["spec", "egress"], to: [["ports": [["protocol": "TCP", "port": 443]]]])
        #expect(try Self.stageOfChange(from: both, to: Self.allow) == .loosen)
        #expect(try Self.stageOfChange(from: both, to: Self.allow, beside: [Build.denyAll]) == .revoke)
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

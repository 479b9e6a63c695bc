import Analysis
import KubeClient
import KubeProtocol
import Manifest
import Testing

/// What the server says that it serves, and how it says that something is not there.
@Suite(.timeLimit(.minutes(2))) struct DiscoveryTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule B5.
    @Test(arguments: Resource.managed) func theManagedKindsCanBePatchedAndWatched(_ resource: Resource) async throws {
        let root = resource.group.isEmpty ? "/api/v1" : "/apis/\(resource.group)/v1"
        let answer = try await server.send(.get(root))
        let served = answer.tree["resources"]?.array?.first { $0["name"]?.string == resource.plural }
        let verbs = served?["verbs"]?.array?.compactMap(\.string) ?? []
        #expect(served?["kind"] == .string(resource.kind))
        #expect(served?["namespaced"] == .bool(resource.isNamespaced))
        let shortNames: [Resource: Tree] = [
            .namespace: ["ns"], .serviceAccount: ["sa"], .resourceQuota: ["quota"], .limitRange: ["limits"],
            .networkPolicy: ["netpol"],
        ]
        #expect(served?["shortNames"] == shortNames[resource])
        #expect(Set(["get", "list", "watch", "create", "patch", "delete"]).isSubset(of: verbs), "\(verbs)")
    }

    @Test func nothingThatIsNeededIsMissing() async throws {
        #expect(try await server.bylaw.facts().gaps == [])
    }

    /// Served since Kubernetes 1.28; to older servers it is a path that the user may not, or nobody can, ask for.
    @Test func theServerTellsWhoWeAreOrThatItCannot() async throws {
        let answer = try await server.send(.selfReview)
        guard answer.status == 201 else {
            #expect([.resourceNotServed, .forbidden].contains(answer.failure.kind), "\(answer)")
            // The token of a service account says it as well.
            #expect(try await server.bylaw.whoWeAre()?.name == "system:serviceaccount:bylaw-system:bylaw")
            return
        }
        #expect(answer.tree["status"]?["userInfo"]?["username"] == "bylaw")
        #expect(try await server.bylaw.whoWeAre() != nil)
    }

    /// Rule L6: what the server says that we may do is what `Deploy/base/rbac.yaml` gives.
    @Test func theServerTellsWhichRulesHoldForUs() async throws {
        let rules = try await server.bylaw.ownRules(in: "default")
        for resource in Resource.managed {
            for verb in ["get", "list", "watch", "create", "patch", "delete"] {
                let request = AccessRequest(verb, resource.plural, group: resource.group, namespace: "default")
                #expect(rules.contains { $0.allows(request) }, "\(verb) \(resource.plural)")
            }
        }
    }

    /// Rule B7.
    @Test func anUnknownGroupIsPlainText() async throws {
        let answer = try await server.send(.get("/apis/contract.example/v1/things"), as: .admin)
        #expect(answer.status == 404)
        #expect(answer.text.hasPrefix("404 page not found"), "\(answer)")
        #expect(answer.failure.kind == .resourceNotServed)
    }

    /// Rule B7: the details are missing or empty.
    @Test func anUnknownResourceIsAStatusWithoutName() async throws {
        let answer = try await server.send(.get("/apis/networking.k8s.io/v1/things"), as: .admin)
        #expect(answer.status == 404)
        #expect(answer.tree["kind"] == "Status", "\(answer)")
        #expect(answer.details["name"] == nil, "\(answer)")
        #expect(answer.failure.kind == .resourceNotServed)
    }

    /// Rule B7.
    @Test func aMissingObjectIsNamed() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "missing")
            let answer = try await server.send(.read(.networkPolicy, id))
            #expect(answer.status == 404)
            #expect(answer.reason == "NotFound")
            #expect(answer.details["name"] == "missing")
            #expect(answer.details["kind"] == "networkpolicies")
            #expect(answer.failure.kind == .notFound)
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule B7: the namespace is named, not the object.
    @Test func aMissingNamespaceIsNamedWhereSomethingIsCreated() async throws {
        let namespace = uniqueName()
        let id = ObjectID(.networkPolicy, namespace: namespace, name: "lost")
        let answer = try await server.send(.apply(denyIngress(id), to: id))
        #expect(answer.status == 404)
        #expect(answer.details["kind"] == "namespaces", "\(answer)")
        #expect(answer.details["name"] == .string(namespace))
        #expect(answer.failure.kind == .namespaceNotFound)
        // What is read in a namespace that is not there is just not there.
        #expect(try await server.bylaw.read(id) == nil)
        #expect(try await server.bylaw.read(ObjectID(.namespace, name: namespace)) == nil)
    }

    /// Rule B7, with the binding's writer lacking `bind` (rule G4).
    @Test func aMissingRoleIsNamedWhereItIsBound() async throws {
        try await server.withNamespace { namespace in
            let writer = try await server.makeUser(
                in: namespace,
                allowed: [
                    [
                        "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"],
                        "verbs": ["create", "patch"],
                    ]
                ])
            let id = ObjectID(.roleBinding, namespace: namespace, name: "dangling")
            let body = binding(id, to: ObjectID(.role, namespace: namespace, name: "no-such-role"))
            let answer = try await server.send(.apply(body, to: id), as: writer)
            #expect(answer.status == 404)
            #expect(answer.details["name"] == "no-such-role", "\(answer)")
            #expect(answer.details["kind"] == "roles")
            #expect(answer.failure.kind == .roleNotFound)
        }
    }
}

import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Lists and their pages.
@Suite(.timeLimit(.minutes(2))) struct ListTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule B8.
    @Test func theItemsOfAListHaveNoKind() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "one")
            _ = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            let answer = try await server.send(.list(.networkPolicy, namespace: namespace))
            #expect(answer.tree["kind"] == "NetworkPolicyList")
            #expect(answer.tree["apiVersion"] == "networking.k8s.io/v1")
            let items = answer.tree["items"]?.array ?? []
            #expect(items.map { $0["metadata"]?["name"] } == ["one"])
            #expect(items.allSatisfy { $0["kind"] == nil && $0["apiVersion"] == nil }, "\(answer)")
            // The client fills them in.
            let listed = try await server.bylaw.list(.networkPolicy).objects.first { $0.id == id }
            #expect(listed?.tree["kind"] == "NetworkPolicy")
        }
    }

    /// Rule C1: all pages are of one snapshot.
    @Test func pagesMakeOneList() async throws {
        try await server.withNamespace { namespace in
            let names = try await makePolicies(5, in: namespace)
            try await eventually("the list comes to its end") {
                var found: [String] = []
                var versions: Set<String> = []
                var token: String?
                repeat {
                    let answer = try await server.send(
                        .list(.networkPolicy, namespace: namespace, limit: 2, continuing: token))
                    // A server may forget the snapshot, and then the list begins anew (rule C3).
                    if token != nil, answer.failure.kind == .expired { return false }
                    try #require(answer.status == 200, "\(answer)")
                    let items = answer.tree["items"]?.array ?? []
                    #expect(items.count <= 2)
                    found += items.compactMap { $0["metadata"]?["name"]?.string }
                    versions.insert(answer.resourceVersion ?? "")
                    token = answer.tree["metadata"]?["continue"]?.string
                } while token?.isEmpty == false
                #expect(found == names)
                #expect(versions.count == 1)
                return true
            }
        }
    }

    /// `kubectl delete` waits for one name by a list and a watch of it alone.
    @Test func aFieldSelectorChoosesOneName() async throws {
        try await server.withNamespace { namespace in
            _ = try await makePolicies(3, in: namespace)
            let request = APIRequest(
                method: .get, path: Resource.networkPolicy.collectionPath(namespace: namespace),
                query: [("fieldSelector", "metadata.name=page-1")])
            let answer = try await server.send(request)
            #expect(answer.tree["items"]?.array?.map { $0["metadata"]?["name"] } == ["page-1"])
        }
    }

    /// Whoever may create large objects must not keep a kind from being read.
    @Test func aPageThatIsTooLargeIsAskedForInParts() async throws {
        try await server.withNamespace { namespace in
            let names = try await makePolicies(12, in: namespace)
            let cautious = KubeCluster(
                endpoint: server.bylaw.endpoint, fieldManager: "contract", userAgent: "contract/1", pageBytes: 6_000)
            let listed = try await cautious.list(.networkPolicy).objects.filter { $0.id.namespace == namespace }
            #expect(listed.map(\.id.name) == names.sorted())
            let hopeless = KubeCluster(
                endpoint: server.bylaw.endpoint, fieldManager: "contract", userAgent: "contract/1", pageBytes: 10)
            let error = await #expect(throws: ClusterError.self) { try await hopeless.list(.networkPolicy) }
            #expect(error?.kind == .tooLarge)
        }
    }

    /// Rule C1.
    @Test func aVersionIsRefusedWhileAListIsContinued() async throws {
        try await server.withNamespace { namespace in
            _ = try await makePolicies(3, in: namespace)
            let first = try await server.send(.list(.networkPolicy, namespace: namespace, limit: 2))
            let token = try #require(first.tree["metadata"]?["continue"]?.string)
            let answer = try await server.send(
                .get(
                    Resource.networkPolicy.collectionPath(namespace: namespace),
                    query: [("limit", "2"), ("continue", token), ("resourceVersion", first.resourceVersion ?? "")]))
            #expect(answer.status == 400, "\(answer)")
            #expect(answer.failure.kind == .invalid)
        }
    }

    private func makePolicies(_ count: Int, in namespace: String) async throws -> [String] {
        let names = (0..<count).map { "page-\($0)" }
        for name in names {
            let id = ObjectID(.networkPolicy, namespace: namespace, name: name)
            _ = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
        }
        return names
    }

    /// Over a shared HTTP/2 connection libcurl 7.88 left answers in a buffer until something woke it.
    @Test(.enabled(if: ServerUnderTest.isReal, "only a real server's connections are shared"))
    func noListWaitsForAWakeUp() async throws {
        try await server.withNamespace { namespace in
            _ = try await makePolicies(60, in: namespace)
            var late = 0
            for _ in 0..<60 {
                let begun = ContinuousClock.now
                try await withThrowingTaskGroup { group in
                    for resource in Resource.managed {
                        group.addTask { _ = try await server.bylaw.list(resource) }
                    }
                    try await group.waitForAll()
                }
                // A round takes some twenty milliseconds; a busy machine makes some of them slow, never many.
                if ContinuousClock.now - begun > .milliseconds(950) { late += 1 }
            }
            #expect(late <= 2)
        }
    }
}

import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Watches.
@Suite(.timeLimit(.minutes(2))) struct WatchTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rules B8 and C11: an event carries the whole object, with its kind.
    @Test func changesArriveInTheirOrder() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "seen")
            let events = try await watch(namespace, from: try await listVersion(namespace))
            let made = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
            let changed = try await server.bylaw.apply(
                denyIngress(id, labels: ["step": "two"]), to: id, expecting: nil, isDryRun: false)
            await server.remove(id)

            let first = try #require(try await events.next())
            #expect(first.type == "ADDED")
            #expect(first.object["kind"] == "NetworkPolicy")
            #expect(first.object["apiVersion"] == "networking.k8s.io/v1")
            #expect(first.resourceVersion == made.live?.resourceVersion)
            let second = try #require(try await events.next())
            #expect(second.type == "MODIFIED")
            #expect(second.resourceVersion == changed.live?.resourceVersion)
            #expect(second.object["metadata"]?["labels"] == ["step": "two"])
            let third = try #require(try await events.next())
            #expect(third.type == "DELETED")
            #expect(third.object["metadata"]?["uid"] == .string(made.live?.uid ?? ""))
            // The deletion has a version of its own, so that a watch can resume behind it.
            #expect(third.resourceVersion != changed.live?.resourceVersion)
        }
    }

    /// The table of section C: what was seen is not told again.
    @Test func aWatchResumesBehindTheVersionItIsGiven() async throws {
        try await server.withNamespace { namespace in
            var versions: [String] = []
            for name in ["a", "b", "c"] {
                let id = ObjectID(.networkPolicy, namespace: namespace, name: name)
                let answer = try await server.bylaw.apply(denyIngress(id), to: id, expecting: nil, isDryRun: false)
                versions.append(try #require(answer.live?.resourceVersion))
            }
            let events = try await watch(namespace, from: versions[0])
            let next = [try await events.next(), try await events.next()]
            #expect(next.map { $0?.name } == ["b", "c"])
            #expect(next.map { $0?.type } == ["ADDED", "ADDED"])
        }
    }

    /// Rule C6: the answer is 200, and what is wrong comes as an event.
    ///
    /// A real server whose history was never compacted may still know everything since version 1; then the events come.
    @Test func aVersionThatIsTooOldIsAnErrorEvent() async throws {
        let events = try await server.watch(.watch(.namespace, from: "1", timeout: .seconds(5)))
        #expect(events.status == 200)
        let event = try #require(try await events.next())
        if ServerUnderTest.isReal, event.type != "ERROR" {
            #expect(event.type == "ADDED")
        } else {
            #expect(event.type == "ERROR")
            #expect(event.object["kind"] == "Status")
            #expect(event.object["code"] == 410)
            #expect(event.object["reason"] == "Expired" || event.object["reason"] == "Gone", "\(event)")
            // Nothing comes behind an error (rule C7).
            #expect(try await events.next() == nil)
        }
    }

    /// Rule C16: the end that `timeoutSeconds` asks for is a clean one.
    @Test func aWatchEndsCleanlyWhenItsTimeIsUp() async throws {
        try await server.withNamespace { namespace in
            let version = try await listVersion(namespace)
            let events = try await server.watch(
                .watch(.networkPolicy, namespace: namespace, from: version, timeout: .seconds(1)))
            let openedAt = ContinuousClock.now
            #expect(try await events.next() == nil)
            #expect(ContinuousClock.now - openedAt < .seconds(20))
        }
    }

    /// Rule C12: what ceases to match is told as a deletion, with the labels and the content it had before.
    @Test(.enabled(if: ServerUnderTest.isReal, "the embedded server's watches know no selectors"))
    func whatNoLongerMatchesTheSelectorIsToldAsDeleted() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.networkPolicy, namespace: namespace, name: "fading")
            let request = APIRequest.watch(
                .networkPolicy, namespace: namespace, from: try await listVersion(namespace), timeout: .seconds(100))
            let events = try await server.watch(request.asking("labelSelector", "team=a"))
            _ = try await server.bylaw.apply(
                denyIngress(id, labels: ["team": "a"]), to: id, expecting: nil, isDryRun: false)
            let hole: Tree = ["metadata": ["labels": ["team": .null]], "spec": ["ingress": [[:]]]]
            #expect(try await server.send(.merge(hole, into: id), as: .admin).isSuccess)
            #expect(try await events.next()?.type == "ADDED")
            let last = try #require(try await events.next())
            #expect(last.type == "DELETED")
            #expect(last.object["metadata"]?["labels"] == ["team": "a"])
            #expect(last.object["spec"]?["ingress"] == nil)
            #expect(try await server.bylaw.read(id) != nil)
        }
    }

    /// Rule C23.
    @Test func aMalformedVersionIsAnErrorWithoutReason() async throws {
        let answer = try await server.send(.watch(.namespace, from: "contract", timeout: .seconds(5)))
        #expect(answer.status == 500, "\(answer)")
        #expect(answer.reason.isEmpty)
    }

    /// Rules C1 and C9: first a whole list, then what changes.
    @Test func theClientTellsTheListAndThenTheChanges() async throws {
        try await server.withNamespace { namespace in
            let there = ObjectID(.networkPolicy, namespace: namespace, name: "there")
            let coming = ObjectID(.networkPolicy, namespace: namespace, name: "coming")
            _ = try await server.bylaw.apply(denyIngress(there), to: there, expecting: nil, isDryRun: false)
            var observations = server.bylaw.observe(.networkPolicy).makeAsyncIterator()
            guard case .replaced(let list, let isRewound) = await observations.next() else {
                Issue.record("the first observation is no list")
                return
            }
            #expect(list.objects.contains { $0.id == there })
            #expect(!list.objects.contains { $0.id == coming })
            #expect(!isRewound)

            _ = try await server.bylaw.apply(denyIngress(coming), to: coming, expecting: nil, isDryRun: false)
            await server.remove(there)
            var told: [String] = []
            // Other tests' objects are told of too.
            while told.count < 2, let observation = await observations.next() {
                switch observation {
                case .upserted(let object) where object.id == coming: told.append("upserted")
                case .deleted(let object) where object.id == there: told.append("deleted")
                default: break
                }
            }
            #expect(told == ["upserted", "deleted"])
        }
    }

    private func listVersion(_ namespace: String) async throws -> String {
        try #require(try await server.send(.list(.networkPolicy, namespace: namespace)).resourceVersion)
    }

    private func watch(_ namespace: String, from version: String) async throws -> WatchedEvents {
        try await server.watch(.watch(.networkPolicy, namespace: namespace, from: version, timeout: .seconds(100)))
    }
}

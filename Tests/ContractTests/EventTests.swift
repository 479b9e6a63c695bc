import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Events of `events.k8s.io/v1` (rules L1 to L3).
@Suite(.timeLimit(.minutes(3))) struct EventTests {
    let server: ServerUnderTest
    static let time = Timestamp(microsecondsSinceEpoch: 1_790_000_000_123_456)

    init() async throws { server = try await .shared() }

    private func content(_ object: ObjectID) -> EventContent {
        EventContent(
            severity: .warning, reason: "DriftCorrected", action: "Update", regarding: object, regardingUID: "u-1",
            note: "Somebody changed it by hand, and it was put back")
    }

    private func read(_ event: EventSeries.EventReference) async throws -> Answer {
        let id = ObjectID(.event, namespace: event.namespace, name: event.name)
        return try await server.send(.read(.event, id), as: .admin)
    }

    @Test func anEventIsMadeBesideItsObjectAndCounted() async throws {
        try await server.withNamespace { namespace in
            var writer = EventWriter(controller: "bylaw.dev/controller", instance: "contract-1", on: server.admin)
            let object = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
            let event = try await writer.make(content(object), name: "contract-one", at: Self.time)
            #expect(event.namespace == namespace)
            var stored = try await read(event).tree
            #expect(stored["regarding"]?["name"]?.string == "default-deny")
            #expect(stored["eventTime"]?.string == Self.time.description)
            try await writer.setCount(of: event, to: 2, lastSeen: Self.time)
            stored = try await read(event).tree
            #expect(stored["series"]?["count"] == .integer(2))
        }
    }

    /// Rule L2: where such Events go differs by the server's age.
    @Test func anEventAboutAnObjectOfTheWholeClusterFindsItsPlace() async throws {
        var writer = EventWriter(controller: "bylaw.dev/controller", instance: "contract-1", on: server.admin)
        for number in 0..<2 {
            let name = uniqueName()
            let event = try await writer.make(
                content(ObjectID(.clusterRole, name: "contract-role-\(number)")), name: name, at: Self.time)
            #expect(["default", "kube-system"].contains(event.namespace))
            #expect(try await read(event).status == 200)
        }
    }

    @Test func theCountOfAnEventThatExpiredIsAnsweredWithNotFound() async throws {
        try await server.withNamespace { namespace in
            let writer = EventWriter(controller: "bylaw.dev/controller", instance: "contract-1", on: server.admin)
            let error = await #expect(throws: ClusterError.self) {
                try await writer.setCount(
                    of: .init(namespace: namespace, name: "gone"), to: 2, lastSeen: Self.time)
            }
            #expect(error?.kind == .notFound)
        }
    }

    /// Rules K5 and L1: what is missing or too long is refused, and a second Event never replaces the first.
    @Test func anEventThatIsNotWholeIsRefused() async throws {
        try await server.withNamespace { namespace in
            let object = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
            func expect(_ status: Int, _ change: (inout Tree) -> Void) async throws {
                var body = content(object).body(
                    name: uniqueName(), namespace: namespace, at: Self.time,
                    controller: "bylaw.dev/controller", instance: "contract-1")
                change(&body)
                let request = APIRequest.create(
                    body, .event, namespace: namespace, fieldManager: "contract", isDryRun: false)
                let answer = try await server.send(request, as: .admin)
                #expect(answer.status == status, "\(answer)")
            }
            try await expect(201, { _ in })
            for field in ["eventTime", "reason", "action", "reportingController", "reportingInstance", "type"] {
                try await expect(422, { $0.set([field], to: nil) })
            }
            try await expect(400, { $0.set(["eventTime"], to: "2026-03-01T12:30:00Z") })
            try await expect(422, { $0.set(["note"], to: .string(String(repeating: "n", count: 1025))) })
            try await expect(422, { $0.set(["deprecatedCount"], to: 1) })
        }
    }
}

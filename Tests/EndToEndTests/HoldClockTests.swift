import EmbeddedCluster
import Foundation
import Git
import GitSource
import HTTPClient
import JSON
import Journal
import KubeClient
import Manifest
import Planning
import Reconciler
import Signatures
import Synchronization
import TestSupport
import Testing

/// How a controller keeps to a hold as time goes by, each pass being a restart: real Git, journal and client, and a clock
/// that the test turns.
@Suite struct HoldClockTests {
    private static let namespace = "held"
    private static let start = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)
    private let folder: ScratchDirectory
    private let cluster: EmbeddedCluster
    private let repository: PolicyRepository
    private let clock = Clock()

    /// The time of day and the one since the machine's start.
    private final class Clock: Sendable {
        private let passed = Mutex(Duration.zero)

        var now: Timestamp { passed.withLock { start.advanced(by: $0) } }
        var uptime: Duration { passed.withLock { $0 } }
        func turn(by duration: Duration) { passed.withLock { $0 += duration } }
    }

    init() async throws {
        folder = try ScratchDirectory(named: "bylaw-e2e-hold")
        cluster = try EmbeddedCluster()
        repository = try await PolicyRepository()
        try repository.write(teamManifests(Self.namespace), to: "team.yaml")
    }

    private func kubeCluster(_ fieldManager: String) -> KubeCluster {
        KubeCluster(
            endpoint: ClusterEndpoint(
                server: cluster.baseURL, name: "embedded", proxy: .none, credentials: CredentialSource(.none)),
            fieldManager: fieldManager, userAgent: "test/1")
    }

    private func place() -> HoldConfigMap {
        HoldConfigMap(namespace: "default", name: "hold", on: kubeCluster("bylaw-hold"))
    }

    private func commit(_ resource: String) async throws -> String {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(Self.namespace)}
            rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
            """, to: "extra.yaml")
        return try await repository.commit("Let it be \(resource)")
    }

    private var resource: String? {
        cluster.object(ObjectID(.role, namespace: Self.namespace, name: "extra"))?["rules"]?.array?.first?[
            "resources"]?.array?.first?.string
    }

    private func set(_ revision: String, for time: Duration) async throws -> EmergencyHold {
        let hold = EmergencyHold(
            instance: "default", revision: revision, until: clock.now.advanced(by: time), because: "It burns",
            setBy: "alice", setAt: clock.now)
        let place = place()
        try await place.write(EmergencyHoldRecord(hold: hold), over: try await place.content())
        return hold
    }

    private struct Pass {
        var report: PassReport
        var incidents: Set<IncidentReason>
    }

    /// One pass of a controller that has just been started, with the journal of the ones before.
    private func pass() async throws -> Pass {
        let journal = try await SQLiteJournal.open(
            JournalConfiguration(
                path: folder.path + "/journal.sqlite", instance: "default", cluster: "embedded", build: "test",
                signingKey: try SigningKeyFile.load(folder.path + "/key", mayMake: true)))
        let source = GitRevisionSource(
            GitSourceConfiguration(
                url: try RemoteURL(repository.path), cacheDirectory: folder.path + "/cache",
                environment: ["PATH": "/usr/bin:/bin"]))
        let clock = clock
        let controller = Controller(
            configuration: ControllerConfiguration(instance: "default", cluster: "embedded"), source: source,
            cluster: kubeCluster("bylaw-default"), journal: journal, holds: place(),
            surroundings: Surroundings(
                now: { clock.now }, uptime: { clock.uptime }, sleep: { _ in }, randomness: { 0.5 }),
            ownership: Ownership(instance: "default") { sha256Hex(Array($0.utf8)) },
            canonical: Canonical(
                text: { $0.jsonText() }, digest: { sha256Hex($0.jsonBytes()) }, tree: { try? parseJSON($0) }),
            notify: { _ in })
        do {
            let report = try await controller.runOnce()
            let incidents = try await journal.openIncidents().filter { $0.object == nil }.map(\.reason)
            await journal.close()
            return Pass(report: report, incidents: Set(incidents))
        } catch {
            await journal.close()
            throw error
        }
    }

    private func events() async throws -> [String] {
        let reader = try await JournalReader.open(folder.path + "/journal.sqlite")
        let entries = try await reader.entries(JournalQuery())
        await reader.close()
        return entries.map(\.reason).filter { $0.hasPrefix("Hold") }.sorted()
    }

    private func failReads(_ status: Int, count: Int) {
        cluster.inject(
            Fault(
                method: "GET", pathPart: "/configmaps/hold",
                effect: .answer(status: status, body: nil, text: "out of order", retryAfter: nil), count: count))
    }

    @Test func aHoldEndsByItselfAndStaysEnded() async throws {
        let first = try await commit("pods")
        _ = try await pass()
        let second = try await commit("services")
        _ = try await pass()
        #expect(resource == "services")
        _ = try await set(first, for: EmergencyHold.shortest)
        let held = try await pass()
        #expect(held.report.hold?.revision == first)
        #expect(held.incidents == [.holdActive])
        #expect(resource == "pods")
        clock.turn(by: .seconds(59))
        #expect(try await pass().report.revision == first)
        clock.turn(by: .seconds(1))
        let after = try await pass()
        #expect(after.report.revision == second)
        #expect(after.report.hold == nil)
        #expect(after.incidents.isEmpty)
        #expect(resource == "services")
        clock.turn(by: .seconds(-30))
        #expect(try await pass().report.revision == second, "the clock went back, and the hold had ended")
        #expect(try await events() == ["HoldActive", "HoldBegan", "HoldEnded"])
    }

    @Test func aFreezeKeepsTheNewestOneWaitingUntilItIsExtendedNoMore() async throws {
        let first = try await commit("pods")
        _ = try await pass()
        _ = try await set(first, for: .seconds(600))
        let second = try await commit("services")
        #expect(try await pass().report.revision == first)
        clock.turn(by: .seconds(500))
        _ = try await set(first, for: .seconds(600))
        clock.turn(by: .seconds(500))
        #expect(try await pass().report.revision == first)
        clock.turn(by: .seconds(100))
        #expect(try await pass().report.revision == second)
        #expect(try await events() == ["HoldActive", "HoldBegan", "HoldChanged", "HoldEnded"])
    }

    @Test func aBrokenRevisionBehindTheHoldIsRefusedMeanwhile() async throws {
        let first = try await commit("pods")
        _ = try await pass()
        _ = try await set(first, for: .seconds(600))
        try repository.write("kind: Role\n", to: "broken.yaml")
        let broken = try await repository.commit("A typo")
        let held = try await pass()
        #expect(held.incidents == [.holdActive, .revisionInvalid])
        clock.turn(by: .seconds(600))
        let after = try await pass()
        #expect(after.report.revision == first, "\(broken) is still refused")
        #expect(after.incidents == [.revisionInvalid])
    }

    @Test func aFailedReadIsNeverNoHold() async throws {
        let first = try await commit("pods")
        _ = try await pass()
        let second = try await commit("services")
        failReads(500, count: 1)
        await #expect(throws: ClusterError.self) { try await pass() }
        #expect(resource == "pods", "nothing new is taken on while nobody can say")
        #expect(try await pass().report.revision == second)
        _ = try await set(first, for: .seconds(600))
        #expect(try await pass().report.revision == first)
        failReads(500, count: 1)
        #expect(try await pass().report.revision == first, "what was known stays")
        failReads(403, count: 1)
        #expect(try await pass().report.revision == first)
        clock.turn(by: .seconds(600))
        failReads(403, count: 2)
        #expect(try await pass().report.revision == second, "until its own end")
        cluster.clearFaults()
    }

    @Test func aHoldThatComesWhileARevisionIsJudgedStillStopsIt() async throws {
        let first = try await commit("pods")
        _ = try await pass()
        _ = try await set(first, for: .seconds(600))
        _ = try await commit("services")
        // The first look is answered as if nothing were there yet.
        let absent: Tree = [
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
            "message": "configmaps \"hold\" not found", "details": ["name": "hold", "kind": "configmaps"],
        ]
        cluster.inject(
            Fault(
                method: "GET", pathPart: "/configmaps/hold",
                effect: .answer(status: 404, body: absent, text: "", retryAfter: nil)))
        let held = try await pass()
        #expect(held.report.hold?.revision == first)
        #expect(held.report.revision == first)
        #expect(resource == "pods")
    }
}

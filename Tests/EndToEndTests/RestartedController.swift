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

/// A controller that is started anew for each pass: real Git, journal and client, and a clock that the test turns.
struct RestartedController {
    static let namespace = "held"
    private static let start = Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000)
    let folder: ScratchDirectory
    let cluster: EmbeddedCluster
    let repository: PolicyRepository
    let clock = Clock()
    /// Another one is another replica's.
    var journalName = "journal.sqlite"
    /// Where there are several replicas.
    var term: LeaderTerm?
    var lease: LeaseAnnotation?
    /// The folder of a key and of the list of those that count; every commit must be signed with one of them.
    var keys: String?
    /// Which commits must be signed, where there are keys.
    var trust = TrustMode.all

    /// How many commits are verified at one look; nil: as many as ever.
    var verifiedCommitsPerLook: Int?

    /// What stands on the Lease that replicas share.
    final class LeaseAnnotation: Sendable {
        private let written = Mutex((handover: String?.none, journal: String?.none))

        var handover: Handover? {
            get { written.withLock(\.handover).flatMap { Handover($0) } }
            set { written.withLock { $0.handover = newValue?.text } }
        }
        var notes: LeaderNotes {
            LeaderNotes(handover: handover, journal: written.withLock(\.journal).flatMap { JournalMark($0) })
        }

        /// What is done in the place of writing it; nil: nothing.
        let interception = Mutex((@Sendable (Handover?) throws(ClusterError) -> Void)?.none)

        fileprivate func leave(_ notes: LeaderNotes) throws(ClusterError) {
            try interception.withLock(\.self)?(notes.handover)
            written.withLock { $0 = (notes.handover?.text, notes.journal?.text) }
        }
    }

    /// The time of day and the one since the machine's start.
    final class Clock: Sendable {
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

    func kubeCluster(_ fieldManager: String) -> KubeCluster {
        KubeCluster(
            endpoint: ClusterEndpoint(
                server: cluster.baseURL, name: "embedded", proxy: .none, credentials: CredentialSource(.none)),
            fieldManager: fieldManager, userAgent: "test/1")
    }

    func place() -> HoldConfigMap {
        HoldConfigMap(namespace: "default", name: "hold", on: kubeCluster("bylaw-hold"))
    }

    /// Commits one more Role, which gives the one who holds it to read some resource.
    func commit(
        _ resource: String, approvals: [String] = PolicyRepository.approvingEverything
    ) async throws -> String {
        try repository.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: extra, namespace: \(Self.namespace)}
            rules: [{apiGroups: [""], resources: [\(resource)], verbs: [get]}]
            """, to: "extra.yaml")
        return try await repository.commit("Let it be \(resource)", approvals: approvals)
    }

    var resource: String? {
        cluster.object(ObjectID(.role, namespace: Self.namespace, name: "extra"))?["rules"]?.array?.first?[
            "resources"]?.array?.first?.string
    }

    /// Sets an emergency hold.
    func hold(_ revision: String, for time: Duration = .seconds(600)) async throws {
        let hold = EmergencyHold(
            instance: "default", revision: revision, until: clock.now.advanced(by: time), because: "It burns",
            setBy: "alice", setAt: clock.now)
        let place = place()
        try await place.write(EmergencyHoldRecord(hold: hold), over: try await place.content())
    }

    struct Pass {
        var report: PassReport
        /// Those of the instance as a whole.
        var incidents: Set<IncidentReason>
        /// Those of objects.
        var ofObjects: [ObjectID: Set<IncidentReason>]
    }

    func journalPath(_ name: String) -> String { folder.path + "/" + name }

    func journal() async throws -> SQLiteJournal {
        let journal = try await SQLiteJournal.open(
            JournalConfiguration(
                path: journalPath(journalName), instance: "default", cluster: "embedded", build: "test",
                signingKey: try SigningKeyFile.load(folder.path + "/key", mayMake: true)))
        try await journal.introduceKey(at: clock.now)
        return journal
    }

    /// One pass of a controller that has just been started, with the journal of the ones before.
    func pass() async throws -> Pass {
        let journal = try await journal()
        var sourceConfiguration = GitSourceConfiguration(
            url: try RemoteURL(repository.path), cacheDirectory: folder.path + "/cache-" + journalName,
            environment: ["PATH": "/usr/bin:/bin"])
        sourceConfiguration.trustedKeys.allowedSignersFile = keys.map { $0 + "/allowed-signers" }
        let source = GitRevisionSource(sourceConfiguration)
        let clock = clock
        var configuration = ControllerConfiguration(
            instance: "default", cluster: "embedded", trust: keys == nil ? .off : trust)
        configuration.term = term
        if let verifiedCommitsPerLook { configuration.verifiedCommitsPerLook = verifiedCommitsPerLook }
        if let lease {
            configuration.handover = HandoverPlace(found: lease.notes) { notes throws(ClusterError) in
                try lease.leave(notes)
            }
        }
        let controller = Controller(
            configuration: configuration, source: source,
            cluster: kubeCluster("bylaw-default"), journal: journal, holds: place(),
            surroundings: Surroundings(
                now: { clock.now }, uptime: { clock.uptime }, sleep: { _ in }, randomness: { 0.5 }),
            ownership: Ownership(instance: "default") { sha256Hex(Array($0.utf8)) },
            canonical: Canonical(
                text: { $0.jsonText() }, digest: { sha256Hex($0.jsonBytes()) }, tree: { try? parseJSON($0) }),
            notify: { _ in })
        do {
            let report = try await controller.runOnce()
            var pass = Pass(report: report, incidents: [], ofObjects: [:])
            for (reason, object) in try await journal.openIncidents() {
                guard let object else {
                    pass.incidents.insert(reason)
                    continue
                }
                pass.ofObjects[object, default: []].insert(reason)
            }
            _ = try await journal.checkpoint(at: clock.now)
            await journal.close()
            return pass
        } catch {
            await journal.close()
            throw error
        }
    }

    func entries(of name: String = "journal.sqlite") async throws -> [JournalEntry] {
        let reader = try await JournalReader.open(journalPath(name))
        let entries = try await reader.entries(JournalQuery())
        await reader.close()
        return entries
    }
}

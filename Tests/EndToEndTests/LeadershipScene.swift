import ChildProcess
import Foundation
import JSON
import KubeClient
import KubeProtocol
import Manifest
import TestSupport
import Testing

/// Replicas of one instance on a real API server, and somebody who changes by hand what they keep.
struct LeadershipScene {
    let cluster: ClusterUnderTest
    let repository: PolicyRepository
    /// Of this test alone: they run at the same time on one cluster.
    let name: String
    private let folder: ScratchDirectory

    /// So many that nobody is in a fight about any of them.
    static let roleCount = 150
    static let lease = Duration.seconds(3)
    static let retry = Duration.milliseconds(500)

    init(_ name: String) async throws {
        self.name = "e2e-lead-\(name)-" + UUID().uuidString.prefix(8).lowercased()
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
        folder = try ScratchDirectory(named: "bylaw-e2e-lead")
        let roles = (0..<Self.roleCount).map { roleManifest("role-\($0)", in: self.name) }
        try repository.write(([teamManifests(self.name)] + roles).joined(separator: "---\n"), to: "team.yaml")
        try await repository.commit("Begin")
        try await letUseLease()
    }

    private var leasePlace: String { name + "-lease" }
    var leaseID: ObjectID { ObjectID(.lease, namespace: leasePlace, name: "bylaw-" + name) }
    /// A journal on a volume that the replicas share.
    var sharedJournal: String { folder.path + "/journal.sqlite" }

    /// What `Deploy/components/high-availability/lease.yaml` gives, in the namespace of this test.
    private func letUseLease() async throws {
        let text = try String(
            contentsOfFile: sourceRoot + "/Deploy/components/high-availability/lease.yaml", encoding: .utf8
        )
        .replacingOccurrences(of: "namespace: bylaw-system", with: "namespace: " + leasePlace)
        .replacingOccurrences(of: "bylaw-default", with: leaseID.name)
        // The service account stays where it is.
        .replacingOccurrences(
            of: "name: bylaw\n  namespace: \(leasePlace)", with: "name: bylaw\n  namespace: bylaw-system")
        let space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(leasePlace)}\n---\n"
        try await cluster.apply(space + text)
    }

    // MARK: Replicas

    /// A process with a folder of its own.
    final class Replica {
        let program: Program
        let run: RunningProgram
        let identity: String

        init(_ program: Program, _ arguments: [String], named name: String) async throws {
            self.program = program
            run = try RunningProgram(program, arguments, named: name)
            try await run.untilItSays("replica=")
            let line = try #require(run.text.split(separator: "\n").first { $0.contains("replica=") })
            identity = String(try #require(line.split(separator: " ").first { $0.hasPrefix("replica=") }).dropFirst(8))
        }

        var isLeading: Bool { run.text.contains("Leading ") }

        func untilItLeads(within limit: Duration = .seconds(60)) async throws {
            try await run.untilItSays("Leading ", within: limit)
        }

        func untilItStandsBy() async throws { try await run.untilItSays("Standing by ") }
    }

    func start(
        _ replica: String, journal: String? = nil, kubeconfig: String? = nil, launcher: [String] = [],
        timing: [String] = ["--lease-duration", "3s", "--lease-renew-deadline", "2s", "--lease-retry", "500ms"],
        flags extra: [String] = []
    ) async throws -> Replica {
        let program = try Program(launcher: launcher, journal: journal)
        var flags = program.flags(repository: repository, cluster: cluster, instance: name)
        if let kubeconfig, let index = flags.firstIndex(of: "--kubeconfig") { flags[index + 1] = kubeconfig }
        return try await Replica(
            program,
            [
                "run", "--interval", "1s", "--hold-configmap", "off", "--leader-elect", "--lease",
                "\(leaseID.namespace)/\(leaseID.name)",
            ] + timing + extra + flags, named: replica)
    }

    /// A kubeconfig that leads to the same server by another port of this machine.
    func kubeconfig(throughPort port: Int) throws -> String {
        let text = try String(contentsOfFile: cluster.kubeconfig, encoding: .utf8)
        let changed = text.replacing(/https:\/\/127\.0\.0\.1:[0-9]+/, with: "https://127.0.0.1:\(port)")
        try #require(changed != text)
        return try folder.write(changed, to: "kubeconfig-\(port)")
    }

    // MARK: Drift

    /// Takes the rules of one Role after the other away, as fast as the server answers, until it is cancelled.
    func makeDrift() -> Task<Int, Never> {
        Task { [cluster, name] in
            var count = 0
            while !Task.isCancelled {
                let role = ObjectID(.role, namespace: name, name: "role-\(count % Self.roleCount)")
                do {
                    try await cluster.takeRulesAway(role)
                    count += 1
                    try await Task.sleep(for: .milliseconds(15))
                } catch {
                    // The role may be about to be written by a replica, or the test over.
                    continue
                }
            }
            return count
        }
    }

    func untilSynced(_ replica: Replica) async throws {
        try await replica.run.untilItSays("Synced ")
    }

    // MARK: What the API server saw

    struct Write {
        var replica: String
        var object: String
        var isOfLease: Bool
        /// Who the lease says holds it after the write.
        var holder: String?
        var version: String?
        var received: Timestamp
        var answered: Timestamp
    }

    /// The writes of some replicas that the server made, as its audit log tells, in the order of their answers.
    func writes(of replicas: [Replica]) async throws -> [Write] {
        let log = try #require(ProcessInfo.processInfo.environment["BYLAW_E2E_FOLDER"]) + "/audit.log"
        let result = try await runChildProcess(
            "grep", ["-F"] + replicas.flatMap { ["-e", $0.identity] } + [log], environment: [:],
            maximumOutputBytes: 256 << 20, deadline: .seconds(60))
        var writes: [Write] = []
        for line in result.outputText.split(separator: "\n") {
            let event = try parseJSON(Array(line.utf8))
            guard let agent = event["userAgent"]?.string,
                let replica = replicas.first(where: { agent.contains("(\($0.identity))") }),
                (200..<300).contains(event["responseStatus"]?["code"]?.integer ?? 0),
                let verb = event["verb"]?.string, ["create", "update", "patch", "delete"].contains(verb),
                let place = event["objectRef"], event["requestURI"]?.string?.contains("dryRun=") == false,
                // A review changes nothing.
                place["apiGroup"]?.string?.hasPrefix("auth") != true
            else { continue }
            let response = event["responseObject"]
            writes.append(
                Write(
                    replica: replica.identity,
                    object: "\(verb) \(place["resource"]?.string ?? "")/\(place["name"]?.string ?? "")",
                    isOfLease: place["resource"] == "leases",
                    holder: response?["spec"]?["holderIdentity"]?.string,
                    version: response?["metadata"]?["resourceVersion"]?.string,
                    received: try #require(event["requestReceivedTimestamp"]?.string.flatMap { Timestamp($0) }),
                    answered: try #require(event["stageTimestamp"]?.string.flatMap { Timestamp($0) })))
        }
        return writes.sorted { $0.answered < $1.answered }
    }

    struct Term {
        var replica: String
        /// When the answer to its acquisition was given.
        var begin: Timestamp
        /// When that of the next one was; nil for the last.
        var end: Timestamp?
        var writes: [Write]
        var released: Timestamp?
    }

    /// Checks that each write was made in a term of its replica, and that terms follow each other.
    ///
    /// - Returns: The terms, each with its writes to anything but the Lease.
    func expectOneWriterAtATime(
        _ replicas: [Replica], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Term] {
        let writes = try await writes(of: replicas)
        var terms: [Term] = []
        for write in writes where write.isOfLease {
            if write.holder == write.replica, terms.last?.replica != write.replica || terms.last?.released != nil {
                if !terms.isEmpty { terms[terms.count - 1].end = write.answered }
                terms.append(Term(replica: write.replica, begin: write.answered, writes: []))
            } else if write.holder == "" {
                terms[terms.count - 1].released = write.answered
            }
            #expect(
                terms.last?.replica == write.replica, "only the holder writes the lease: \(write)",
                sourceLocation: sourceLocation)
        }
        for write in writes where !write.isOfLease {
            let index = terms.firstIndex { term in
                // A client learns a little later than the server's stamp that it leads, so equal is possible only at the end.
                term.replica == write.replica && term.begin <= write.received
                    && write.answered <= term.released ?? term.end ?? .latest
            }
            guard let index else {
                Issue.record("outside of every term of its replica: \(write)", sourceLocation: sourceLocation)
                continue
            }
            terms[index].writes.append(write)
        }
        return terms
    }
}

extension Timestamp {
    /// In seconds.
    func after(_ other: Timestamp) -> Double {
        Double(microsecondsSinceEpoch - other.microsecondsSinceEpoch) / 1_000_000
    }

    static var now: Timestamp {
        Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}

extension ClusterUnderTest {
    /// Empties a Role, quicker than any program can be started.
    func takeRulesAway(_ role: ObjectID) async throws {
        _ = try await intruder.send(
            APIRequest(
                method: .patch, path: Resource.role.path(of: role), query: [("fieldManager", "kubectl-patch")],
                contentType: "application/merge-patch+json", body: Array(#"{"rules":[]}"#.utf8)),
            what: "patch \(role)")
    }

    /// Applies manifests as a person with all rights.
    func apply(_ manifests: String) async throws {
        let kubectl = try #require(ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECTL"])
        let result = try await runChildProcess(
            kubectl, ["--kubeconfig", adminKubeconfig, "apply", "-f", "-"],
            environment: ["HOME": NSTemporaryDirectory()], input: Array(manifests.utf8), deadline: .seconds(60))
        try #require(result.ending == .exited(0), "kubectl apply: \(result.errorText)")
    }
}

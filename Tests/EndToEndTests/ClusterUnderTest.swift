import ChildProcess
import EmbeddedCluster
import Foundation
import HTTPClient
import JSON
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import TestSupport
import Testing

/// The cluster that the end-to-end tests work on.
///
/// A real API server where `BYLAW_E2E_KUBECONFIG` names one (`make e2e`), and then all tests share it, each with names of
/// its own; else an embedded one for each test.
final class ClusterUnderTest: Sendable {
    /// What the program under test is given: a user with no more than the rights of `Deploy/base/rbac.yaml`.
    let kubeconfig: String
    /// The kubeconfig of somebody who may do everything.
    let adminKubeconfig: String
    /// Somebody who may do everything, and who is not Bylaw.
    let intruder: KubeCluster
    /// The `kubectl` and the kubeconfig with which people change things by hand; nil for the embedded cluster.
    private let kubectl: (program: String, kubeconfig: String)?
    /// The API server's audit log, where there is one.
    private let auditLog: String?
    private let embedded: EmbeddedCluster?
    private let folder: ScratchDirectory

    static let isReal = ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECONFIG"] != nil
    static let absence = "skipped: no real cluster (make e2e has one)"

    /// - Parameters:
    ///   - isEmbedded: Takes an embedded cluster in any case: a real one has no faults on demand.
    ///   - servesAdmissionPolicies: Whether an embedded one is like servers since Kubernetes 1.30 in that.
    init(isEmbedded: Bool = false, servesAdmissionPolicies: Bool = false) throws {
        let environment = ProcessInfo.processInfo.environment
        folder = try ScratchDirectory(named: "bylaw-e2e-cluster")
        if let given = environment["BYLAW_E2E_KUBECONFIG"], !isEmbedded {
            kubeconfig = given
            let admin = environment["BYLAW_E2E_ADMIN_KUBECONFIG"] ?? given
            adminKubeconfig = admin
            kubectl = environment["BYLAW_E2E_KUBECTL"].map { ($0, admin) }
            auditLog = environment["BYLAW_E2E_FOLDER"].map { $0 + "/audit.log" }
            embedded = nil
            intruder = KubeCluster(
                endpoint: try findClusterEndpoint(kubeconfig: admin, context: nil, environment: environment),
                fieldManager: "intruder", userAgent: "intruder/1")
        } else {
            let cluster = try EmbeddedCluster()
            if servesAdmissionPolicies { cluster.serveAdmissionPolicies() }
            embedded = cluster
            kubeconfig = try folder.write(cluster.kubeconfig(), to: "kubeconfig")
            adminKubeconfig = kubeconfig
            kubectl = nil
            auditLog = nil
            intruder = KubeCluster(
                endpoint: ClusterEndpoint(
                    server: cluster.baseURL, name: "embedded", proxy: .none, credentials: CredentialSource(.none)),
                fieldManager: "intruder", userAgent: "intruder/1")
        }
    }

    deinit { embedded?.stop() }

    /// Ends every watch of an embedded cluster, with nothing left to resume from (rules C5 and C6).
    func breakWatches() {
        embedded?.compactHistory()
        embedded?.endWatches()
    }

    /// Makes something go wrong with the next requests of an embedded cluster.
    ///
    /// - Parameter fieldManager: Whose requests; nil for everybody's.
    func inject(
        _ method: String, _ pathPart: String, _ effect: Fault.Effect, after delay: Duration = .zero, count: Int = 1,
        fieldManager: String? = nil
    ) {
        embedded?.inject(
            Fault(
                method: method, pathPart: pathPart, fieldManager: fieldManager, effect: effect, delay: delay,
                count: count))
    }

    /// How many requests injected faults are still to strike.
    var waitingFaults: Int { embedded?.waitingFaults ?? 0 }

    /// Takes back what was injected and has not struck yet.
    func clearFaults() { embedded?.clearFaults() }

    // MARK: Looking

    func object(_ id: ObjectID) async throws -> Tree? { try await intruder.read(id)?.tree }

    /// The versions of all objects of the managed kinds whose namespace or name begins with a prefix.
    func versions(prefix: String) async throws -> [ObjectID: String] {
        var versions: [ObjectID: String] = [:]
        // Token controllers write service accounts by themselves on old servers (rule E7).
        for resource in Resource.managed where resource != .serviceAccount {
            for object in try await intruder.list(resource).objects
            where object.id.namespace.hasPrefix(prefix) || object.id.name.hasPrefix(prefix) {
                versions[object.id] = object.resourceVersion
            }
        }
        return versions
    }

    /// How many requests of one instance have asked to change something, by the server's own record.
    func writeCount(instance: String) throws -> Int {
        if let embedded { return embedded.writeCount }
        let path = try #require(auditLog, "the cluster's audit log is needed to count writes")
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .count { $0.contains("fieldManager=bylaw-\(instance)") && !$0.contains("dryRun=All") }
    }

    /// An object of any kind that the cluster serves, also one that is not managed.
    func object(_ resource: Resource, named name: String) async throws -> Tree? {
        let list = try await intruder.send(.list(resource), what: "list \(resource.plural)")
        return try parseJSON(list)["items"]?.array?.first { $0["metadata"]?["name"]?.string == name }
    }

    // MARK: Changing by hand

    func mergePatch(_ id: ObjectID, _ patch: String) async throws {
        if kubectl != nil {
            try await runKubectl(
                ["patch", try argument(id), "--type=merge", "--patch", patch], namespace: id.namespace)
        } else {
            try await sendPatch(id, patch, type: "application/merge-patch+json")
        }
    }

    func jsonPatch(_ id: ObjectID, _ patch: String) async throws {
        if kubectl != nil {
            try await runKubectl(["patch", try argument(id), "--type=json", "--patch", patch], namespace: id.namespace)
        } else {
            try await sendPatch(id, patch, type: "application/json-patch+json")
        }
    }

    /// Makes an object from a copy of another, or of an earlier one.
    func create(_ copy: Tree, as id: ObjectID) async throws {
        try await create(copy, of: try #require(id.resource), namespace: id.namespace)
    }

    /// The same of any kind that the cluster serves.
    func create(_ copy: Tree, of resource: Resource, namespace: String = "") async throws {
        var body = copy
        for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
            body.set(["metadata", field], to: nil)
        }
        let create = APIRequest.create(
            body, resource, namespace: namespace, fieldManager: "kubectl-create", isDryRun: false)
        _ = try await intruder.send(create, what: "create an object of \(resource.plural)")
    }

    func delete(_ id: ObjectID) async throws {
        if kubectl != nil {
            try await runKubectl(["delete", try argument(id), "--wait=false"], namespace: id.namespace)
        } else {
            _ = try await intruder.send(
                APIRequest(method: .delete, path: try #require(id.resource).path(of: id)), what: "delete \(id)")
        }
    }

    /// Deletes a binding and creates it with another `roleRef`, quicker than any program can be started in between.
    ///
    /// The controller may be quicker still; then it is tried again.
    ///
    /// - Returns: How many deletions it took.
    func rebind(_ id: ObjectID, to role: Tree) async throws -> Int {
        let resource = try #require(id.resource)
        for attempt in 1...200 {
            guard let live = try await intruder.read(id) else { continue }
            var body = live.tree
            for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
                body.set(["metadata", field], to: nil)
            }
            body.set(["roleRef"], to: role)
            let create = APIRequest.create(
                body, resource, namespace: id.namespace, fieldManager: "kubectl-create", isDryRun: false)
            let removal = Task {
                try await intruder.send(APIRequest(method: .delete, path: resource.path(of: id)), what: "delete")
            }
            var isCreated = false
            for _ in 0..<20 where !isCreated {
                isCreated = (try? await intruder.send(create, what: "create")) != nil
            }
            _ = await removal.result
            if isCreated { return attempt }
        }
        Issue.record("\(id) could not be bound to another role")
        return 0
    }

    /// Changes an object of an embedded cluster, also of a kind that is not managed.
    func mergePatch(
        _ resource: Resource, namespace: String = "", named name: String, _ patch: String
    ) async throws {
        let id = ObjectID(resource, namespace: namespace, name: name)
        try await sendPatch(id, of: resource, patch, type: "application/merge-patch+json")
    }

    /// Deletes an object of any kind.
    func delete(_ resource: Resource, named name: String) async throws {
        let path = resource.path(of: ObjectID(resource, name: name))
        _ = try await intruder.send(APIRequest(method: .delete, path: path), what: "delete \(name)")
    }

    private func sendPatch(_ id: ObjectID, _ patch: String, type: String) async throws {
        try await sendPatch(id, of: try #require(id.resource), patch, type: type)
    }

    private func sendPatch(_ id: ObjectID, of resource: Resource, _ patch: String, type: String) async throws {
        _ = try await intruder.send(
            APIRequest(
                method: .patch, path: resource.path(of: id),
                query: [("fieldManager", "kubectl-patch")], contentType: type, body: Array(patch.utf8)),
            what: "patch \(id)")
    }

    /// Writes an annotation, quicker than any program can be started.
    func annotateQuickly(_ id: ObjectID, with value: String) async throws {
        try await sendPatch(
            id, #"{"metadata":{"annotations":{"number":"\#(value)"}}}"#, type: "application/merge-patch+json")
    }

    private func argument(_ id: ObjectID) throws -> String {
        "\(try #require(id.resource).qualifiedPlural)/\(id.name)"
    }

    /// What `kubectl` prints; nil for the embedded cluster, which has none.
    func kubectl(_ arguments: [String]) async throws -> String? {
        guard let kubectl else { return nil }
        let result = try await runChildProcess(
            kubectl.program, ["--kubeconfig", kubectl.kubeconfig] + arguments,
            environment: ["HOME": folder.path], deadline: .seconds(60))
        try #require(result.ending == .exited(0), "kubectl \(arguments): \(result.errorText)")
        return result.outputText
    }

    private func runKubectl(_ arguments: [String], namespace: String) async throws {
        let kubectl = try #require(kubectl)
        let place = namespace.isEmpty ? [] : ["--namespace", namespace]
        let result = try await runChildProcess(
            kubectl.program, ["--kubeconfig", kubectl.kubeconfig] + place + arguments,
            environment: ["HOME": folder.path], deadline: .seconds(60))
        try #require(result.ending == .exited(0), "kubectl \(arguments): \(result.errorText)")
    }
}

/// Waits until something holds, looking again and again; an issue where it does not within the time.
func eventually(
    within limit: Duration = .seconds(60), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
}

import Foundation
import HTTPServer
import JSON
package import Manifest
import Planning

/// An API server in memory, on loopback, for the demo and the fast tests.
///
/// It speaks to the real client over real HTTP, and one contract suite holds it to a real kube-apiserver. What it does
/// not imitate: TLS; kinds other than the nine managed ones, ConfigMaps and Leases, beyond what ``serve(_:)`` says and
/// CustomResourceDefinitions of one version bring, of whose schemas ``StructuralSchema`` has the keywords, and whose printer
/// columns are kept and not used; the owners of fields of a status; the ownership of single
/// elements of lists; `labelSelector` beyond equality and on watches; `fieldSelector` beyond `metadata.name`; the OpenAPI
/// document, which `kubectl edit` and `kubectl apply` ask for; streaming lists; priority and fairness; admission webhooks
/// and policies, quota and Pod Security enforcement; strategic merge patch (answered like a merge patch); CREATE with
/// generateName; a PUT that makes a Lease; watches by version 0; server-side apply under several API versions. It speaks as a server of today where
/// old and new ones differ.
///
/// A request names its user by the token `user:NAME` or `user:NAME:GROUP,GROUP`; without a token it is an administrator,
/// which is why it listens on loopback only.
package final class EmbeddedCluster: Sendable {
    let store = ObjectStore()
    let faults = Faults()
    private let listener: HTTPListener
    private let requests = RequestLog()

    /// Where it can be reached, such as `http://127.0.0.1:40123`.
    package var baseURL: String { "http://127.0.0.1:\(listener.port)" }

    /// Starts an empty cluster: the system's namespaces and roles, and nothing else.
    package init(port: Int = 0) throws {
        let box = HandlerBox()
        listener = try HTTPListener(port: port) { request in await box.handle(request) }
        box.set { [weak self] request in
            await self?.handle(request) ?? ServerResponse(status: 503, body: [])
        }
        seed(systemObjects)
    }

    /// Ends all watches and stops listening.
    package func stop() {
        store.endWatches()
        listener.stop()
    }

    /// A kubeconfig that leads here.
    package func kubeconfig() -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: embedded
        clusters:
        - name: embedded
          cluster: {server: "\(baseURL)"}
        contexts:
        - name: embedded
          context: {cluster: embedded}

        """
    }

    // MARK: For tests and the demo

    /// Serves ValidatingAdmissionPolicies and their bindings from now on, as servers since Kubernetes 1.30 do.
    ///
    /// They are kept and given back; nothing is ever refused by them, since their expressions are not evaluated.
    package func serveAdmissionPolicies() {
        serve([.admissionPolicy, .admissionPolicyBinding])
    }

    /// Serves further kinds of version `v1` from now on.
    ///
    /// Their objects are kept and given back; no controller acts on them, and of what is in them nothing is checked.
    package func serve(_ resources: [Resource]) {
        store.lock.withLock {
            let known = store.served
            store.served = known + resources.filter { !known.contains($0) }
        }
    }

    /// Puts objects into the store as they are, without any check; managed fields may be given.
    package func seed(_ trees: [Tree]) {
        store.lock.withLock {
            for tree in trees {
                guard let resource = resource(of: tree) else { continue }
                store.put(Admission.defaulted(tree, resource), resource, now: timestamp())
            }
            fillAggregatedRoles()
        }
    }

    /// The object as it is stored.
    package func object(_ id: ObjectID) -> Tree? {
        guard let resource = id.resource else { return nil }
        return store.lock.withLock { store.object(resource, .init(namespace: id.namespace, name: id.name)) }
    }

    /// How many requests have come, by what they do: `GET`, `POST`, `PATCH`, `PUT`, `DELETE`.
    package var requestCounts: [String: Int] { requests.counts }

    /// How many requests wanted to change something, dry runs left out.
    package var writeCount: Int { requests.writes }

    /// Lets the next requests that match fail, or wait, in a chosen way.
    package func inject(_ fault: Fault) { faults.add(fault) }

    /// How many requests the faults are still to strike.
    package var waitingFaults: Int { faults.waitingCount }

    /// Takes back the faults that have not struck yet.
    package func clearFaults() { faults.clear() }

    /// Forgets the history: watches that resume get 410 (rule C6).
    package func compactHistory() { store.compactHistory() }

    /// Ends every watch cleanly.
    package func endWatches() { store.endWatches() }

    /// Sends bookmarks to every watch.
    package func sendBookmarks() { store.sendBookmarks() }

    /// Keeps namespaces that are being deleted from going away, until it is called with false.
    package func holdNamespaceDeletion(_ isHeld: Bool) {
        store.lock.withLock { faults.holdsNamespaces = isHeld }
        if !isHeld { finishNamespaces() }
    }

    // MARK: Requests

    private func handle(_ request: ServerRequest) async -> ServerResponse {
        requests.note(request)
        var lost: ServerResponse?
        var alteration: Tree?
        switch await faults.strike(request) {
        case .none: break
        case .answer(let response): return response
        case .lostAnswer(let response): lost = response
        case .altered(let patch): alteration = patch
        }
        do throws(Refusal) {
            var answer = try route(request)
            if let alteration {
                var patch = request
                patch.method = "PATCH"
                patch.query = [(name: "fieldManager", value: "webhook")]
                patch.headers = [(name: "Content-Type", value: "application/merge-patch+json")]
                patch.body = alteration.jsonBytes()
                answer = try route(patch)
            }
            return lost ?? answer
        } catch {
            return answer(error)
        }
    }

    func answer(_ refusal: Refusal) -> ServerResponse {
        var headers = [("Content-Type", refusal.body == nil ? "text/plain; charset=utf-8" : "application/json")]
        if let seconds = refusal.retryAfter { headers.append(("Retry-After", String(seconds))) }
        return ServerResponse(
            status: refusal.status, headers: headers.map { (name: $0.0, value: $0.1) },
            body: refusal.body?.jsonBytes() ?? Array(refusal.text.utf8))
    }

    func resource(of tree: Tree) -> Resource? {
        guard let version = tree["apiVersion"]?.string, let kind = tree["kind"]?.string else { return nil }
        let group = version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
        return store.served.first { $0.group == group && $0.kind == kind }
    }

    /// Kubernetes' times have whole seconds.
    func timestamp() -> String {
        let now = Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970) * 1_000_000)
        return now.description.prefix(19) + "Z"
    }
}

/// Lets the listener exist before the cluster that answers for it.
///
/// `@unchecked Sendable`: `handler` is only touched under `lock`.
private final class HandlerBox: @unchecked Sendable {
    private let lock = NSLock()
    private var handler: HTTPListener.Handler?

    func set(_ handler: @escaping HTTPListener.Handler) { lock.withLock { self.handler = handler } }

    func handle(_ request: ServerRequest) async -> ServerResponse {
        let handler = lock.withLock { self.handler }
        return await handler?(request) ?? ServerResponse(status: 503, body: [])
    }
}

/// Counts requests.
///
/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class RequestLog: @unchecked Sendable {
    private let lock = NSLock()
    private var byMethod: [String: Int] = [:]
    private var writeCount = 0

    var counts: [String: Int] { lock.withLock { byMethod } }
    var writes: Int { lock.withLock { writeCount } }

    func note(_ request: ServerRequest) {
        lock.withLock {
            byMethod[request.method, default: 0] += 1
            let isReview = request.path.hasSuffix("reviews")
            if request.method != "GET", request.query("dryRun") == nil, !isReview { writeCount += 1 }
        }
    }
}

import Foundation
import HTTPClient
package import KubeProtocol
package import Manifest
package import Reconciler

/// A cluster's API server, as the reconciler needs it.
///
/// Calls and watches have connections of their own, so that a flood of events never delays a write. Calls are bounded in
/// number; the server's own fairness does the rest (rule A16).
package final class KubeCluster: ClusterAPI {
    package let endpoint: ClusterEndpoint
    private let fieldManager: String
    private let calls: HTTPExchanger
    private let watches: HTTPExchanger
    private let slots: CallSlots
    private let callTimeout: Duration
    private let randomness: @Sendable () -> Double

    /// How long a whole list is trusted before it is read again, whatever the watch says (rule C8).
    private let resyncInterval: Duration

    package init(
        endpoint: ClusterEndpoint, fieldManager: String, userAgent: String, concurrentCalls: Int = 16,
        callTimeout: Duration = .seconds(65), resyncInterval: Duration = .seconds(480),
        randomness: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.endpoint = endpoint
        self.fieldManager = fieldManager
        self.callTimeout = callTimeout
        self.resyncInterval = resyncInterval
        self.randomness = randomness
        slots = CallSlots(count: concurrentCalls)
        calls = HTTPExchanger(proxy: endpoint.proxy, userAgent: userAgent, maximumConnections: concurrentCalls)
        watches = HTTPExchanger(proxy: endpoint.proxy, userAgent: userAgent, maximumConnections: 16)
    }

    // MARK: Reads

    package func list(_ resource: Resource) async throws(ClusterError) -> ObjectList {
        for _ in 0..<3 {
            do throws(ClusterError) {
                return try await listOnce(resource)
            } catch {
                // The pages were of a snapshot that is gone: only a fresh list is consistent (rule C3).
                guard error.kind == .expired else { throw error }
            }
        }
        return try await listOnce(resource, isPaged: false)
    }

    private func listOnce(_ resource: Resource, isPaged: Bool = true) async throws(ClusterError) -> ObjectList {
        var objects: [LiveObject] = []
        var token: String?
        while true {
            let page = try await listPage(resource, continuing: token, isPaged: isPaged)
            objects += page.objects
            guard let next = page.continuation else {
                return ObjectList(objects: objects, resourceVersion: page.resourceVersion)
            }
            token = next
        }
    }

    func listPage(
        _ resource: Resource, continuing token: String?, isPaged: Bool
    ) async throws(ClusterError) -> ListPage {
        let what = "list \(resource.qualifiedPlural)"
        let answer = try await call(
            .list(resource, limit: isPaged ? 500 : 0, continuing: token), what: what, resource: resource)
        do throws(DecodingFailure) {
            return try decodeList(answer.body, of: resource)
        } catch {
            throw rubbish(what, error)
        }
    }

    package func read(_ id: ObjectID) async throws(ClusterError) -> LiveObject? {
        let resource = try resource(of: id)
        do throws(ClusterError) {
            let answer = try await call(.read(resource, id), what: "read \(id)", resource: resource)
            return try liveObject(answer, "read \(id)", of: resource)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    package func observe(_ resource: Resource) -> AsyncStream<Observation> {
        let (stream, continuation) = AsyncStream.makeStream(of: Observation.self)
        let task = Task { [self] in
            let watcher = Watcher(
                cluster: self, resource: resource, resyncInterval: resyncInterval, randomness: randomness)
            await watcher.run { continuation.yield($0) }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    func openWatch(
        _ resource: Resource, from version: String, timeout: Duration
    ) async throws(ClusterError) -> HTTPBodyStream {
        let what = "watch \(resource.qualifiedPlural)"
        let request = APIRequest.watch(resource, from: version, timeout: timeout)
        // No limit on the whole, but one on silence: the server's close may never reach us (rules A12 and C15).
        var limits = HTTPLimits(total: nil, idle: timeout + .seconds(15))
        limits.connect = .seconds(30)
        let http = try await httpRequest(request, limits: limits)
        let stream: HTTPBodyStream
        let refusal: [UInt8]?
        watches.replaceTLS(try await tls())
        do throws(HTTPError) {
            stream = try await watches.open(http)
            refusal = stream.status == 200 ? nil : try await stream.rest(maximumBytes: 1 << 20)
        } catch {
            throw unreachable(what, error)
        }
        guard let refusal else { return stream }
        let answer = classify(status: stream.status, headers: stream.headers, body: refusal)
        throw failure(what, answer, resource: resource)
    }

    func invalidateCredentials() { endpoint.credentials.invalidate() }

    // MARK: Writes

    package func apply(
        _ body: Tree, to id: ObjectID, expecting: LiveObject?, isDryRun: Bool
    ) async throws(ClusterError) -> WriteAnswer {
        let resource = try resource(of: id)
        let request = APIRequest.apply(
            body, resource, id, fieldManager: fieldManager, expecting: expecting, isDryRun: isDryRun)
        return try writeAnswer(
            try await call(request, what: "apply \(id)", resource: resource), "apply \(id)", of: resource)
    }

    package func mergePatch(
        _ patch: Tree, to id: ObjectID, expecting: LiveObject
    ) async throws(ClusterError) -> WriteAnswer {
        let resource = try resource(of: id)
        let request = APIRequest.mergePatch(patch, resource, id, fieldManager: fieldManager, expecting: expecting)
        return try writeAnswer(
            try await call(request, what: "patch \(id)", resource: resource), "patch \(id)", of: resource)
    }

    package func jsonPatch(_ patch: Tree, to id: ObjectID) async throws(ClusterError) -> WriteAnswer {
        let resource = try resource(of: id)
        let request = APIRequest.jsonPatch(patch, resource, id, fieldManager: fieldManager)
        return try writeAnswer(
            try await call(request, what: "patch \(id)", resource: resource), "patch \(id)", of: resource)
    }

    package func dryRunCreate(_ body: Tree, as id: ObjectID) async throws(ClusterError) {
        let resource = try resource(of: id)
        _ = try await call(
            .create(body, resource, namespace: id.namespace, fieldManager: fieldManager, isDryRun: true),
            what: "check the creation of \(id)", resource: resource)
    }

    package func delete(_ id: ObjectID, expecting: LiveObject) async throws(ClusterError) -> DeleteAnswer {
        let resource = try resource(of: id)
        let what = "delete \(id)"
        let answer = try await call(.delete(resource, id, expecting: expecting), what: what, resource: resource)
        // A Status says that it is gone, an object that finalizers hold it (rule F7).
        let tree: Tree
        do throws(DecodingFailure) {
            tree = try decode(answer.body)
        } catch {
            throw rubbish(what, error)
        }
        guard tree["kind"]?.string != "Status", let object = LiveObject(tree, of: resource), object.isTerminating else {
            return .gone(auditID: auditID(answer))
        }
        return .pending(object, auditID: auditID(answer))
    }

    // MARK: Facts

    /// What is known of a cluster besides its objects.
    package struct Facts: Sendable {
        /// For people only: never a reason to do or not to do something (rule B6).
        package var version: String
        /// The uid of `kube-system`, which names a cluster for its whole life; nil where it may not be read.
        package var identity: String?
    }

    /// Asks who the cluster is; fails where it cannot be reached or does not know us.
    package func facts() async throws(ClusterError) -> Facts {
        let answer = try await call(
            APIRequest(method: .get, path: "/version"), what: "read the server's version", resource: nil)
        let version: String
        do throws(DecodingFailure) {
            version = try decode(answer.body)["gitVersion"]?.string ?? ""
        } catch {
            throw rubbish("read the server's version", error)
        }
        do throws(ClusterError) {
            let system = try await read(ObjectID(.namespace, name: "kube-system"))
            return Facts(version: version, identity: system?.uid)
        } catch {
            guard error.kind == .forbidden else { throw error }
            return Facts(version: version, identity: nil)
        }
    }

    // MARK: Sending

    /// Sends any request, for tools that stand beside the reconciler.
    package func send(_ request: APIRequest, what: String) async throws(ClusterError) -> [UInt8] {
        try await call(request, what: what, resource: nil).body
    }

    private func call(_ request: APIRequest, what: String, resource: Resource?) async throws(ClusterError)
        -> HTTPResponse
    {
        await slots.take()
        defer { slots.giveBack() }
        let isRead = request.method == .get
        var attempt = 0
        while true {
            attempt += 1
            let start = systemUptime()
            do throws(ClusterError) {
                return try await callOnce(request, what: what, resource: resource)
            } catch {
                // Only reads are repeated here: whoever wrote has to look first whether it happened (rule A15).
                guard attempt == 1 else { throw error }
                switch error.kind {
                case .unauthenticated: endpoint.credentials.invalidate(startedAt: start)
                case .unreachable where isRead: break
                default: throw error
                }
            }
        }
    }

    private func callOnce(_ request: APIRequest, what: String, resource: Resource?) async throws(ClusterError)
        -> HTTPResponse
    {
        var limits = HTTPLimits(total: callTimeout)
        limits.connect = min(.seconds(30), callTimeout)
        let http = try await httpRequest(request, limits: limits)
        let answer: HTTPResponse
        calls.replaceTLS(try await tls())
        do throws(HTTPError) {
            answer = try await calls.send(http)
        } catch {
            throw unreachable(what, error)
        }
        guard (200..<300).contains(answer.status) else {
            throw failure(
                what, classify(status: answer.status, headers: answer.headers, body: answer.body), resource: resource)
        }
        return answer
    }

    private func httpRequest(_ request: APIRequest, limits: HTTPLimits) async throws(ClusterError) -> HTTPRequest {
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let type = request.contentType { headers.append(("Content-Type", type)) }
        if endpoint.isEncrypted, let secret = try await authorization().header {
            headers.append(("Authorization", String(decoding: secret.bytes, as: UTF8.self)))
        }
        return HTTPRequest(
            method: request.method.rawValue, url: endpoint.server + request.target, headers: headers,
            body: request.body, limits: limits)
    }

    private func authorization() async throws(ClusterError) -> Authorization {
        do throws(ClusterConfigurationError) {
            return try await endpoint.credentials.authorization()
        } catch {
            throw ClusterError(kind: .unauthenticated, status: 0, message: error.message, hint: error.hint)
        }
    }

    private func tls() async throws(ClusterError) -> TLSConfiguration {
        guard endpoint.isEncrypted else { return TLSConfiguration() }
        let authorization = try await authorization()
        do throws(ClusterConfigurationError) {
            let authorities = try endpoint.certificateAuthorities.map { file throws(ClusterConfigurationError) in
                try endpoint.credentials.bytes(of: file, what: "the certificate authority")
            }
            return TLSConfiguration(
                certificateAuthorities: authorities, clientCertificate: authorization.clientCertificate,
                clientKey: authorization.clientKey, serverName: endpoint.serverName,
                isVerificationDisabled: endpoint.isVerificationDisabled)
        } catch {
            throw ClusterError(kind: .unreachable, status: 0, message: error.message, hint: error.hint)
        }
    }

    // MARK: Answers

    private func resource(of id: ObjectID) throws(ClusterError) -> Resource {
        guard let resource = id.resource else {
            throw ClusterError(kind: .invalid, status: 0, message: "\(id) is of a kind that is not managed")
        }
        return resource
    }

    private func liveObject(_ answer: HTTPResponse, _ what: String, of resource: Resource) throws(ClusterError)
        -> LiveObject
    {
        do throws(DecodingFailure) {
            guard let object = LiveObject(try decode(answer.body), of: resource) else {
                throw DecodingFailure(message: "the object has no name, uid or resourceVersion")
            }
            return object
        } catch {
            throw rubbish(what, error)
        }
    }

    private func writeAnswer(_ answer: HTTPResponse, _ what: String, of resource: Resource) throws(ClusterError)
        -> WriteAnswer
    {
        let tree: Tree
        do throws(DecodingFailure) {
            tree = try decode(answer.body)
        } catch {
            throw rubbish(what, error)
        }
        return WriteAnswer(
            object: tree, live: LiveObject(tree, of: resource), wasCreated: answer.status == 201,
            warnings: parseWarnings(answer.headers.all("warning")), auditID: auditID(answer))
    }

    private func auditID(_ answer: HTTPResponse) -> String? { answer.headers["audit-id"] }

    private func classify(status: Int, headers: HTTPHeaders, body: [UInt8]) -> APIFailure {
        let tree = try? decode(body)
        return classifyFailure(
            status: status, body: tree, text: String(decoding: body.prefix(2048), as: UTF8.self),
            retryAfter: headers["retry-after"].flatMap { Int($0) })
    }

    func failure(_ what: String, _ failure: APIFailure, resource: Resource?) -> ClusterError {
        var kind = ClusterError.Kind(rawValue: failure.kind.rawValue) ?? .invalid
        // What was asked for is itself the namespace or role that was not found (rule B7).
        switch (kind, resource) {
        case (.namespaceNotFound, .namespace?), (.roleNotFound, .role?), (.roleNotFound, .clusterRole?):
            kind = .notFound
        default: break
        }
        return ClusterError(
            kind: kind, status: failure.status, message: "\(what): \(failure.message)",
            causes: failure.causes.map { ClusterError.Cause(field: $0.field, reason: $0.reason, message: $0.message) },
            retryAfter: failure.retryAfter, hint: hint(for: kind))
    }

    private func unreachable(_ what: String, _ error: HTTPError) -> ClusterError {
        ClusterError(
            kind: error.kind == .cancelled ? .cancelled : .unreachable, status: 0,
            message: "\(what): \(error.message)", hint: hint(for: error.kind))
    }

    private func rubbish(_ what: String, _ error: DecodingFailure) -> ClusterError {
        ClusterError(
            kind: .unreachable, status: 0, message: "\(what): \(error.message)",
            hint: "Check that the address is that of a Kubernetes API server, without a proxy that rewrites answers.")
    }

    private func hint(for kind: ClusterError.Kind) -> String {
        switch kind {
        case .unauthenticated: "Check the user's credentials in the kubeconfig; they may have expired."
        case .forbidden:
            "Give Bylaw's user this right (see Deploy/rbac.yaml), or remove the object from the repository."
        case .invalid: "Correct the object in the repository."
        case .denied: "Change the object or the admission policy that refuses it."
        case .resourceNotServed: "Check the address's path and that the cluster serves this API."
        case .busy: "The API server is overloaded; it is tried again by itself."
        case .terminating: "Wait until the deletion has ended, or find out which finalizer holds it."
        default: ""
        }
    }

    private func hint(for kind: HTTPError.Kind) -> String {
        switch kind {
        case .couldNotResolve: "Check the server's name in the kubeconfig, and DNS."
        case .couldNotConnect: "Check that the API server runs and that its address and port are right."
        case .tlsUntrusted:
            "Check certificate-authority in the kubeconfig, and tls-server-name if the address is an alias."
        case .tlsClientCertificate: "Check client-certificate and client-key in the kubeconfig."
        case .proxy: "Check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY."
        default: "Check the network between here and the API server; it may pass by itself."
        }
    }
}

/// A fixed number of calls at a time; the others wait in order.
final class CallSlots: Sendable {
    private let state: LockedSlots

    init(count: Int) { state = LockedSlots(count: count) }

    func take() async {
        await withCheckedContinuation { state.take($0) }
    }

    func giveBack() { state.giveBack() }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`.
private final class LockedSlots: @unchecked Sendable {
    private let lock = NSLock()
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var firstWaiting = 0

    init(count: Int) { free = count }

    func take(_ continuation: CheckedContinuation<Void, Never>) {
        lock.lock()
        if free > 0 {
            free -= 1
            lock.unlock()
            continuation.resume()
        } else {
            waiting.append(continuation)
            lock.unlock()
        }
    }

    func giveBack() {
        lock.lock()
        if firstWaiting < waiting.count {
            let next = waiting[firstWaiting]
            firstWaiting += 1
            if firstWaiting > 256, firstWaiting * 2 > waiting.count {
                waiting.removeFirst(firstWaiting)
                firstWaiting = 0
            }
            lock.unlock()
            next.resume()
        } else {
            free += 1
            lock.unlock()
        }
    }
}

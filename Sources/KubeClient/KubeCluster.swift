import Foundation
import HTTPClient
package import KubeProtocol
package import Manifest
package import Reconciler
import Synchronization

/// A cluster's API server, as the reconciler needs it.
///
/// Calls and watches have connections of their own, so that a flood of events never delays a write. Calls are bounded in
/// number; the server's own fairness does the rest (rule A16).
package final class KubeCluster: ClusterAPI {
    package let endpoint: ClusterEndpoint
    let fieldManager: String
    private let calls: HTTPExchanger
    private let watches: HTTPExchanger
    private let slots: CallSlots
    private let callTimeout: Duration
    private let fence: WriteFence?
    private let randomness: @Sendable () -> Double
    let traffic: ClusterTraffic

    private static let pageLimit = 500
    /// What one page may have before smaller ones are asked for.
    private let pageBytes: Int
    private static let listBytes = 256 << 20
    /// How many objects of a kind fit into a page, where that is fewer than usual.
    private let pageLimits = Mutex<[Resource: Int]>([:])

    /// How long a whole list is trusted before it is read again, whatever the watch says (rule C8).
    private let resyncInterval: Duration

    /// - Parameter fence: Asked before each write, whichever way it comes, where only one of several replicas may write.
    package init(
        endpoint: ClusterEndpoint, fieldManager: String, userAgent: String, concurrentCalls: Int = 16,
        fence: WriteFence? = nil, callTimeout: Duration = .seconds(65), resyncInterval: Duration = .seconds(480),
        pageBytes: Int = 64 << 20,
        randomness: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        traffic: ClusterTraffic = ClusterTraffic()
    ) {
        self.endpoint = endpoint
        self.fieldManager = fieldManager
        self.callTimeout = callTimeout
        self.fence = fence
        self.resyncInterval = resyncInterval
        self.pageBytes = pageBytes
        self.randomness = randomness
        self.traffic = traffic
        slots = CallSlots(count: concurrentCalls)
        calls = HTTPExchanger(proxy: endpoint.proxy, userAgent: userAgent, maximumConnections: concurrentCalls)
        watches = HTTPExchanger(proxy: endpoint.proxy, userAgent: userAgent, maximumConnections: 16)
    }

    /// Ends every call that is on its way, whatever it waits for; later ones fail at once.
    ///
    /// Watches go on: they end with the tasks that read them.
    package func endCalls() { calls.shutdown() }

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
        while true {
            let limit = isPaged ? pageLimits.withLock { $0[resource] ?? Self.pageLimit } : 0
            do throws(ClusterError) {
                let answer = try await call(
                    .list(resource, limit: limit, continuing: token), what: what, resource: resource)
                do throws(DecodingFailure) {
                    return try decodeList(
                        answer.body, of: resource, maximumBytes: isPaged ? pageBytes : Self.listBytes)
                } catch {
                    throw rubbish(what, error)
                }
            } catch {
                // Whoever may create large objects must not keep a kind from being read.
                guard error.kind == .tooLarge, limit > 1 else { throw error }
                pageLimits.withLock { $0[resource] = max(1, limit / 10) }
            }
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
        // The server is asked to end it, but its close may never reach us, and something in between may not pass the wish
        // on (rules A12, C8 and C15).
        let longest = timeout + .seconds(15)
        var limits = HTTPLimits(total: longest, idle: longest, firstByte: min(longest, callTimeout))
        limits.connect = .seconds(30)
        let access = try await access()
        let http = httpRequest(request, access, limits: limits)
        let stream: HTTPBodyStream
        let refusal: [UInt8]?
        watches.replaceTLS(access.tls)
        let begun = ContinuousClock.now
        do throws(HTTPError) {
            do throws(HTTPError) { stream = try await watches.open(http) } catch {
                note(request, of: resource, status: 0, since: begun)
                throw error
            }
            note(request, of: resource, status: stream.status, since: begun)
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

    package func applyNew(_ body: Tree, as id: ObjectID) async throws(ClusterError) -> WriteAnswer {
        let resource = try resource(of: id)
        return try writeAnswer(
            try await call(
                .applyNew(body, resource, id, fieldManager: fieldManager), what: "apply \(id)", resource: resource),
            "apply \(id)", of: resource)
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
        return try deleteAnswer(answer, what, of: resource)
    }

    /// Reads what a deletion is answered: a Status says that it is gone, an object that finalizers hold it (rule F7).
    func deleteAnswer(
        _ answer: HTTPResponse, _ what: String, of resource: Resource
    ) throws(ClusterError) -> DeleteAnswer {
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

    // MARK: Sending

    /// Sends any request, for tools that stand beside the reconciler.
    package func send(_ request: APIRequest, what: String) async throws(ClusterError) -> [UInt8] {
        try await call(request, what: what, resource: nil).body
    }

    func call(_ request: APIRequest, what: String, resource: Resource?) async throws(ClusterError)
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
                // Without a status the credentials themselves could not be had, which was tried long enough.
                case .unauthenticated where error.status != 0: endpoint.credentials.invalidate(startedAt: start)
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
        let access = try await access()
        // As late as can be: whatever came before may have taken its time.
        if request.isWrite, let fence {
            try checkFence(fence, what)
            // While the lease is renewed the moment moves on, and a slow server may take its time.
            limits.deadline = { fence.deadline ?? .now }
        }
        let http = httpRequest(request, access, limits: limits)
        let answer: HTTPResponse
        calls.replaceTLS(access.tls)
        let begun = ContinuousClock.now
        do throws(HTTPError) {
            answer = try await calls.send(http)
        } catch {
            note(request, of: resource, status: 0, since: begun)
            throw unreachable(what, error)
        }
        note(request, of: resource, status: answer.status, since: begun)
        guard (200..<300).contains(answer.status) else {
            throw failure(
                what, classify(status: answer.status, headers: answer.headers, body: answer.body), resource: resource)
        }
        return answer
    }

    /// Tells of a request that was sent.
    private func note(_ request: APIRequest, of resource: Resource?, status: Int, since begun: ContinuousClock.Instant)
    {
        traffic.noteCall(
            ClusterCall(
                verb: request.kubernetesVerb(of: resource), resource: resource, status: status,
                duration: ContinuousClock.now - begun))
    }

    private func checkFence(_ fence: WriteFence, _ what: String) throws(ClusterError) {
        guard fence.deadline != nil else {
            throw ClusterError(
                kind: .notLeading, status: 0, message: "\(what): not sent, since this replica does not lead (any more)",
                hint: "Nothing is to be done: another replica takes over.")
        }
    }

    private func httpRequest(_ request: APIRequest, _ access: ClusterAccess, limits: HTTPLimits) -> HTTPRequest {
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let type = request.contentType { headers.append(("Content-Type", type)) }
        if let secret = access.header {
            headers.append(("Authorization", String(decoding: secret.bytes, as: UTF8.self)))
        }
        return HTTPRequest(
            method: request.method.rawValue, url: endpoint.server + request.target, headers: headers,
            body: request.body, limits: limits)
    }

    func access() async throws(ClusterError) -> ClusterAccess {
        do throws(ClusterConfigurationError) {
            return try await endpoint.access()
        } catch {
            throw ClusterError(kind: .unauthenticated, status: 0, message: error.message, hint: error.hint)
        }
    }
}

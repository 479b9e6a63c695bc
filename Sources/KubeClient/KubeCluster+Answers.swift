import HTTPClient
import KubeProtocol
import Manifest
import Reconciler

/// What answers and failures mean to the reconciler.
extension KubeCluster {
    func resource(of id: ObjectID) throws(ClusterError) -> Resource {
        guard let resource = id.resource else {
            throw ClusterError(kind: .invalid, status: 0, message: "\(id) is of a kind that is not managed")
        }
        return resource
    }

    func liveObject(_ answer: HTTPResponse, _ what: String, of resource: Resource) throws(ClusterError)
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

    func writeAnswer(_ answer: HTTPResponse, _ what: String, of resource: Resource) throws(ClusterError)
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

    func auditID(_ answer: HTTPResponse) -> String? { answer.headers["audit-id"] }

    func classify(status: Int, headers: HTTPHeaders, body: [UInt8]) -> APIFailure {
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
        var message = "\(what): \(failure.message)"
        // Of an apply that would create, old servers do not say what is forbidden (Kubernetes 1.20: "... is forbidden: ").
        if kind == .forbidden, let resource, failure.message.hasSuffix("is forbidden: ") {
            message += "the right to create \(resource.qualifiedPlural) is missing"
        }
        return ClusterError(
            kind: kind, status: failure.status, message: message,
            causes: failure.causes.map { ClusterError.Cause(field: $0.field, reason: $0.reason, message: $0.message) },
            retryAfter: failure.retryAfter, hint: hint(for: kind))
    }

    func unreachable(_ what: String, _ error: HTTPError) -> ClusterError {
        ClusterError(
            kind: error.kind == .cancelled ? .cancelled : error.kind == .tooLarge ? .tooLarge : .unreachable, status: 0,
            message: "\(what): \(error.message)", hint: hint(for: error.kind))
    }

    func rubbish(_ what: String, _ error: DecodingFailure) -> ClusterError {
        guard !error.isTooLarge else {
            return ClusterError(
                kind: .tooLarge, status: 0, message: "\(what): \(error.message)",
                hint: "Find out who keeps objects of such a size in the cluster.")
        }
        return ClusterError(
            kind: .unreachable, status: 0, message: "\(what): \(error.message)",
            hint: "Check that the address is that of a Kubernetes API server, without a proxy that rewrites answers.")
    }

    private func hint(for kind: ClusterError.Kind) -> String {
        switch kind {
        case .unauthenticated: "Check the user's credentials in the kubeconfig; they may have expired."
        case .forbidden:
            "Give Bylaw this right, as bylaw rights --for PATH prints it, or remove the object from the repository."
        case .invalid: "Correct the object in the repository."
        case .denied: "Change the object or the admission policy that refuses it."
        case .resourceNotServed: "Check the address's path and that the cluster serves this API."
        case .busy: "The API server is overloaded or failed inside; look at its log where that stays so."
        case .terminating: "Wait until the deletion has ended, or find out which finalizer holds it."
        default: ""
        }
    }

    private func hint(for kind: HTTPError.Kind) -> String {
        switch kind {
        case .couldNotResolve: "Check the server's name in the kubeconfig, and DNS."
        case .couldNotConnect: "Check that the API server runs and that its address and port are right."
        case .tlsUntrusted: "Check certificate-authority in the kubeconfig."
        case .tlsNameMismatch:
            "Use an address that the server's certificate names, or set tls-server-name in the kubeconfig to one of them."
        case .tlsOther: "Check that the address and port are those of the API server, and what TLS versions it allows."
        case .invalidURL: "Correct the server's address in the kubeconfig."
        case .tooLarge: "Find out who keeps objects of such a size in the cluster."
        case .tlsClientCertificate: "Check client-certificate and client-key in the kubeconfig."
        case .proxy: "Check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY."
        case .timedOut, .stalled, .closedEarly, .cancelled, .other:
            "Check the network between here and the API server; it may pass by itself."
        }
    }
}

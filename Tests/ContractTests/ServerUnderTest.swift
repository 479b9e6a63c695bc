import EmbeddedCluster
import Foundation
import HTTPClient
import KubeClient
import KubeProtocol
import Manifest
import Testing

/// The API server that the contract is checked on, shared by all tests.
///
/// A real one where `BYLAW_E2E_KUBECONFIG` names it (`make e2e`), else the embedded one. Each test works in a
/// namespace, or under names, of its own.
final class ServerUnderTest: Sendable {
    /// Who sends a raw request.
    enum User: Sendable {
        /// Somebody with the rights of `Deploy/base/rbac.yaml` and no others (rule I5).
        case bylaw
        /// Somebody with all rights.
        case admin
        /// Somebody with the rights that ``ServerUnderTest/makeUser(in:allowed:)`` gave; impersonated on a real server.
        case named(String)
    }

    /// The client as Bylaw has it, with the field manager ``owner``.
    ///
    /// The embedded server takes it for an administrator, since the client sends no credential over plain HTTP (rule
    /// A2): what depends on rights is asked for by ``send(_:as:)``.
    let bylaw: KubeCluster
    /// The client of somebody who may do everything, with the field manager ``intruder``.
    let admin: KubeCluster
    private let exchangers: (bylaw: HTTPExchanger, admin: HTTPExchanger)
    private let embedded: EmbeddedCluster?

    static let owner = "contract-owner"
    static let intruder = "contract-intruder"
    static let isReal = ProcessInfo.processInfo.environment["BYLAW_E2E_KUBECONFIG"] != nil
    private static let start = Task { try await ServerUnderTest() }

    static func shared() async throws -> ServerUnderTest { try await start.value }

    private init() async throws {
        let environment = ProcessInfo.processInfo.environment
        let bylawEndpoint: ClusterEndpoint
        let adminEndpoint: ClusterEndpoint
        if let kubeconfig = environment["BYLAW_E2E_KUBECONFIG"] {
            embedded = nil
            let adminKubeconfig = environment["BYLAW_E2E_ADMIN_KUBECONFIG"] ?? kubeconfig
            bylawEndpoint = try findClusterEndpoint(kubeconfig: kubeconfig, context: nil, environment: environment)
            adminEndpoint = try findClusterEndpoint(
                kubeconfig: adminKubeconfig, context: nil, environment: environment)
        } else {
            let cluster = try EmbeddedCluster()
            embedded = cluster
            bylawEndpoint = ClusterEndpoint(
                server: cluster.baseURL, name: "embedded", proxy: .none, credentials: CredentialSource(.none))
            adminEndpoint = bylawEndpoint
        }
        bylaw = KubeCluster(endpoint: bylawEndpoint, fieldManager: Self.owner, userAgent: "contract/1")
        admin = KubeCluster(endpoint: adminEndpoint, fieldManager: Self.intruder, userAgent: "intruder/1")
        exchangers = (
            HTTPExchanger(proxy: bylawEndpoint.proxy, userAgent: "contract/1"),
            HTTPExchanger(proxy: adminEndpoint.proxy, userAgent: "contract/1")
        )
        if embedded != nil {
            for (id, body) in rightsOfBylaw { _ = try await admin.apply(body, to: id, expecting: nil, isDryRun: false) }
        }
    }

    // MARK: Sending

    /// Sends a request, and gives back whatever the answer is.
    func send(_ request: APIRequest, as user: User = .bylaw) async throws -> Answer {
        let (exchanger, http) = try await prepare(request, as: user, limits: HTTPLimits())
        return Answer(try await exchanger.send(http))
    }

    /// Opens a watch, and gives back its events as they come.
    func watch(_ request: APIRequest, as user: User = .bylaw) async throws -> WatchedEvents {
        // Longer than any test waits for, so that a missing event fails instead of hanging.
        let (exchanger, http) = try await prepare(request, as: user, limits: HTTPLimits(total: .seconds(60)))
        return WatchedEvents(try await exchanger.open(http))
    }

    private func prepare(
        _ request: APIRequest, as user: User, limits: HTTPLimits
    ) async throws -> (HTTPExchanger, HTTPRequest) {
        var endpoint = bylaw.endpoint
        var exchanger = exchangers.bylaw
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        switch user {
        case .bylaw:
            if embedded != nil { headers.append(("Authorization", "Bearer user:bylaw")) }
        case .admin, .named:
            endpoint = admin.endpoint
            exchanger = exchangers.admin
        }
        if case .named(let name) = user {
            headers.append(embedded == nil ? ("Impersonate-User", name) : ("Authorization", "Bearer user:\(name)"))
        }
        if let type = request.contentType { headers.append(("Content-Type", type)) }
        let access = try await endpoint.access()
        if let secret = access.header {
            headers.append(("Authorization", String(decoding: secret.bytes, as: UTF8.self)))
        }
        exchanger.replaceTLS(access.tls)
        let http = HTTPRequest(
            method: request.method.rawValue, url: endpoint.server + request.target, headers: headers,
            body: request.body, limits: limits)
        return (exchanger, http)
    }

    // MARK: Places and people

    /// Runs a test in a namespace of its own, which is deleted afterwards.
    func withNamespace(_ test: (String) async throws -> Void) async throws {
        let name = uniqueName()
        let id = ObjectID(.namespace, name: name)
        _ = try await admin.apply(manifest(id), to: id, expecting: nil, isDryRun: false)
        let result: Result<Void, any Error>
        do {
            // Admission may not have seen the namespace yet (rule G5).
            let probe = ObjectID(.limitRange, namespace: name, name: "probe")
            try await eventually("namespace \(name) can be used") {
                try await send(.apply(manifest(probe, ["spec": ["limits": []]]), to: probe, isDryRun: true)).isSuccess
            }
            result = .success(try await test(name))
        } catch {
            result = .failure(error)
        }
        await remove(id)
        try result.get()
    }

    /// Deletes an object whatever its version; nothing where it is gone already.
    func remove(_ id: ObjectID) async {
        guard let resource = id.resource else { return }
        _ = try? await send(APIRequest(method: .delete, path: resource.path(of: id)), as: .admin)
    }

    /// Makes somebody who may do some things in one namespace, and nothing else.
    func makeUser(in namespace: String, allowed rules: Tree) async throws -> User {
        let name = uniqueName()
        let role = ObjectID(.role, namespace: namespace, name: name)
        let binding = ObjectID(.roleBinding, namespace: namespace, name: name)
        _ = try await admin.apply(manifest(role, ["rules": rules]), to: role, expecting: nil, isDryRun: false)
        _ = try await admin.apply(
            manifest(binding, ["roleRef": reference(to: role), "subjects": [user(named: name)]]), to: binding,
            expecting: nil, isDryRun: false)
        let made = User.named(name)
        for rule in rules.array ?? [] {
            // The authorizer learns of new roles and bindings a moment later.
            guard let verb = rule["verbs"]?.array?.first?.string,
                let resource = Resource.managed.first(where: { .string($0.plural) == rule["resources"]?.array?.first })
            else { continue }
            let name = rule["resourceNames"]?.array?.first?.string ?? ""
            let review = APIRequest.accessReview(verb: verb, resource: resource, namespace: namespace, name: name)
            try await eventually("\(made) may \(verb) \(resource.plural)") {
                try await send(review, as: made).tree["status"]?["allowed"] == true
            }
        }
        return made
    }
}

/// A name that no other test and no earlier run has.
func uniqueName() -> String { "contract-\(UUID().uuidString.lowercased().prefix(13))" }

/// Waits until something holds, looking again and again; an issue where it does not within the time.
func eventually(
    within limit: Duration = .seconds(60), _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
}

import Foundation
import HTTPServer
import JSON
import Manifest

extension EmbeddedCluster {
    /// Finds out what a request is about.
    func route(_ request: ServerRequest) throws(Refusal) -> ServerResponse {
        switch request.path {
        case "/healthz", "/readyz", "/livez": return ServerResponse(status: 200, body: Array("ok".utf8))
        case "/version":
            return json(["major": "1", "minor": "36", "gitVersion": "v1.36.2-embedded", "platform": "linux/amd64"])
        case "/api": return json(["kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"]])
        case "/apis": return json(groupList(store.lock.withLock { store.served }))
        case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" where request.method == "POST":
            return try reviewAccess(request)
        case "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" where request.method == "POST":
            return try reviewRules(request)
        case "/apis/authentication.k8s.io/v1/selfsubjectreviews" where request.method == "POST":
            return try reviewSelf(request)
        default: break
        }
        var parts = request.path.split(separator: "/").map(String.init)
        guard let root = parts.first else { throw .unknownPath }
        parts.removeFirst()
        var group = ""
        if root == "apis" {
            guard let first = parts.first else { throw .unknownPath }
            group = first
            parts.removeFirst()
        } else if root != "api" {
            throw .unknownPath
        }
        let served = store.lock.withLock { store.served }
        let version = parts.first ?? ""
        let ofVersion = served.filter { $0.group == group && $0.version == version }
        guard !ofVersion.isEmpty else { throw .unknownPath }
        parts.removeFirst()
        if parts.isEmpty { return json(resourceList(ofVersion)) }
        var namespace = ""
        if parts[0] == "namespaces", parts.count >= 3 {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard let resource = ofVersion.first(where: { $0.plural == parts[0] }),
            parts.count <= 2 || (parts.count == 3 && hasSubresource(parts[2], resource)),
            resource.isNamespaced || namespace.isEmpty
        else { throw .unknownResource() }
        let target = RequestTarget(
            resource: resource, namespace: namespace, name: parts.count >= 2 ? parts[1] : "",
            subresource: parts.count == 3 ? parts[2] : "", user: try user(of: request), request: request)
        return try serve(target)
    }

    private func hasSubresource(_ name: String, _ resource: Resource) -> Bool {
        name == "status" && store.lock.withLock { store.customKinds[resource]?.hasStatus == true }
    }

    private func serve(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        let result: Result<ServerResponse, Refusal> = store.lock.withLock {
            do throws(Refusal) {
                try authorize(target)
                try checkDryRun(target)
                switch (target.request.method, target.name.isEmpty) {
                case ("GET", true):
                    let isWatch = ["1", "true"].contains(target.request.query("watch") ?? "")
                    return .success(isWatch ? try watch(target) : try list(target))
                case ("GET", false): return .success(json(try existing(target)))
                case ("POST", true): return .success(try create(target))
                case ("PATCH", false): return .success(try patch(target))
                case ("PUT", false): return .success(try replace(target))
                case ("DELETE", false) where target.subresource.isEmpty: return .success(try delete(target))
                default:
                    throw Refusal(
                        405, reason: "MethodNotAllowed",
                        "the server does not allow this method on the requested resource")
                }
            } catch {
                return .failure(error)
            }
        }
        do {
            return try result.get()
        } catch {
            throw error
        }
    }

    /// Nothing but `All` asks for a dry run (rule D23).
    private func checkDryRun(_ target: RequestTarget) throws(Refusal) {
        guard let value = target.request.query("dryRun"), value != "All" else { return }
        throw .invalid(target.resource, "", [("FieldValueNotSupported", "Unsupported value: \"\(value)\"", "dryRun")])
    }

    func json(_ tree: Tree, status: Int = 200) -> ServerResponse {
        ServerResponse(status: status, headers: [("Content-Type", "application/json")], body: tree.jsonBytes())
    }

    func existing(_ target: RequestTarget) throws(Refusal) -> Tree {
        guard let tree = store.object(target.resource, target.key) else {
            throw .notFound(target.resource, target.name)
        }
        return tree
    }

    // MARK: Who and whether

    private func user(of request: ServerRequest) throws(Refusal) -> UserIdentity {
        guard let header = request.header("Authorization") else {
            return UserIdentity(name: "admin", groups: ["system:masters", "system:authenticated"])
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0] == "Bearer", parts[1].hasPrefix("user:") else {
            throw Refusal(401, reason: "Unauthorized", "Unauthorized", hasDetails: false)
        }
        let words = parts[1].dropFirst(5).split(separator: ":", maxSplits: 1).map(String.init)
        let groups = words.count > 1 ? words[1].split(separator: ",").map(String.init) : []
        return UserIdentity(name: words.first ?? "", groups: Set(groups + ["system:authenticated"]))
    }

    private func authorize(_ target: RequestTarget) throws(Refusal) {
        let isWatch = target.request.query("watch") != nil
        let verb: String =
            switch target.request.method {
            case "GET": target.name.isEmpty ? (isWatch ? "watch" : "list") : "get"
            case "POST": "create"
            case "PATCH": "patch"
            case "PUT": "update"
            default: "delete"
            }
        let authorizer = Authorizer(store: store)
        // Rules name a subresource behind a slash.
        var resource = target.resource
        if !target.subresource.isEmpty { resource.plural += "/" + target.subresource }
        func require(_ verb: String, name: String) throws(Refusal) {
            guard authorizer.allows(target.user, verb, resource, namespace: target.namespace, name: name) else {
                let place =
                    target.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(target.namespace)\""
                throw .forbidden(
                    target.resource, name,
                    "User \"\(target.user.name)\" cannot \(verb) resource \"\(resource.plural)\" in API group "
                        + "\"\(target.resource.group)\" \(place)")
            }
        }
        try require(verb, name: target.name)
        // An apply that creates is authorised as a create too, with the name (rule D2).
        if verb == "patch", store.object(target.resource, target.key) == nil, target.isApply {
            try require("create", name: target.name)
        }
    }

    private func reviewAccess(_ request: ServerRequest) throws(Refusal) -> ServerResponse {
        let user = try user(of: request)
        guard var review = try? parseJSON(request.body), let attributes = review["spec"]?["resourceAttributes"] else {
            throw Refusal(400, reason: "BadRequest", "the request is no access review")
        }
        let resource = store.lock.withLock { store.served }.first {
            $0.group == attributes["group"]?.string ?? "" && $0.plural == attributes["resource"]?.string
        }
        let isAllowed = store.lock.withLock {
            guard let resource else { return user.isMaster }
            return Authorizer(store: store).allows(
                user, attributes["verb"]?.string ?? "", resource, namespace: attributes["namespace"]?.string ?? "",
                name: attributes["name"]?.string ?? "")
        }
        review.set(["status"], to: ["allowed": .bool(isAllowed)])
        return json(review, status: 201)
    }

    private func reviewRules(_ request: ServerRequest) throws(Refusal) -> ServerResponse {
        let user = try user(of: request)
        guard var review = try? parseJSON(request.body), let namespace = review["spec"]?["namespace"]?.string else {
            throw Refusal(400, reason: "BadRequest", "the request is no rules review")
        }
        let all: Tree = ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]
        let rules = store.lock.withLock {
            user.isMaster ? [all] : Authorizer(store: store).rules(of: user, namespace: namespace)
        }
        review.set(
            ["status"], to: ["resourceRules": .array(rules), "nonResourceRules": [], "incomplete": false])
        return json(review, status: 201)
    }

    private func reviewSelf(_ request: ServerRequest) throws(Refusal) -> ServerResponse {
        let user = try user(of: request)
        let groups = Tree.array(user.groups.sorted().map(Tree.string))
        return json(
            [
                "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
                "status": ["userInfo": ["username": .string(user.name), "groups": groups]],
            ], status: 201)
    }

    // MARK: Discovery

    private func groupList(_ served: [Resource]) -> Tree {
        let groups = Set(served.map(\.group)).filter { !$0.isEmpty }.sorted()
        return [
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": .array(
                groups.map { group in
                    let name = served.first { $0.group == group }?.version ?? "v1"
                    let version: Tree = ["groupVersion": .string("\(group)/\(name)"), "version": .string(name)]
                    return ["name": .string(group), "versions": [version], "preferredVersion": version]
                }),
        ]
    }

    /// - Parameter served: The kinds of one version of one group.
    private func resourceList(_ served: [Resource]) -> Tree {
        let custom = store.lock.withLock { store.customKinds }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(served.first?.apiVersion ?? "v1"),
            "resources": .array(
                served.flatMap { resource -> [Tree] in
                    var entry: Tree = [
                        "name": .string(resource.plural), "kind": .string(resource.kind),
                        "namespaced": .bool(resource.isNamespaced),
                        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                    ]
                    let names = Self.shortNames[resource].map { [$0] } ?? custom[resource]?.shortNames ?? []
                    if !names.isEmpty { entry.set(["shortNames"], to: .array(names.map(Tree.string))) }
                    guard custom[resource]?.hasStatus == true else { return [entry] }
                    let status: Tree = [
                        "name": .string(resource.plural + "/status"), "kind": .string(resource.kind),
                        "namespaced": .bool(resource.isNamespaced), "verbs": ["get", "patch", "update"],
                    ]
                    return [entry, status]
                }),
        ]
    }

    /// What people type for a kind in kubectl.
    private static let shortNames: [Resource: String] = [
        .namespace: "ns", .serviceAccount: "sa", .resourceQuota: "quota", .limitRange: "limits",
        .networkPolicy: "netpol",
    ]

    // MARK: Lists and watches

    private func list(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        let request = target.request
        var all = store.list(target.resource, namespace: target.namespace)
        if let selector = request.query("labelSelector"), !selector.isEmpty {
            let wanted = selector.split(separator: ",").map {
                $0.split(separator: "=", omittingEmptySubsequences: true).map(String.init)
            }
            all = all.filter { tree in
                wanted.allSatisfy { $0.count == 2 && tree["metadata"]?["labels"]?[$0[0]]?.string == $0[1] }
            }
        }
        if let name = target.selectedName { all = all.filter { $0["metadata"]?["name"]?.string == name } }
        var version = String(store.version)
        var start = 0
        if let token = request.query("continue"), !token.isEmpty {
            guard request.query("resourceVersion") == nil else {
                throw Refusal(
                    400, reason: "BadRequest", "specifying resource version is not allowed when using continue")
            }
            let parts = token.split(separator: ".")
            guard parts.count == 2, let offset = Int(parts[1]) else {
                throw Refusal(400, reason: "BadRequest", "continue key is not valid")
            }
            // The pages of one list are of one snapshot; where it is forgotten, the list has to begin anew (rule C3).
            version = String(parts[0])
            guard let snapshot = store.snapshot(version, target.resource, namespace: target.namespace) else {
                throw .expired
            }
            all = snapshot
            start = offset
        }
        let limit = request.query("limit").flatMap { Int($0) } ?? 0
        let end = limit > 0 ? min(all.count, start + limit) : all.count
        var metadata: Tree = ["resourceVersion": .string(version)]
        if end < all.count {
            metadata.set(["continue"], to: .string("\(version).\(end)"))
            store.keep(all, version, target.resource, namespace: target.namespace)
        }
        // The items of a typed list have no kind of their own (rule B8); those of a defined kind have.
        let isTyped = store.customKinds[target.resource] == nil
        let items = all[min(start, all.count)..<end].map { item in
            guard isTyped else { return item }
            var item = item
            item.set(["kind"], to: nil)
            item.set(["apiVersion"], to: nil)
            return item
        }
        return json([
            "kind": .string(target.resource.kind + "List"), "apiVersion": .string(target.resource.apiVersion),
            "metadata": metadata, "items": .array(items),
        ])
    }

    private func watch(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        let text = target.request.query("resourceVersion") ?? ""
        guard let from = text.isEmpty ? store.version : Int64(text) else {
            throw Refusal(500, reason: "", "strconv.ParseUint: parsing \"\(text)\": invalid syntax", hasDetails: false)
        }
        let stream = ResponseStream()
        let opened = store.watch(
            target.resource, namespace: target.namespace, name: target.selectedName, from: from, stream: stream)
        guard let number = opened else {
            // The answer is 200, and then an event that says so (rule C6).
            let error: Tree = ["type": "ERROR", "object": Refusal.expired.body ?? .null]
            stream.send(error.jsonBytes() + [0x0a])
            stream.finish()
            return ServerResponse(status: 200, headers: [("Content-Type", "application/json")], stream: stream)
        }
        stream.onEnd { [store] in store.endWatch(number) }
        if let seconds = target.request.query("timeoutSeconds").flatMap({ Int($0) }), seconds > 0 {
            Task { [store] in
                do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
                store.endWatch(number)
                stream.finish()
            }
        }
        return ServerResponse(status: 200, headers: [("Content-Type", "application/json")], stream: stream)
    }
}

/// What one request is about.
struct RequestTarget {
    var resource: Resource
    var namespace: String
    var name: String
    /// Such as `status`; empty for the object itself.
    var subresource = ""
    var user: UserIdentity
    var request: ServerRequest

    var key: ObjectStore.Key { ObjectStore.Key(namespace: namespace, name: name) }
    /// The name that a field selector asks for, as `kubectl delete` and `kubectl get --watch` do; nil for every name.
    var selectedName: String? {
        let fields = (request.query("fieldSelector") ?? "").split(separator: ",")
        return fields.first { $0.hasPrefix("metadata.name=") }.map { String($0.dropFirst("metadata.name=".count)) }
    }
    var isDryRun: Bool { request.query("dryRun") == "All" }
    var isApply: Bool { contentType == "application/apply-patch+yaml" }
    var contentType: String {
        String((request.header("Content-Type") ?? "").prefix { $0 != ";" }).lowercased()
    }

    /// The field manager of an update: what the client says, else the beginning of its User-Agent (rule A17).
    var updateManager: String {
        if let manager = request.query("fieldManager"), !manager.isEmpty { return manager }
        return String((request.header("User-Agent") ?? "unknown").prefix { $0 != "/" })
    }
}

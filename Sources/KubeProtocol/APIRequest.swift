import JSON
package import Manifest

/// A request to the API server as a value: nothing is sent here.
package struct APIRequest: Sendable, Equatable {
    package enum Method: String, Sendable {
        case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
    }

    package var method: Method
    /// Percent-encoded, from the root of the server, such as `/api/v1/namespaces/a`.
    package var path: String
    package var query: [QueryItem]
    package var contentType: String?
    package var body: [UInt8]?

    package struct QueryItem: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package init(
        method: Method, path: String, query: [(String, String)] = [], contentType: String? = nil, body: [UInt8]? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query.map { QueryItem(name: $0.0, value: $0.1) }
        self.contentType = contentType
        self.body = body
    }

    /// The path with the query behind it.
    package var target: String {
        guard !query.isEmpty else { return path }
        return path + "?"
            + query.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
    }

    /// What the request does, in words for messages: `apply`, `delete` and so on.
    package var verb: String {
        switch method {
        case .get: query.contains { $0.name == "watch" } ? "watch" : "read"
        case .post: "create"
        case .put: "update"
        case .patch: contentType == applyContentType ? "apply" : "patch"
        case .delete: "delete"
        }
    }

    /// The same as Kubernetes names it for authorization and metrics, except that an apply is told from other patches.
    package func kubernetesVerb(of resource: Resource?) -> String {
        guard verb == "read" else { return verb }
        guard let resource else { return "get" }
        return path.hasSuffix("/" + resource.plural) ? "list" : "get"
    }
}

/// JSON is YAML, so an apply sends JSON under this type (rule B9).
package let applyContentType = "application/apply-patch+yaml"

extension Resource {
    /// The path of the kind's collection: of one namespace, or of the whole cluster.
    package func collectionPath(namespace: String = "") -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        guard isNamespaced, !namespace.isEmpty else { return "\(root)/\(plural)" }
        return "\(root)/namespaces/\(percentEncoded(namespace))/\(plural)"
    }

    /// The path of one object.
    ///
    /// Names of RBAC objects may hold colons and more, so they are encoded (rule I10).
    package func path(of id: ObjectID) -> String {
        "\(collectionPath(namespace: id.namespace))/\(percentEncoded(id.name))"
    }
}

extension APIRequest {
    package static func list(
        _ resource: Resource, namespace: String = "", limit: Int = 500, continuing token: String? = nil
    ) -> APIRequest {
        // While a list is continued no version may be sent (rule C1); without one the answer is the most recent (rule C2).
        var query = [("limit", String(limit))]
        if let token { query.append(("continue", token)) }
        return APIRequest(method: .get, path: resource.collectionPath(namespace: namespace), query: query)
    }

    package static func watch(
        _ resource: Resource, namespace: String = "", from version: String, timeout: Duration
    ) -> APIRequest {
        APIRequest(
            method: .get, path: resource.collectionPath(namespace: namespace),
            query: [
                ("watch", "1"), ("resourceVersion", version), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", String(timeout.components.seconds)),
            ])
    }

    package static func read(_ resource: Resource, _ id: ObjectID) -> APIRequest {
        APIRequest(method: .get, path: resource.path(of: id))
    }

    /// Server-side apply by force (rule D1).
    ///
    /// With an expected uid and version in its metadata the body updates that object and nothing else (rule D24).
    package static func apply(
        _ body: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String, expecting live: LiveObject?,
        isDryRun: Bool
    ) -> APIRequest {
        var body = body
        if let live {
            body.expect(live)
        }
        return APIRequest(
            method: .patch, path: resource.path(of: id),
            query: [("fieldManager", fieldManager), ("force", "true")] + dryRun(isDryRun),
            contentType: applyContentType, body: body.jsonBytes())
    }

    /// Server-side apply that makes an object, and is refused with a conflict where one of that name is there.
    ///
    /// An apply without a uid makes what is absent whatever version it names, and changes what is there only in that version
    /// (rule D24); no object ever has this one, since the first revision of etcd holds none.
    package static func applyNew(
        _ body: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String
    ) -> APIRequest {
        var body = body
        body.set(["metadata", "uid"], to: nil)
        body.set(["metadata", "resourceVersion"], to: "1")
        return apply(body, resource, id, fieldManager: fieldManager, expecting: nil, isDryRun: false)
    }

    /// Replaces an object; the body carries the version that it was made of.
    package static func update(
        _ body: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String
    ) -> APIRequest {
        APIRequest(
            method: .put, path: resource.path(of: id), query: [("fieldManager", fieldManager)],
            contentType: "application/json", body: body.jsonBytes())
    }

    /// Whether it asks for a change, and not only for an answer.
    package var isWrite: Bool {
        // Reviews are sent with POST, and change nothing.
        method != .get && !path.hasPrefix("/apis/authorization.k8s.io/")
            && !path.hasPrefix("/apis/authentication.k8s.io/")
    }

    /// A merge patch on exactly the expected version (rule D11).
    package static func mergePatch(
        _ patch: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String, expecting live: LiveObject
    ) -> APIRequest {
        var patch = patch
        patch.expect(live)
        return patchAnyVersion(patch, resource, id, fieldManager: fieldManager)
    }

    /// A merge patch on whatever version there is.
    package static func patchAnyVersion(
        _ patch: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String
    ) -> APIRequest {
        APIRequest(
            method: .patch, path: resource.path(of: id), query: [("fieldManager", fieldManager)],
            contentType: "application/merge-patch+json", body: patch.jsonBytes())
    }

    package static func jsonPatch(
        _ patch: Tree, _ resource: Resource, _ id: ObjectID, fieldManager: String
    ) -> APIRequest {
        APIRequest(
            method: .patch, path: resource.path(of: id), query: [("fieldManager", fieldManager)],
            contentType: "application/json-patch+json", body: patch.jsonBytes())
    }

    /// Replaces the whole status of an object, by way of its own subresource, and nothing else of the object.
    ///
    /// A JSON patch does that in any version of the object; a merge patch would keep what the new status leaves out.
    ///
    /// - Parameter reporter: What `reporter` has to be in the one that is replaced; nil for anything.
    package static func replaceStatus(
        _ status: Tree, over reporter: String? = nil, _ resource: Resource, _ id: ObjectID, fieldManager: String
    ) -> APIRequest {
        let test: [Tree] = reporter.map { [["op": "test", "path": "/status/reporter", "value": .string($0)]] } ?? []
        let patch = Tree.array(test + [["op": "add", "path": "/status", "value": status]])
        return APIRequest(
            method: .patch, path: resource.path(of: id) + "/status", query: [("fieldManager", fieldManager)],
            contentType: "application/json-patch+json", body: patch.jsonBytes())
    }

    package static func create(
        _ body: Tree, _ resource: Resource, namespace: String, fieldManager: String, isDryRun: Bool
    ) -> APIRequest {
        APIRequest(
            method: .post, path: resource.collectionPath(namespace: namespace),
            query: [("fieldManager", fieldManager)] + dryRun(isDryRun), contentType: "application/json",
            body: body.jsonBytes())
    }

    /// Deletes in the background, and only the object of the expected uid and version (rules F8 and H3).
    package static func delete(_ resource: Resource, _ id: ObjectID, expecting live: LiveObject) -> APIRequest {
        var options: Tree = [
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
            "preconditions": ["uid": .string(live.uid)],
        ]
        if !live.resourceVersion.isEmpty {
            options.set(["preconditions", "resourceVersion"], to: .string(live.resourceVersion))
        }
        return APIRequest(
            method: .delete, path: resource.path(of: id), contentType: "application/json", body: options.jsonBytes())
    }

    /// Asks whether we may do something (rule L6).
    package static func accessReview(
        verb: String, resource: Resource, namespace: String = "", name: String = ""
    ) -> APIRequest {
        var attributes: Tree = [
            "verb": .string(verb), "group": .string(resource.group), "resource": .string(resource.plural),
        ]
        if !namespace.isEmpty { attributes.set(["namespace"], to: .string(namespace)) }
        if !name.isEmpty { attributes.set(["name"], to: .string(name)) }
        let body: Tree = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": ["resourceAttributes": attributes],
        ]
        return APIRequest(
            method: .post, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            contentType: "application/json", body: body.jsonBytes())
    }

    /// Asks who the server takes us for; served since Kubernetes 1.28.
    package static var selfReview: APIRequest {
        let body: Tree = ["apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"]
        return APIRequest(
            method: .post, path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            contentType: "application/json", body: body.jsonBytes())
    }

    /// Asks which rules hold for us in a namespace (rule L6).
    package static func ownRules(in namespace: String) -> APIRequest {
        let body: Tree = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": ["namespace": .string(namespace)],
        ]
        return APIRequest(
            method: .post, path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            contentType: "application/json", body: body.jsonBytes())
    }

    private static func dryRun(_ isDryRun: Bool) -> [(String, String)] { isDryRun ? [("dryRun", "All")] : [] }
}

/// A text with everything but unreserved characters percent-encoded (RFC 3986, section 2.3).
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.append(byte)
        default:
            result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: result, as: UTF8.self)
}

extension Tree {
    /// Lets a write land on one object only, and on one version of it where that is given.
    fileprivate mutating func expect(_ live: LiveObject) {
        set(["metadata", "uid"], to: .string(live.uid))
        if !live.resourceVersion.isEmpty { set(["metadata", "resourceVersion"], to: .string(live.resourceVersion)) }
    }
}

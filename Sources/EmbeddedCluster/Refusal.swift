import Manifest

/// A refusal in the API server's own shapes.
struct Refusal: Error {
    var status: Int
    /// nil for an answer in plain text.
    var body: Tree?
    var text = ""
    var retryAfter: Int?

    init(
        _ status: Int, reason: String, _ message: String, name: String = "", group: String = "", kind: String = "",
        causes: [(reason: String, message: String, field: String)] = [], hasDetails: Bool = true
    ) {
        self.status = status
        var body: Tree = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "code": .integer(Int64(status)),
        ]
        if !reason.isEmpty { body.set(["reason"], to: .string(reason)) }
        if hasDetails {
            var details = Tree.object(Members())
            if !name.isEmpty { details.set(["name"], to: .string(name)) }
            if !group.isEmpty { details.set(["group"], to: .string(group)) }
            if !kind.isEmpty { details.set(["kind"], to: .string(kind)) }
            if !causes.isEmpty {
                details.set(
                    ["causes"],
                    to: .array(
                        causes.map {
                            ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)]
                        }))
            }
            body.set(["details"], to: details)
        }
        self.body = body
    }

    /// An unknown group or path is answered in text (rule B7).
    static let unknownPath: Refusal = {
        var refusal = Refusal(404, reason: "", "")
        refusal.body = nil
        refusal.text = "404 page not found\n"
        return refusal
    }()

    static func unknownResource() -> Refusal {
        Refusal(404, reason: "NotFound", "the server could not find the requested resource", hasDetails: false)
    }

    static func notFound(_ resource: Resource, _ name: String) -> Refusal {
        Refusal(
            404, reason: "NotFound", "\(resource.qualifiedPlural) \"\(name)\" not found", name: name,
            group: resource.group, kind: resource.plural)
    }

    static func conflict(_ resource: Resource, _ name: String, _ what: String) -> Refusal {
        Refusal(
            409, reason: "Conflict",
            "Operation cannot be fulfilled on \(resource.qualifiedPlural) \"\(name)\": \(what)",
            name: name, group: resource.group, kind: resource.plural)
    }

    static func invalid(
        _ resource: Resource, _ name: String, _ causes: [(reason: String, message: String, field: String)]
    ) -> Refusal {
        let list = causes.map { "\($0.field): \($0.message)" }
        let text = list.count == 1 ? list[0] : "[\(list.joined(separator: ", "))]"
        return Refusal(
            422, reason: "Invalid",
            "\(resource.kind)\(resource.group.isEmpty ? "" : "." + resource.group) \"\(name)\" is invalid: \(text)",
            name: name, group: resource.group, kind: resource.kind, causes: causes)
    }

    static func forbidden(_ resource: Resource, _ name: String, _ message: String) -> Refusal {
        Refusal(
            403, reason: "Forbidden",
            "\(resource.qualifiedPlural)\(name.isEmpty ? "" : " \"\(name)\"") is forbidden: \(message)",
            name: name, group: resource.group, kind: resource.plural)
    }

    static func terminating(_ resource: Resource, _ name: String, namespace: String) -> Refusal {
        Refusal(
            403, reason: "Forbidden",
            "\(resource.qualifiedPlural) \"\(name)\" is forbidden: unable to create new content in namespace \(namespace) "
                + "because it is being terminated", name: name, group: resource.group, kind: resource.plural,
            causes: [("NamespaceTerminating", "namespace \(namespace) is being terminated", "metadata.namespace")])
    }

    static let expired = Refusal(
        410, reason: "Expired", "too old resource version", hasDetails: false)
}

import Foundation
import HTTPServer
import JSON
import Manifest

extension EmbeddedCluster {
    // MARK: Create, patch, replace

    func create(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        var body = try decodeBody(target)
        let name = body["metadata"]?["name"]?.string ?? ""
        guard !name.isEmpty else {
            throw .invalid(
                target.resource, "",
                [("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")])
        }
        var target = target
        target.name = name
        try checkPlace(&body, target)
        if let old = store.object(target.resource, target.key) {
            let isLeaving = old["metadata"]?["deletionTimestamp"] != nil
            throw Refusal(
                409, reason: "AlreadyExists",
                isLeaving
                    ? "object is being deleted: \(target.resource.qualifiedPlural) \"\(name)\" already exists"
                    : "\(target.resource.qualifiedPlural) \"\(name)\" already exists", name: name,
                group: target.resource.group, kind: target.resource.plural)
        }
        try Admission.validate(body, target.resource, isApply: false)
        if target.resource == .event { try EventValidation.validate(body, over: nil) }
        let tracked = trackUpdate(
            from: nil, to: Admission.defaulted(body, target.resource), manager: target.updateManager, time: timestamp())
        return json(try store(tracked, over: nil, target), status: 201)
    }

    func replace(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        var body = try decodeBody(target)
        try checkReplacement(body, target)
        let old = try existing(target)
        try checkPlace(&body, target)
        try checkVersion(body, old, target)
        return json(try update(body, old, target))
    }

    func patch(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        if target.isApply { return try apply(target) }
        let patch = try decodeBody(target)
        let old = try existing(target)
        var new: Tree
        switch target.contentType {
        case "application/json-patch+json":
            do throws(PatchFailure) {
                new = try jsonPatched(old, patch)
            } catch {
                throw Refusal(422, reason: "Invalid", "the server rejected our request due to an error in our request")
            }
        case "application/merge-patch+json", "application/strategic-merge-patch+json":
            new = old.mergePatched(with: patch)
        default:
            throw Refusal(415, reason: "UnsupportedMediaType", "the body of the request was in an unknown format")
        }
        try checkVersion(new, old, target)
        try checkPlace(&new, target)
        return json(try update(new, old, target))
    }

    private func update(_ new: Tree, _ old: Tree, _ target: RequestTarget) throws(Refusal) -> Tree {
        try Admission.validate(new, target.resource, isApply: false)
        if target.resource == .event { try EventValidation.validate(new, over: old) }
        let tracked = trackUpdate(
            from: old, to: Admission.defaulted(new, target.resource), manager: target.updateManager, time: timestamp())
        return try store(tracked, over: old, target)
    }

    private func apply(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        guard let manager = target.request.query("fieldManager"), !manager.isEmpty else {
            throw .invalid(
                target.resource, "",
                [("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")])
        }
        guard manager.utf8.count <= 128 else {
            throw .invalid(
                target.resource, "", [("FieldValueTooLong", "Too long: may not be longer than 128", "fieldManager")])
        }
        var body = try decodeBody(target)
        guard body["apiVersion"]?.string == target.resource.apiVersion, body["kind"]?.string == target.resource.kind
        else {
            throw Refusal(
                400, reason: "BadRequest", "the object's apiVersion and kind do not match those of the request")
        }
        guard body["metadata"]?["managedFields"] == nil else {
            throw Refusal(400, reason: "BadRequest", "metadata.managedFields must be nil")
        }
        try checkPlace(&body, target)
        let old = store.object(target.resource, target.key)
        try checkExpectations(body, old, target)
        for field in ["uid", "resourceVersion"] { body.set(["metadata", field], to: nil) }
        try Admission.validate(withName(body, target), target.resource, isApply: true)
        switch mergeApply(
            body, into: old, manager: manager, isForced: target.request.query("force") == "true", time: timestamp())
        {
        case .failure(let conflicts):
            let causes = conflicts.all.map { conflict in
                (
                    reason: "FieldManagerConflict",
                    message: "conflict with \"\(conflict.manager)\""
                        + (conflict.operation == "Update" ? " using \(target.resource.apiVersion)" : ""),
                    field: conflict.path.map { ".\($0)" }.joined()
                )
            }
            throw Refusal(
                409, reason: "Conflict",
                "Apply failed with \(causes.count) conflict\(causes.count == 1 ? "" : "s"): \(causes.map { "\($0.message): \($0.field)" }.joined(separator: ", "))",
                causes: causes)
        case .success(var merged):
            merged = withName(merged, target)
            let hasEmptyList =
                ["ingress", "egress"].contains { body["spec"]?[$0] == [] } && target.resource == .networkPolicy
            let stored = try store(
                Admission.defaulted(merged, target.resource), over: old, target, isForcedChange: hasEmptyList)
            return json(stored, status: old == nil ? 201 : 200)
        }
    }

    private func withName(_ tree: Tree, _ target: RequestTarget) -> Tree {
        var tree = tree
        tree.set(["apiVersion"], to: .string(target.resource.apiVersion))
        tree.set(["kind"], to: .string(target.resource.kind))
        tree.set(["metadata", "name"], to: .string(target.name))
        if target.resource.isNamespaced { tree.set(["metadata", "namespace"], to: .string(target.namespace)) }
        return tree
    }

    // MARK: Storing

    /// Stores what a request made of an object; what changes nothing keeps its version (rule D3).
    func store(
        _ new: Tree, over old: Tree?, _ target: RequestTarget, isForcedChange: Bool = false
    ) throws(Refusal) -> Tree {
        var new = new
        let defined = target.resource == .customResourceDefinition ? try CustomKind(new) : nil
        if let old { try Admission.validateUpdate(from: old, to: new, target.resource) }
        try checkEscalation(new, over: old, target)
        if old == nil, target.resource.isNamespaced {
            guard let namespace = store.object(.namespace, .init(namespace: "", name: target.namespace)) else {
                throw .notFound(.namespace, target.namespace)
            }
            if namespace["metadata"]?["deletionTimestamp"] != nil {
                throw .terminating(target.resource, target.name, namespace: target.namespace)
            }
        }
        for field in ["uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion"] {
            new.set(["metadata", field], to: old?["metadata"]?[field])
        }
        if let kind = store.customKinds[target.resource] {
            new = try kind.admit(new, over: old, subresource: target.subresource, name: target.name)
        }
        if let old, old == new, !isForcedChange { return old }
        // Whoever takes the last finalizer away ends what was to be deleted, and gets its old version (rule D28).
        if new["metadata"]?["deletionTimestamp"] != nil, new["metadata"]?["finalizers"] == nil,
            target.resource != .namespace
        {
            if !target.isDryRun {
                store.remove(target.resource, target.key)
                if target.resource.isNamespaced { finishNamespacesSoon() }
                if target.resource == .clusterRole { fillAggregatedRoles() }
            }
            return new
        }
        if target.resource == .networkPolicy, let old, old["spec"] != new["spec"] || isForcedChange {
            new.set(["metadata", "generation"], to: .integer((old["metadata"]?["generation"]?.integer ?? 0) + 1))
        }
        guard !target.isDryRun else { return new }
        let stored = store.put(new, target.resource, now: timestamp())
        if target.resource == .clusterRole { fillAggregatedRoles() }
        if let defined { install(defined) }
        return stored
    }

    /// Fills the rules of aggregated roles, as the controller manager does.
    func fillAggregatedRoles() {
        // Chains exist, so it is repeated until nothing changes; each round settles one more link.
        for _ in 0..<8 {
            var hasChanged = false
            let all = store.list(.clusterRole, namespace: "")
            for role in all {
                guard let selectors = role["aggregationRule"]?["clusterRoleSelectors"]?.array else { continue }
                var rules: [Tree] = []
                for other in all where other["metadata"]?["name"] != role["metadata"]?["name"] {
                    let labels = other["metadata"]?["labels"]
                    let matches = selectors.contains { selector in
                        (selector["matchLabels"]?.members ?? Members()).allSatisfy { labels?[$0.key] == $0.value }
                    }
                    guard matches else { continue }
                    for rule in other["rules"]?.array ?? [] where !rules.contains(rule) { rules.append(rule) }
                }
                guard role["rules"] != .array(rules) else { continue }
                var filled = role
                filled.set(["rules"], to: .array(rules))
                filled = trackUpdate(
                    from: role, to: filled, manager: "clusterrole-aggregation-controller", time: timestamp())
                store.put(filled, .clusterRole, now: timestamp())
                hasChanged = true
            }
            if !hasChanged { return }
        }
    }
}

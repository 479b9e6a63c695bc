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
        let tracked = trackUpdate(
            from: nil, to: Admission.defaulted(body, target.resource), manager: target.updateManager, time: timestamp())
        return json(try store(tracked, over: nil, target), status: 201)
    }

    func replace(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        var body = try decodeBody(target)
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
            new = mergePatched(old, patch)
        default:
            throw Refusal(415, reason: "UnsupportedMediaType", "the body of the request was in an unknown format")
        }
        try checkVersion(new, old, target)
        try checkPlace(&new, target)
        return json(try update(new, old, target))
    }

    private func update(_ new: Tree, _ old: Tree, _ target: RequestTarget) throws(Refusal) -> Tree {
        try Admission.validate(new, target.resource, isApply: false)
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

    // MARK: Checks

    private func decodeBody(_ target: RequestTarget) throws(Refusal) -> Tree {
        do throws(JSONError) {
            return try parseJSON(target.request.body)
        } catch {
            throw Refusal(400, reason: "BadRequest", "couldn't get version/kind; json parse error: \(error)")
        }
    }

    /// The body must be about the object that the address names; a namespace on an object of the whole cluster is dropped (rule G7).
    private func checkPlace(_ body: inout Tree, _ target: RequestTarget) throws(Refusal) {
        if let name = body["metadata"]?["name"]?.string, name != target.name {
            throw Refusal(
                400, reason: "BadRequest",
                "the name of the object (\(name)) does not match the name on the URL (\(target.name))")
        }
        guard target.resource.isNamespaced else {
            body.set(["metadata", "namespace"], to: nil)
            return
        }
        if let namespace = body["metadata"]?["namespace"]?.string, namespace != target.namespace {
            throw Refusal(
                400, reason: "BadRequest",
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        body.set(["metadata", "namespace"], to: .string(target.namespace))
    }

    /// An update names the version that it was made for, or none.
    private func checkVersion(_ body: Tree, _ old: Tree, _ target: RequestTarget) throws(Refusal) {
        if let uid = body["metadata"]?["uid"], uid != old["metadata"]?["uid"] {
            throw .conflict(
                target.resource, target.name,
                "Precondition failed: UID in precondition: \(uid.string ?? ""), UID in object meta: \(old["metadata"]?["uid"]?.string ?? "")"
            )
        }
        if let version = body["metadata"]?["resourceVersion"]?.string, !version.isEmpty,
            version != old["metadata"]?["resourceVersion"]?.string
        {
            throw .conflict(
                target.resource, target.name,
                "the object has been modified; please apply your changes to the latest version and try again")
        }
    }

    /// The same for an apply: without a uid an expected version does not keep an absent object from being made (rule D24).
    private func checkExpectations(_ body: Tree, _ old: Tree?, _ target: RequestTarget) throws(Refusal) {
        guard let old else {
            guard body["metadata"]?["uid"] == nil else {
                throw .conflict(
                    target.resource, target.name,
                    "uid mismatch: the provided object specified uid \(body["metadata"]?["uid"]?.string ?? ""), and no existing object was found"
                )
            }
            return
        }
        if let uid = body["metadata"]?["uid"], uid != old["metadata"]?["uid"] {
            throw .invalid(
                target.resource, target.name,
                [("FieldValueInvalid", "Invalid value: field is immutable", "metadata.uid")])
        }
        try checkVersion(body, old, target)
    }

    /// Who writes a role or binding must hold its rights, or the verb that lifts the check (rules I1 to I4).
    private func checkEscalation(_ new: Tree, over old: Tree?, _ target: RequestTarget) throws(Refusal) {
        let authorizer = Authorizer(store: store)
        // Finalizers and owners are not looked at (rule I2).
        let unchecked: FieldSet = [["metadata", "finalizers"], ["metadata", "ownerReferences"]]
        let isUnchanged = old.map { changedFields(from: $0, to: new).subtracting(unchecked).isEmpty } ?? false
        guard !target.user.isMaster, !isUnchanged else { return }
        let excess: [Tree]
        switch target.resource {
        case .role, .clusterRole:
            guard
                !authorizer.allows(
                    target.user, "escalate", target.resource, namespace: target.namespace, name: target.name)
            else { return }
            excess = authorizer.exceeds(new["rules"]?.array ?? [], target.user, namespace: target.namespace)
        case .roleBinding, .clusterRoleBinding:
            let reference = new["roleRef"]
            let role: Resource = reference?["kind"]?.string == "ClusterRole" ? .clusterRole : .role
            let name = reference?["name"]?.string ?? ""
            guard !authorizer.allows(target.user, "bind", role, namespace: target.namespace, name: name) else { return }
            let key = ObjectStore.Key(namespace: role.isNamespaced ? target.namespace : "", name: name)
            guard store.object(role, key) != nil else { throw .notFound(role, name) }
            excess = authorizer.exceeds(
                authorizer.rules(of: reference, namespace: target.namespace), target.user, namespace: target.namespace)
        default: return
        }
        guard !excess.isEmpty else { return }
        throw .forbidden(
            target.resource, target.name,
            "user \"\(target.user.name)\" (groups=\(target.user.groups)) is attempting to grant RBAC permissions not currently held:\n"
                + excess.map { $0.jsonText() }.joined(separator: "\n"))
    }

    // MARK: Storing

    /// Stores what a request made of an object; what changes nothing keeps its version (rule D3).
    private func store(
        _ new: Tree, over old: Tree?, _ target: RequestTarget, isForcedChange: Bool = false
    ) throws(Refusal) -> Tree {
        var new = new
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

    // MARK: Delete

    func delete(_ target: RequestTarget) throws(Refusal) -> ServerResponse {
        let old = try existing(target)
        if target.resource == .namespace, ["default", "kube-system", "kube-public"].contains(target.name) {
            throw .forbidden(.namespace, target.name, "this namespace may not be deleted")
        }
        let options = target.request.body.isEmpty ? Tree.object(Members()) : try decodeBody(target)
        if let uid = options["preconditions"]?["uid"], uid != old["metadata"]?["uid"] {
            throw .conflict(
                target.resource, target.name,
                "Precondition failed: UID in precondition: \(uid.string ?? ""), UID in object meta: \(old["metadata"]?["uid"]?.string ?? "")"
            )
        }
        if let version = options["preconditions"]?["resourceVersion"], version != old["metadata"]?["resourceVersion"] {
            throw .conflict(
                target.resource, target.name,
                "Precondition failed: ResourceVersion in precondition: \(version.string ?? ""), ResourceVersion in object meta: \(old["metadata"]?["resourceVersion"]?.string ?? "")"
            )
        }
        let policy = options["propagationPolicy"]?.string
        guard policy == nil || options["orphanDependents"] == nil else {
            throw Refusal(
                422, reason: "Invalid",
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: orphanDependents and propagationPolicy cannot be both set",
                causes: [
                    (
                        "FieldValueInvalid", "orphanDependents and propagationPolicy cannot be both set",
                        "propagationPolicy"
                    )
                ])
        }
        if target.isDryRun || options["dryRun"] == ["All"] { return json(old) }
        var finalizers = old["metadata"]?["finalizers"]?.array ?? []
        let isForeground = policy == "Foreground" && target.resource != .namespace
        if isForeground, !finalizers.contains("foregroundDeletion") { finalizers.append("foregroundDeletion") }
        if target.resource == .namespace || !finalizers.isEmpty {
            var leaving = old
            if leaving["metadata"]?["deletionTimestamp"] == nil {
                leaving.set(["metadata", "deletionTimestamp"], to: .string(timestamp()))
                if !finalizers.isEmpty { leaving.set(["metadata", "finalizers"], to: .array(finalizers)) }
                if target.resource == .namespace { leaving.set(["status", "phase"], to: "Terminating") }
                leaving = store.put(leaving, target.resource, now: timestamp())
            }
            if target.resource == .namespace { finishNamespacesSoon() }
            if isForeground { collectSoon(target) }
            return json(leaving)
        }
        store.remove(target.resource, target.key)
        if target.resource == .clusterRole { fillAggregatedRoles() }
        return json([
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
            "details": [
                "name": .string(target.name), "group": .string(target.resource.group),
                "kind": .string(target.resource.plural),
                "uid": old["metadata"]?["uid"] ?? .null,
            ],
        ])
    }

    /// The garbage collector ends a foreground deletion a moment after it was asked for: nothing here has dependents (rule F8).
    private func collectSoon(_ target: RequestTarget) {
        Task { [weak self] in
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
            self?.collect(target)
        }
    }

    private func collect(_ target: RequestTarget) {
        store.lock.withLock {
            guard var object = store.object(target.resource, target.key),
                object["metadata"]?["deletionTimestamp"] != nil
            else { return }
            let rest = (object["metadata"]?["finalizers"]?.array ?? []).filter { $0 != "foregroundDeletion" }
            if rest.isEmpty {
                store.remove(target.resource, target.key)
            } else {
                object.set(["metadata", "finalizers"], to: .array(rest))
                store.put(object, target.resource, now: timestamp())
            }
        }
    }

    /// The namespace controller works a moment after the deletion was asked for.
    private func finishNamespacesSoon() {
        Task { [weak self] in
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
            self?.finishNamespaces()
        }
    }

    /// Deletes the contents of namespaces that are being deleted, and then themselves.
    func finishNamespaces() {
        store.lock.withLock {
            guard !faults.holdsNamespaces else { return }
            for namespace in store.list(.namespace, namespace: "")
            where namespace["metadata"]?["deletionTimestamp"] != nil {
                let name = namespace["metadata"]?["name"]?.string ?? ""
                var isHeld = false
                for (resource, key) in store.contents(of: name) {
                    guard let object = store.object(resource, key) else { continue }
                    if object["metadata"]?["finalizers"]?.array?.isEmpty == false {
                        isHeld = true
                    } else {
                        store.remove(resource, key)
                    }
                }
                if !isHeld { store.remove(.namespace, .init(namespace: "", name: name)) }
            }
        }
    }
}

import Foundation
import HTTPServer
import JSON
import Manifest

/// Deleting, with finalizers, and namespaces that take their time.
extension EmbeddedCluster {
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
        if target.resource == .customResourceDefinition { uninstall(old) }
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
    func finishNamespacesSoon() {
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

import Foundation
import HTTPServer
import JSON
import Manifest

/// What a write is refused for before it is stored.
extension EmbeddedCluster {
    func decodeBody(_ target: RequestTarget) throws(Refusal) -> Tree {
        do throws(JSONError) {
            return try parseJSON(target.request.body)
        } catch {
            throw Refusal(400, reason: "BadRequest", "couldn't get version/kind; json parse error: \(error)")
        }
    }

    /// The body must be about the object that the address names; a namespace on an object of the whole cluster is dropped (rule G7).
    func checkPlace(_ body: inout Tree, _ target: RequestTarget) throws(Refusal) {
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
    func checkVersion(_ body: Tree, _ old: Tree, _ target: RequestTarget) throws(Refusal) {
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

    /// A Lease is replaced in a version that was read, and never in any (rule K2).
    func checkReplacement(_ body: Tree, _ target: RequestTarget) throws(Refusal) {
        guard target.resource == .lease else { return }
        guard store.object(target.resource, target.key) != nil else {
            throw .conflict(target.resource, target.name, "Precondition failed: the object does not exist")
        }
        guard (body["metadata"]?["resourceVersion"]?.string ?? "").isEmpty else { return }
        throw .invalid(
            target.resource, target.name,
            [("FieldValueInvalid", "Invalid value: 0x0: must be specified for an update", "metadata.resourceVersion")])
    }

    /// The same for an apply: without a uid an expected version does not keep an absent object from being made (rule D24).
    func checkExpectations(_ body: Tree, _ old: Tree?, _ target: RequestTarget) throws(Refusal) {
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
    func checkEscalation(_ new: Tree, over old: Tree?, _ target: RequestTarget) throws(Refusal) {
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
}

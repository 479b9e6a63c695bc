import HTTPClient
import KubeProtocol
package import Manifest
import Planning
package import Reconciler

/// Admission policies and their bindings, which are none of the managed kinds.
extension KubeCluster {
    package func keepPrevention(
        _ objects: [Tree], removing unwanted: [ObjectID], instance: String
    ) async throws(ClusterError) -> [PreventionChange] {
        var changes: [PreventionChange] = []
        for object in objects {
            let (id, resource) = try policyID(of: object)
            if let change = try await keep(object, as: id, of: resource) { changes.append(change) }
        }
        for id in unwanted {
            guard let resource = policyResource(of: id.kind), let live = try await readPolicy(id, of: resource),
                live.label(Ownership.instanceLabel) == instance, !live.isTerminating
            else { continue }
            _ = try await call(
                .delete(resource, id, expecting: live), what: "delete \(id)", resource: resource)
            changes.append(PreventionChange(id: id, kind: .removed))
        }
        return changes
    }

    private func keep(_ wanted: Tree, as id: ObjectID, of resource: Resource) async throws(ClusterError)
        -> PreventionChange?
    {
        guard let live = try await readPolicy(id, of: resource) else {
            let what = "apply \(id)"
            _ = try await call(
                .apply(wanted, resource, id, fieldManager: fieldManager, expecting: nil, isDryRun: false), what: what,
                resource: resource)
            return PreventionChange(id: id, kind: .made)
        }
        guard let patch = policyPatch(from: live.tree, to: wanted) else { return nil }
        // Not an apply: the lists are keyed maps to the server, and what somebody added to them would stay.
        let what = "patch \(id)"
        let answer = try await call(
            .mergePatch(patch, resource, id, fieldManager: fieldManager, expecting: live), what: what,
            resource: resource)
        // Members that a later server fills in by itself come back at once, and are nobody's doing.
        guard try liveObject(answer, what, of: resource).resourceVersion != live.resourceVersion else { return nil }
        let writer = attribute([], of: live, ourFieldManager: fieldManager)
        return PreventionChange(id: id, kind: .putBack, writer: writer?.manager)
    }

    private func readPolicy(_ id: ObjectID, of resource: Resource) async throws(ClusterError) -> LiveObject? {
        let what = "read \(id)"
        do throws(ClusterError) {
            return try liveObject(
                try await call(.read(resource, id), what: what, resource: resource), what, of: resource)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    private func policyID(of object: Tree) throws(ClusterError) -> (ObjectID, Resource) {
        guard let name = object["metadata"]?["name"]?.string,
            let resource = policyResource(of: object["kind"]?.string ?? "")
        else { throw ClusterError(kind: .invalid, status: 0, message: "an admission policy without a kind or name") }
        return (ObjectID(resource, name: name), resource)
    }

    private func policyResource(of kind: String) -> Resource? {
        [Resource.admissionPolicy, .admissionPolicyBinding].first { $0.kind == kind }
    }
}

/// The merge patch that makes a live policy or binding the wanted one; nil where it is that.
///
/// The whole spec counts, also what is not wanted: a selector or a condition that somebody adds switches a policy off as
/// well as its deletion would. Of the metadata only what is wanted counts.
package func policyPatch(from live: Tree, to wanted: Tree) -> Tree? {
    var patch = Tree.object(Members())
    for field in ["labels", "annotations"] {
        for (key, value) in wanted["metadata"]?[field]?.members ?? Members()
        where live["metadata"]?[field]?[key] != value {
            patch.set(["metadata", field, key], to: value)
        }
    }
    if let spec = difference(from: live["spec"] ?? .object(Members()), to: wanted["spec"] ?? .object(Members())) {
        patch.set(["spec"], to: spec)
    }
    return patch.members?.isEmpty == true ? nil : patch
}

private func difference(from live: Tree, to wanted: Tree) -> Tree? {
    guard case .object(let before) = live, case .object(let after) = wanted else {
        return live == wanted ? nil : wanted
    }
    var patch = Members()
    for (key, value) in after {
        guard let old = before[key] else {
            patch[key] = value
            continue
        }
        if let change = difference(from: old, to: value) { patch[key] = change }
    }
    for key in before.keys where after[key] == nil { patch[key] = .null }
    return patch.isEmpty ? nil : .object(patch)
}

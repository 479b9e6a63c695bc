import HTTPClient
import KubeProtocol
package import Manifest
import Planning
package import Reconciler

/// Admission policies and their bindings, which are none of the managed kinds.
extension KubeCluster {
    package func preventionFinding(
        of id: ObjectID, wanted: Tree?, instance: String
    ) async throws(ClusterError) -> PreventionFinding {
        let live = try await readPolicy(id, of: try policyResource(of: id))
        guard let wanted else {
            guard let live else { return .asWanted }
            guard !live.isTerminating else { return .leaving(live) }
            guard live.label(Ownership.instanceLabel) == instance else { return .leftAlone(live) }
            return .differs(PreventionChange(id: id, kind: .removed, before: live))
        }
        guard let live else { return .differs(PreventionChange(id: id, kind: .made, wanted: wanted)) }
        guard let patch = policyPatch(from: live.tree, to: wanted) else { return .asWanted }
        let writer = attribute([], of: live, ourFieldManager: fieldManager)
        return .differs(
            PreventionChange(
                id: id, kind: .putBack, before: live, wanted: wanted, patch: patch, writer: writer?.manager))
    }

    package func make(_ change: PreventionChange) async throws(ClusterError) -> LiveObject? {
        let (id, resource) = (change.id, try policyResource(of: change.id))
        guard let wanted = change.wanted else {
            guard let before = change.before else { return nil }
            let what = "delete \(id)"
            let answer = try await call(.delete(resource, id, expecting: before), what: what, resource: resource)
            guard case .pending(let object, _) = try deleteAnswer(answer, what, of: resource) else { return nil }
            return object
        }
        guard let before = change.before, let patch = change.patch else {
            let what = "apply \(id)"
            let answer = try await call(
                .applyNew(wanted, resource, id, fieldManager: fieldManager), what: what, resource: resource)
            return try liveObject(answer, what, of: resource)
        }
        // Not an apply: the lists are keyed maps to the server, and what somebody added to them would stay.
        let what = "patch \(id)"
        let answer = try await call(
            .mergePatch(patch, resource, id, fieldManager: fieldManager, expecting: before), what: what,
            resource: resource)
        return try liveObject(answer, what, of: resource)
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

    private func policyResource(of id: ObjectID) throws(ClusterError) -> Resource {
        guard let resource = [Resource.admissionPolicy, .admissionPolicyBinding].first(where: { $0.kind == id.kind })
        else { throw ClusterError(kind: .invalid, status: 0, message: "\(id) is no admission policy") }
        return resource
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

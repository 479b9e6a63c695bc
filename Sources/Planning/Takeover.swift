package import Manifest

/// The JSON patch that makes us the owner of what earlier tools applied, so that what Git no longer declares of it goes
/// away with the next apply (rules D8, D14, D15).
///
/// Only `Update` entries of tools that write manifests on a person's behalf are taken; status and control-plane entries
/// stay. The patch replaces the resource version with the one it was made for, so it fails where the object moved.
///
/// - Returns: nil where there is nothing to take over.
package func planTakeover(of live: LiveObject, fieldManager: String) -> Tree? {
    guard let entries = live.metadata["managedFields"]?.array else { return nil }
    var kept: [Tree] = []
    var taken = Tree.object(Members())
    var hasTaken = false
    for entry in entries {
        let isOurs = entry["manager"]?.string == fieldManager && entry["operation"]?.string == "Apply"
        if isOurs || isManifestTool(entry) {
            taken = fieldUnion(taken, entry["fieldsV1"] ?? .object(Members()))
            hasTaken = hasTaken || !isOurs
        } else {
            kept.append(entry)
        }
    }
    guard hasTaken else { return nil }
    kept.append([
        "manager": .string(fieldManager), "operation": "Apply",
        "apiVersion": live.tree["apiVersion"] ?? "v1", "fieldsType": "FieldsV1", "fieldsV1": taken,
    ])
    return [
        ["op": "replace", "path": "/metadata/managedFields", "value": .array(kept)],
        ["op": "replace", "path": "/metadata/resourceVersion", "value": .string(live.resourceVersion)],
    ]
}

private func isManifestTool(_ entry: Tree) -> Bool {
    guard entry["operation"]?.string == "Update", (entry["subresource"]?.string ?? "").isEmpty,
        let manager = entry["manager"]?.string
    else { return false }
    return manager.hasPrefix("kubectl-") || ["before-first-apply", "helm", "Helm"].contains(manager)
}

/// The union of two sets of fields in the `FieldsV1` form.
private func fieldUnion(_ left: Tree, _ right: Tree) -> Tree {
    guard case .object(var members) = left, case .object(let others) = right else { return left }
    for (key, value) in others {
        members[key] = members[key].map { fieldUnion($0, value) } ?? value
    }
    return .object(members)
}

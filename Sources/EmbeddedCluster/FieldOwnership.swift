import Manifest

/// A set of fields as paths of member names, such as `["spec", "egress"]`: what one manager owns of an object.
///
/// Lists are owned as a whole here, since every list of the kinds served is atomic, and so are the maps that
/// ``atomicMaps`` names. The exceptions of the real server (finalizers, owner references, the secrets of a service account)
/// are lists whose elements have owners of their own; they are not imitated.
typealias FieldSet = Set<[String]>

/// Maps that have one owner for all their members (the ownership table of section D).
private let atomicMaps: Set<[String]> = [["spec", "podSelector"], ["spec", "scopeSelector"], ["roleRef"]]

/// Members that nobody owns: identity and the server's own bookkeeping.
private let unowned: Set<[String]> = [
    ["apiVersion"], ["kind"], ["status"], ["metadata", "name"], ["metadata", "namespace"], ["metadata", "uid"],
    ["metadata", "resourceVersion"], ["metadata", "generation"], ["metadata", "creationTimestamp"],
    ["metadata", "managedFields"], ["metadata", "deletionTimestamp"], ["metadata", "deletionGracePeriodSeconds"],
    ["metadata", "selfLink"],
]

/// Every leaf that an object holds.
func fieldSet(of tree: Tree) -> FieldSet {
    var fields: FieldSet = []
    func visit(_ value: Tree, _ path: [String]) {
        guard !unowned.contains(path) else { return }
        if case .object(let members) = value, !atomicMaps.contains(path), !(members.isEmpty && !path.isEmpty) {
            for (key, child) in members { visit(child, path + [key]) }
        } else if !path.isEmpty {
            fields.insert(path)
        }
    }
    visit(tree, [])
    return fields
}

/// The leaves at which two objects differ.
func changedFields(from old: Tree, to new: Tree) -> FieldSet {
    fieldSet(of: old).union(fieldSet(of: new)).filter { old[$0] != new[$0] }
}

/// One entry of `managedFields` while it is worked with.
struct Ownership {
    var manager: String
    var operation: String
    var apiVersion: String
    var time: String
    var fields: FieldSet
}

/// Reads `managedFields`.
func readOwnership(_ tree: Tree) -> [Ownership] {
    (tree["metadata"]?["managedFields"]?.array ?? []).map { entry in
        var fields: FieldSet = []
        func visit(_ value: Tree, _ path: [String]) {
            let members = value.members ?? Members()
            let children = members.filter { $0.key.hasPrefix("f:") }
            if children.isEmpty {
                if !path.isEmpty { fields.insert(path) }
            } else {
                for (key, child) in children { visit(child, path + [String(key.dropFirst(2))]) }
            }
        }
        visit(entry["fieldsV1"] ?? .object(Members()), [])
        return Ownership(
            manager: entry["manager"]?.string ?? "", operation: entry["operation"]?.string ?? "Update",
            apiVersion: entry["apiVersion"]?.string ?? "v1", time: entry["time"]?.string ?? "", fields: fields)
    }
}

/// Writes `managedFields`; an entry without fields is left out (rule D13).
func writeOwnership(_ entries: [Ownership], into tree: inout Tree) {
    // The server's own order, so that who applied last makes no difference (rule D9).
    let sorted = entries.filter { !$0.fields.isEmpty }.sorted {
        ($0.operation, $0.time, $0.manager) < ($1.operation, $1.time, $1.manager)
    }
    let list: [Tree] = sorted.map { entry in
        var fields = Tree.object(Members())
        for path in entry.fields { fields.set(path.map { "f:\($0)" }, to: .object(Members())) }
        return [
            "manager": .string(entry.manager), "operation": .string(entry.operation),
            "apiVersion": .string(entry.apiVersion), "time": .string(entry.time), "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        ]
    }
    tree.set(["metadata", "managedFields"], to: list.isEmpty ? nil : .array(list))
}

import Manifest

/// A field that another manager owns and that an apply without force would change.
struct FieldConflict: Equatable {
    var path: [String]
    var manager: String
    var operation: String
}

/// Merges an applied configuration into a live object by the rules of server-side apply (section D).
///
/// - Returns: The merged object with its new owners, or the conflicts where it was not forced.
func mergeApply(
    _ applied: Tree, into live: Tree?, manager: String, isForced: Bool, time: String
) -> Result<Tree, ApplyConflicts> {
    let apiVersion = applied["apiVersion"]?.string ?? "v1"
    let wanted = fieldSet(of: applied)
    guard let live else {
        var created = applied
        writeOwnership(
            [Ownership(manager: manager, operation: "Apply", apiVersion: apiVersion, time: time, fields: wanted)],
            into: &created)
        return .success(created)
    }
    var owners = readOwnership(live)
    // What was there before anybody tracked it belongs to somebody unknown (rule D14).
    let isUntracked = owners.isEmpty && !fieldSet(of: live).isEmpty
    if isUntracked {
        owners = [
            Ownership(
                manager: "before-first-apply", operation: "Update", apiVersion: apiVersion, time: time,
                fields: fieldSet(of: live))
        ]
    }
    let changed = wanted.filter { live[$0] != applied[$0] }
    var conflicts: [FieldConflict] = []
    for owner in owners where !(owner.manager == manager && owner.operation == "Apply") {
        for path in owner.fields where overlaps(path, changed) {
            conflicts.append(FieldConflict(path: path, manager: owner.manager, operation: owner.operation))
        }
    }
    guard isForced || conflicts.isEmpty else { return .failure(ApplyConflicts(conflicts)) }
    var merged = live
    for path in wanted { merged.set(path, to: applied[path]) }
    // What this manager applied before and leaves out now goes, unless somebody else owns it too (rule D8).
    let earlier = owners.first { $0.manager == manager && $0.operation == "Apply" }?.fields ?? []
    let others = owners.filter { !($0.manager == manager && $0.operation == "Apply") }
    for path in earlier.subtracting(wanted) where !others.contains(where: { $0.fields.contains(path) }) {
        merged.set(path, to: nil)
        removeEmptyParents(of: path, from: &merged)
    }
    var next = others
    for index in next.indices { next[index].fields = next[index].fields.filter { !overlaps($0, changed) } }
    next.append(Ownership(manager: manager, operation: "Apply", apiVersion: apiVersion, time: time, fields: wanted))
    if let previous = owners.first(where: { $0.manager == manager && $0.operation == "Apply" }),
        previous.fields == wanted
    {
        next[next.count - 1].time = previous.time
    }
    writeOwnership(next, into: &merged)
    return .success(merged)
}

struct ApplyConflicts: Error {
    var all: [FieldConflict]
    init(_ all: [FieldConflict]) { self.all = all.sorted { $0.path.joined() < $1.path.joined() } }
}

/// Gives the fields that an update changed to whoever made it (rule D7: what is removed is nobody's any more).
func trackUpdate(from old: Tree?, to new: Tree, manager: String, time: String) -> Tree {
    var result = new
    let apiVersion = new["apiVersion"]?.string ?? "v1"
    let changed = changedFields(from: old ?? .object(Members()), to: new)
    // An update may rewrite the owners themselves, as a takeover does (rule D15).
    var owners = readOwnership(new)
    guard !changed.isEmpty else { return result }
    let present = fieldSet(of: new)
    for index in owners.indices {
        owners[index].fields = owners[index].fields.filter { !changed.contains($0) && present.contains($0) }
    }
    let gained = changed.intersection(present)
    if let index = owners.firstIndex(where: { $0.manager == manager && $0.operation == "Update" }) {
        owners[index].fields.formUnion(gained)
        owners[index].time = time
    } else if !gained.isEmpty {
        owners.append(
            Ownership(manager: manager, operation: "Update", apiVersion: apiVersion, time: time, fields: gained))
    }
    writeOwnership(owners, into: &result)
    return result
}

private func overlaps(_ path: [String], _ fields: FieldSet) -> Bool {
    fields.contains(path) || fields.contains { $0.starts(with: path) || path.starts(with: $0) }
}

private func removeEmptyParents(of path: [String], from tree: inout Tree) {
    var parent = Array(path.dropLast())
    while parent.count >= 2, tree[parent]?.members?.isEmpty == true {
        tree.set(parent, to: nil)
        parent.removeLast()
    }
}

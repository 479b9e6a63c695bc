package import Manifest

/// Finds the field manager that most probably made a live object differ.
///
/// It is what the object itself says, and clients choose their names, so it is a claim and no proof (rule A17). It must be
/// read before a forced apply, which erases it (rule D6).
///
/// - Returns: The manager that owns one of the differing fields, else the one that wrote last; nil where only we did.
package func attribute(
    _ differences: [Difference], of live: LiveObject, ourFieldManager: String
) -> FieldManagerEntry? {
    let others = live.fieldManagers.filter { $0.manager != ourFieldManager && $0.subresource.isEmpty }
    let owners = others.filter { entry in differences.contains { owns($0.path, entry.fields) } }
    return (owners.isEmpty ? others : owners).max { ($0.time ?? "") < ($1.time ?? "") }
}

/// Whether a `FieldsV1` set holds this path, or something on the way to it as a whole.
private func owns(_ path: [String], _ fields: Tree) -> Bool {
    var current = fields
    for step in path {
        guard let next = current["f:\(step)"] else { return false }
        current = next
        if current.members?.isEmpty ?? true { return true }
    }
    return true
}

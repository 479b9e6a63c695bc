import Manifest

/// Puts the files of one revision together and checks what only shows across files: an object declared twice.
///
/// - Returns: All findings in the order of files and places, and the declared state. The state is empty where any
///   finding is an error: a revision is good as a whole or not at all, and a part of it must never be applied.
package func assembleDeclaredState(_ verdicts: [FileVerdict]) -> (state: DeclaredState, findings: [Finding]) {
    var list = FindingList(limit: ManifestLimits.findingsPerRevision)
    var first: [ObjectID: Declaration] = [:]
    let ordered = verdicts.sorted { $0.file.precedesByBytes($1.file) }
    for finding in ordered.lazy.flatMap(\.findings) { list.append(finding) }
    for declaration in ordered.lazy.flatMap(\.declarations) {
        if let other = first[declaration.id] {
            list.append(duplicate(declaration, of: other))
        } else {
            first[declaration.id] = declaration
        }
    }
    let findings = list.sorted(file: "", place: "revision")
    guard !findings.contains(where: { $0.severity == .error }) else { return (DeclaredState(), findings) }
    let objects = first.compactMapValues { declaration in
        declaration.tree.map { DeclaredObject(id: declaration.id, tree: $0, origin: declaration.origin) }
    }
    return (DeclaredState(objects: objects), findings)
}

private func duplicate(_ declaration: Declaration, of other: Declaration) -> Finding {
    Finding(
        severity: .error, file: declaration.origin.file, position: declaration.position, object: declaration.id,
        path: .metadata.field("name"),
        message: "\(declaration.id) is declared twice, first at \(other.origin.description)",
        hint: "Delete one of the two declarations.")
}

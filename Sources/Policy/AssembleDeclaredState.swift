import Manifest

/// Puts the files of one revision together and checks what only shows across files: an object declared twice, of a kind
/// that the repository says it does not manage, or a configuration out of its place.
///
/// - Parameter folder: The repository's path, from its root as in the files' paths; its configuration stands there.
/// - Returns: All findings in the order of files and places, and the declared state. The state is empty where any
///   finding is an error: a revision is good as a whole or not at all, and a part of it must never be applied.
package func assembleDeclaredState(
    _ verdicts: [FileVerdict], folder: String = ""
) -> (state: DeclaredState, findings: [Finding]) {
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
    let place = folder.isEmpty ? RepositoryConfiguration.fileName : "\(folder)/\(RepositoryConfiguration.fileName)"
    let configuration = ordered.first { $0.file == place }?.configuration ?? .standard
    for verdict in ordered where verdict.configuration != nil && verdict.file != place {
        list.append(misplaced(verdict.file, place: place))
    }
    for declaration in first.values {
        guard let resource = declaration.id.resource, !configuration.managedKinds.contains(resource) else { continue }
        list.append(unmanaged(declaration))
    }
    let findings = list.sorted(file: "", place: "revision")
    guard !findings.contains(where: { $0.severity == .error }) else { return (DeclaredState(), findings) }
    let objects = first.compactMapValues { declaration in
        declaration.tree.map { DeclaredObject(id: declaration.id, tree: $0, origin: declaration.origin) }
    }
    return (DeclaredState(objects: objects, configuration: configuration), findings)
}

private func misplaced(_ file: String, place: String) -> Finding {
    Finding(
        severity: .error, file: file, position: SourcePosition(line: 1, column: 1), object: nil, path: .root,
        message: "a configuration stands here, where nothing reads it", hint: "Move it to \(place).")
}

private func unmanaged(_ declaration: Declaration) -> Finding {
    Finding(
        severity: .error, file: declaration.origin.file, position: declaration.position, object: declaration.id,
        path: .root.field("kind"),
        message: "\(declaration.id.kind) is not among the managedKinds of \(RepositoryConfiguration.fileName)",
        hint: "Add it there, or take the object out of the repository.")
}

private func duplicate(_ declaration: Declaration, of other: Declaration) -> Finding {
    Finding(
        severity: .error, file: declaration.origin.file, position: declaration.position, object: declaration.id,
        path: .metadata.field("name"),
        message: "\(declaration.id) is declared twice, first at \(other.origin.description)",
        hint: "Delete one of the two declarations.")
}

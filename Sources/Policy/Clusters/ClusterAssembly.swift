import Manifest

/// The objects of one cluster, folder by folder.
struct ClusterAssembly {
    /// What stands for an object so far.
    private struct Standing {
        var declaration: Declaration
        var layer: Int
    }

    /// What a patched object was made of.
    private struct Source {
        var declared: Declaration
        var patches: [PatchDeclaration] = []
    }

    let configuration: RepositoryConfiguration
    let place: String
    var list = FindingList(limit: ManifestLimits.findingsPerRevision)
    private var standing: [ObjectID: Standing] = [:]
    private var sources: [ObjectID: Source] = [:]
    private var layer = 0
    /// By path.
    private var findings: [String: [Finding]] = [:]

    init(configuration: RepositoryConfiguration, place: String) {
        self.configuration = configuration
        self.place = place
    }

    /// Adds the files of the next folder.
    ///
    /// - Parameter cluster: Whose documents are meant; nil where the repository is for one.
    mutating func add(_ verdicts: [FileVerdict], for cluster: ClusterDeclaration?) {
        layer += 1
        for verdict in verdicts {
            for finding in verdict.findings { list.append(finding) }
            if cluster != nil, !verdict.findings.isEmpty { findings[verdict.file] = verdict.findings }
            if verdict.configuration != nil, verdict.file != place {
                list.append(misplaced(verdict.file, place: place))
            }
        }
        for declaration in verdicts.lazy.flatMap(\.declarations) {
            if let cluster, let selection = declaration.selection, !selection.matches(cluster) { continue }
            if let other = standing[declaration.id], other.layer == layer {
                list.append(duplicate(declaration, of: other.declaration))
            } else {
                standing[declaration.id] = Standing(declaration: declaration, layer: layer)
                if !sources.isEmpty { sources[declaration.id] = nil }
            }
        }
        guard let cluster else { return }
        for patch in verdicts.lazy.flatMap(\.patches) where patch.selection?.matches(cluster) ?? true { apply(patch) }
    }

    /// - Parameter cluster: The name of one of many; nil where the repository is for one.
    mutating func finish(for cluster: String? = nil) -> (state: DeclaredState, findings: [Finding]) {
        for object in standing.values {
            let id = object.declaration.id
            guard let resource = id.resource, !configuration.managedKinds.contains(resource) else { continue }
            list.append(unmanaged(object.declaration))
        }
        let findings = list.sorted(file: "", place: "revision")
        guard !findings.contains(where: { $0.severity == .error }) else { return (DeclaredState(), findings) }
        let objects = standing.compactMapValues { object in
            object.declaration.tree.map {
                DeclaredObject(id: object.declaration.id, tree: $0, origin: object.declaration.origin)
            }
        }
        return (DeclaredState(objects: objects, configuration: configuration, cluster: cluster), findings)
    }

    // MARK: Patches

    private mutating func apply(_ patch: PatchDeclaration) {
        guard let object = standing[patch.id] else {
            return report(
                patch, at: .metadata.field("name"),
                "no earlier folder declares \(patch.id), so there is nothing to patch",
                hint: "Declare the object whole, or correct the name.")
        }
        guard object.layer < layer else {
            let verb = sources[patch.id] == nil ? "declared" : "patched"
            return report(
                patch, at: .metadata.field("name"),
                "\(patch.id) is \(verb) in the same folder, at \(object.declaration.origin.description)",
                hint: "Write it as one document.")
        }
        standing[patch.id]?.layer = layer
        // What is wrong with one of them has been reported already.
        guard let change = patch.tree, let before = object.declaration.tree, let resource = patch.id.resource else {
            return
        }
        var source = sources[patch.id] ?? Source(declared: object.declaration)
        let target = object.declaration.written ?? before
        let after = evaluateObject(target.mergePatched(with: change), as: resource)
        for path in patch.emptyRemovals(from: target) {
            report(
                patch, .warning, at: path, "there is nothing to remove here",
                hint: "Correct the name; \(source.declared.origin.description) declares the object.")
        }
        if !after.problems.hasErrors, after.tree == before {
            report(
                patch, at: .root,
                "the patch changes nothing of \(patch.id), declared at \(source.declared.origin.description)",
                hint: "Delete the patch, or correct it.")
        }
        source.patches.append(patch)
        sources[patch.id] = source
        report(after.problems, of: source)
        standing[patch.id]?.declaration = Declaration(
            id: patch.id, origin: patch.origin, position: patch.position,
            tree: after.problems.hasErrors ? nil : after.tree, written: after.written)
    }

    private mutating func report(
        _ patch: PatchDeclaration, _ severity: Finding.Severity = .error, at path: FieldPath, _ message: String,
        hint: String
    ) {
        append(
            Finding(
                severity: severity, file: patch.origin.file, position: patch.position(of: path),
                object: patch.id.printed,
                path: path.escaped, message: message, hint: hint))
    }

    /// Reports what is wrong with a patched object: at the patch that brought it, or else at the object itself.
    private mutating func report(_ problems: Problems, of source: Source) {
        guard let last = source.patches.last else { return }
        for problem in problems.all {
            let place = problem.place ?? problem.path
            if let patch = culprit(of: place, in: source) {
                append(
                    Finding(
                        severity: problem.severity, file: patch.origin.file, position: patch.position(of: place),
                        object: patch.id.printed, path: problem.path.escaped, message: problem.message,
                        hint: problem.hint))
            } else {
                var finding = Finding(
                    severity: problem.severity, file: source.declared.origin.file, position: source.declared.position,
                    object: source.declared.id.printed, path: problem.path.escaped, message: problem.message,
                    hint: problem.hint)
                // What is so without the patch stands there already, at its very place.
                guard !isReported(finding) else { continue }
                finding.message += " (as patched at \(last.origin.description))"
                append(finding)
            }
        }
        for (severity, count) in problems.omitted { list.omit(count, severity) }
    }

    /// The patch that decides what stands at a path; nil where the object itself does.
    private func culprit(of path: FieldPath, in source: Source) -> PatchDeclaration? {
        let reaches = source.patches.reversed().map { patch in
            (patch: patch, reach: PathReach(of: path, in: patch.tree ?? .null))
        }
        if let decided = reaches.first(where: { $0.reach.isDecided }) { return decided.patch }
        let own = PathReach(of: path, in: source.declared.written ?? source.declared.tree ?? .null)
        guard !own.isDecided else { return nil }
        // It stands nowhere: a patch that comes as near as the object does is what let it be missed.
        let nearest = reaches.max { $0.reach.depth < $1.reach.depth }
        return (nearest?.reach.depth ?? -1) >= own.depth ? nearest?.patch : nil
    }

    private func isReported(_ finding: Finding) -> Bool {
        (findings[finding.file] ?? []).contains {
            $0.object == finding.object && $0.severity == finding.severity && $0.path == finding.path
                && $0.message == finding.message
        }
    }

    /// What reading a patch has shown already is not said again of what it leads to.
    private mutating func append(_ finding: Finding) {
        if findings[finding.file]?.contains(finding) != true { list.append(finding) }
    }
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

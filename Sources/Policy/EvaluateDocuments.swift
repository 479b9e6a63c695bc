package import Manifest

/// Judges the documents of one file: reads each object, checks it as the API server would and by Bylaw's own rules.
///
/// Deterministic, and the same whatever other files there are: ``RepositoryAssembly`` looks across files.
///
/// - Parameters:
///   - stream: What reading the file gave; its problems become errors.
///   - file: The path below the repository's root, with `/`.
///   - kinds: What may stand there.
package func evaluateDocuments(
    _ stream: ParsedStream, file: String, accepting kinds: AcceptedKinds = .managed
) -> FileVerdict {
    var evaluation = FileEvaluation(file: file, kinds: kinds)
    for problem in stream.problems { evaluation.report(problem) }
    for document in stream.documents where !document.tree.isNull {
        if isConfiguration(document.tree) {
            evaluation.configure(document)
        } else {
            evaluation.evaluate(document.tree, at: .root, of: document, listed: nil, depth: 0)
        }
    }
    evaluation.requireConfiguration()
    var verdict = FileVerdict(
        file: file, declarations: evaluation.declarations, patches: evaluation.patches,
        findings: evaluation.findings.sorted(file: file, place: "file"), configuration: evaluation.configuration)
    verdict.clusterPositions = evaluation.clusterPositions
    return verdict
}

private struct FileEvaluation {
    let file: String
    let kinds: AcceptedKinds
    var declarations: [Declaration] = []
    var patches: [PatchDeclaration] = []
    var clusterPositions: [SourcePosition] = []
    var findings = FindingList(limit: ManifestLimits.findingsPerFile)
    var configuration: RepositoryConfiguration?

    mutating func report(_ problem: SourceProblem) {
        findings.append(
            Finding(
                severity: .error, file: file, position: problem.position, object: nil, path: .root,
                message: problem.message, hint: problem.hint))
    }

    /// Takes the repository's configuration; an analysis of manifests passes it over.
    mutating func configure(_ document: ParsedDocument) {
        guard kinds == .managed else { return }
        var (read, problems) = readConfiguration(document.tree)
        if configuration != nil {
            problems.refuse(.root, "the file has a second configuration", hint: "Put them together.")
        }
        configuration = read
        clusterPositions = read.clusters.indices.map {
            document.marks.position(of: .root.field("clusters").index($0), in: document.tree)
        }
        append(problems, object: nil, at: .root, of: document)
    }

    /// What is lost of the configuration's file must not turn its guardrails into the standard ones in silence.
    mutating func requireConfiguration() {
        guard kinds == .managed, configuration == nil, !findings.hasErrors,
            file.split(separator: "/").last.map(String.init) == RepositoryConfiguration.fileName
        else { return }
        findings.append(
            Finding(
                severity: .error, file: file, position: SourcePosition(line: 1, column: 1), object: nil, path: .root,
                message: "the file holds no configuration of the repository",
                hint: "Write apiVersion bylaw.dev/v1 and kind Configuration, or delete the file."))
    }

    /// - Parameters:
    ///   - base: Where the object stands in its document: the root, or an item of a list.
    ///   - listed: The kind of the items where a typed list gives it.
    mutating func evaluate(
        _ tree: Tree, at base: FieldPath, of document: ParsedDocument, listed: Resource?, depth: Int
    ) {
        let position = document.marks.position(of: base, in: document.tree)
        var problems = Problems()
        switch kinds.identify(tree, listed: listed) {
        case .none(let problem):
            problems.add(problem)
            append(problems, object: nil, at: base, of: document)
        case .list(let items):
            guard depth < ManifestLimits.nestedLists else {
                problems.refuse(.root, "lists stand too deeply in lists", hint: "Declare the objects one by one.")
                append(problems, object: nil, at: base, of: document)
                return
            }
            evaluateList(tree, items: items, at: base, of: document, depth: depth)
        case .object(let resource) where kinds == .managed && isPatch(tree):
            patch(tree, as: resource, at: position, base: base, of: document)
        case .object(let resource):
            declare(kinds.evaluate(tree, as: resource), at: position, base: base, of: document)
        case .other(let object):
            declare(object, at: position, base: base, of: document)
        }
    }

    private mutating func declare(
        _ evaluated: EvaluatedObject, at position: SourcePosition, base: FieldPath, of document: ParsedDocument
    ) {
        var problems = evaluated.problems
        let selection = selection(of: evaluated.source, &problems, base: base, of: document)
        append(problems, object: evaluated.id, at: base, of: document)
        guard let id = evaluated.id else { return }
        declarations.append(
            Declaration(
                id: id, origin: Origin(file: file, line: position.line), position: position,
                tree: problems.hasErrors ? nil : evaluated.tree, written: evaluated.written, selection: selection))
    }

    private func isPatch(_ tree: Tree) -> Bool { tree["metadata"]?["annotations"]?[ClusterAnnotations.patch] != nil }

    private mutating func patch(
        _ tree: Tree, as resource: Resource, at position: SourcePosition, base: FieldPath, of document: ParsedDocument
    ) {
        var (id, problems) = evaluatePatch(tree, as: resource)
        let selection = selection(of: tree, &problems, base: base, of: document)
        append(problems, object: id, at: base, of: document)
        guard let id else { return }
        patches.append(
            PatchDeclaration(
                id: id, origin: Origin(file: file, line: position.line), position: position, selection: selection,
                tree: problems.hasErrors ? nil : ClusterAnnotations.stripped(tree), document: document, base: base))
    }

    private func selection(
        of source: Tree?, _ problems: inout Problems, base: FieldPath, of document: ParsedDocument
    ) -> ClusterSelection? {
        guard kinds == .managed, let source else { return nil }
        return readClusterSelection(source, &problems) { path in
            document.marks.position(of: FieldPath(base.steps + path.steps), in: document.tree)
        }
    }

    private mutating func evaluateList(
        _ tree: Tree, items: Resource?, at base: FieldPath, of document: ParsedDocument, depth: Int
    ) {
        var problems = Problems()
        let known = ["apiVersion", "kind", "metadata", "items"]
        for (key, _) in tree.members ?? Members() where !known.contains(key) && kinds == .managed {
            problems.unreadable(
                .root.field(key), "unknown field \(quoted(key))",
                hint: nearest(to: key, among: known).map { "Did you mean \($0)?" }
                    ?? "Delete it: a list has only items.")
        }
        if let list = tree["items"], !list.isNull, list.array == nil {
            problems.unreadable(
                .root.field("items"), "must be a list, not \(list.kindName)", hint: "Begin each item with a dash.")
        }
        for (key, _) in tree["metadata"]?["annotations"]?.members ?? Members()
        where ClusterAnnotations.all.contains(key) && kinds == .managed {
            problems.refuse(
                .annotation(key), "has no effect on the objects of a list", hint: "Write it on each object.")
        }
        append(problems, object: nil, at: base, of: document)
        for (index, item) in (tree["items"]?.array ?? []).enumerated() {
            let path = base.field("items").index(index)
            evaluate(item, at: path, of: document, listed: items, depth: depth + 1)
        }
    }

    private mutating func append(
        _ problems: Problems, object: ObjectID?, at base: FieldPath, of document: ParsedDocument
    ) {
        let object = object?.printed
        for problem in problems.all {
            let place = FieldPath(base.steps + (problem.place ?? problem.path).steps)
            findings.append(
                Finding(
                    severity: problem.severity, file: file,
                    position: document.marks.position(of: place, in: document.tree), object: object,
                    path: problem.path.escaped, message: problem.message, hint: problem.hint))
        }
        for (severity, count) in problems.omitted { findings.omit(count, severity) }
    }
}

extension ObjectID {
    /// With names from the file cut and freed of control characters, so that a line of output can bear them.
    var printed: ObjectID {
        ObjectID(group: group, kind: kind, namespace: printable(namespace), name: printable(name))
    }
}

extension FieldPath {
    /// With names from the file cut and freed of control characters, so that a line of output can bear them.
    var escaped: FieldPath {
        FieldPath(
            steps.map { step in
                switch step {
                case .field(let name): .field(printable(name))
                case .key(let name): .key(printable(name))
                case .index: step
                }
            })
    }
}

/// One object, judged.
struct EvaluatedObject {
    /// Nil where the object has no name.
    var id: ObjectID?
    /// Canonical as far as it could be read.
    var tree: Tree
    var problems: Problems
    /// What it was read from.
    var source: Tree?
    /// Canonical but for the server's defaults, where there are any.
    var written: Tree?
}

/// Reads and checks one object of a managed kind.
///
/// - Parameter isDeclared: Whether it is part of a policy repository, whose own rules then hold too.
func evaluateObject(_ source: Tree, as resource: Resource, isDeclared: Bool = true) -> EvaluatedObject {
    guard let shape = KindSchema.shape(of: resource) else {
        var problems = Problems()
        problems.refuse(.root.field("kind"), "\(resource.kind) is not a kind that Bylaw manages", hint: "Move it away.")
        return EvaluatedObject(id: nil, tree: source, problems: problems)
    }
    var reader = ObjectReader(mode: .strict)
    let read = reader.read(source, as: .object(shape)) ?? [:]
    var tree = read
    fillDefaults(&tree, of: resource)
    var validator = ObjectValidator(resource: resource, tree: tree, problems: reader.problems)
    validator.validate()
    var rules = RepositoryRules(resource: resource, source: source, tree: tree, problems: validator.problems)
    if isDeclared { rules.apply() }
    CanonicalMetadata.reduce(&tree, of: resource)
    if isDeclared { tree = ClusterAnnotations.stripped(tree) }
    let metadata = tree["metadata"]
    let id = metadata?["name"]?.string.map {
        ObjectID(resource, namespace: metadata?["namespace"]?.string ?? "", name: $0)
    }
    return EvaluatedObject(
        id: id, tree: tree, problems: rules.problems, source: source,
        written: isDeclared ? withoutDefaults(tree, as: read) : nil)
}

/// The canonical object as it was before defaults were filled in; nil where none were.
///
/// Shares with the canonical object whatever is the same in both, so that keeping it costs little.
private func withoutDefaults(_ canonical: Tree, as read: Tree) -> Tree? {
    guard var members = canonical.members else { return nil }
    var hasDefaults = false
    for (key, value) in members where !["apiVersion", "kind", "metadata"].contains(key) && read[key] != value {
        members[key] = read[key]
        hasDefaults = true
    }
    return hasDefaults ? .object(members) : nil
}

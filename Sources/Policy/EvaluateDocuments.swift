package import Manifest

/// Judges the documents of one file: reads each object, checks it as the API server would and by Bylaw's own rules.
///
/// Deterministic, and the same whatever other files there are: ``assembleDeclaredState(_:folder:)`` looks across files.
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
    return FileVerdict(
        file: file, declarations: evaluation.declarations,
        findings: evaluation.findings.sorted(file: file, place: "file"), configuration: evaluation.configuration)
}

private struct FileEvaluation {
    let file: String
    let kinds: AcceptedKinds
    var declarations: [Declaration] = []
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
        case .object(let resource):
            declare(kinds.evaluate(tree, as: resource), at: position, base: base, of: document)
        case .other(let object):
            declare(object, at: position, base: base, of: document)
        }
    }

    private mutating func declare(
        _ evaluated: EvaluatedObject, at position: SourcePosition, base: FieldPath, of document: ParsedDocument
    ) {
        append(evaluated.problems, object: evaluated.id, at: base, of: document)
        guard let id = evaluated.id else { return }
        declarations.append(
            Declaration(
                id: id, origin: Origin(file: file, line: position.line), position: position,
                tree: evaluated.problems.hasErrors ? nil : evaluated.tree))
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
        append(problems, object: nil, at: base, of: document)
        for (index, item) in (tree["items"]?.array ?? []).enumerated() {
            let path = base.field("items").index(index)
            evaluate(item, at: path, of: document, listed: items, depth: depth + 1)
        }
    }

    private mutating func append(
        _ problems: Problems, object: ObjectID?, at base: FieldPath, of document: ParsedDocument
    ) {
        let object = object.map {
            ObjectID(group: $0.group, kind: $0.kind, namespace: printable($0.namespace), name: printable($0.name))
        }
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

extension FieldPath {
    /// With names from the file cut and freed of control characters, so that a line of output can bear them.
    fileprivate var escaped: FieldPath {
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
    var tree = reader.read(source, as: .object(shape)) ?? [:]
    fillDefaults(&tree, of: resource)
    var validator = ObjectValidator(resource: resource, tree: tree, problems: reader.problems)
    validator.validate()
    var rules = RepositoryRules(resource: resource, source: source, tree: tree, problems: validator.problems)
    if isDeclared { rules.apply() }
    CanonicalMetadata.reduce(&tree, of: resource)
    let metadata = tree["metadata"]
    let id = metadata?["name"]?.string.map {
        ObjectID(resource, namespace: metadata?["namespace"]?.string ?? "", name: $0)
    }
    return EvaluatedObject(id: id, tree: tree, problems: rules.problems)
}

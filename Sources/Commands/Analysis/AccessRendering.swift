import Analysis
import Manifest
import Policy

/// Everything a subject may do, as `bylaw can` answers.
struct SubjectRights {
    var subject: AccessSubject
    var model: AccessModel
    /// Empty where only the whole cluster is asked for.
    var namespace: String
    var path: [EscalationStep]?

    var identity: AccessIdentity { AccessIdentity(of: subject) }

    /// The scopes that are shown: the whole cluster, and a namespace if one was named.
    var scopes: [String] { namespace.isEmpty ? [""] : ["", namespace] }

    /// The grants that hold in exactly this scope.
    func grants(in scope: String) -> [AccessGrant] {
        model.grants(of: identity, in: scope).filter { $0.binding.scope == scope }
    }

    /// Namespaces where bindings give it more than the whole-cluster ones do.
    var otherNamespaces: [String] {
        Set(model.bindings(naming: identity).map(\.scope)).subtracting(["", namespace]).sorted()
    }
}

// MARK: JSON

func whoCanAnswer(_ request: AccessRequest, _ permitted: [PermittedSubject]) -> String {
    renderAnswer(
        kind: "WhoCanAnswer",
        [
            ("query", requestTree(request)),
            (
                "subjects",
                .array(
                    permitted.map { subject in
                        var tree = subjectTree(subject.subject)
                        tree.set(["via"], to: .array(subject.via.map(grantTree)))
                        return tree
                    })
            ),
        ])
}

func canAnswer(_ rights: SubjectRights) -> String {
    let scopes = rights.scopes.map { scope -> Tree in
        let grants = rights.grants(in: scope)
        var tree: Tree = [
            "rules": .array(minimalRules(grants.map(\.rule)).map(ruleTree)), "via": .array(viaTrees(grants)),
        ]
        if !scope.isEmpty { tree.set(["namespace"], to: .string(scope)) }
        return tree
    }
    var fields: [(String, Tree)] = [
        ("subject", subjectTree(rights.subject)), ("isMaster", .bool(rights.identity.isMaster)),
        ("scopes", .array(scopes)), ("otherNamespaces", .array(rights.otherNamespaces.map { .string($0) })),
    ]
    if let path = rights.path { fields.append(("escalation", .array(path.map(stepTree)))) }
    return renderAnswer(kind: "CanAnswer", fields)
}

private func requestTree(_ request: AccessRequest) -> Tree {
    var tree: Tree = ["verb": .string(request.verb)]
    switch request.target {
    case .path(let path): tree.set(["path"], to: .string(path))
    case .resource(let group, let resource, let subresource, let name, let namespace):
        tree.set(["resource"], to: .string(resource))
        for (key, value) in [
            ("group", group), ("subresource", subresource), ("name", name), ("namespace", namespace),
        ] where !value.isEmpty {
            tree.set([key], to: .string(value))
        }
    }
    return tree
}

private func subjectTree(_ subject: AccessSubject) -> Tree {
    var tree: Tree = ["kind": .string(subject.kind.rawValue), "name": .string(subject.name)]
    if !subject.namespace.isEmpty { tree.set(["namespace"], to: .string(subject.namespace)) }
    return tree
}

private func grantTree(_ grant: AccessGrant) -> Tree {
    var tree: Tree = [
        "binding": placedTree(grant.binding.id, grant.binding.origin),
        "role": placedTree(grant.role.id, grant.role.origin), "rule": ruleTree(grant.rule),
    ]
    if let source = grant.gatheredFrom { tree.set(["aggregatedFrom"], to: objectTree(source)) }
    return tree
}

/// Each binding once.
private func viaTrees(_ grants: [AccessGrant]) -> [Tree] {
    var seen: Set<ObjectID> = []
    return grants.filter { seen.insert($0.binding.id).inserted }.map { grant in
        [
            "binding": placedTree(grant.binding.id, grant.binding.origin),
            "role": placedTree(grant.role.id, grant.role.origin), "subject": subjectTree(grant.subject),
        ]
    }
}

private func stepTree(_ step: EscalationStep) -> Tree {
    var tree: Tree = ["subject": subjectTree(step.subject), "means": .string(step.means)]
    if let becomes = step.becomes { tree.set(["becomes"], to: subjectTree(becomes)) }
    return tree
}

/// An object with the place it is declared at, where it has one.
func placedTree(_ id: ObjectID, _ origin: Origin?) -> Tree {
    var tree = objectTree(id)
    if let origin {
        tree.set(["file"], to: .string(origin.file))
        tree.set(["line"], to: .integer(Int64(origin.line)))
    }
    return tree
}

func ruleTree(_ rule: PolicyRule) -> Tree {
    var tree: Tree = [:]
    for (key, values) in [
        ("verbs", rule.verbs), ("apiGroups", rule.apiGroups), ("resources", rule.resources),
        ("resourceNames", rule.resourceNames), ("nonResourceURLs", rule.nonResourceURLs),
    ] where !values.isEmpty {
        tree.set([key], to: .array(values.map { .string($0) }))
    }
    return tree
}

// MARK: Text

func renderWhoCan(_ request: AccessRequest, _ permitted: [PermittedSubject], on terminal: Terminal) -> String {
    var text = ""
    for subject in permitted {
        text += terminal.styled(printable(subject.subject.description), .bold) + "\n"
        if subject.via.isEmpty { text += "    built into the API server; no binding can take it away\n" }
        for grant in subject.via {
            text +=
                "    \(placed(grant.binding.id, grant.binding.origin)) gives \(placed(grant.role.id, grant.role.origin))"
            if let source = grant.gatheredFrom { text += ", gathered from \(printable(source.description))" }
            text += "\n"
        }
    }
    let place = request.namespace.isEmpty ? "the whole cluster" : "namespace \(printable(request.namespace))"
    return text + "\(permitted.count) \(permitted.count == 1 ? "subject" : "subjects") may "
        + "\(printable(request.description)) in \(place)\n"
}

func renderCan(_ rights: SubjectRights, on terminal: Terminal) -> String {
    var text = ""
    if rights.identity.isMaster {
        text += "\(printable(rights.subject.description)) skips every check: the API server lets it do everything\n"
    }
    for scope in rights.scopes {
        let grants = rights.grants(in: scope)
        let heading = scope.isEmpty ? "In the whole cluster" : "In namespace \(printable(scope)) besides"
        text += terminal.styled("\(heading):", .bold) + "\n"
        let rules = minimalRules(grants.map(\.rule))
        if rules.isEmpty { text += "    nothing\n" }
        for rule in rules { text += "    \(printable(rule.description))\n" }
        var seen: Set<ObjectID> = []
        for grant in grants where seen.insert(grant.binding.id).inserted {
            text +=
                "  by \(placed(grant.binding.id, grant.binding.origin)) of "
                + "\(placed(grant.role.id, grant.role.origin)), as \(printable(grant.subject.description))\n"
        }
    }
    let others = rights.otherNamespaces
    if !others.isEmpty {
        let names = others.prefix(10).map(printable).joined(separator: ", ")
        text +=
            "More in \(others.count == 1 ? "namespace" : "namespaces") \(names)"
            + "\(others.count > 10 ? " and \(others.count - 10) more" : ""): ask with -n\n"
    }
    if let path = rights.path, path.count > 1 {
        text += terminal.styled("It can become stronger:", .red) + "\n"
        for step in path {
            text +=
                "    \(printable(step.subject.description)) \(printable(step.means))"
                + (step.becomes.map { " and becomes \(printable($0.description))" } ?? "") + "\n"
        }
    }
    return text
}

/// An object with its place, for people.
func placed(_ id: ObjectID, _ origin: Origin?) -> String {
    printable(id.description) + (origin.map { " (\(printable($0.description)))" } ?? "")
}

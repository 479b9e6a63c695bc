import JSON
import Manifest
import Policy

/// The findings of a policy repository, as people and compilers' readers know them: `file:line:column: error: ...`.
func renderFindings(_ findings: [Finding], on terminal: Terminal) -> String {
    var text = ""
    for finding in findings {
        let severity =
            finding.severity == .error ? terminal.styled("error", .red) : terminal.styled("warning", .yellow)
        var subject: [String] = []
        if let object = finding.object { subject.append(printable(object.description)) }
        let path = finding.path.description
        if !path.isEmpty { subject.append(printable(path)) }
        let place = terminal.styled("\(printable(finding.file)):\(finding.position)", .bold)
        text += "\(place): \(severity): "
        if !subject.isEmpty { text += subject.joined(separator: ": ") + ": " }
        text += printable(finding.message) + "\n"
        if !finding.hint.isEmpty { text += "    " + printable(finding.hint) + "\n" }
    }
    return text
}

/// The `findings` of a JSON answer.
func findingTrees(_ findings: [Finding]) -> Tree {
    .array(
        findings.map { finding in
            var tree: Tree = [
                "severity": .string(finding.severity.rawValue), "file": .string(finding.file),
                "line": .integer(Int64(finding.position.line)), "column": .integer(Int64(finding.position.column)),
                "path": .string(finding.path.description), "message": .string(finding.message),
                "hint": .string(finding.hint),
            ]
            if let object = finding.object { tree.set(["object"], to: objectTree(object)) }
            return tree
        })
}

/// How an object is named in JSON answers.
func objectTree(_ id: ObjectID) -> Tree {
    var tree: Tree = ["kind": .string(id.kind), "name": .string(id.name)]
    if !id.group.isEmpty { tree.set(["group"], to: .string(id.group)) }
    if !id.namespace.isEmpty { tree.set(["namespace"], to: .string(id.namespace)) }
    return tree
}

/// One JSON answer: every one has `apiVersion: bylaw.dev/v1` and a `kind`.
func renderAnswer(kind: String, _ fields: [(String, Tree)]) -> String {
    answerTree(kind: kind, fields).indentedJSON() + "\n"
}

/// The same as a part of another answer.
func answerTree(kind: String, _ fields: [(String, Tree)]) -> Tree {
    .object(Members([("apiVersion", "bylaw.dev/v1"), ("kind", .string(kind))] + fields))
}

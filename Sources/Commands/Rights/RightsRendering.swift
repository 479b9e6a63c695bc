import Analysis
import Guardrails
import JSON
import Manifest
import Policy

extension Ceiling.Need {
    /// As it stands in comments and messages.
    var described: String { "\(id) (\(origin.description))" }
}

/// One object of a ceiling, with the grants that its rules are.
struct CeilingObject {
    var tree: Tree
    /// Of a role, in the order of its rules.
    var grants: [Ceiling.Grant] = []
}

/// A ClusterRole and Roles, each with its binding to the service account.
func ceilingObjects(_ ceiling: Ceiling, of account: ObjectID) -> [CeilingObject] {
    ceiling.grants.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.flatMap { namespace, grants in
        let isClusterWide = namespace.isEmpty
        let kind: Resource = isClusterWide ? .clusterRole : .role
        let binding: Resource = isClusterWide ? .clusterRoleBinding : .roleBinding
        let name = "\(account.name)-ceiling"
        var role = object(ObjectID(kind, namespace: namespace, name: name))
        role.set(["rules"], to: .array(grants.map { ruleTree($0.rule) }))
        var grant = object(ObjectID(binding, namespace: namespace, name: name))
        grant.set(
            ["roleRef"], to: ["apiGroup": .string(kind.group), "kind": .string(kind.kind), "name": .string(name)])
        grant.set(
            ["subjects"],
            to: [["kind": "ServiceAccount", "name": .string(account.name), "namespace": .string(account.namespace)]])
        return [CeilingObject(tree: role, grants: grants), CeilingObject(tree: grant)]
    }
}

private func object(_ id: ObjectID) -> Tree {
    var tree: Tree = ["apiVersion": .string(id.resource?.apiVersion ?? ""), "kind": .string(id.kind)]
    tree.set(["metadata", "name"], to: .string(id.name))
    if !id.namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(id.namespace)) }
    return tree
}

/// Objects as one list that kubectl applies.
func renderList(_ trees: [Tree]) -> String {
    let list: Tree = ["apiVersion": "v1", "kind": "List", "items": .array(trees)]
    return list.indentedJSON() + "\n"
}

/// The manifests of a ceiling as YAML, each rule below a comment that says what needs it.
func renderCeiling(_ ceiling: Ceiling, of account: ObjectID) -> String {
    var text = "# What Bylaw may grant, and no more; printed by bylaw rights. Each rule is below what needs it.\n"
    if ceiling.grants.values.allSatisfy(\.isEmpty) {
        text += "# Nothing: what is declared grants no more than Bylaw works with.\n"
    }
    for exception in ceiling.administered {
        text += comment(
            "Not in it: \(exception.need.described), since \(exception.why). An administrator writes it: bylaw rights --roles"
        )
    }
    for exception in ceiling.refused {
        text += comment("Never given: \(exception.need.described), since \(exception.why).")
    }
    return text + ceilingObjects(ceiling, of: account).map(renderObject).joined(separator: "---\n")
}

private func renderObject(_ object: CeilingObject) -> String {
    let tree = object.tree
    var text = "apiVersion: \(tree["apiVersion"]?.string ?? "")\nkind: \(tree["kind"]?.string ?? "")\nmetadata:\n"
    for field in ["name", "namespace"] {
        if let value = tree["metadata"]?[field]?.string { text += "  \(field): \(yamlText(value))\n" }
    }
    if !object.grants.isEmpty {
        text += "rules:\n" + object.grants.map(renderGrant).joined()
        return text
    }
    text += "roleRef:\n" + renderMembers(tree["roleRef"], indent: "  ", first: "  ")
    for subject in tree["subjects"]?.array ?? [] {
        text += "subjects:\n" + renderMembers(subject, indent: "  ", first: "- ")
    }
    return text
}

private func renderMembers(_ tree: Tree?, indent: String, first: String) -> String {
    var text = ""
    for (key, value) in tree?.members ?? Members() {
        text += "\(text.isEmpty ? first : indent)\(key): \(yamlText(value.string ?? ""))\n"
    }
    return text
}

private func renderGrant(_ grant: Ceiling.Grant) -> String {
    let shown = grant.needs.prefix(3).map(\.described).joined(separator: ", ")
    let rest = grant.needs.count > 3 ? " and \(grant.needs.count - 3) more" : ""
    let tree = ruleTree(grant.rule)
    var lines: [String] = []
    for key in ["apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs"] {
        guard let values = tree[key]?.array else { continue }
        let list = values.compactMap(\.string).map(yamlText).joined(separator: ", ")
        lines.append("\(lines.isEmpty ? "- " : "  ")\(key): [\(list)]\n")
    }
    return comment(shown + rest) + lines.joined()
}

/// One line whatever the text holds.
private func comment(_ text: String) -> String { "# \(printable(text))\n" }

/// A scalar of YAML that is read as this very string.
private func yamlText(_ text: String) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    let isPlain =
        text.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) } == true
        && text.utf8.allSatisfy { byte in
            let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            return isLetter || isDigit || Array("-./_".utf8).contains(byte)
        } && !words.contains(text.lowercased())
    return isPlain ? text : Tree.string(text).jsonText()
}

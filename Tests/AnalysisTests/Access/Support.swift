import Analysis
import JSON
import Manifest
import TestSupport
import YAML

/// The objects of some YAML documents, lists expanded, each with an id made of what stands in it.
func stateObjects(yaml bytes: [UInt8], defaultNamespace: String = "default") -> [StateObject] {
    let stream = parseYAML(bytes)
    return stream.documents.flatMap { document -> [StateObject] in
        let items = document.tree["items"]?.array ?? [document.tree]
        return items.compactMap { stateObject($0, defaultNamespace: defaultNamespace) }
    }
}

func stateObjects(_ text: String) -> [StateObject] { stateObjects(yaml: Array(text.utf8)) }

func stateObject(_ tree: Tree, kind: String? = nil, defaultNamespace: String = "default") -> StateObject? {
    guard let kind = kind ?? tree["kind"]?.string else { return nil }
    let name = tree["metadata"]?["name"]?.string ?? ""
    let version = tree["apiVersion"]?.string ?? ""
    let resource = Resource.managed.first { $0.kind == kind }
    let group = resource?.group ?? (version.contains("/") ? String(version.prefix { $0 != "/" }) : "")
    let isNamespaced = resource?.isNamespaced ?? true
    let namespace = isNamespaced ? tree["metadata"]?["namespace"]?.string ?? defaultNamespace : ""
    return StateObject(id: ObjectID(group: group, kind: kind, namespace: namespace, name: name), tree: tree)
}

/// The lines of a conformance file, as trees.
func conformanceLines(_ path: String) throws -> [Tree] {
    try Conformance.lines(path).map { try parseJSON($0) }
}

extension AccessRequest {
    /// Reads a request of the conformance data.
    init(conformance tree: Tree) {
        let verb = tree["verb"]?.string ?? ""
        if let path = tree["path"]?.string {
            self.init(verb, path: path)
        } else {
            self.init(
                verb, tree["resource"]?.string ?? "", group: tree["group"]?.string ?? tree["apiGroup"]?.string ?? "",
                subresource: tree["subresource"]?.string ?? "", name: tree["name"]?.string ?? "",
                namespace: tree["namespace"]?.string ?? "")
        }
    }
}

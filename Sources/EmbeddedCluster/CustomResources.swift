import HTTPServer
import Manifest

/// A kind that a CustomResourceDefinition brings.
struct CustomKind: Sendable {
    var resource: Resource
    var schema: StructuralSchema
    /// Whether the status is written by way of a subresource of its own alone.
    var hasStatus: Bool
    var shortNames: [String]

    /// Reads a definition of one version.
    init(_ definition: Tree) throws(Refusal) {
        let name = definition["metadata"]?["name"]?.string ?? ""
        var causes: [(reason: String, message: String, field: String)] = []
        let spec = definition["spec"]
        let group = spec?["group"]?.string ?? ""
        let plural = spec?["names"]?["plural"]?.string ?? ""
        let kind = spec?["names"]?["kind"]?.string ?? ""
        if name != "\(plural).\(group)" || plural.isEmpty || group.isEmpty || kind.isEmpty {
            causes.append(
                ("FieldValueInvalid", "Invalid value: must be spec.names.plural+\".\"+spec.group", "metadata.name"))
        }
        let scope = spec?["scope"]?.string
        if scope != "Namespaced", scope != "Cluster" {
            causes.append(("FieldValueRequired", "Required value", "spec.scope"))
        }
        let versions = spec?["versions"]?.array ?? []
        let version = versions.first
        if versions.count != 1 || version?["served"] != true || version?["storage"] != true {
            causes.append(
                ("FieldValueInvalid", "Invalid value: one served and stored version is imitated", "spec.versions"))
        }
        schema = StructuralSchema(version?["schema"]?["openAPIV3Schema"] ?? .null)
        for keyword in schema.unknownKeywords {
            causes.append(("FieldValueInvalid", "Invalid value: \(keyword) is not imitated", "spec.versions[0].schema"))
        }
        guard causes.isEmpty else { throw .invalid(.customResourceDefinition, name, causes) }
        resource = Resource(
            group: group, version: version?["name"]?.string ?? "", kind: kind, plural: plural,
            isNamespaced: scope == "Namespaced")
        hasStatus = version?["subresources"]?["status"] != nil
        shortNames = (spec?["names"]?["shortNames"]?.array ?? []).compactMap(\.string)
    }

    /// An object as the server stores it, or what it refuses of it.
    ///
    /// - Parameter subresource: By which it was written; empty for the object itself.
    func admit(_ new: Tree, over old: Tree?, subresource: String, name: String) throws(Refusal) -> Tree {
        var object = schema.pruned(object: new)
        if subresource == "status", var kept = old {
            kept.set(["status"], to: object["status"])
            object = kept
        } else if hasStatus {
            object.set(["status"], to: old?["status"])
        }
        let problems = schema.problems(of: object)
        guard problems.isEmpty else {
            throw .invalid(
                resource, name, problems.map { ("FieldValueInvalid", "Invalid value: \($0.message)", $0.path) })
        }
        // A new generation is one that somebody asked for.
        let generation = old?["metadata"]?["generation"]?.integer
        let isChanged = old.map { wish(of: $0) != wish(of: object) } ?? true
        object.set(["metadata", "generation"], to: .integer((generation ?? 0) + (isChanged ? 1 : 0)))
        return object
    }

    private func wish(of object: Tree) -> Tree {
        var wish = object
        for member in ["metadata", "status"] { wish.set([member], to: nil) }
        return wish
    }
}

/// CustomResourceDefinitions and what follows from them.
extension EmbeddedCluster {
    /// Serves what a definition brings, from the moment on at which it is stored; the real server takes a moment longer (locked).
    func install(_ kind: CustomKind) {
        store.served.removeAll { $0.group == kind.resource.group && $0.plural == kind.resource.plural }
        store.served.append(kind.resource)
        store.customKinds[kind.resource] = kind
    }

    /// Serves it no more, and removes its objects (locked).
    func uninstall(_ definition: Tree) {
        guard let kind = try? CustomKind(definition) else { return }
        for object in store.list(kind.resource, namespace: "") {
            store.remove(kind.resource, ObjectStore.key(of: object))
        }
        store.served.removeAll { $0 == kind.resource }
        store.customKinds[kind.resource] = nil
    }
}

package import Manifest

/// Brings a live object to the form in which declared objects stand, so that the two can be compared.
///
/// The server's defaults are filled in, quantities spelled canonically, empty lists that mean nothing dropped, and the
/// server's own fields left out. Never fails: what it does not understand stays as it is. The `rules` of a live
/// ClusterRole that has an `aggregationRule` are left out, because the cluster writes them (rule E12).
package func canonicalLive(_ tree: Tree, of resource: Resource) -> Tree {
    guard let shape = KindSchema.shape(of: resource) else { return tree }
    var reader = ObjectReader(mode: .lenient)
    guard var canonical = reader.read(tree, as: .object(shape)) else { return tree }
    fillDefaults(&canonical, of: resource)
    CanonicalMetadata.reduce(&canonical, of: resource)
    return canonical
}

/// What of an object's metadata is declared: everything else is the server's or other programs' business.
enum CanonicalMetadata {
    static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
    private static let declared = ["name", "namespace", "labels", "annotations"]

    static func reduce(_ tree: inout Tree, of resource: Resource) {
        guard case .object(var members) = tree, case .object(let metadata)? = members["metadata"] else { return }
        var kept = Members()
        for name in declared where name != "namespace" || resource.isNamespaced {
            kept[name] = metadata[name]
        }
        if var annotations = kept["annotations"]?.members, annotations[lastApplied] != nil {
            annotations[lastApplied] = nil
            kept["annotations"] = annotations.isEmpty ? nil : .object(annotations)
        }
        members["metadata"] = .object(kept)
        members["apiVersion"] = .string(resource.apiVersion)
        members["kind"] = .string(resource.kind)
        tree = .object(members)
    }
}

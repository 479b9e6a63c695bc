import Manifest

/// Checks one object, in canonical form with its defaults, as the API server checks it on creation.
struct ObjectValidator {
    let resource: Resource
    let tree: Tree
    var problems: Problems

    mutating func validate() {
        validateMetadata()
        switch resource.kind {
        case "Namespace": validatePodSecurityLabels()
        case "NetworkPolicy": validateNetworkPolicy()
        case "Role", "ClusterRole": validateRole()
        case "RoleBinding", "ClusterRoleBinding": validateBinding()
        case "ResourceQuota": validateResourceQuota()
        case "LimitRange": validateLimitRange()
        default: break
        }
    }

    /// The elements of a list with their paths.
    static func elements(_ list: Tree?, at path: FieldPath) -> [(value: Tree, path: FieldPath)] {
        (list?.array ?? []).enumerated().map { ($0.element, path.index($0.offset)) }
    }
}

extension FieldPath {
    static let metadata = FieldPath.root.field("metadata")
    static let spec = FieldPath.root.field("spec")
    static func annotation(_ name: String) -> FieldPath { .metadata.field("annotations").key(name) }
}

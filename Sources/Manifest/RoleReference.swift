extension ObjectID {
    /// Whether it is a RoleBinding or ClusterRoleBinding.
    package var isBinding: Bool { resource == .roleBinding || resource == .clusterRoleBinding }

    /// The role that a binding names; nil where it names none of the two kinds.
    ///
    /// - Parameter namespace: Of the binding; empty for one of the whole cluster.
    package init?(roleReferencedBy binding: Tree, in namespace: String) {
        guard let reference = binding["roleRef"], let name = reference["name"]?.string else { return nil }
        switch reference["kind"]?.string {
        case "Role": self.init(.role, namespace: namespace, name: name)
        case "ClusterRole": self.init(.clusterRole, name: name)
        default: return nil
        }
    }
}

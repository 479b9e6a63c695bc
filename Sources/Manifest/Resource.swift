/// A kind of API object and where the API server keeps it.
package struct Resource: Hashable, Sendable {
    /// The API group; empty for the core group.
    package var group: String
    package var version: String
    package var kind: String
    /// The name in URLs, such as `networkpolicies`.
    package var plural: String
    package var isNamespaced: Bool

    package init(group: String, version: String = "v1", kind: String, plural: String, isNamespaced: Bool) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// What manifests write in `apiVersion`.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// What people type: `roles.rbac.authorization.k8s.io`.
    package var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

extension Resource {
    package static let namespace = Resource(group: "", kind: "Namespace", plural: "namespaces", isNamespaced: false)
    package static let serviceAccount = Resource(
        group: "", kind: "ServiceAccount", plural: "serviceaccounts", isNamespaced: true)
    package static let resourceQuota = Resource(
        group: "", kind: "ResourceQuota", plural: "resourcequotas", isNamespaced: true)
    package static let limitRange = Resource(group: "", kind: "LimitRange", plural: "limitranges", isNamespaced: true)
    package static let networkPolicy = Resource(
        group: "networking.k8s.io", kind: "NetworkPolicy", plural: "networkpolicies", isNamespaced: true)
    package static let role = Resource(
        group: "rbac.authorization.k8s.io", kind: "Role", plural: "roles", isNamespaced: true)
    package static let clusterRole = Resource(
        group: "rbac.authorization.k8s.io", kind: "ClusterRole", plural: "clusterroles", isNamespaced: false)
    package static let roleBinding = Resource(
        group: "rbac.authorization.k8s.io", kind: "RoleBinding", plural: "rolebindings", isNamespaced: true)
    package static let clusterRoleBinding = Resource(
        group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding", plural: "clusterrolebindings",
        isNamespaced: false)

    /// The nine kinds that Bylaw manages.
    ///
    /// A static table is right for them: all are `v1` since Kubernetes 1.8 (rule B5).
    package static let managed: [Resource] = [
        namespace, serviceAccount, resourceQuota, limitRange, networkPolicy, role, clusterRole, roleBinding,
        clusterRoleBinding,
    ]

    /// The managed kind of this group and name, or nil; the version plays no part in identity (rule B4).
    package static func managed(group: String, kind: String) -> Resource? {
        managed.first { $0.group == group && $0.kind == kind }
    }
}

extension Resource {
    /// The kinds that give rights.
    package static let ofAccess: [Resource] = [.role, .clusterRole, .roleBinding, .clusterRoleBinding]

    /// Where checkpoints of the journal and emergency holds are kept; none of the managed kinds.
    package static let configMap = Resource(group: "", kind: "ConfigMap", plural: "configmaps", isNamespaced: true)

    /// What tells people who look at an object that something happened to it; events.k8s.io is served since Kubernetes 1.19.
    package static let event = Resource(
        group: "events.k8s.io", kind: "Event", plural: "events", isNamespaced: true)

    /// What replicas of one program agree by on who leads; none of the managed kinds.
    package static let lease = Resource(
        group: "coordination.k8s.io", kind: "Lease", plural: "leases", isNamespaced: true)

    /// What shows `kubectl` how an instance stands, where an administrator has defined it; none of the managed kinds.
    package static let policySync = Resource(
        group: "bylaw.dev", version: "v1alpha1", kind: "PolicySync", plural: "policysyncs", isNamespaced: true)
    /// What makes an API server serve a further kind; only administrators write it.
    package static let customResourceDefinition = Resource(
        group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", plural: "customresourcedefinitions",
        isNamespaced: false)

    /// What says which requests are refused, from Kubernetes 1.30 on.
    ///
    /// None of the managed kinds: a repository cannot declare it.
    package static let admissionPolicy = Resource(
        group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy",
        plural: "validatingadmissionpolicies", isNamespaced: false)
    /// What puts such a policy in force.
    ///
    /// Without one a policy refuses nothing.
    package static let admissionPolicyBinding = Resource(
        group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding",
        plural: "validatingadmissionpolicybindings", isNamespaced: false)
}

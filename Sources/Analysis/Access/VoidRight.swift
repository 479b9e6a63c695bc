import Manifest

extension PolicyRule {
    /// Whether it gives nothing where it holds, because no request can ask for it.
    ///
    /// Only of a part of a rule, which has one verb and one resource or URL. A bulk deletion has no name, while a creation
    /// has one where it is asked for by server-side apply. In a namespace no request is for a path or for an object of the
    /// whole cluster (security semantics, section 2.2, points 2 and 4).
    ///
    /// - Parameter scope: A namespace, or empty for the whole cluster.
    func isVoid(in scope: String) -> Bool {
        guard let verb = verbs.first, verbs.count == 1 else { return false }
        guard nonResourceURLs.isEmpty else { return !scope.isEmpty }
        guard let resource = resources.first, let group = apiGroups.first, resources.count == 1 else { return false }
        if verb == "deletecollection", !resourceNames.isEmpty, !resourceNames.holds("") { return true }
        return !scope.isEmpty && Self.isOfWholeCluster(verb, group, resource)
    }

    /// Whether requests for a resource never name a namespace.
    ///
    /// Requests for one Namespace do: they name itself. And whether somebody may `bind` a ClusterRole is asked in the
    /// namespace of the RoleBinding.
    private static func isOfWholeCluster(_ verb: String, _ group: String, _ resource: String) -> Bool {
        let plural = String(resource.prefix { $0 != "/" })
        guard let resources = ofWholeCluster[group] else { return false }
        if group == Resource.clusterRole.group, verb == "bind" || verb == "*" { return false }
        return resources.isEmpty || resources.contains(plural)
    }

    /// By group, and empty for all of a group; of kinds that Kubernetes does not serve itself it is not known.
    private static let ofWholeCluster: [String: Set<String>] = [
        "": ["nodes", "persistentvolumes", "componentstatuses", "users", "groups"],
        "rbac.authorization.k8s.io": ["clusterroles", "clusterrolebindings"],
        "admissionregistration.k8s.io": [], "apiregistration.k8s.io": [], "apiextensions.k8s.io": [],
        "certificates.k8s.io": [], "authentication.k8s.io": [], "scheduling.k8s.io": [], "node.k8s.io": [],
        "storage.k8s.io": ["storageclasses", "volumeattachments", "csidrivers", "csinodes"],
    ]
}

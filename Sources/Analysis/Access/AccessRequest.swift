/// One question to the authorizer, whether somebody may do something.
package struct AccessRequest: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        /// A request for objects of a kind.
        ///
        /// An empty name asks for a request without one: a list, a creation, a deletion of a collection. An empty
        /// namespace asks for a request to the whole cluster, which only ClusterRoleBindings can allow.
        case resource(group: String, resource: String, subresource: String, name: String, namespace: String)
        /// A request for a path that is no resource, such as `/metrics`.
        case path(String)
    }

    package var verb: String
    package var target: Target

    package init(verb: String, target: Target) {
        self.verb = verb
        self.target = target
    }

    package init(
        _ verb: String, _ resource: String, group: String = "", subresource: String = "", name: String = "",
        namespace: String = ""
    ) {
        self.init(
            verb: verb,
            target: .resource(
                group: group, resource: resource, subresource: subresource, name: name, namespace: namespace))
    }

    package init(_ verb: String, path: String) { self.init(verb: verb, target: .path(path)) }

    /// Empty for a request without one, and for paths.
    package var name: String {
        if case .resource(_, _, _, let name, _) = target { name } else { "" }
    }

    /// The same request for an object of a name.
    package func named(_ name: String) -> AccessRequest {
        guard case .resource(let group, let resource, let subresource, _, let namespace) = target else { return self }
        return AccessRequest(
            verb, resource, group: group, subresource: subresource, name: name, namespace: namespace)
    }

    /// The same request in a namespace, or with an empty one for the whole cluster.
    package func `in`(_ namespace: String) -> AccessRequest {
        guard case .resource(let group, let resource, let subresource, let name, _) = target else { return self }
        return AccessRequest(
            verb, resource, group: group, subresource: subresource, name: name, namespace: namespace)
    }

    /// Empty for a request to the whole cluster and for paths.
    package var namespace: String {
        if case .resource(_, _, _, _, let namespace) = target { namespace } else { "" }
    }
}

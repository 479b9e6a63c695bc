package import Analysis
package import Manifest
package import Policy

/// The rights that Bylaw needs to do what a repository asks: reading and writing every managed kind, granting what it does
/// not hold, and keeping admission policies where it is to prevent.
package func neededRights(for configuration: RepositoryConfiguration) -> [AccessRequest] {
    let kinds = configuration.managedKinds
    let prevention: [Resource] = configuration.prevention == nil ? [] : [.admissionPolicy, .admissionPolicyBinding]
    return kinds.sorted { $0.qualifiedPlural.precedesByBytes($1.qualifiedPlural) }.flatMap { resource in
        ["get", "list", "watch", "create", "patch", "delete"].map {
            AccessRequest($0, resource.plural, group: resource.group)
        }
    }
        + prevention.flatMap { resource in
            ["get", "create", "patch", "delete"].map { AccessRequest($0, resource.plural, group: resource.group) }
        }
        + ["escalate", "bind"].flatMap { verb in
            [Resource.role, .clusterRole].filter(kinds.contains).map {
                AccessRequest(verb, $0.plural, group: $0.group)
            }
        }
}

/// What a revision would take away from Bylaw's own rights.
package struct SelfLockout: Sendable {
    /// Rights that it holds by the roles and bindings of now, and would not hold any more.
    package var lostRights: [AccessRequest]
    /// Its own service account or namespace, where they would go.
    package var lostObjects: [ObjectID]

    package var isEmpty: Bool { lostRights.isEmpty && lostObjects.isEmpty }

    /// - Parameters:
    ///   - user: Who the server takes Bylaw for.
    ///   - live: The cluster as it is.
    ///   - state: What is to be enforced.
    ///   - removed: What is to be deleted.
    ///   - needed: See ``neededRights(managing:)``.
    package init(
        of user: UserIdentity, live: [ObjectID: LiveObject], enforcing state: DeclaredState,
        removing removed: [ObjectID],
        needed: [AccessRequest]
    ) {
        lostObjects = removed.filter { id in
            guard let account = user.serviceAccount else { return false }
            return id == account || id == ObjectID(.namespace, name: account.namespace)
        }.sorted()
        let identity = AccessIdentity(user: user.name, groups: user.groups.sorted())
        guard !identity.isMaster else {
            lostRights = []
            return
        }
        let before = SecurityState(live: live)
        var after = before
        for (id, object) in state.objects { after[id] = StateObject(id: id, tree: object.tree) }
        for id in removed { after[id] = nil }
        let modelBefore = AccessModel(before)
        let modelAfter = AccessModel(after)
        // A right that holds for the whole cluster is asked for there; one that only holds in namespaces in each of them.
        let namespaces = Set(
            modelBefore.bindings(naming: identity).map(\.scope).filter { !$0.isEmpty }
        ).sorted()
        lostRights = ([""] + namespaces).flatMap { namespace in
            // What is given for some names only is asked for by these names.
            let names = Set(modelBefore.grants(of: identity, in: namespace).flatMap(\.rule.resourceNames)).sorted()
            return needed.flatMap { request in
                let whole = request.about("", in: namespace)
                let asked =
                    modelBefore.allows(whole, to: identity) ? [whole] : names.map { request.about($0, in: namespace) }
                return asked.filter { modelBefore.allows($0, to: identity) && !modelAfter.allows($0, to: identity) }
            }
        }
    }
}

extension AccessRequest {
    fileprivate func about(_ name: String, in namespace: String) -> AccessRequest {
        guard case .resource(let group, let resource, let subresource, _, _) = target else { return self }
        return AccessRequest(
            verb, resource, group: group, subresource: subresource, name: name, namespace: namespace)
    }
}

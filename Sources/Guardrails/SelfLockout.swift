package import Analysis
package import Manifest
package import Planning
package import Policy

/// The rights that Bylaw cannot work without: reading and writing every managed kind, and granting by name.
///
/// It needs no more of `escalate` and `bind` than it holds: what counts is only what it has and would lose.
package func neededRights(for configuration: RepositoryConfiguration) -> [AccessRequest] {
    let kinds = configuration.managedKinds
    return kinds.sorted { $0.qualifiedPlural.precedesByBytes($1.qualifiedPlural) }.flatMap { resource in
        workVerbs.map { AccessRequest($0, resource.plural, group: resource.group) }
    }
        + ["escalate", "bind"].flatMap { verb in
            [Resource.role, .clusterRole].filter(kinds.contains).map {
                AccessRequest(verb, $0.plural, group: $0.group)
            }
        }
}

/// What keeping the admission policies of an instance takes, where the repository asks for prevention.
package func preventionRights(for configuration: RepositoryConfiguration, instance: String) -> [AccessRequest] {
    guard configuration.prevention != nil else { return [] }
    let names = PreventionPolicyNames(of: instance)
    return [Resource.admissionPolicy, .admissionPolicyBinding].flatMap { resource in
        [AccessRequest("create", resource.plural, group: resource.group)]
            + ["get", "patch", "delete"].flatMap { verb in
                [names.managed, names.undeclared].map {
                    AccessRequest(verb, resource.plural, group: resource.group, name: $0)
                }
            }
    }
}

/// What telling incidents as Events takes; Bylaw works without.
package let eventRights = ["create", "patch"].map {
    AccessRequest($0, Resource.event.plural, group: Resource.event.group)
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
    ///   - closedLabels: The labels that are taken away where they are not declared; others stay.
    ///   - removed: What is to be deleted.
    ///   - needed: See ``neededRights(for:)``.
    package init(
        of user: UserIdentity, live: [ObjectID: LiveObject], enforcing state: DeclaredState,
        closedLabels: ClosedLabels, removing removed: [ObjectID], needed: [AccessRequest]
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
        for (id, object) in state.objects {
            after[id] = StateObject(id: id, tree: object.tree.keeping(labelsOf: before[id]?.tree, id, closedLabels))
        }
        for id in removed { after[id] = nil }
        let rules = { (state: SecurityState) in
            let sources = RightsSources(of: user, among: state.objects).all
            return HeldRules(
                of: identity, in: AccessModel(objects: sources.compactMap { state[$0] }))
        }
        lostRights = rules(before).lost(needed, with: rules(after))
    }
}

extension Tree {
    /// A declaration as it will stand in the cluster: with the labels that are there and that it says nothing about.
    fileprivate func keeping(labelsOf live: Tree?, _ id: ObjectID, _ closed: ClosedLabels) -> Tree {
        guard id.resource == .clusterRole, let labels = live?["metadata"]?["labels"]?.members else { return self }
        var tree = self
        for (key, value) in labels
        where !closed.contains(key, of: .clusterRole) && self["metadata"]?["labels"]?[key] == nil {
            tree.set(["metadata", "labels", key], to: value)
        }
        return tree
    }
}

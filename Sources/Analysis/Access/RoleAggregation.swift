import Manifest

/// Resolves ClusterRoles with an `aggregationRule` as the controller of Kubernetes does, to its fixed point.
///
/// The rules of such a role are the union over the ClusterRoles that any of its selectors matches, itself left out, in
/// the order of their names; what its manifest says in `rules` is overwritten (security semantics, section 2.2, point 8).
/// Roles may aggregate aggregated roles, so it goes on until nothing changes.
func aggregate(_ clusterRoles: [StateObject]) -> [AccessRole] {
    var roles: [ObjectID: AccessRole] = [:]
    var aggregated: [(id: ObjectID, members: [ObjectID])] = []
    let sorted = clusterRoles.sorted { $0.id < $1.id }
    let labels = sorted.map(\.labels)
    for object in sorted {
        let isAggregated = object.tree["aggregationRule"]?.members != nil
        let rules = isAggregated ? [] : readRules(object)
        roles[object.id] = AccessRole(
            id: object.id, origin: object.origin, rules: rules, sources: rules.map { _ in object.id })
        guard isAggregated else { continue }
        let selectors = (object.tree["aggregationRule"]?["clusterRoleSelectors"]?.array ?? []).map(LabelSelector.init)
        let members = sorted.indices.filter { index in
            sorted[index].id != object.id && selectors.contains { $0.matches(labels[index]) }
        }
        aggregated.append((object.id, members.map { sorted[$0].id }))
    }
    // Each round carries rules one role further, and looks only at roles that gather what changed in the one before.
    var changed = Set(roles.keys)
    for _ in aggregated.indices where !changed.isEmpty {
        let last = changed
        changed = []
        for (id, members) in aggregated where members.contains(where: last.contains) {
            let gathered = gather(members.compactMap { roles[$0] })
            guard gathered.rules != roles[id]?.rules else { continue }
            changed.insert(id)
            roles[id]?.rules = gathered.rules
            roles[id]?.sources = gathered.sources
        }
    }
    return sorted.compactMap { roles[$0.id] }
}

private func gather(_ members: [AccessRole]) -> (rules: [PolicyRule], sources: [ObjectID]) {
    var rules: [PolicyRule] = []
    var sources: [ObjectID] = []
    var seen: Set<PolicyRule> = []
    for member in members {
        for (rule, source) in zip(member.rules, member.sources) where seen.insert(rule).inserted {
            rules.append(rule)
            sources.append(source)
        }
    }
    return (rules, sources)
}

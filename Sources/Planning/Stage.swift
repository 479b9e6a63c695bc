import Manifest
import Policy

/// The place of an action in the order of a plan: what takes away goes first, what opens goes last (design, section 5.3).
///
/// Within one namespace a stage waits for the stages before it; across namespaces nothing waits, so that a slow or
/// failing one holds up no other (rule G9).
package enum Stage: Int, Sendable, Comparable, CaseIterable {
    /// Takes rights or reachability away. It waits for nothing.
    case revoke
    case namespace
    case limits
    case serviceAccount
    /// Policies that select every pod: default-deny.
    case isolation
    case networkPolicy
    case role
    case binding
    /// Lets more happen than before: it comes after everything that protects.
    case loosen

    package static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
}

/// The stage of making an object that is not there.
func stageOfCreate(_ desired: Tree, resource: Resource) -> Stage {
    switch resource {
    case .namespace: .namespace
    case .resourceQuota, .limitRange: .limits
    case .serviceAccount: .serviceAccount
    case .networkPolicy: selectsEveryPod(desired) ? .isolation : .networkPolicy
    case .role, .clusterRole: .role
    default: .binding
    }
}

/// The stage of deleting an object.
///
/// Without a quota more is possible than with it, and without a NetworkPolicy as well, unless the pods stay isolated by
/// another one: then its removal only takes away what it allowed.
func stageOfDelete(_ live: LiveObject, isolation: Isolation) -> Stage {
    switch live.id.resource {
    case .networkPolicy:
        isolation.outlasts(live.id, canonicalLive(live.tree, of: .networkPolicy)) ? .revoke : .loosen
    case .resourceQuota, .limitRange, .namespace: .loosen
    default: .revoke
    }
}

/// The stage of changing an object; the differences run from the live to the declared state, both in canonical form.
///
/// A change that takes anything away does not wait for anything that gives, so a mixed change goes first.
func stageOfUpdate(
    _ differences: [Difference], of id: ObjectID, resource: Resource, desired: Tree, live: Tree, isolation: Isolation
) -> Stage {
    switch resource {
    case .namespace:
        let effects = differences.map(podSecurityEffect)
        if effects.contains(.tightens) { return .revoke }
        return effects.contains(.loosens) ? .loosen : .namespace
    case .role, .clusterRole:
        return differences.contains(where: takesAway) ? .revoke : .role
    case .roleBinding, .clusterRoleBinding:
        return differences.contains(where: takesAway) ? .revoke : .binding
    case .networkPolicy:
        return stageOfPolicyUpdate(differences, of: id, desired: desired, live: live, isolation: isolation)
    case .resourceQuota, .limitRange: return .limits
    case .serviceAccount: return .serviceAccount
    default: return .namespace
    }
}

/// The stage of changing a NetworkPolicy.
///
/// Pods that it no longer isolates in some direction are open there, unless another policy keeps them isolated: that
/// comes last, behind whatever is to take its place (rule F6), even where the same change cuts something off as well.
private func stageOfPolicyUpdate(
    _ differences: [Difference], of id: ObjectID, desired: Tree, live: Tree, isolation: Isolation
) -> Stage {
    guard differences.contains(where: { $0.path.first == "spec" }) else { return .networkPolicy }
    let isSelectorChanged = differences.contains { $0.path == ["spec", "podSelector"] }
    let isNarrowed = isSelectorChanged && !selectsEveryPod(desired)
    let leavesDirection = !Set(policyTypes(of: live)).isSubset(of: policyTypes(of: desired))
    if isNarrowed || leavesDirection {
        return isolation.outlasts(id, live) ? .revoke : .loosen
    }
    if differences.contains(where: { $0.path.last != "podSelector" && cutsOff($0) }) { return .revoke }
    // To select more pods isolates them, unless all of them are isolated already: then it only allows more.
    return isSelectorChanged && !isolation.outlasts(id, live) ? .revoke : .loosen
}

/// Whether something that the live list holds is not declared any more.
private func takesAway(_ difference: Difference) -> Bool {
    guard difference.path.first != "metadata" || difference.kind == .undeclared else { return false }
    switch difference.kind {
    case .undeclared: return true
    case .missing: return difference.path.last == "policyTypes"
    case .changed:
        guard let live = difference.live?.array else { return true }
        let declared = Set(difference.declared?.array ?? [])
        if difference.path.last == "policyTypes" { return declared.count > live.count }
        return !live.allSatisfy(declared.contains)
    }
}

/// Whether a difference in a NetworkPolicy cuts something off that could be reached: a live rule that no declared rule
/// covers counts, a rule that only got more ports or peers does not.
private func cutsOff(_ difference: Difference) -> Bool {
    guard difference.kind == .changed, let section = difference.path.last, ["ingress", "egress"].contains(section),
        let live = difference.live?.array, let declared = difference.declared?.array
    else { return takesAway(difference) }
    let peers = section == "ingress" ? "from" : "to"
    return !live.allSatisfy { rule in declared.contains { covers($0, rule, "ports") && covers($0, rule, peers) } }
}

/// Whether a rule's list allows all that another rule's list allows; an empty one allows everything.
private func covers(_ wide: Tree, _ narrow: Tree, _ list: String) -> Bool {
    let all = wide[list]?.array ?? []
    guard !all.isEmpty else { return true }
    let some = narrow[list]?.array ?? []
    return !some.isEmpty && some.allSatisfy(all.contains)
}

private enum Effect { case tightens, loosens, neither }

/// What a change of one Pod Security label does.
///
/// Unlabelled counts as privileged, an unknown level as restricted, as the admission plugin reads them (rules J4 and
/// J8).
private func podSecurityEffect(_ difference: Difference) -> Effect {
    guard difference.path.count == 3, let key = difference.path.last, key.hasPrefix(ClosedLabels.podSecurityPrefix)
    else {
        return .neither
    }
    guard !key.hasSuffix("-version") else { return .tightens }
    func rank(_ level: Tree?) -> Int {
        switch level?.string {
        case nil, "privileged"?: 0
        case "baseline"?: 1
        default: 2
        }
    }
    let before = rank(difference.live)
    let after = rank(difference.declared)
    return after > before ? .tightens : after < before ? .loosens : .neither
}

package import Analysis
package import Policy
import Manifest

/// What is done with objects of every managed kind.
///
/// Server-side apply takes `patch`, and `create` where the object is not there yet; no request of Bylaw takes `update` (rule I7).
let workVerbs = ["get", "list", "watch", "create", "patch", "delete"]

/// The rules of the ClusterRole that Bylaw works with, in the order of `Deploy/base/rbac.yaml`.
///
/// They allow no grant by themselves: what Bylaw may grant beyond them is its ``Ceiling``.
package func workRules(for configuration: RepositoryConfiguration) -> [PolicyRule] {
    let kinds = Resource.managed.filter(configuration.managedKinds.contains)
    var groups: [String] = []
    for kind in kinds where !groups.contains(kind.group) { groups.append(kind.group) }
    return groups.map { group in
        PolicyRule(verbs: workVerbs, apiGroups: [group], resources: kinds.filter { $0.group == group }.map(\.plural))
    }
}

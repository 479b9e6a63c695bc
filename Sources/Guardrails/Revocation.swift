import Analysis
import Manifest
package import Policy

extension DeclaredObject {
    /// The declaration without what a later one no longer gives: rules of a role that it does not cover, subjects of a
    /// binding that it does not name, and Pod Security modes of a namespace that it tightens.
    ///
    /// The later one may give more, which is not looked at. Everything else, and what is of another kind, stays as it is.
    ///
    /// - Parameter scopeKeys: Labels of namespaces that decide about more than Pod Security, so that they wait with the rest.
    package func without(whatIsTakenAwayBy later: DeclaredObject?, scopeKeys: Set<String> = []) -> DeclaredObject {
        guard let later, id.resource != nil else { return self }
        var kept = self
        switch id.resource {
        case .role, .clusterRole:
            let prefix = "rbac.authorization.k8s.io/aggregate-to-"
            for (label, _) in tree["metadata"]?["labels"]?.members ?? Members()
            where label.hasPrefix(prefix) && later.tree["metadata"]?["labels"]?[label] == nil {
                kept.tree.set(["metadata", "labels", label], to: nil)
            }
            // The cluster writes the rules of an aggregated role.
            guard tree["aggregationRule"] == nil, later.tree["aggregationRule"] == nil,
                let rules = tree["rules"]?.array
            else { return kept }
            let given = (later.tree["rules"]?.array ?? []).map { PolicyRule($0) }
            kept.tree.set(
                ["rules"],
                to: .array(
                    rules.flatMap { written in
                        let rule = PolicyRule(written)
                        let shared = [rule].shared(with: given)
                        return shared == [rule] ? [written] : shared.map(\.tree)
                    }))
        case .roleBinding, .clusterRoleBinding:
            guard let subjects = tree["subjects"]?.array else { return self }
            let named = Set(later.tree["subjects"]?.array ?? [])
            kept.tree.set(["subjects"], to: .array(subjects.filter(named.contains)))
        case .namespace:
            let labels = later.tree["metadata"]?["labels"]
            let tightened = comparePodSecurity(
                from: NamespacePodSecurity(labels: Labels(tree["metadata"]?["labels"])),
                to: NamespacePodSecurity(labels: Labels(labels))
            ).filter { $0.direction == .tightens }
            for mode in tightened.map(\.mode) {
                let names = [mode.levelLabel, mode.versionLabel]
                guard scopeKeys.isDisjoint(with: names) else { continue }
                for label in names { kept.tree.set(["metadata", "labels", label], to: labels?[label]) }
            }
        default: return self
        }
        return kept
    }
}

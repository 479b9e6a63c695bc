package import Manifest

extension [PolicyRule] {
    /// The rules of a role without what other rules do not give.
    ///
    /// A rule of which only a part is left is taken apart; one with too many combinations for that goes as a whole.
    package func shared(with others: [PolicyRule]) -> [PolicyRule] {
        flatMap { rule -> [PolicyRule] in
            let lost = uncoveredRights(of: [rule], by: others)
            if lost.isEmpty { return [rule] }
            guard lost.wholeRules.isEmpty else { return [] }
            let gone = Set(lost.parts)
            return minimalRules(rule.parts.filter { !gone.contains($0) })
        }
    }
}

extension PolicyRule {
    /// The rule as a manifest says it; lists that name nothing are left out.
    package var tree: Tree {
        var tree = Tree.object(Members())
        for (field, words) in [
            ("apiGroups", apiGroups), ("resources", resources), ("resourceNames", resourceNames),
            ("nonResourceURLs", nonResourceURLs), ("verbs", verbs),
        ] where !words.isEmpty {
            tree.set([field], to: .array(words.map(Tree.string)))
        }
        return tree
    }
}

package import Manifest

extension RepositoryConfiguration {
    /// The configuration as `bylaw.yaml` would say it, every field written out.
    ///
    /// Reading it again gives the same configuration.
    package var encoded: Tree {
        var guardrails: Tree = [
            "deletions": [
                "maximum": .integer(Int64(self.guardrails.deletions.maximum)),
                "maximumPercent": .integer(Int64(self.guardrails.deletions.maximumPercent)),
                "always": .integer(Int64(self.guardrails.deletions.always)),
            ],
            "approvers": .array(
                self.guardrails.approvers.map { ["name": .string($0.name), "signers": texts($0.signers)] }),
        ]
        for (name, decision) in self.guardrails.decisions.sorted(by: { $0.key < $1.key }) {
            guardrails.set(["risks", name], to: .string(decision.rawValue))
        }
        var tree: Tree = [
            "apiVersion": .string(Self.apiVersion), "kind": .string(Self.kind), "managedKinds": kinds(managedKinds),
            "scopes": [
                "default": .string(scopes.standardMode.rawValue), "rules": .array(scopes.rules.map(\.encoded)),
                "exclude": .array(scopes.exclusions.map(\.encoded)),
                "otherInstances": texts(scopes.otherInstances.sorted()),
            ],
            "guardrails": guardrails, "protected": .array(protected.map(\.encoded)),
            "fights": ["yield": .array(yieldsInFights.map(\.encoded))],
            "clusters": .array(clusters.map(\.encoded)),
        ]
        if let prevention { tree.set(["prevention"], to: prevention.encoded) }
        return tree
    }

    /// Reads what ``encoded`` wrote; nil where it is not that.
    package init?(encoded tree: Tree) {
        let (configuration, problems) = readConfiguration(tree)
        guard !problems.hasErrors else { return nil }
        self = configuration
    }
}

private func texts(_ values: some Sequence<String>) -> Tree { .array(values.map(Tree.string)) }

private func kinds(_ kinds: Set<Resource>) -> Tree { texts(kinds.map(\.kind).sorted()) }

extension ScopeRule {
    fileprivate var encoded: Tree {
        var tree: Tree = ["kinds": Policy.kinds(kinds), "mode": .string(mode.rawValue)]
        switch target {
        case .clusterWide: tree.set(["clusterWide"], to: true)
        case .namespaces(let names, let labels):
            if let names { tree.set(["namespaces"], to: texts(names.map(\.description))) }
            if let labels { tree.set(["namespaceSelector"], to: labels.encoded) }
        }
        return tree
    }
}

extension ObjectPattern {
    fileprivate var encoded: Tree {
        var tree = Tree.object(Members())
        if let kinds { tree.set(["kinds"], to: Policy.kinds(kinds)) }
        if let names { tree.set(["names"], to: texts(names.map(\.description))) }
        if let namespaces { tree.set(["namespaces"], to: texts(namespaces.map(\.description))) }
        if let labels { tree.set(["labels"], to: labels.encoded) }
        if let ownerKinds { tree.set(["ownerKinds"], to: texts(ownerKinds.sorted())) }
        return tree
    }
}

extension LabelSelector {
    fileprivate var encoded: Tree {
        let expressions: [Tree] = requirements.map { requirement in
            switch requirement {
            case .isIn(let key, let values):
                ["key": .string(key), "operator": "In", "values": texts(values.sorted())]
            case .notIn(let key, let values):
                ["key": .string(key), "operator": "NotIn", "values": texts(values.sorted())]
            case .exists(let key): ["key": .string(key), "operator": "Exists"]
            case .doesNotExist(let key): ["key": .string(key), "operator": "DoesNotExist"]
            // No sound configuration holds one; reading this again is refused.
            case .never: ["key": "", "operator": ""]
            }
        }
        return ["matchExpressions": .array(expressions)]
    }
}

extension PreventionRequest {
    fileprivate var encoded: Tree {
        var tree: Tree = [
            "enabled": true, "exemptUsers": texts(exemptUsers), "exemptGroups": texts(exemptGroups),
        ]
        if let breakGlassGroup {
            tree.set(["breakGlass", "group"], to: .string(breakGlassGroup))
            tree.set(["breakGlass", "longest"], to: .string("\(breakGlassLongest)s"))
        }
        return tree
    }
}

extension ClusterDeclaration {
    fileprivate var encoded: Tree {
        var tree: Tree = ["name": .string(name), "folders": texts(folders)]
        for (key, value) in labels.values { tree.set(["labels", key], to: .string(value)) }
        return tree
    }
}

import Manifest
import Policy
import Testing

@Suite struct ConfigurationTests {
    private func read(_ fields: [String: Tree]) -> FileVerdict {
        var tree: Tree = ["apiVersion": "bylaw.dev/v1", "kind": "Configuration"]
        for (key, value) in fields { tree.set([key], to: value) }
        return evaluate(tree, file: "bylaw.yaml")
    }

    @Test func aConfigurationWithoutFieldsIsTheStandard() {
        let verdict = read([:])
        #expect(verdict.findings == [])
        #expect(verdict.configuration == .standard)
        #expect(RepositoryConfiguration.standard.guardrails.deletions == DeletionBudget())
        #expect(RepositoryConfiguration.standard.scopes.isOpen)
        #expect(RepositoryConfiguration(encoded: RepositoryConfiguration.standard.encoded) == .standard)
    }

    @Test func readsEveryField() throws {
        let verdict = read([
            "managedKinds": ["Role", "RoleBinding"],
            "scopes": [
                "default": "report",
                "rules": [
                    ["namespaces": ["pay*"], "kinds": ["NetworkPolicy"], "mode": "enforce"],
                    ["clusterWide": true, "mode": "declared"],
                    ["namespaceSelector": ["matchLabels": ["tier": "a"]], "mode": "enforce"],
                ],
                "exclude": [["kinds": ["Role"], "ownerKinds": ["Prometheus"], "labels": ["matchLabels": ["a": "b"]]]],
            ],
            "guardrails": [
                "deletions": ["maximum": 3, "maximumPercent": 10, "always": 0],
                "risks": ["SecretAccessGranted": "report", "isolation-removed": "allow"],
                "approvers": [["name": "Alice", "signers": ["alice@example.com"]]],
            ],
            "protected": [["names": ["break-glass"]]],
            "fights": ["yield": [["kinds": ["ServiceAccount"]]]],
            "prevention": [
                "enabled": true, "breakGlass": ["group": "fire", "longest": "30m"], "exemptUsers": ["ci"],
            ],
            "clusters": [["name": "eu", "labels": ["region": "eu"]], ["name": "us", "folders": ["base", "./x/"]]],
        ])
        #expect(verdict.findings == [])
        let configuration = try #require(verdict.configuration)
        #expect(configuration.managedKinds == [.role, .roleBinding])
        #expect(configuration.scopes.standardMode == .report)
        #expect(configuration.scopes.rules.map(\.mode) == [.enforce, .declared, .enforce])
        #expect(configuration.scopes.rules[1].kinds == [.clusterRole, .clusterRoleBinding])
        #expect(configuration.scopes.exclusions.first?.ownerKinds == ["Prometheus"])
        #expect(
            configuration.guardrails.deletions == DeletionBudget(maximum: 3, maximumPercent: 10, always: 0))
        #expect(
            configuration.guardrails.decisions == ["SecretAccessGranted": .report, "isolation-removed": .allow])
        #expect(configuration.guardrails.approvers == [Approver(name: "Alice", signers: ["alice@example.com"])])
        #expect(configuration.protected.count == 1 && configuration.yieldsInFights.count == 1)
        #expect(
            configuration.prevention
                == PreventionRequest(breakGlassGroup: "fire", breakGlassLongest: 1800, exemptUsers: ["ci"]))
        #expect(configuration.clusters.map(\.folders) == [["base", "clusters/eu"], ["base", "x"]])
        // The order in which a selector's labels stand says nothing, but it is kept.
        #expect(RepositoryConfiguration(encoded: configuration.encoded) == configuration)
    }

    @Test(
        arguments: [
            (["scope": [:]], "scope", "Did you mean scopes"),
            (["scopes": ["default": "enforced"]], "scopes.default", "Write enforce"),
            (["scopes": ["rules": [["namespaces": ["a"]]]]], "scopes.rules[0].mode", "Write declared"),
            (["scopes": ["rules": [["mode": "report"]]]], "scopes.rules[0]", "clusterWide"),
            (
                ["scopes": ["rules": [["mode": "report", "clusterWide": true, "namespaces": ["a"]]]]],
                "scopes.rules[0]", "clusterWide"
            ),
            (["scopes": ["rules": [["mode": "report", "namespaces": []]]]], "scopes.rules[0].namespaces", "delete"),
            (
                ["scopes": ["rules": [["mode": "report", "clusterWide": true, "kinds": ["Role"]]]]],
                "scopes.rules[0].kinds[0]", "ClusterRole"
            ),
            (["scopes": ["exclude": [[:]]]], "scopes.exclude[0]", "Write kinds"),
            (["guardrails": ["risks": ["SecretAcessGranted": "hold"]]], "guardrails.risks[SecretAcessGranted]", "mean"),
            (["guardrails": ["risks": ["deletion-budget": "allow"]]], "guardrails.risks[deletion-budget]", ""),
            (["guardrails": ["risks": ["risky-grant": "never"]]], "guardrails.risks[risky-grant]", "Write"),
            (["guardrails": ["deletions": ["maximumPercent": 101]]], "guardrails.deletions.maximumPercent", "range"),
            (["guardrails": ["approvers": [["name": "A"]]]], "guardrails.approvers[0].signers", "principal"),
            (["protected": [["labels": ["matchLabels": ["a": "b"]]]]], "protected[0].labels", "Name the objects"),
            (["prevention": ["breakGlass": ["group": "g", "longest": "1y"]]], "prevention.breakGlass.longest", "4h"),
            (["clusters": [["name": "a", "folders": ["../x"]]]], "clusters[0].folders[0]", "slash"),
            (["clusters": [["name": "a", "folders": []]]], "clusters[0].folders", "base first"),
            (["managedKinds": ["Secret"]], "managedKinds[0]", "Write one of"),
            // What is left out may mean more than what was forgotten.
            (["protected": [["names": .null, "kinds": ["Role"]]]], "protected[0].names", "Write what is meant"),
            (
                ["scopes": ["rules": [["mode": "report", "namespaces": ["a"], "kinds": .null]]]],
                "scopes.rules[0].kinds", "Write what is meant"
            ),
            (["managedKinds": .null], "managedKinds", "Write what is meant"),
        ] as [([String: Tree], String, String)])
    func aMistakeRefusesTheFile(_ fields: [String: Tree], _ path: String, _ hint: String) {
        let verdict = read(fields)
        #expect(verdict.errors.contains { $0.path.description == path && $0.hint.contains(hint) }, "\(verdict.errors)")
    }

    @Test func itStandsAtTheRepositorysPath() {
        let tree: Tree = ["apiVersion": "bylaw.dev/v1", "kind": "Configuration", "managedKinds": ["Role"]]
        let inFolder = evaluate(tree, file: "production/bylaw.yaml")
        #expect(assembleDeclaredState([inFolder], folder: "production").state.configuration.managedKinds == [.role])
        #expect(assembleDeclaredState([inFolder]).findings.first?.message.contains("nothing reads it") == true)
        let elsewhere = evaluate(tree, file: "settings.yaml")
        #expect(assembleDeclaredState([elsewhere]).findings.first?.hint == "Move it to bylaw.yaml.")
    }

    @Test func aKindThatIsNotManagedIsNotDeclared() {
        let configuration = read(["managedKinds": ["Role"]])
        let (_, findings) = assembleDeclaredState([configuration, evaluate(.manifest(.networkPolicy))])
        #expect(findings.contains { $0.message.contains("managedKinds") && $0.severity == .error })
    }

    @Test func aSecondConfigurationIsRefused() {
        let tree: Tree = ["apiVersion": "bylaw.dev/v1", "kind": "Configuration"]
        #expect(evaluate(tree, tree, file: "bylaw.yaml").errors.count == 1)
    }

    // MARK: Patterns and scopes

    @Test(
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("a*", "abc", true), ("*c", "abc", true), ("a*c", "abc", true),
            ("a*c", "ac", true), ("a*a", "a", false), ("*", "", true), ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false), ("*b*", "abc", true), ("", "a", false),
        ])
    func namesFitTheirPatterns(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func theFirstRuleThatFitsCounts() {
        let scopes = ScopeRules(
            standardMode: .report,
            rules: [
                ScopeRule(
                    target: .namespaces(names: [NamePattern("pay*")], labels: nil), kinds: [.role], mode: .declared),
                ScopeRule(
                    target: .namespaces(names: nil, labels: LabelSelector(["matchLabels": ["tier": "a"]])),
                    kinds: ScopeRules.closableKinds, mode: .enforce),
                ScopeRule(target: .clusterWide, kinds: [.clusterRole], mode: .enforce),
            ])
        let tier = Labels(["tier": "a"])
        func mode(_ resource: Resource, _ labels: Labels?, isDeclared: Bool = true) -> ScopeMode {
            scopes.mode(of: resource, in: ScopedNamespace(name: "payments", labels: labels, isDeclared: isDeclared))
        }
        #expect(mode(.role, tier) == .declared)
        #expect(mode(.roleBinding, tier) == .enforce)
        #expect(mode(.roleBinding, Labels()) == .report)
        #expect(scopes.mode(of: .clusterRole, in: nil) == .enforce)
        #expect(scopes.mode(of: .clusterRoleBinding, in: nil) == .report)
        #expect(scopes.mode(of: .namespace, in: nil) == .declared)
        // Labels that are not known may be those that are meant: reported, never removed.
        #expect(mode(.roleBinding, nil) == .report)
        // Nor is anything removed by the word of labels that Git does not hold.
        #expect(mode(.roleBinding, tier, isDeclared: false) == .report)
    }

    /// Whoever may label a namespace that nobody declares cannot have it emptied, or kept out of a scope.
    @Test func labelsInTheClusterOnlyAreNotTrusted() {
        let exempt = LabelSelector(["matchLabels": ["exempt": "true"]])
        let scopes = ScopeRules(
            standardMode: .enforce,
            rules: [
                ScopeRule(
                    target: .namespaces(names: nil, labels: exempt), kinds: ScopeRules.closableKinds, mode: .declared)
            ])
        func mode(_ labels: Labels, isDeclared: Bool) -> ScopeMode {
            scopes.mode(of: .role, in: ScopedNamespace(name: "a", labels: labels, isDeclared: isDeclared))
        }
        #expect(mode(Labels(["exempt": "true"]), isDeclared: true) == .declared)
        #expect(mode(Labels(["exempt": "true"]), isDeclared: false) == .report)
        #expect(mode(Labels(), isDeclared: false) == .report, "a label that was taken off says no more")
        #expect(mode(Labels(), isDeclared: true) == .enforce)
        #expect(scopes.namespaceLabelKeys == ["exempt"])
    }

    /// Servers write a namespace's name in a label, which nobody declares.
    @Test(arguments: [true, false]) func aNamespaceIsKnownByTheLabelOfItsName(_ isDeclared: Bool) {
        let others = LabelSelector([
            "matchExpressions": [
                ["key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["sandbox"]]
            ]
        ])
        let scopes = ScopeRules(
            rules: [
                ScopeRule(
                    target: .namespaces(names: nil, labels: others), kinds: ScopeRules.closableKinds, mode: .enforce)
            ])
        func mode(_ name: String, _ labels: Labels) -> ScopeMode {
            scopes.mode(of: .role, in: ScopedNamespace(name: name, labels: labels, isDeclared: isDeclared))
        }
        #expect(mode("sandbox", Labels()) == .declared)
        #expect(mode("a", Labels(["kubernetes.io/metadata.name": "sandbox"])) == .enforce)
    }

    @Test func tooManyRulesAreRefused() {
        let rule: Tree = ["mode": "report", "namespaces": ["a"]]
        let verdict = read(["scopes": ["rules": .array(Array(repeating: rule, count: 1001))]])
        #expect(verdict.errors.contains { $0.message.contains("more than the 1000") })
    }

    @Test(
        arguments: [(0, 0, true), (5, 5, true), (6, 10, false), (6, 20, true), (50, 1000, true), (51, 100_000, false)])
    func theBudgetCountsAndShares(_ deletions: Int, _ total: Int, _ isAllowed: Bool) {
        #expect(DeletionBudget().allows(deletions, of: total) == isAllowed)
    }
}

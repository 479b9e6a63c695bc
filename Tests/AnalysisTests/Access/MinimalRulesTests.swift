import Analysis
import Testing

@Suite struct MinimalRulesTests {
    private func rule(_ verbs: [String], _ resources: [String], group: String = "", names: [String] = []) -> PolicyRule
    {
        PolicyRule(verbs: verbs, apiGroups: [group], resources: resources, resourceNames: names)
    }

    @Test func putsTogetherWhatDiffersInOneListOnly() {
        let rules = [
            rule(["get"], ["pods"]), rule(["list"], ["pods"]), rule(["list", "get"], ["services"]),
            rule(["get"], ["pods"], group: "metrics.k8s.io"),
        ]
        #expect(
            minimalRules(rules).map(\.description) == ["get,list pods,services", "get pods.metrics.k8s.io"])
    }

    @Test(arguments: [
        ([PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"])], "* *.*"),
        ([PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["*"])], "get *"),
    ])
    func leavesOutWhatIsGivenAnyway(_ broad: [PolicyRule], _ expected: String) {
        let narrow = [rule(["get"], ["pods"]), rule(["get"], ["pods/log"]), rule(["get"], ["pods"], names: ["a"])]
        #expect(minimalRules(narrow + broad).map(\.description) == [expected])
    }

    @Test func knowsSubresourcesNamesAndPrefixes() {
        #expect(
            minimalRules([rule(["get"], ["pods/scale"]), rule(["get"], ["*/scale"])]).map(\.description)
                == ["get */scale"])
        #expect(
            minimalRules([rule(["get"], ["secrets"], names: ["a"]), rule(["get"], ["secrets"])]).map(\.description)
                == ["get secrets"])
        let urls = [
            PolicyRule(verbs: ["get"], nonResourceURLs: ["/api/v1", "/api"]),
            PolicyRule(verbs: ["get"], nonResourceURLs: ["/api/*"]),
        ]
        #expect(minimalRules(urls).map(\.description) == ["get /api,/api/*"])
    }

    /// What a role of a megabyte may hold must not keep a reviewer waiting.
    @Test func staysQuickForAHostileRole() {
        let many = (0..<6_000).map { "resource-\($0)" }
        let rules = [rule(["*"], many), rule(many, ["*"]), rule(many, many, names: many)]
        #expect(minimalRules(rules).count <= 6)
        let uncovered = uncoveredRights(of: rules, by: [rule(["get"], ["pods"])])
        #expect(uncovered.parts.count <= 20_000)
        #expect(uncovered.wholeRules.count == 1)
    }
}

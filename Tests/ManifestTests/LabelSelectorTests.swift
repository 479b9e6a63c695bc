import Manifest
import Testing

@Suite struct LabelSelectorTests {
    @Test(
        arguments: [
            ("everything", [:], true),
            ("In needs the key", ["matchExpressions": [["key": "tier", "operator": "In", "values": ["a"]]]], false),
            (
                "NotIn holds without the key",
                ["matchExpressions": [["key": "tier", "operator": "NotIn", "values": ["a"]]]], true
            ),
            ("DoesNotExist", ["matchExpressions": [["key": "tier", "operator": "DoesNotExist"]]], true),
            ("Exists", ["matchExpressions": [["key": "app", "operator": "Exists"]]], true),
            ("all requirements", ["matchLabels": ["app": "web", "tier": "a"]], false),
            ("null labels", ["matchLabels": .null], true),
            ("an unknown operator selects nothing", ["matchExpressions": [["key": "app", "operator": "Gt"]]], false),
        ] as [(String, Tree, Bool)])
    func selectsAsKubernetesDoes(_ name: String, _ selector: Tree, _ expected: Bool) {
        #expect(LabelSelector(selector).matches(Labels(["app": "web"])) == expected)
    }
}

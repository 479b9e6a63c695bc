import Manifest
import Policy
import TestSupport
import Testing

@Suite struct LabelSelectorTextTests {
    @Test(
        arguments: [
            ("region=eu", [.isIn(key: "region", values: ["eu"])]),
            ("region == eu", [.isIn(key: "region", values: ["eu"])]),
            ("tier!=dev", [.notIn(key: "tier", values: ["dev"])]),
            ("tier != dev", [.notIn(key: "tier", values: ["dev"])]),
            ("env in (a,b)", [.isIn(key: "env", values: ["a", "b"])]),
            (" env  in( a , b ) ", [.isIn(key: "env", values: ["a", "b"])]),
            ("env notin (a)", [.notIn(key: "env", values: ["a"])]),
            ("!edge", [.doesNotExist(key: "edge")]), ("! edge", [.doesNotExist(key: "edge")]),
            ("gpu", [.exists(key: "gpu")]), ("region=", [.isIn(key: "region", values: [""])]),
            ("in in (in)", [.isIn(key: "in", values: ["in"])]),
            ("env in ()", [.isIn(key: "env", values: [""])]),
            (
                "example.com/region=eu,tier!=dev,env in (a,b),!edge,gpu",
                [
                    .isIn(key: "example.com/region", values: ["eu"]), .notIn(key: "tier", values: ["dev"]),
                    .isIn(key: "env", values: ["a", "b"]), .doesNotExist(key: "edge"), .exists(key: "gpu"),
                ]
            ),
        ] as [(String, [LabelSelector.Requirement])])
    func readsWhatKubectlTakes(_ text: String, _ requirements: [LabelSelector.Requirement]) throws {
        #expect(try LabelSelector(parsing: text).requirements == requirements)
    }

    @Test(
        arguments: [
            "", " ", ",", "a,", ",a", "a=b=c", "a b", "a=b c", "!a=b", "a in", "a in b", "a in (b", "a in (b))", "a>1",
            "a<1", "=b", "!", "a!b", "(a)", "a=ü", "-a", "a=-", "a/b/c", "a in (b c)", "!!a", "a===b",
        ])
    func refusesWhatIsNone(_ text: String) {
        #expect(throws: SelectorMistake.self) { try LabelSelector(parsing: text) }
    }

    @Test func readsWhatItPrints() throws {
        var random = SplitMix64(seed: 7)
        let words = ["a", "region", "in", "notin", "example.com/tier", "x.y-z_1"]
        for _ in 0..<2000 {
            let selector = LabelSelector(
                requirements: (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    let key = words.randomElement(using: &random) ?? ""
                    let values = Set(["eu", "us", "in", "1"].filter { _ in Bool.random(using: &random) }).union(["b"])
                    return switch Int.random(in: 0..<4, using: &random) {
                    case 0: .isIn(key: key, values: values)
                    case 1: .notIn(key: key, values: values)
                    case 2: .exists(key: key)
                    default: .doesNotExist(key: key)
                    }
                })
            #expect(try LabelSelector(parsing: selector.description) == selector)
        }
    }
}

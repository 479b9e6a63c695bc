import JSON
import Manifest
import TestSupport
import Testing

@Suite struct WriterTests {
    @Test func membersStandInTheOrderOfTheirBytesWithoutSpace() throws {
        let tree = try parseJSON(
            "{\"b\": [1, 2.5, {}],\n\"a\": null, \"\u{e9}\": true, \"z\": \"\", \"B\": [], \"e\u{301}\": false}")
        #expect(
            tree.jsonText() == "{\"B\":[],\"a\":null,\"b\":[1,2.5,{}],\"e\u{301}\":false,\"z\":\"\",\"\u{e9}\":true}")
    }

    @Test func indentsByTwoSpacesForPeople() {
        let tree: Tree = ["b": [1, ["c": .null]], "a": .object(Members()), "e": .array([])]
        #expect(
            tree.indentedJSON() == """
                {
                  "a": {},
                  "b": [
                    1,
                    {
                      "c": null
                    }
                  ],
                  "e": []
                }
                """)
    }

    @Test func escapesOnlyWhatMustBe() {
        let tree = Tree.string("\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{e9}\u{2028}\u{1f600}<>&")
        #expect(tree.jsonText() == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7f}\u{e9}\u{2028}\u{1f600}<>&\"")
    }

    @Test(arguments: [
        (1 as Double, "1"), (-2, "-2"), (0.5, "0.5"), (0.1, "0.1"), (1.0 / 3, "0.3333333333333333"),
        (1e14, "100000000000000"),
        (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (1e21, "1e+21"),
        (-1.5e300, "-1.5e+300"),
        (0.001, "0.001"), (1e-10, "1e-10"),
    ])
    func writesTheShortestDigits(_ number: Double, _ text: String) {
        #expect(Tree.double(number).jsonText() == text)
    }

    /// Go writes an exponent only below 1e-6 and from 1e21 on, and never with a leading zero.
    @Test(arguments: [
        (1e15 as Double, "1000000000000000"), (9_007_199_254_740_992, "9007199254740992"),
        (1e20, "100000000000000000000"),
        (-0x1p64, "-18446744073709552000"), (1e-5, "0.00001"), (1.25e-6, "0.00000125"), (1e-7, "1e-7"),
        (2.5e-9, "2.5e-9"),
    ])
    func writesNumbersInTheFormOfGo(_ number: Double, _ text: String) {
        #expect(Tree.double(number).jsonText() == text)
    }

    @Test(arguments: [
        -0.0 as Double, 0.0, 1, -1, 1e15, 1e18, 0x1p63, 0x1p64, -0x1p63, 1e21, 1e-7, 0.1, .leastNonzeroMagnitude,
        1.7976931348623157e308,
    ])
    func readingBackNeverChangesTheText(_ number: Double) throws {
        let text = Tree.double(number).jsonText()
        #expect(try parseJSON(text).jsonText() == text)
    }

    @Test func equalValuesHaveEqualTexts() {
        #expect(Tree.double(0.0) == .double(-0.0))
        #expect(Tree.double(0.0).jsonText() == Tree.double(-0.0).jsonText())
    }

    @Test func doublesOfEveryMagnitudeComeBackExactly() throws {
        var random = SplitMix64(seed: 754)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: random.next())
            guard number.isFinite else { continue }
            switch try parseJSON(Tree.double(number).jsonText()) {
            case .double(let value): #expect(value == number)
            case .integer(let value): #expect(Double(value) == number)
            case .unsigned(let value): #expect(Double(value) == number)
            default: Issue.record("\(number) is no number any more")
            }
        }
    }

    @Test(arguments: 1...8)
    func whatIsReadBackIsEqual(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<250 {
            let tree = randomTree(using: &random)
            #expect(try parseJSON(tree.jsonBytes()) == tree)
            #expect(try parseJSON(tree.indentedJSON()) == tree)
            #expect(try parseJSON(tree.indentedJSON()).jsonBytes() == tree.jsonBytes())
            #expect(parseJSONDocument(tree.jsonBytes()).documents.map(\.tree) == [tree])
        }
    }
}

import JSON
import Manifest
import Policy
import TestSupport
import Testing

/// Whatever stands in a file, it is judged: never a crash, and the finding names the place.
@Suite struct HostileInputTests {
    /// A value of the object with the way to it.
    struct Place {
        var path: FieldPath
        var value: Tree
        var replace: (Tree) -> Tree
    }

    @Test(.enabled(if: Conformance.isPresent, "\(Conformance.absence)"), arguments: Resource.managed)
    func eachWrongTypeIsNamed(_ resource: Resource) throws {
        let group = resource.group.isEmpty ? "core" : resource.group
        let object = try parseJSON(Conformance.read("api-all-fields/\(group).v1.\(resource.kind).json"))
        var count = 0
        for place in places(in: object) where !place.path.steps.isEmpty {
            for wrong in wrongValues(for: place.value) {
                let verdict = evaluate(place.replace(wrong))
                #expect(
                    verdict.errors.contains { $0.path == place.path },
                    "\(place.path) = \(wrong): \(verdict.errorTexts)")
                count += 1
            }
            // These may be right or wrong; they must only be bearable.
            for odd in [Tree.null, "", [], [:], .integer(.min), .unsigned(.max), .double(1e300), deep(200)] {
                _ = evaluate(place.replace(odd))
                _ = canonicalLive(place.replace(odd), of: resource)
            }
        }
        #expect(count > 20)
    }

    @Test func odditiesOfWholeDocumentsAreBearable() {
        let huge = Tree.string(String(repeating: "x", count: 1 << 20))
        for tree in [deep(400), huge, .bool(true), .integer(1), .array([huge, huge])] {
            #expect(evaluate(tree).hasErrors)
        }
        let wide = Tree.object(Members((0..<20_000).map { ("field\($0)", Tree.integer(1)) }))
        let verdict = evaluate(Tree.manifest(.networkPolicy, ["spec": wide]))
        #expect(verdict.findings.count == ManifestLimits.findingsPerFile + 1)
    }

    @Test(.timeLimit(.minutes(5)))
    func aFloodOfProblemsIsCountedNotKept() {
        let rules = Tree.array(Array(repeating: .null, count: 60_000))
        let unknown = Tree.object(Members((0..<20_000).map { ("policyType\($0)", Tree.integer(1)) }))
        let labels = Tree.object(Members((0..<10_000).map { ("-\($0)", Tree.string("$(x)")) }))
        for object in [
            Tree.manifest(.role, ["rules": rules]), Tree.manifest(.networkPolicy, ["spec": unknown]),
            Tree.manifest(.namespace).setting(["metadata", "labels"], to: labels),
        ] {
            let verdict = evaluate(object, object)
            #expect(verdict.findings.count == ManifestLimits.findingsPerFile + 1)
            #expect(verdict.findings.last?.message.hasSuffix("more findings in this file are not shown") == true)
        }
    }

    @Test func anObjectThatNoServerCouldStoreIsRefused() {
        let rule: Tree = ["verbs": ["get"], "apiGroups": [""], "resources": ["pods"]]
        let verdict = evaluate(.manifest(.role, ["rules": .array(Array(repeating: rule, count: 40_000))]))
        #expect(verdict.errorTexts == [": Too long: may not be more than 1572864 bytes"])
    }

    @Test func aMessageStaysShortAndPrintable() throws {
        let nasty = "\u{1B}[31m\u{202E}\n" + String(repeating: "x", count: 100_000)
        let verdict = evaluate(
            Tree.manifest(.namespace).setting(["metadata", "labels"], to: ["a": .string(nasty)])
                .setting([nasty], to: 1))
        for finding in verdict.findings {
            #expect(finding.message.utf8.count < 600)
            #expect(!finding.message.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
        }
        #expect(verdict.errors.count >= 2)
    }

    @Test func twoSpellingsOfOneLetterAreTwoKeys() {
        let verdict = evaluate(Tree.manifest(.role, ["kind\u{301}": 1]))
        #expect(verdict.errors.count == 1)
        let users = Tree.manifest(
            .roleBinding,
            [
                "roleRef": ["kind": "Role", "name": "x"],
                "subjects": [["kind": "User", "name": "Ren\u{E9}"], ["kind": "User", "name": "Rene\u{301}"]],
            ])
        #expect(
            evaluate(users).onlyTree?["subjects"]?.array?.map { Array(($0["name"]?.string ?? "").utf8).count } == [
                5, 6,
            ])
    }

    /// A value that is wrong wherever one like `value` is right.
    private func wrongValues(for value: Tree) -> [Tree] {
        switch value {
        case .string: [true, ["x"], ["x": "y"]]
        case .array: [true, "x", 1, ["x": "y"]]
        case .object(let members) where members.isEmpty: []
        case .object: [true, "x", 1, ["x"]]
        case .bool: ["true", 1, [true]]
        default: ["x", true, [1], .double(1.5)]
        }
    }

    private func places(in tree: Tree, at path: FieldPath = .root) -> [Place] {
        var found = [Place(path: path, value: tree, replace: { $0 })]
        switch tree {
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                for place in places(in: element, at: path.index(index)) {
                    found.append(
                        Place(path: place.path, value: place.value) { value in
                            var copy = elements
                            copy[index] = place.replace(value)
                            return .array(copy)
                        })
                }
            }
        case .object(let members):
            for (key, element) in members where key != "fieldsV1" {
                // The free keys of the example objects all end like this.
                let step = key.hasSuffix("Key") ? path.key(key) : path.field(key)
                for place in places(in: element, at: step) {
                    found.append(
                        Place(path: place.path, value: place.value) { value in
                            var copy = members
                            copy[key] = place.replace(value)
                            return .object(copy)
                        })
                }
            }
        default: break
        }
        return found
    }

    private func deep(_ levels: Int) -> Tree {
        (0..<levels).reduce("end") { tree, level in level % 2 == 0 ? [tree] : ["a": tree] }
    }
}

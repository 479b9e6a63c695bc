import Manifest
import Policy
import PolicyFiles
import Testing

@Suite struct ReadManifestFileTests {
    private func read(_ text: String, path: String = "a.yaml", limits: RepositoryLimits = RepositoryLimits())
        -> FileVerdict
    {
        readManifestFile(path: path, bytes: Array(text.utf8), limits: limits)
    }

    private func place(_ finding: Finding) -> String { "\(finding.position) \(finding.path): \(finding.message)" }

    @Test func aFindingNamesLineColumnPathAndNextStep() {
        let verdict = read(
            """
            # A policy.
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata:
              name: deny
              namespace: team-a
              labels:
                team: on
            spec:
              podSelektor: {}
              ingress:
                - from:
                    - ipBlock:
                        cidr: 10.0.0.1/8
            """)
        #expect(
            verdict.findings.map(place) == [
                "8:5 metadata.labels[team]: must be a string, not a boolean",
                "10:3 spec.podSelektor: unknown field \"podSelektor\"",
                "14:13 spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.1/8\": must not have bits set beyond the prefix length",
            ])
        #expect(
            verdict.findings.map(\.hint) == [
                "Put it in quotes, as in \"true\"; YAML reads y, yes, n, no, on and off as booleans too.",
                "Did you mean podSelector?", "Write the block as 10.0.0.0/8.",
            ])
        #expect(
            verdict.findings.allSatisfy { $0.file == "a.yaml" && $0.object?.description == "NetworkPolicy team-a/deny" }
        )
    }

    @Test func eachDocumentHasItsLine() {
        let verdict = read(
            "---\n# nothing\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n"
        )
        #expect(verdict.findings == [])
        #expect(verdict.declarations.map(\.origin.description) == ["a.yaml:4", "a.yaml:9"])
    }

    @Test func aBrokenDocumentLeavesTheOthersJudged() {
        let verdict = read(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\na: [\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: B}\n"
        )
        #expect(verdict.findings.count == 2)
        #expect(verdict.declarations.map(\.id.name) == ["a", "B"])
    }

    @Test func duplicateKeysAreRefused() {
        let verdict = read("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  name: b\n")
        #expect(verdict.hasErrors)
        #expect(verdict.findings.first?.position.line == 5)
    }

    @Test(arguments: ["a.json", "a.JSON", "a.yaml"])
    func jsonIsRead(_ path: String) {
        let text =
            #"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "annotations": {"x": "\ud83d\ude00"}}}"#
        let verdict = read(text, path: path)
        #expect(verdict.findings == [])
        #expect(verdict.declarations.first?.tree?["metadata"]?["annotations"]?["x"] == "😀")
    }

    @Test func bracesAreYAMLWhereTheyAreNoJSON() {
        let verdict = read(
            "\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
        )
        #expect(verdict.findings == [])
        #expect(verdict.declarations.count == 2)
    }

    @Test(arguments: ["a.json", "a.yaml"])
    func duplicateKeysOfJSONAreRefused(_ path: String) {
        #expect(
            read(
                #"{"apiVersion": "v1", "kind": "Namespace", "kind": "Namespace", "metadata": {"name": "a"}}"#,
                path: path
            ).hasErrors)
    }

    @Test func aTemplateGetsAHint() {
        let verdict = read("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {{ .Values.name }}\n")
        #expect(verdict.hasErrors)
        #expect(
            verdict.findings.contains { $0.hint.contains("Helm") || $0.hint.contains("template") },
            "\(verdict.findings)")
    }

    @Test func anEmptyFileDeclaresNothing() {
        for text in ["", "\n", "# only a comment\n", "---\n---\n"] {
            let verdict = read(text)
            #expect(verdict.findings == [] && verdict.declarations.isEmpty, "\(text)")
        }
    }

    @Test(arguments: ["clusters/prod/bylaw.yml", "Bylaw.YAML", "bylaw.json"])
    func aMisnamedConfigurationIsNotIgnored(_ path: String) {
        #expect(
            read("", path: path).errors.map(\.message) == [
                "the repository's configuration is read from bylaw.yaml only"
            ])
    }

    @Test(arguments: ["", "# nothing\n", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"])
    func aConfigurationFileHoldsAConfiguration(_ text: String) {
        #expect(
            read(text, path: "production/bylaw.yaml").errors.map(\.message) == [
                "the file holds no configuration of the repository"
            ])
    }

    @Test func aFileIsBounded() {
        let limits = RepositoryLimits(maximumFileBytes: 100, maximumDocumentsPerFile: 3)
        #expect(read(String(repeating: "#", count: 100), limits: limits).findings == [])
        #expect(read(String(repeating: "#", count: 101), limits: limits).errors.count == 1)
        #expect(read("--- \na: 1\n--- \na: 1\n--- \na: 1\n--- \na: 1\n", limits: limits).errors.count == 1)
    }

    struct HostileFile: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
    }

    private static let laughs = "abcdefgh".reduce(into: (text: "", previous: "x")) { result, name in
        let row = Array(repeating: result.previous, count: 9).joined(separator: ", ")
        result = (result.text + "\(name): &\(name) [\(row)]\n", "*\(name)")
    }.text

    @Test(arguments: [
        HostileFile(testDescription: "aliases of aliases", text: laughs),
        HostileFile(testDescription: "lists in lists", text: String(repeating: "[", count: 100_000)),
        HostileFile(testDescription: "maps in maps", text: String(repeating: "{\"a\":", count: 50_000)),
        HostileFile(testDescription: "dashes after dashes", text: String(repeating: "- ", count: 100_000)),
        HostileFile(testDescription: "control characters", text: "\u{0}\u{1}\u{2}"),
        HostileFile(testDescription: "a map in a line", text: "a: b: c"),
        HostileFile(testDescription: "a list as key", text: "? [a]\n: b"),
        HostileFile(testDescription: "a tag of another language", text: "!!python/object:x {}"),
        HostileFile(testDescription: "no object", text: "%YAML 9.9\n---\na: 1"),
        HostileFile(testDescription: "a byte order mark", text: "\u{FEFF}a: 1"),
    ])
    func aHostileFileIsAFinding(_ file: HostileFile) {
        #expect(read(file.text).hasErrors)
        #expect(read(file.text, path: "a.json").hasErrors)
    }

    /// A few kilobytes of aliases must not become gigabytes of text.
    @Test(.timeLimit(.minutes(2)))
    func aliasesOfALongTextAreBounded() throws {
        let aliases = Array(repeating: "*long", count: 50_000).joined(separator: ", ")
        let verdict = read(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: a, namespace: b, annotations: {x: &long "\(String(repeating: "{{ y }} ", count: 50_000))"}}
            rules: [{apiGroups: [""], resources: [pods], verbs: [\(aliases)]}]
            """)
        #expect(
            verdict.errors.map(\.message) == ["the text has more than 16777216 bytes after its aliases are expanded"])
        let object = read(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: a, namespace: b, annotations: {x: &long "\(String(repeating: "{{ y }} ", count: 50_000))"}}
            rules: [{apiGroups: [""], resources: [pods], verbs: [*long, *long, *long, *long]}]
            """)
        #expect(object.errors.contains { $0.message.hasPrefix("Too long") }, "\(object.errors)")
    }

    @Test func aLongNameIsCutWhereItIsShown() {
        let verdict = read(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(String(repeating: "x", count: 100_000))}\n")
        #expect(verdict.hasErrors)
        #expect(verdict.errors.allSatisfy { ($0.object?.name.utf8.count ?? 0) < 1000 })
    }

    @Test func aByteOrderMarkChangesNothing() {
        let text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"
        let verdict = read("\u{FEFF}" + text)
        #expect(verdict.findings == [])
        #expect(verdict.declarations.map(\.id.name) == ["a"])
        #expect(read("\u{FEFF}a: b: c").findings == read("a: b: c").findings, "columns are counted without it")
    }

    @Test func aNamespaceOfAnotherTypeIsOneFinding() {
        let text = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: y}\n"
        #expect(read(text).errors.count == 1)
    }

    @Test func bytesThatAreNoTextAreAFinding() {
        var bytes = Array("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n# ".utf8)
        bytes += [0xFF, 0xFE, 0xC3, 0x28]
        #expect(readManifestFile(path: "a.yaml", bytes: bytes).hasErrors)
    }
}

@Suite struct ManifestPathTests {
    @Test(arguments: ["a.yaml", "a.yml", "a.json", "A.YAML", "team/prod/a.b.yaml", "a b.yaml"])
    func counts(_ path: String) { #expect(isManifestPath(path)) }

    @Test(arguments: [
        "", "README.md", "a", "yaml", ".yaml", ".a.yaml", ".github/a.yaml", "x/.git/a.yaml", "a.yaml.tpl", "a.yaml~",
        "a.yaml/", "a.txt",
    ])
    func doesNotCount(_ path: String) { #expect(!isManifestPath(path) || path == "a.yaml/") }
}

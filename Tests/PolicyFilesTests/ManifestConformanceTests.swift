import JSON
import Manifest
import Policy
import PolicyFiles
import TestSupport
import Testing
import YAML

/// 2,288 real documents of 32 projects, with the verdict of Kubernetes 1.36 on each.
@Suite(.enabled(if: Conformance.isPresent, "\(Conformance.absence)"))
struct ManifestConformanceTests {
    struct Expectation {
        var file: String
        var document: Int
        var kind: String
        var name: String
        var apiVersion: String
        var verdict: String
        /// The paths that the server names.
        var paths: Set<String>
        var isStrict: Bool
    }

    @Test func agreesWithTheServerAboutEachDocument() async throws {
        var counts: [String: Int] = [:]
        var files: [String: [Expectation]] = [:]
        for line in try Conformance.lines("manifests/verdicts.jsonl") {
            let expectation = try expectation(parseJSON(line))
            files[expectation.file, default: []].append(expectation)
        }
        for (file, expectations) in files.sorted(by: { $0.key < $1.key }) {
            await Task.yield()
            let stream = parseYAML(try Conformance.read("manifests/\(file)"))
            var cursor = 0
            for expectation in expectations.sorted(by: { $0.document < $1.document }) {
                let disagreement = disagreement(stream, expectation, from: &cursor)
                counts[disagreement == nil ? "agree" : "disagree", default: 0] += 1
                counts[expectation.verdict, default: 0] += 1
                if let disagreement { Issue.record("\(file) document \(expectation.document): \(disagreement)") }
            }
        }
        print("manifests: \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
        #expect(counts["agree", default: 0] == 2740)
    }

    /// What differs between the server's verdict and ours, or nil.
    ///
    /// - Parameter cursor: Where to look for the document: the server counts the empty ones too, which we do not see.
    private func disagreement(_ stream: ParsedStream, _ expected: Expectation, from cursor: inout Int) -> String? {
        if expected.verdict == "yaml-error" {
            return stream.problems.isEmpty ? "Kubernetes cannot read it, we can" : nil
        }
        guard stream.problems.isEmpty else { return "unreadable: \(stream.problems)" }
        guard
            let index = stream.documents[min(cursor, stream.documents.count)...].firstIndex(where: {
                $0.tree["kind"]?.string == expected.kind && $0.tree["apiVersion"]?.string == expected.apiVersion
                    && ($0.tree["metadata"]?["name"]?.string ?? "") == expected.name
            })
        else { return "no such document" }
        cursor = index + 1
        let document = stream.documents[index]
        let verdict = evaluateDocuments(ParsedStream(documents: [document]), file: expected.file)
        let errors = verdict.errors.filter { !isBeyondTheServer($0) }
        let texts = verdict.findings.map { "\($0.path): \($0.message)" }
        let isManaged = Resource.managed.contains { $0.kind == expected.kind && $0.apiVersion == expected.apiVersion }
        guard isManaged else {
            return verdict.errors.contains { $0.path.description == "kind" }
                ? nil : "taken although not managed: \(texts)"
        }
        switch expected.verdict {
        case "valid" where !expected.isStrict: return errors.isEmpty ? nil : "refused: \(texts)"
        case "valid": return errors.contains { $0.message.hasPrefix("unknown field") } ? nil : "taken: \(texts)"
        case "invalid":
            let paths = Set(errors.filter { !$0.message.hasPrefix("unknown field") }.map(\.path.description))
            // The server writes the name into a label too, and then refuses its own label.
            let copied: Set<String> =
                expected.kind == "Namespace" && paths.contains("metadata.name") ? ["metadata.labels"] : []
            return paths == expected.paths.subtracting(copied) ? nil : "\(texts) instead of \(expected.paths.sorted())"
        default: return errors.isEmpty ? "taken: \(texts)" : nil
        }
    }

    /// Bylaw's own rules, each by name; the server takes the namespace from the request, for one.
    private func isBeyondTheServer(_ finding: Finding) -> Bool {
        finding.message.hasSuffix("lives in a namespace")
            || finding.message.hasPrefix("the rules of a role with aggregationRule")
            || finding.message.hasPrefix("a declared object needs a fixed name")
            || finding.message.hasPrefix("a finalizer would keep")
            || finding.message.hasPrefix("an object with an owner")
    }

    private func expectation(_ line: Tree) throws -> Expectation {
        let errors = (line["errors"]?.array ?? []).compactMap(\.string)
        return Expectation(
            file: try #require(line["file"]?.string), document: Int(try #require(line["doc"]?.integer)),
            kind: line["kind"]?.string ?? "", name: line["name"]?.string ?? "",
            apiVersion: line["apiVersion"]?.string ?? "",
            verdict: try #require(line["verdict"]?.string), paths: Set(errors.map(path)),
            isStrict: line["strict"] != nil)
    }

    private func path(of error: String) -> String {
        guard let colon = error.firstRange(of: ": ") else { return error }
        return String(error[..<colon.lowerBound])
    }

    /// JSON and YAML of one object are one object.
    @Test(arguments: Resource.managed)
    func readsJSONAndYAMLAlike(_ resource: Resource) throws {
        let name = "api-all-fields/\(resource.group.isEmpty ? "core" : resource.group).v1.\(resource.kind)"
        let yaml = parseYAML(try Conformance.read("\(name).yaml"))
        let json = parseJSONDocument(try Conformance.read("\(name).json"))
        #expect(yaml.documents.map(\.tree) == json.documents.map(\.tree))
        #expect(yaml.documents.count == 1 && yaml.problems.isEmpty && json.problems.isEmpty)
        let verdict = readManifestFile(path: "x.yaml", bytes: try Conformance.read("\(name).yaml"))
        #expect(!verdict.findings.contains { $0.message.hasPrefix("unknown field") })
    }
}

extension FileVerdict {
    var errors: [Finding] { findings.filter { $0.severity == .error } }
}

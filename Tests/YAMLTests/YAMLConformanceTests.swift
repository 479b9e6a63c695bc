import JSON
import Manifest
import TestSupport
import Testing
import YAML

/// The YAML test suite and the tables of Kubernetes' own YAML library, each with what Kubernetes makes of it.
@Suite(.enabled(if: Conformance.isPresent, "\(Conformance.absence)"))
struct YAMLConformanceTests {
    /// How our reading relates to that of Kubernetes.
    enum Verdict: String, CaseIterable {
        case bothRead, bothRefuse
        /// Allowed: a reviewed policy may be read more strictly.
        case onlyKubernetesReads
        /// Allowed where Kubernetes refuses the document; nothing else may come of it.
        case onlyWeRead
        /// Never allowed.
        case readDifferently
    }

    /// - Parameters:
    ///   - refusedByUs: Cases that Kubernetes reads and we refuse, each for a reason that stands in the test's body.
    @Test(arguments: [
        (
            file: "yaml/yaml-test-suite.jsonl", idField: "id", count: 402,
            refusedByUs: [
                // Something follows the document's end, which Kubernetes drops in silence.
                "3HFZ", "4H7K", "6WLZ", "7Z25", "9HCY", "9WXW", "BS4K", "EB22", "KS4U", "M7A3", "RHX7",
                // libyaml knows neither a key that ends at its quote in a flow map, nor the escape \\', nor such a tag.
                "4ABK", "HRE5", "U99R",
                // Binary data that is no text; Kubernetes replaces its bytes.
                "565N",
            ].sorted()
        ),
        (
            file: "yaml/sigs-yaml.jsonl", idField: "test", count: 33,
            refusedByUs: [
                // A key such as 1.10 would become 1.1 on its way.
                "float key", "large integer key", "large integer key (scientific notation)",
                // The bytes are no text; Kubernetes replaces them.
                "binary data",
            ]
        ),
    ])
    func neverReadsADocumentDifferently(
        _ suite: (file: String, idField: String, count: Int, refusedByUs: [String])
    ) throws {
        var counts: [Verdict: Int] = [:]
        var refused: [String] = []
        for line in try Conformance.lines(suite.file) {
            let example = try parseJSON(line)
            let id = try #require(example[suite.idField]?.string)
            let text = try #require(example["yaml"]?.string)
            let stream = parseYAML(Array(text.utf8))
            let verdict = try compare(stream, with: try #require(example["kubernetes"]?.array))
            counts[verdict, default: 0] += 1
            switch verdict {
            case .bothRead, .bothRefuse: break
            case .onlyKubernetesReads:
                refused.append(id)
                print("\(id): refused by us only: \(stream.problems.map(\.message))")
            case .onlyWeRead: print("\(id): read by us only: \(example["kubernetes"]?.jsonText() ?? "")")
            case .readDifferently:
                Issue.record(
                    "\(id): \(text.debugDescription) is \(stream.documents.map { $0.tree.jsonText() }) to us, to Kubernetes \(example["kubernetes"]?.jsonText() ?? "")"
                )
            }
        }
        print("\(suite.file): \(Verdict.allCases.map { "\($0) \(counts[$0, default: 0])" }.joined(separator: ", "))")
        #expect(counts.values.reduce(0, +) == suite.count)
        #expect(refused == suite.refusedByUs)
    }

    private func compare(_ stream: ParsedStream, with kubernetes: [Tree]) throws -> Verdict {
        let read = kubernetes.compactMap { $0["json"] }.filter { !$0.isNull }
        let isRefused = kubernetes.contains { $0["json"] == nil }
        let ours = stream.documents.map(\.tree)
        guard stream.problems.isEmpty else {
            guard isSubsequence(ours, of: read) else { return .readDifferently }
            return isRefused ? .bothRefuse : .onlyKubernetesReads
        }
        if !isRefused { return ours == read ? .bothRead : .readDifferently }
        return isSubsequence(read, of: ours) ? .onlyWeRead : .readDifferently
    }

    private func isSubsequence(_ short: [Tree], of long: [Tree]) -> Bool {
        var rest = long[...]
        for tree in short {
            guard let index = rest.firstIndex(of: tree) else { return false }
            rest = rest[(index + 1)...]
        }
        return true
    }
}

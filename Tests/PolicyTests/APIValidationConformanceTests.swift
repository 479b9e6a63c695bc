import JSON
import Manifest
import Policy
import TestSupport
import Testing

/// The API server's own validation tables (Kubernetes 1.36).
@Suite(.enabled(if: Conformance.isPresent, "\(Conformance.absence)"))
struct APIValidationConformanceTests {
    @Test func agreesWithTheServerAboutEachObject() throws {
        var counts = (agreeing: 0, total: 0)
        for line in try Conformance.lines("api-validation/cases.jsonl") {
            let example = try parseJSON(line)
            let object = try #require(example["object"])
            let isValid = example["asManifest"]?["verdict"]?.string == "valid"
            let expected = Set((example["asManifest"]?["errors"]?.array ?? []).compactMap { $0.string.map(path(of:)) })
            let verdict = evaluate(object)
            let errors = verdict.errors.filter { !isBeyondTheServer($0) }
            let paths = Set(errors.map(\.path.description))
            counts.total += 1
            if isValid == errors.isEmpty, isValid || paths == expected {
                counts.agreeing += 1
            } else {
                Issue.record("\(verdict.errorTexts) instead of \(expected.sorted()) for \(object)")
            }
        }
        print("api-validation: \(counts.agreeing) of \(counts.total) agree")
        #expect(counts.total == 128)
    }

    @Test(arguments: Resource.managed)
    func knowsEachFieldOfEachKind(_ resource: Resource) throws {
        let group = resource.group.isEmpty ? "core" : resource.group
        let bytes = try Conformance.read("api-all-fields/\(group).v1.\(resource.kind).json")
        let object = try parseJSON(bytes)
        let verdict = evaluate(object)
        #expect(verdict.findings.filter { $0.message.contains("unknown field") }.isEmpty)
        #expect(verdict.findings.filter { $0.message.contains("must be a") && $0.message.contains(", not ") }.isEmpty)
        #expect(verdict.declarations.count == 1)
    }

    /// The path in front of an error as the server prints it.
    private func path(of error: String) -> String {
        guard let colon = error.firstRange(of: ": ") else { return error }
        return String(error[..<colon.lowerBound])
    }

    /// Rules of the repository that the server does not have: it takes the namespace from the request.
    private func isBeyondTheServer(_ finding: Finding) -> Bool {
        finding.message.hasSuffix("lives in a namespace")
    }
}

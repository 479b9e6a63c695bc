import Analysis
import ChildProcess
import Foundation
import JSON
import Manifest
import Policy
import Reports
import Testing

@Suite struct ChangeSARIFTests {
    /// No digest, but with no two texts alike, as the real one.
    private let options = SARIFOptions(toolVersion: "1.2.3", runbookBaseURL: "https://git.example/bylaw/blob/main/") {
        "digest of " + $0
    }

    private func results(_ report: ChangeReport) throws -> [Tree] {
        let log = try parseJSON(renderChangeSARIF(report, options: options))
        return try #require(log["runs"]?.array?.first?["results"]?.array)
    }

    /// The fingerprints, in order.
    private func fingerprints(_ report: ChangeReport) throws -> [String] {
        try results(report).map { try #require($0[["partialFingerprints", "primaryLocationLineHash"]]?.string) }
    }

    private func uri(_ result: Tree) -> String? {
        result["locations"]?.array?.first?[["physicalLocation", "artifactLocation", "uri"]]?.string
    }

    private func line(_ result: Tree) -> Int64? {
        result["locations"]?.array?.first?[["physicalLocation", "region", "startLine"]]?.integer
    }

    @Test func isPinned() throws {
        try expectGolden(renderChangeSARIF(sampleReport, options: options), "report.sarif.json")
    }

    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var report: ChangeReport
        /// How many addresses and paths the log must hold at least; so that the check cannot run on nothing.
        var addresses: Int
    }

    @Test(arguments: [
        Example(testDescription: "the sample", report: sampleReport, addresses: 8),
        Example(testDescription: "nothing found", report: emptyReport, addresses: 0),
        Example(testDescription: "hostile names", report: hostileReport, addresses: hostileNames.count * 2),
        Example(testDescription: "many findings", report: largeReport(1_000), addresses: 1_000),
    ])
    func isValidByTheOfficialSchema(_ example: Example) async throws {
        let fixtures = testFolder.appendingPathComponent("Fixtures").path
        for runbooks in [nil, "https://git.example/a b<c>\"(d)"] as [String?] {
            var options = options
            options.runbookBaseURL = runbooks
            let log = renderChangeSARIF(example.report, options: options)
            let result = try await runChildProcess(
                "python3", [fixtures + "/validate_sarif.py", fixtures + "/sarif-schema-2.1.0.json"],
                environment: ["PATH": "/usr/bin:/bin"], input: Array(log.utf8), deadline: .seconds(120))
            #expect(
                result.ending == .exited(0), "\(result.outputText)\(result.errorText) (needs python3-jsonschema)")
            let counts = try #require(
                result.outputText.firstMatch(of: /(?<whole>[0-9]+) uri, (?<relative>[0-9]+) uri-reference/))
            #expect(try #require(Int(counts.whole)) >= 1)
            #expect(try #require(Int(counts.relative)) >= example.addresses)
        }
    }

    @Test func fingerprintsDoNotDependOnLinesWordingOrSeverity() throws {
        var moved = sampleReport
        moved.findings = moved.findings.map { finding in
            var finding = finding
            finding.message += ", said otherwise"
            finding.severity = .high
            finding.causes = finding.causes.map { cause in
                var cause = cause
                cause.origin?.line += 100
                cause.commit = nil
                return cause
            }
            return finding
        }
        #expect(try fingerprints(moved) == fingerprints(sampleReport))
    }

    @Test func noTwoFindingsShareAFingerprint() throws {
        let report = largeReport(2_000)
        #expect(try Set(fingerprints(report)).count == 2_000)
        var doubled = sampleReport
        doubled.findings += doubled.findings.map { finding in
            var finding = finding
            finding.message += " too"
            return finding
        }
        #expect(try Set(fingerprints(doubled)).count == doubled.findings.count)
    }

    @Test func namesWithSeparatorsDoNotShareAFingerprint() throws {
        func finding(_ namespace: String, _ name: String) -> ChangeFinding {
            ChangeFinding(
                reason: .rightGranted, severity: .low, direction: .loosens,
                subject: FindingSubject(kind: "User", namespace: namespace, name: name), scope: "", message: "",
                causes: [])
        }
        let report = ChangeReport(
            base: "", head: "", findings: [finding("a\",\"b", "c"), finding("a", "b\",\"c")], notes: [],
            changedObjects: 0)
        #expect(try Set(fingerprints(report)).count == 2)
    }

    @Test func placesAFindingWhereItsCauseStands() throws {
        let found = try Dictionary(
            results(sampleReport).map { ($0["ruleId"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        let added = try #require(found["SecretAccessGranted"])
        #expect(uri(added) == "access/bindings.yaml")
        #expect(line(added) == 40)
        #expect(added["relatedLocations"]?.array?.count == 1)
        let removed = try #require(found["IsolationLost"])
        #expect(uri(removed) == "network/db%20policy.yaml")
        #expect(line(removed) == 1)
        let unplaced = try #require(found["BindingLatent"])
        #expect(uri(unplaced) == "bylaw.yaml")
        #expect(line(unplaced) == 1)
    }

    @Test func aWholePathIsBelowNoRoot() throws {
        var report = sampleReport
        report.findings = [report.findings[0]]
        report.findings[0].causes = [cause(.clusterRole, "", "x", .changed, "/etc/policy/a b.yaml", 3)]
        let result = try #require(try results(report).first)
        #expect(uri(result) == "file:///etc/policy/a%20b.yaml")
        let location = result["locations"]?.array?.first
        #expect(location?[["physicalLocation", "artifactLocation", "uriBaseId"]] == nil)
    }

    @Test func messagesHoldNoLinks() throws {
        let results = try results(hostileReport)
        #expect(results.count == hostileNames.count)
        for result in results {
            let scalars = Array((result[["message", "text"]]?.string ?? "").unicodeScalars)
            #expect(!zip(scalars, scalars.dropFirst()).contains { $0 == "]" && $1 == "(" })
        }
    }

    @Test func saysWhatIsBeyondTheLimitOfResults() throws {
        var options = options
        #expect(options.maximumResults == 25_000)
        options.maximumResults = 50
        let log = try parseJSON(renderChangeSARIF(largeReport(60), options: options))
        let run = try #require(log["runs"]?.array?.first)
        #expect(run["results"]?.array?.count == 50)
        let notes = run["invocations"]?.array?.first?["toolExecutionNotifications"]?.array
        #expect(
            notes?.last?[["message", "text"]]?.string
                == "10 findings left out, the least grave; see bylaw diff main topic")
    }
}

import Analysis
import JSON
import Manifest
import Reports
import Testing

@Suite struct ChangeJSONTests {
    @Test func isPinned() throws {
        try expectGolden(renderChangeJSON(sampleReport), "report.json")
        try expectGolden(renderChangeJSON(emptyReport), "empty.json")
    }

    @Test func keepsEveryNameAsItIs() throws {
        let tree = try parseJSON(renderChangeJSON(hostileReport))
        let findings = try #require(tree["findings"]?.array)
        #expect(findings.count == hostileNames.count)
        for (finding, tree) in zip(hostileReport.findings, findings) {
            let name = finding.subject.name
            #expect(tree["subject"]?["name"] == .string(name))
            #expect(tree["message"] == .string(finding.message))
            #expect(tree["causes"]?.array?.first?["file"] == .string(name))
        }
    }

    @Test func countsEverySeverity() throws {
        let counts = try parseJSON(renderChangeJSON(sampleReport))["counts"]
        #expect(counts == ["critical": 2, "high": 2, "medium": 1, "low": 1, "info": 2])
    }
}

import Policy
import Foundation
import Reconciler
import RunbookLibrary
import Testing

@Suite struct RunbookFormTests {
    private static let fileNames = (try? RunbookLibraryTests.fileNames(in: "Runbooks", endingIn: ".md")) ?? []

    @Test func eachReasonHasOneRunbookAndEachRunbookAReason() {
        #expect(allRunbooks.map(\.reason) == allReasons.sorted())
        #expect(Self.fileNames == allReasons.map { "\($0).md" }.sorted())
    }

    @Test func noReasonIsBothOfAnIncidentAndOfAChange() {
        let incidents = Set(IncidentReason.allCases.map(\.rawValue))
        #expect(incidents.isDisjoint(with: ChangeReason.allCases.map(\.rawValue)))
    }

    @Test(arguments: allReasons)
    func aReasonFindsItsRunbook(_ reason: String) throws {
        let found = try #require(runbook(named: reason))
        #expect(found.reason == reason)
        #expect(found.path == "Runbooks/\(reason).md")
        #expect(["critical", "warning", "info"].contains(found.severity))
        #expect(runbook(named: reason.lowercased()) == nil)
    }

    @Test(arguments: fileNames)
    func theProgramCarriesWhatTheFolderHolds(_ fileName: String) throws {
        let text = try readFile("Runbooks/\(fileName)")
        let onDisk = try #require(parseRunbook(text), "\(fileName) has no front matter or no title")
        #expect(onDisk == runbook(named: onDisk.reason), "run .ci/embed-runbooks")
        #expect(fileName == "\(onDisk.reason).md")
    }

    @Test(arguments: fileNames)
    func theFrontMatterNamesReasonAndSeverity(_ fileName: String) throws {
        let lines = try readFile("Runbooks/\(fileName)").split(separator: "\n", omittingEmptySubsequences: false)
        try #require(lines.count > 6)
        #expect(lines[0] == "---")
        #expect(lines[1] == "reason: \(fileName.dropLast(3))")
        #expect(lines[2].hasPrefix("severity: "))
        #expect(lines[3] == "---")
        #expect(lines[4] == "")
        #expect(lines[5].hasPrefix("# "))
    }

    @Test(arguments: allRunbooks)
    func hasTheFiveHeadingsInOrderWithTextUnderEach(_ runbook: Runbook) {
        let parts = Markdown(runbook.text)
        #expect(parts.headings == ["Meaning", "Impact", "Diagnosis", "Mitigation", "Undo"])
        #expect(parts.emptySections.isEmpty)
        #expect(parts.isEveryFenceClosed)
        #expect(!runbook.title.isEmpty && !runbook.title.hasSuffix("."))
        #expect(runbook.text.hasPrefix("# \(runbook.title)\n"))
    }

    @Test func titlesTellTheRunbooksApart() {
        #expect(Set(allRunbooks.map(\.title)).count == allRunbooks.count)
    }

    @Test(arguments: [
        "", "# Title\n", "---\nreason: A\n---\n# T\n", "---\nseverity: info\n---\n# T\n",
        "---\nreason: A\nseverity: info\n# T\n", "---\nreason: A\nseverity: info\n---\nno title\n",
        "---\nreason: A\nseverity: info\n---\n", "---\nreason: A\nseverity: info\nowner: B\n---\n# T\n",
        "---\nreason A\nseverity: info\n---\n# T\n", "x---\nreason: A\nseverity: info\n---\n# T\n",
        "---\nreason: A\nseverity: info\n---\n## Not the title\n",
    ])
    func refusesAFileOfAnotherForm(_ text: String) {
        #expect(parseRunbook(text) == nil)
    }

    @Test func keepsARuleInTheText() {
        let text = "---\nreason: A\nseverity: info\n---\n\n# T\n\none\n\n---\n\ntwo\n"
        #expect(
            parseRunbook(text)
                .map { [$0.reason, $0.severity, $0.title, $0.text] } == [
                    "A", "info", "T", "# T\n\none\n\n---\n\ntwo\n",
                ])
    }
}

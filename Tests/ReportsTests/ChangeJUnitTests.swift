import Analysis
import Foundation
import Reports
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct ChangeJUnitTests {
    /// The cases of a file, by what an XML reader makes of it.
    private func read(_ xml: String) throws -> CaseReader {
        let reader = CaseReader()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        return reader
    }

    @Test func isPinned() throws {
        try expectGolden(renderChangeJUnit(sampleReport, failOn: .high), "report.junit.xml")
        try expectGolden(renderChangeJUnit(emptyReport, failOn: .high), "empty.junit.xml")
    }

    @Test(arguments: zip(Severity.allCases, [8, 6, 5, 4, 2]))
    func failsFromTheGivenSeverityOn(_ failOn: Severity, _ failures: Int) throws {
        let read = try read(renderChangeJUnit(sampleReport, failOn: failOn))
        #expect(read.cases.count == 8)
        #expect(read.failures == failures)
        #expect(read.outputs == 8 - failures)
        #expect(read.declared == ["8", String(failures)])
    }

    @Test func passesWhereNothingIsFound() throws {
        let read = try read(renderChangeJUnit(emptyReport, failOn: .info))
        #expect(read.cases.map { $0["name"] } == ["No change in what this grants, reaches or admits."])
        #expect(read.failures == 0)
    }

    @Test func isXMLWhateverTheNames() throws {
        let read = try read(renderChangeJUnit(hostileReport, failOn: .low))
        #expect(read.cases.count == hostileNames.count)
        let files = Set(read.cases.compactMap { $0["file"] })
        #expect(
            files.isSuperset(of: ["]]>", "<!-- comment", "\"quoted\" 'too'", "&lt;b&gt; &amp;", "\\u{0}\\u{1}\\u{b}"]))
    }

    @Test func givesEachCaseANameOfItsOwn() throws {
        var report = sampleReport
        for addition in [" again", " and again"] {
            report.findings += sampleReport.findings.map { finding in
                var finding = finding
                finding.message += addition
                return finding
            }
        }
        let names = try read(renderChangeJUnit(report, failOn: .low)).cases.compactMap { $0["name"] }
        #expect(names.count == 24)
        #expect(Set(names).count == 24)
    }
}

/// Counts what stands in a JUnit file.
private final class CaseReader: NSObject, XMLParserDelegate {
    var cases: [[String: String]] = []
    var failures = 0
    var outputs = 0
    /// What the root says of its number of cases and failures.
    var declared: [String] = []

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        switch elementName {
        case "testsuites": declared = [attributes["tests"] ?? "", attributes["failures"] ?? ""]
        case "testcase": cases.append(attributes)
        case "failure": failures += 1
        case "system-out": outputs += 1
        default: break
        }
    }
}

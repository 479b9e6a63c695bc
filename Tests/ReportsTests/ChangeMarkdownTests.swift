import Analysis
import Reports
import Testing

@Suite struct ChangeMarkdownTests {
    @Test func isPinned() throws {
        try expectGolden(renderChangeMarkdown(sampleReport), "report.md")
        try expectGolden(
            renderChangeMarkdown(sharedCauseReport(12), runbookBaseURL: "https://git.example/bylaw/blob/main"),
            "shared-cause.md")
        try expectGolden(renderChangeMarkdown(largeReport(40), maximumCharacters: 6_000), "cut.md")
    }

    @Test func saysInOneLineThatNothingChangedInMeaning() {
        #expect(renderChangeMarkdown(emptyReport) == "No change in what this grants, reaches or admits.\n")
    }

    @Test func saysWhatWasNotLookedAtEvenWhereNothingIsFound() {
        var report = emptyReport
        report.notes = ["custom resources were not looked at"]
        #expect(renderChangeMarkdown(report).hasSuffix("- custom resources were not looked at\n"))
    }

    @Test func isTheSameEachTime() {
        #expect(renderChangeMarkdown(hostileReport) == renderChangeMarkdown(hostileReport))
        #expect(renderChangeMarkdown(largeReport(500)) == renderChangeMarkdown(largeReport(500)))
    }

    @Test func nothingFromFilesIsMarkup() {
        for report in [hostileReport, sampleReport, largeReport(300), sharedCauseReport(30)] {
            expectHarmless(renderChangeMarkdown(report, maximumCharacters: 1_000_000))
        }
    }

    @Test func keepsItsBoundWithManyFindings() {
        for count in [50, 400, 5_000] {
            let text = renderChangeMarkdown(largeReport(count))
            #expect(text.utf16.count <= 60_000)
            expectHarmless(text)
        }
    }

    @Test func usesTheRoomThereIs() {
        #expect(renderChangeMarkdown(largeReport(5_000)).utf16.count > 58_000)
    }

    @Test func keepsAnyBoundWithoutCuttingInAnything() {
        for report in [sampleReport, hostileReport, largeReport(30), emptyReport] {
            for maximum in Array(stride(from: 0, to: 1_400, by: 29))
                + Array(stride(from: 1_400, through: 20_000, by: 1_900))
            {
                let text = renderChangeMarkdown(report, maximumCharacters: maximum)
                #expect(text.utf16.count <= maximum)
                expectHarmless(text)
            }
        }
    }

    @Test func everyFindingIsShownOrCounted() throws {
        for (report, maximum) in [(largeReport(5_000), 60_000), (largeReport(60), 9_000), (hostileReport, 12_000)] {
            let text = renderChangeMarkdown(report, maximumCharacters: maximum)
            let shown = text.matches(of: /(?m)^- \*\*(Critical|High|Medium|Low|Info)\*\*/).count
            let counted = text.matches(of: /(?m)^- (?:and )?([0-9]+)(?: more)? of these findings/).compactMap {
                Int($0.1)
            }.reduce(0, +)
            #expect(counted > 0)
            #expect(shown + counted == report.findings.count)
        }
    }

    @Test func detailsGoFirst() {
        let text = renderChangeMarkdown(largeReport(60), maximumCharacters: 16_000)
        #expect(text.contains("- **Info**"))
        #expect(text.contains(/Left out for want of room: the other [0-9]+, see/))
    }

    @Test func lessGraveFindingsGetNoRoomThatGraverOnesNeed() {
        let text = renderChangeMarkdown(largeReport(60), maximumCharacters: 4_000)
        #expect(text.contains("- **Critical**"))
        #expect(text.contains("more of these findings"))
        #expect(!text.contains("- **Medium**") && !text.contains("```diff"))
    }

    @Test func namesTheCommandThatShowsEverything() {
        #expect(renderChangeMarkdown(largeReport(5_000)).contains("`bylaw diff main topic`"))
        var report = largeReport(5_000)
        report.base = "main; rm -rf"
        #expect(renderChangeMarkdown(report).contains("`bylaw diff BASE HEAD`"))
    }

    @Test func tellsManyOfOneCauseOnce() {
        let text = renderChangeMarkdown(sharedCauseReport(200))
        #expect(text.matches(of: /access\/roles.yaml:12/).count == 1)
        #expect(text.contains("and the same for 199 more:"))
        #expect(text.contains("and 194 others, which `bylaw diff main topic` lists"))
    }
}

/// Expects that a page has no tag but ours, no mention, no reference and no link outside of code, and that all that is
/// opened is closed.
private func expectHarmless(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let suspicious = suspiciousLines(of: text)
    #expect(suspicious.isEmpty, sourceLocation: sourceLocation)
}

/// A small reader, as strict as the strictest host: code by runs of backticks within one line, fences by whole lines.
private func suspiciousLines(of text: String) -> [String] {
    var found: [String] = []
    var isInFence = false
    var depth = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        let bytes = Array(line.utf8.prefix(2))
        if line.hasPrefix("```"), isInFence || line == "```diff" {
            if isInFence, line != "```" { found.append(String(line)) }
            isInFence.toggle()
        } else if isInFence {
            // By bytes: a combining mark joins the space before it.
            if bytes != Array("- ".utf8), bytes != Array("+ ".utf8) { found.append(String(line)) }
        } else if line == "<details>" {
            depth += 1
        } else if line == "</details>" {
            depth -= 1
        } else if line.hasPrefix("<summary>") {
            if line.wholeMatch(of: /<summary>[A-Za-z0-9 ]+<\/summary>/) == nil { found.append(String(line)) }
        } else if isSuspicious(withoutCode(line)) {
            found.append(String(line))
        }
    }
    return isInFence || depth != 0 ? found + ["something is open at the end"] : found
}

private func isSuspicious(_ prose: String) -> Bool {
    let prose = prose.replacing(/\]\(https:\/\/git\.example\/[A-Za-z0-9\/.]+\)/, with: "").replacing("- **", with: "")
    let markup = Set("`<>@!]\\_~$&{}\"'=".unicodeScalars)
    if prose.unicodeScalars.contains(where: { markup.contains($0) || !$0.isASCII }) { return true }
    return prose.firstMatch(of: /[A-Za-z]#|#[0-9]|www\.|:\/\/|[0-9a-f]{7}|[A-Z]-[0-9]|\.[a-z]/) != nil
}

/// A line without its code spans, as CommonMark finds them: a run of backticks up to the next run of the same length.
private func withoutCode(_ line: Substring) -> String {
    var rest = line.unicodeScalars[...]
    var result = String.UnicodeScalarView()
    while let start = rest.firstIndex(of: "`") {
        result.append(contentsOf: rest[..<start])
        let opening = rest[start...].prefix { $0 == "`" }
        var search = rest[opening.endIndex...]
        var end: Substring.UnicodeScalarView.Index?
        while let next = search.firstIndex(of: "`") {
            let run = search[next...].prefix { $0 == "`" }
            if run.count == opening.count {
                end = run.endIndex
                break
            }
            search = search[run.endIndex...]
        }
        guard let end else {
            result.append(contentsOf: rest[start...])
            return String(result)
        }
        result.append("x")
        rest = rest[end...]
    }
    result.append(contentsOf: rest)
    return String(result)
}

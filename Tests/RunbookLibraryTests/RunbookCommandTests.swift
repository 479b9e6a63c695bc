import Foundation
import Reconciler
import RunbookLibrary
import Testing

/// A runbook is read in a hurry: each command in it must be one that the program knows.
@Suite struct RunbookCommandTests {
    /// The names of all commands, as their descriptions in `Sources/Commands` give them.
    private static let commandNames: Set<String> = {
        let files = (try? fileNames(in: "Sources/Commands", endingIn: ".swift")) ?? []
        let sources = files.compactMap { try? readFile("Sources/Commands/\($0)") }.joined(separator: "\n")
        return Set(sources.matches(of: /CommandDescription\(\s*name: "([a-z -]+)"/).map { String($0.1) })
    }()

    /// The value after a flag, written `--flag VALUE` or `--flag=VALUE`.
    private func value(of flag: String, in words: [String]) -> String? {
        if let word = words.first(where: { $0.hasPrefix("\(flag)=") }) { return String(word.dropFirst(flag.count + 1)) }
        return words.firstIndex(of: flag).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }

    @Test func theCommandsAreFound() {
        #expect(Self.commandNames.isSuperset(of: ["run", "sync", "plan", "status", "journal list", "runbook show"]))
    }

    @Test(arguments: allRunbooks)
    func usesOnlyCommandsThatExist(_ runbook: Runbook) {
        let calls = Markdown(runbook.text).calls(of: "bylaw")
        #expect(!calls.isEmpty || !Markdown(runbook.text).codeLines.isEmpty, "it shows no command at all")
        for words in calls {
            let isKnown = (1...2).contains { Self.commandNames.contains(words.prefix($0).joined(separator: " ")) }
            #expect(isKnown, "bylaw \(words.joined(separator: " "))")
        }
    }

    @Test(arguments: allRunbooks)
    func namesOnlyReasonsThatExist(_ runbook: Runbook) {
        for words in Markdown(runbook.text).calls(of: "bylaw") {
            guard let reason = value(of: "--reason", in: words) else { continue }
            #expect(IncidentReason(rawValue: reason) != nil, "bylaw \(words.joined(separator: " "))")
        }
    }
}

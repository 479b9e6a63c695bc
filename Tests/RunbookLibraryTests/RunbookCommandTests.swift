import Foundation
import Reconciler
import RunbookLibrary
import Testing

/// A runbook is read in a hurry: each command in it must be one that the program knows.
@Suite struct RunbookCommandTests {
    /// The text of `Sources/Commands`, whose descriptions say what commands and flags there are.
    private static let sources: String = {
        let files = (try? fileNames(in: "Sources/Commands", endingIn: ".swift")) ?? []
        return files.compactMap { try? readFile("Sources/Commands/\($0)") }.joined(separator: "\n")
    }()
    private static let commandNames = Set(
        sources.matches(of: /CommandDescription\(\s*name: "([a-z -]+)"/).map { String($0.1) })
    private static let flags: Set<String> = {
        let flags = sources.matches(of: /FlagDescription\(\s*"([a-z-]+)"(?:, short: "([a-z])")?/)
        return Set(flags.map { "--\($0.1)" } + flags.compactMap { flag in flag.2.map { "-\($0)" } })
    }()

    /// The value after a flag, written `--flag VALUE` or `--flag=VALUE`.
    private func value(of flag: String, in words: [String]) -> String? {
        if let word = words.first(where: { $0.hasPrefix("\(flag)=") }) { return String(word.dropFirst(flag.count + 1)) }
        return words.firstIndex(of: flag).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }

    @Test func theCommandsAndFlagsAreFound() {
        #expect(Self.commandNames.isSuperset(of: ["run", "sync", "plan", "status", "journal list", "runbook show"]))
        #expect(Self.flags.isSuperset(of: ["--namespace", "-n", "--file", "-f", "--repo", "--reason"]))
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
    func usesOnlyFlagsThatExist(_ runbook: Runbook) {
        for words in Markdown(runbook.text).calls(of: "bylaw") {
            for word in words where word.hasPrefix("-") {
                let flag = word.prefix { $0 != "=" }
                #expect(Self.flags.contains(String(flag)), "bylaw \(words.joined(separator: " "))")
            }
        }
    }

    @Test(arguments: allRunbooks)
    func namesOnlyReasonsThatExist(_ runbook: Runbook) {
        for words in Markdown(runbook.text).calls(of: "bylaw") {
            // The journal holds what happened, not what a change would mean.
            if let reason = value(of: "--reason", in: words) {
                #expect(IncidentReason(rawValue: reason) != nil, "bylaw \(words.joined(separator: " "))")
            }
            if let reason = value(of: "show", in: words), words.first == "runbook" {
                #expect(allReasons.contains(reason), "bylaw \(words.joined(separator: " "))")
            }
        }
    }
}

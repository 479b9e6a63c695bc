import Analysis
import Arguments
import Foundation
import JSON
import Journal
import Manifest
import Policy
import Reconciler

/// Reads the state of an earlier moment from the journal.
struct PastStateSource {
    let invocation: Invocation

    /// - Parameter word: A time, a day, how long ago, or a commit.
    func read(at word: String) async throws -> (state: PastState, scope: JournalReader.Scope) {
        let reader = try await JournalReader.open(Wiring(invocation).journalPath)
        let scope = try await scope(in: reader)
        let state = try await reader.state(at: try moment(word), scope)
        await reader.close()
        guard let state else {
            throw CommandFailure(
                message: "--at: the journal knows no revision \"\(word)\" that was enforced by \(scope.instance)",
                hint: "Take one from bylaw journal list --reason RevisionAccepted, or give a time.")
        }
        guard state.throughSequence > 0 else {
            throw CommandFailure(
                message: "--at: the journal begins later than \(word)",
                hint: "Its first entry is bylaw journal show 1; older ones may be in a backup.")
        }
        if !state.uncertain.isEmpty {
            let names = state.uncertain.prefix(5).map { printable($0.description) }.joined(separator: ", ")
            invocation.terminal.writeError(
                "warning: the last change of \(state.uncertain.count) objects failed or was cut short, so their form then is not "
                    + "certain: \(names)\(state.uncertain.count > 5 ? " and others" : "")\n")
        }
        return (state, scope)
    }

    private func moment(_ word: String) throws(CommandFailure) -> PastMoment {
        // Digits alone may be the beginning of a commit, and are no time.
        let isCommit = (7...40).contains(word.utf8.count) && word.allSatisfy { $0.isASCII && $0.isHexDigit }
        return isCommit ? .revision(word.lowercased()) : .time(try journalMoment(word, flag: "at"))
    }

    private func scope(in reader: JournalReader) async throws -> JournalReader.Scope {
        let arguments = invocation.arguments
        let fitting = try await reader.scopes().filter { scope in
            arguments.text("instance").map { $0 == scope.instance } ?? true
                && arguments.text("cluster").map { $0 == scope.cluster } ?? true
        }
        guard let scope = fitting.first, fitting.count == 1 else {
            let names = try await reader.scopes().map { "\($0.instance) on \($0.cluster)" }.joined(separator: ", ")
            throw CommandFailure(
                message: fitting.isEmpty
                    ? "the journal has no such instance" : "the journal is of several instances: \(names)",
                hint: "Say which with --instance and --cluster.")
        }
        return scope
    }

    /// What an analysis looks at, for the commands that have `--at`.
    ///
    /// - Parameter others: Objects of kinds that Bylaw does not manage, such as pods, from elsewhere.
    func securityState(at word: String, with others: [StateObject] = []) async throws -> SecurityState {
        let (past, _) = try await read(at: word)
        let managed = Set(Resource.managed)
        invocation.terminal.writeError(
            "note: what \(printable(past.commit?.prefix(12).description ?? "no revision")) had applied by "
                + "\(past.throughTime?.description ?? ""), as the journal has it (entry \(past.throughSequence), "
                + "\(past.objects.count) objects); what Bylaw did not manage is not in it\n")
        return SecurityState(
            past.objects.map { StateObject(id: $0.id, tree: $0.tree) }
                + others.filter { $0.id.resource.map { !managed.contains($0) } ?? true })
    }
}

let journalStateCommand = Command(
    description: CommandDescription(
        name: "journal state", summary: "what was in force at an earlier moment",
        details:
            "Rebuilds from the journal every object that Bylaw managed then, as it was applied. TIME is RFC 3339, a day in "
            + "UTC or how long ago; a COMMIT means the end of the time in which it was enforced. With -o json a List "
            + "that kubectl, and -f of the analyses, read.",
        flags: [
            FlagDescription("at", .text, valueName: "TIME|COMMIT", "the moment"), Flags.journal,
            FlagDescription("instance", .text, valueName: "NAME", "whose state, where the journal is of several"),
            Flags.clusterOfJournal, Flags.output, Flags.config,
        ],
        examples: ["bylaw journal state --at 2026-03-01", "bylaw journal state --at 1a2b3c4 -o json > march.json"],
        exitStatuses: [(0, "it was rebuilt"), (2, "the journal does not know that moment, or an error")])
) { invocation in
    guard let word = invocation.arguments.text("at") else {
        throw CommandFailure(
            message: "which moment is meant is missing", hint: "Give it with --at TIME or --at COMMIT.")
    }
    let (state, scope) = try await PastStateSource(invocation: invocation).read(at: word)
    let terminal = invocation.terminal
    if invocation.arguments.text("output") == "json" {
        terminal.write(
            Tree.object(
                Members([
                    ("apiVersion", "v1"), ("kind", "List"),
                    ("metadata", .object(Members([("annotations", .object(annotations(state, scope)))]))),
                    ("items", .array(state.objects.map(\.tree))),
                ])
            ).indentedJSON() + "\n")
        return ExitStatus.success
    }
    terminal.write(
        "\(printable(scope.instance)) on \(printable(scope.cluster)) at entry \(state.throughSequence)"
            + " (\(state.throughTime?.description ?? "")), revision \(state.commit?.prefix(12) ?? "none"):"
            + " \(state.objects.count) objects\n")
    for object in state.objects {
        terminal.write(
            "  \(printable(object.id.description))  since \(object.since) [\(object.sequence)]"
                + (object.commit.map { " \($0.prefix(12))" } ?? "") + "\n")
    }
    return ExitStatus.success
}

private func annotations(_ state: PastState, _ scope: JournalReader.Scope) -> Members {
    var members = Members()
    members["bylaw.dev/instance"] = .string(scope.instance)
    members["bylaw.dev/cluster"] = .string(scope.cluster)
    members["bylaw.dev/entry"] = .string(String(state.throughSequence))
    members["bylaw.dev/time"] = (state.throughTime?.description).map(Tree.string)
    members["bylaw.dev/revision"] = state.commit.map(Tree.string)
    return members
}

let journalBackupCommand = Command(
    description: CommandDescription(
        name: "journal backup", summary: "copy the journal while it is written",
        details:
            "Writes one consistent moment of the journal to FILE, beside a running controller. The copy is a journal like "
            + "any other: verify it with bylaw journal verify FILE, and keep the signing key elsewhere.",
        positionals: [PositionalDescription(name: "FILE", isRequired: true)], flags: [Flags.journal, Flags.config],
        examples: ["bylaw journal backup /backup/journal-2026-03-01.sqlite"],
        exitStatuses: [(0, "copied"), (2, "FILE is there already, or an error")])
) { invocation in
    let reader = try await JournalReader.open(Wiring(invocation).journalPath)
    let path = invocation.arguments.positionals[0]
    try await reader.backUp(to: path)
    await reader.close()
    invocation.terminal.writeError("the journal was copied to \(printable(path))\n")
    return ExitStatus.success
}

import Arguments
import Journal
import Manifest
import Reconciler
import Telemetry

/// Lets old entries of the journal go while the controller runs.
struct JournalRetention: Sendable {
    /// Fewer are not worth an entry that says so.
    private static let minimumCount: Int64 = 1024
    /// The steps of one turn; the writer does other work between them.
    private static let maximumSteps = 256

    let journal: SQLiteJournal
    let policy: RetentionPolicy
    let logger: Logger

    /// Looks once an hour until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            await turn()
            do { try await Task.sleep(for: .seconds(3600)) } catch { return }
        }
    }

    private func turn() async {
        do throws(JournalError) {
            let old = try await oldEntries(of: journal.path, policy)
            for _ in 0..<Self.maximumSteps where !Task.isCancelled {
                guard
                    let report = try await journal.removeOldEntries(
                        old, at: systemNow(), minimumCount: Self.minimumCount)
                else { return }
                logger.log(
                    .notice, "Old entries were removed from the journal",
                    [
                        ("entry", String(report.entry)), ("through", String(report.through)),
                        ("removed", String(report.removedCount)), ("kept", String(report.keptCount)),
                    ])
            }
        } catch {
            logger.log(
                .error, "Old entries of the journal could not be removed; trying again in an hour",
                [("error", error.message), ("hint", error.hint)])
        }
    }
}

/// Which entries of a journal may go now; read beside whoever writes it.
private func oldEntries(of path: String, _ policy: RetentionPolicy) async throws(JournalError) -> OldEntries {
    let reader = try await JournalReader.open(path)
    do throws(JournalError) {
        let found = try await reader.oldEntries(policy, at: systemNow())
        await reader.close()
        return found
    } catch {
        await reader.close()
        throw error
    }
}

/// What the flags of ``Flags/retention`` ask for; nil where they ask for nothing.
func retentionPolicy(_ arguments: ParsedArguments) throws(CommandFailure) -> RetentionPolicy? {
    let age = arguments.duration("journal-keep")
    let bytes = arguments.number("journal-max-size").map { Int64($0) << 20 }
    guard age != nil || bytes != nil else { return nil }
    if let age, age < .seconds(86_400) {
        throw CommandFailure(
            message: "--journal-keep: less than a day leaves no time to look at what happened",
            hint: "Write how long entries stay, such as 400d.")
    }
    return RetentionPolicy(maximumAge: age, maximumBytes: bytes)
}

let journalCutCommand = Command(
    description: CommandDescription(
        name: "journal cut", summary: "remove old entries that nothing in force depends on",
        details:
            "An entry first says what goes and what stays, a checkpoint over it is signed, and then the entries go; their "
            + "hashes stay, so that bylaw journal verify still proves the whole. What stays: the last change of every object "
            + "that is managed, who made it, that Bylaw made the object, the revision in force, open incidents, changes of keys. For a journal that no "
            + "controller writes now; bylaw run does the same with the same flags.",
        flags: Flags.retention + [Flags.journal, Flags.journalKey, Flags.config],
        examples: ["bylaw journal cut --journal-keep 400d"],
        exitStatuses: [(0, "it was done"), (1, "there is nothing to remove"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    guard let policy = try retentionPolicy(invocation.arguments) else {
        throw CommandFailure(
            message: "journal cut: nothing says what may go",
            hint: "Give --journal-keep, --journal-max-size, or both.")
    }
    let reader = try await JournalReader.open(wiring.journalPath)
    let scope = try await reader.scopes().first
    await reader.close()
    guard let scope else {
        invocation.terminal.write("The journal has no entry yet\n")
        return ExitStatus.findings
    }
    let journal = try await SQLiteJournal.open(
        JournalConfiguration(
            path: wiring.journalPath, instance: scope.instance, cluster: scope.cluster, build: bylawVersion,
            signingKey: try wiring.signingKey(mayMake: false)))
    var isDone = false
    do {
        let old = try await oldEntries(of: wiring.journalPath, policy)
        while let report = try await journal.removeOldEntries(old, at: systemNow(), minimumCount: 1) {
            isDone = true
            invocation.terminal.write(
                "Removed \(report.removedCount) entries up to \(report.through); \(report.keptCount) of them stay, "
                    + "as entry \(report.entry) says\n")
        }
    } catch {
        await journal.close()
        throw error
    }
    await journal.close()
    if !isDone {
        invocation.terminal.write(
            "Nothing to remove: no whole run of 256 entries is old enough, both by the clock and by the time that the journal saw pass\n"
        )
    }
    return isDone ? ExitStatus.success : ExitStatus.findings
}

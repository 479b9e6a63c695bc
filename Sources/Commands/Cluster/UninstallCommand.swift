import Arguments
import Journal
import KubeClient
import Manifest
import Planning
import Reconciler

let uninstallCommand = Command(
    description: CommandDescription(
        name: "uninstall", summary: "remove what an instance made from the cluster, or take its marks off",
        details:
            "Lists what carries the marker of the instance and what would become of it; nothing is changed without "
            + "--confirm. Then it deletes what the journal proves that the instance made: rights first, bindings before "
            + "roles, and NetworkPolicies, quotas and limits last, since without them more is possible. What was there "
            + "before and was taken over stays, without the marker, and so do namespaces unless --namespaces is given. What "
            + "is a copy, is not proven, is protected, or gives whoever does this their rights is left and told. Each change "
            + "is an entry of the journal. Stop every Bylaw of the instance before: it would make everything again.",
        flags: [
            FlagDescription(
                "confirm", .text, valueName: "INSTANCE",
                "do it; the name of the instance, so that nothing else is meant", isForCommandLineOnly: true),
            FlagDescription(
                "keep-objects", .isSet, "delete nothing but admission policies; only take the marker off every object",
                isForCommandLineOnly: true),
            FlagDescription(
                "namespaces", .isSet, "delete namespaces too that it made, with everything that is in them",
                isForCommandLineOnly: true),
            Flags.instance, Flags.cluster, Flags.journal, Flags.journalKey,
        ] + Flags.connection + [Flags.output, Flags.config],
        examples: [
            "bylaw uninstall --journal /var/lib/bylaw/journal.sqlite",
            "bylaw uninstall --keep-objects --confirm default",
            "bylaw uninstall --confirm default --namespaces",
        ],
        exitStatuses: [
            (0, "nothing carries the marker, or all of it was done"),
            (1, "there is something to do, or something was left or failed"), (2, "an error"),
        ])
) { invocation in
    let arguments = invocation.arguments
    let wiring = Wiring(invocation)
    let instance = try wiring.instance()
    let wish = UninstallWish(
        keepsObjects: arguments.isSet("keep-objects"), deletesNamespaces: arguments.isSet("namespaces"))
    guard !(wish.keepsObjects && wish.deletesNamespaces) else {
        throw CommandFailure(
            message: "--keep-objects and --namespaces contradict each other", hint: "Give one of them, or neither.")
    }
    let confirmed = arguments.text("confirm")
    guard confirmed == nil || confirmed == instance else {
        throw CommandFailure(
            message: "--confirm \(confirmed ?? "") is not the name of the instance, which is \(instance)",
            hint: "Name the instance with --instance, and once more with --confirm.")
    }
    let endpoint = try wiring.endpoint()
    let cluster = wiring.cluster(endpoint, instance: instance)
    let facts = try await cluster.facts()
    let made = try await madeObjects(by: instance, in: wiring.journalPath)
    let journal = try await wiring.journal(instance: instance, endpoint: endpoint)
    let result: Result<UninstallReport, any Error>
    do {
        try await checkIdentity(of: facts, against: journal, path: wiring.journalPath)
        let uninstaller = Uninstaller(
            instance: instance, cluster: cluster, journal: journal, ownership: wiring.ownership(instance: instance),
            wish: wish, canonical: wiring.canonical, made: made, surroundings: .system)
        let survey = try await uninstaller.survey()
        guard wish.keepsObjects || survey.user != nil else {
            throw CommandFailure(
                message:
                    "uninstall \(instance): the server does not tell who asks, and whoever deletes what gives them "
                    + "their rights cannot go on",
                hint: "Use a service account's token, as Deploy/uninstall/job.yaml does, or --keep-objects.")
        }
        var report = UninstallReport(instance: instance, wish: wish, isDone: confirmed != nil)
        if confirmed == nil {
            report.take(survey)
        } else {
            do {
                try await uninstaller.perform(survey) { report.items.append(.init(object: $0, fate: $1, outcome: $2)) }
                report.revived = try await uninstaller.revived(
                    after: Set(report.items.filter { $0.outcome == .done }.map(\.object)))
            } catch {
                // What was done so far is known by the journal, and has to be seen.
                invocation.terminal.writeError(report.text(on: invocation.terminal))
                throw error
            }
        }
        result = .success(report)
    } catch {
        result = .failure(error)
    }
    if confirmed != nil { await sign(journal, on: invocation.terminal) }
    await journal.close()
    let report = try result.get()
    invocation.terminal.write(
        arguments.text("output") == "json" ? report.json : report.text(on: invocation.terminal))
    return report.isNothingLeft ? ExitStatus.success : ExitStatus.findings
}

/// The uids of all that an instance made, by the journal; a new journal knows nothing, so it is not begun for this.
private func madeObjects(by instance: String, in path: String) async throws(JournalError) -> Set<String> {
    let reader = try await JournalReader.open(path)
    var query = JournalQuery()
    query.instance = instance
    query.action = .create
    query.outcome = .succeeded
    query.order = .oldestFirst
    query.includesContent = false
    query.limit = 10_000
    var made: Set<String> = []
    do throws(JournalError) {
        while true {
            let entries = try await reader.entries(query)
            made.formUnion(entries.compactMap(\.uid))
            guard entries.count == query.limit, let last = entries.last else { break }
            query.afterSequence = last.sequence
        }
    } catch {
        await reader.close()
        throw error
    }
    await reader.close()
    return made
}

private func sign(_ journal: SQLiteJournal, on terminal: Terminal) async {
    do throws(JournalError) {
        _ = try await journal.checkpoint(at: systemNow())
    } catch {
        terminal.writeError("\(printable(error.message))\n    \(printable(error.hint))\n")
    }
}

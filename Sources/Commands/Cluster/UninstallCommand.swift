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
            + "--confirm, in the journal neither. Then it deletes what the journal proves that the instance made: rights "
            + "first, bindings before roles, and NetworkPolicies, quotas, limits and namespaces last, since without them "
            + "more is possible. What was there before and was taken over stays, without the marker, and so do namespaces "
            + "unless --namespaces is given. What is a copy, is not proven, is protected, or gives whoever does this their "
            + "rights is left and told. Each change is an entry of the journal. Stop every Bylaw of the instance before: it "
            + "would make everything again.",
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
    let surveyor = UninstallSurveyor(
        instance: instance, cluster: cluster, ownership: wiring.ownership(instance: instance), wish: wish,
        canonical: wiring.canonical, surroundings: .system)
    var report = UninstallReport(instance: instance, wish: wish, isDone: confirmed != nil)
    if confirmed == nil {
        let scope = JournalReader.Scope(instance: instance, cluster: wiring.clusterName(endpoint))
        let known = try await uninstallKnowledge(in: wiring.journalPath, scope)
        try checkIdentity(of: facts, known: known.identity, path: wiring.journalPath)
        report.take(try await surveyor.surveyByKnownCaller(known.knowledge), openIntents: known.openIntents)
    } else {
        let journal = try await wiring.journal(instance: instance, endpoint: endpoint, mayMake: false)
        let result: Result<Void, any Error>
        do {
            try await checkIdentity(of: facts, against: journal, path: wiring.journalPath)
            try await uninstall(surveyor, recordedIn: journal, into: &report)
            result = .success(())
        } catch {
            // What was done so far is known by the journal, and has to be seen.
            if !report.items.isEmpty { invocation.terminal.writeError(report.text(on: invocation.terminal)) }
            result = .failure(error)
        }
        await sign(journal, on: invocation.terminal)
        await journal.close()
        try result.get()
    }
    invocation.terminal.write(
        arguments.text("output") == "json" ? report.json : report.text(on: invocation.terminal))
    return report.isNothingLeft ? ExitStatus.success : ExitStatus.findings
}

private func uninstall(
    _ surveyor: UninstallSurveyor, recordedIn journal: SQLiteJournal, into report: inout UninstallReport
) async throws {
    let uninstaller = Uninstaller(surveyor, journal: journal)
    try await uninstaller.settleInterrupted()
    let survey = try await surveyor.surveyByKnownCaller(try await uninstallKnowledge(in: journal))
    try await uninstaller.perform(survey) { report.items.append(.init(object: $0, fate: $1, outcome: $2)) }
    report.revived = try await surveyor.revived(
        after: Set(report.items.filter { $0.outcome == .done }.map(\.object)), survey)
}

extension UninstallSurveyor {
    /// Looks at everything; refuses whoever might take away what gives them their rights.
    fileprivate func surveyByKnownCaller(_ knowledge: UninstallKnowledge) async throws -> UninstallSurvey {
        let survey = try await survey(knowledge)
        guard wish.keepsObjects || survey.user != nil else {
            throw CommandFailure(
                message:
                    "uninstall \(instance): the server does not tell who asks, and whoever deletes what gives them "
                    + "their rights cannot go on",
                hint: "Use a service account's token, as Deploy/uninstall/job.yaml does, or --keep-objects.")
        }
        return survey
    }
}

/// What the journal knows, without a change to it; also beside a Bylaw that writes it.
private func uninstallKnowledge(
    in path: String, _ scope: JournalReader.Scope
) async throws(JournalError) -> (knowledge: UninstallKnowledge, identity: String?, openIntents: Int64) {
    let reader = try await JournalReader.open(path)
    do throws(JournalError) {
        let owned = try await reader.ownedObjects(scope).mapValues(\.uid)
        let made = try await reader.madeObjects(scope)
        let knowledge = UninstallKnowledge(
            proof: UninstallProof(owned: owned, made: made.made, takenOver: made.takenOver),
            guardedState: try await reader.remembered(.guardedState, scope),
            keptPrevention: try await reader.remembered(.keptPrevention, scope),
            ownNamespace: try await reader.remembered(.ownNamespace, scope))
        let identity = try await reader.remembered(.clusterIdentity, scope)
        let openIntents = try await reader.unsettledIntentCount(scope)
        await reader.close()
        return (knowledge, identity, openIntents)
    } catch {
        await reader.close()
        throw error
    }
}

private func uninstallKnowledge(in journal: SQLiteJournal) async throws(JournalError) -> UninstallKnowledge {
    let owned = try await journal.ownedObjects().mapValues(\.uid)
    let made = try await journal.madeObjects()
    return UninstallKnowledge(
        proof: UninstallProof(owned: owned, made: made.made, takenOver: made.takenOver),
        guardedState: try await journal.remembered(.guardedState),
        keptPrevention: try await journal.remembered(.keptPrevention),
        ownNamespace: try await journal.remembered(.ownNamespace))
}

private func sign(_ journal: SQLiteJournal, on terminal: Terminal) async {
    do throws(JournalError) {
        _ = try await journal.checkpoint(at: systemNow())
    } catch {
        terminal.writeError("\(printable(error.message))\n    \(printable(error.hint))\n")
    }
}

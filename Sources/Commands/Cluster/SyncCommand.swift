import Arguments
import Journal
import KubeClient
import Manifest
import Policy
import Reconciler
import Synchronization
import Telemetry
import TransparencyLog

let syncCommand = Command(
    description: CommandDescription(
        name: "sync", summary: "one pass, then exit",
        details:
            "Fetches the newest revision, checks it, makes the cluster equal to it, and records every change in the "
            + "journal. A revision with a mistake changes nothing: the last good one is enforced instead.",
        flags: Flags.repository + Flags.connection + [Flags.cluster, Flags.instance, Flags.journal, Flags.journalKey]
            + [Flags.holdConfigMap] + Flags.writes + Flags.traces
            + [Flags.output, Flags.config],
        examples: ["bylaw sync --repo git@git.example.com:policies.git --branch main --path clusters/production"],
        exitStatuses: [
            (0, "the cluster is as declared"),
            (1, "something failed or is held, the revision is not valid, or an emergency hold keeps an earlier one"),
            (2, "an error"),
        ])
) { invocation in
    let wiring = Wiring(invocation)
    let instance = try wiring.instance()
    let source = try wiring.source()
    let endpoint = try wiring.endpoint()
    let cluster = wiring.cluster(endpoint, instance: instance)
    let facts = try await cluster.facts()
    let journal = try await wiring.journal(instance: instance, endpoint: endpoint)
    try await checkIdentity(of: facts, against: journal, path: wiring.journalPath)
    let terminal = invocation.terminal
    for gap in facts.gaps { terminal.writeError("warning: \(printable(gap))\n") }
    let isJSON = invocation.arguments.text("output") == "json"
    let answer = SyncAnswer()
    let tracing = try wiring.spanExporter(
        instance: instance, cluster: wiring.clusterName(endpoint), logger: warnings(on: terminal))
    let exporting = Task { await tracing?.run() ?? () }
    let controller = wiring.controller(
        instance: instance, source: source, cluster: cluster, journal: journal,
        holds: try wiring.holds(instance: instance, cluster: cluster), tracing: tracing
    ) { notice in
        answer.take(notice)
        show(notice, on: terminal, isQuiet: isJSON)
    }
    let report: PassReport
    var checkpoint: SignedCheckpoint?
    do {
        report = try await controller.runOnce()
    } catch {
        await journal.close()
        await tracing?.finish(exporting)
        throw error
    }
    // What the pass did is told whether or not it can be signed now.
    do throws(JournalError) { checkpoint = try await journal.checkpoint(at: systemNow()) } catch {
        terminal.writeError("\(printable(error.message))\n    \(printable(error.hint))\n")
    }
    await journal.close()
    terminal.showProgress(nil)
    if isJSON {
        terminal.write(
            renderAnswer(
                kind: "SyncReport",
                [
                    ("revision", .string(report.revision)), ("isConverged", .bool(report.isConverged)),
                    ("isRevisionRefused", .bool(report.isRevisionRefused)),
                    ("declared", .integer(Int64(report.declaredCount))),
                    (
                        "changes",
                        .object(
                            Members(ActionKind.allCases.map { ($0.rawValue, .integer(Int64(report.changes[$0] ?? 0))) })
                        )
                    ),
                    ("driftCorrections", .integer(Int64(report.driftCorrections))),
                    ("failed", .integer(Int64(report.failures))), ("held", .integer(Int64(report.held))),
                    ("waiting", .integer(Int64(report.waiting))), ("undeclared", .integer(Int64(report.strangers))),
                    ("durationMilliseconds", .integer(Int64(report.duration / .milliseconds(1)))),
                    ("emergencyHold", report.hold.map(holdTree) ?? .null),
                    ("checkpoint", checkpoint.map { .string($0.note.description) } ?? .null),
                ] + answer.fields + (report.trace.map { [("traceId", .string($0))] } ?? [])))
    } else {
        if let hold = report.hold { terminal.write(renderHold(hold, on: terminal) + "\n") }
        terminal.write("\(report.revision.prefix(12)): \(report.summary)\n")
        if let trace = report.trace { terminal.write("trace \(trace)\n") }
    }
    await tracing?.finish(exporting)
    return report.isConverged && report.hold == nil && checkpoint != nil ? ExitStatus.success : ExitStatus.findings
}

/// Tells on a terminal what goes wrong beside a pass.
private func warnings(on terminal: Terminal) -> Logger {
    Logger(level: .warning, now: { "" }) { event in
        let facts = event.fields.map { "\($0.key): \(printable($0.value))" }.joined(separator: "; ")
        terminal.writeError("warning: \(event.message)" + (facts.isEmpty ? "" : " (\(facts))") + "\n")
    }
}

/// What a JSON answer tells besides the counts: the same as the lines of the text.
private final class SyncAnswer: Sendable {
    private struct Parts {
        var actions: [Tree] = []
        var incidents: [Tree] = []
        var refused: (revision: Revision, because: RevisionRefusal)?
    }

    private let parts = Mutex(Parts())

    func take(_ notice: ControllerNotice) {
        parts.withLock { parts in
            switch notice {
            case .changed(let entry, let sequence): parts.actions.append(Self.tree(entry, sequence: sequence))
            case .incident(let entry): parts.incidents.append(Self.tree(entry, sequence: nil))
            case .revisionRefused(let revision, let refusal): parts.refused = (revision, refusal)
            case .revisionAccepted, .revisionWaiting, .hold, .trouble, .progress, .synced, .journalLost,
                .unrecordedDrift, .journalStillLost, .outageChanged, .journalBack, .driftFound, .driftEnded, .fetched,
                .leadership:
                break
            }
        }
    }

    var fields: [(String, Tree)] {
        parts.withLock { parts in
            [
                ("refusedRevision", parts.refused.map { .string($0.revision.commit) } ?? .null),
                ("refusal", parts.refused.map { refusalTree($0.because) } ?? .null),
                ("findings", findingTrees(parts.refused?.because.findings ?? [])),
                ("actions", .array(parts.actions)), ("incidents", .array(parts.incidents)),
            ]
        }
    }

    private static func tree(_ entry: EntryDraft, sequence: Int64?) -> Tree {
        var tree: Tree = [
            "reason": .string(entry.reason.word), "outcome": .string(entry.outcome.rawValue),
            "message": .string(entry.message),
        ]
        if let sequence { tree.set(["entry"], to: .integer(sequence)) }
        if let action = entry.action { tree.set(["action"], to: .string(action.rawValue)) }
        if let object = entry.object { tree.set(["object"], to: objectTree(object)) }
        return tree
    }
}

/// Shows on a terminal what a pass does.
private func show(_ notice: ControllerNotice, on terminal: Terminal, isQuiet: Bool) {
    if case .progress(let done, let total) = notice {
        terminal.showProgress("syncing \(done) of \(total)")
        return
    }
    terminal.showProgress(nil)
    switch notice {
    case .revisionRefused(let revision, let refusal):
        terminal.writeError(renderRefusal(refusal, of: revision, on: terminal))
    case .changed(let entry, let sequence) where entry.outcome == .succeeded:
        if !isQuiet {
            // The message of a drift is a whole sentence, that of another change begins with the object.
            let verb = entry.reason == .incident(.driftCorrected) ? "" : (entry.action?.pastTense ?? "changed") + " "
            terminal.write("\(verb)\(printable(entry.message)) [\(sequence)]\n")
        }
    case .changed(let entry, let sequence):
        terminal.writeError("failed: \(printable(entry.message)) [\(sequence)]\n")
        if let reason = entry.reason.incident {
            terminal.writeError("    see: bylaw runbook show \(reason.rawValue)\n")
        }
    case .incident(let entry):
        // Why a revision is refused is told by itself, its findings on a line of their own each.
        if let reason = entry.reason.incident, refusalIncidents.contains(reason) { break }
        terminal.writeError("\(entry.reason.word): \(printable(entry.message))\n")
        terminal.writeError("    see: bylaw runbook show \(entry.reason.word)\n")
    case .trouble(let message, let hint):
        terminal.writeError("\(printable(message))\n" + (hint.isEmpty ? "" : "    \(printable(hint))\n"))
    case .hold(let entry):
        if !isQuiet { terminal.write("\(entry.reason.word): \(printable(entry.message))\n") }
    case .revisionWaiting(let revision, _):
        if !isQuiet {
            terminal.write(
                "\(revision.commit.prefix(12)) \"\(printable(revision.subject))\" waits behind the emergency hold\n")
        }
    // A single pass has no outages, as it ends with an error, and takes part in no election.
    case .revisionAccepted, .progress, .synced, .journalLost, .unrecordedDrift, .journalStillLost, .outageChanged,
        .journalBack, .driftFound, .driftEnded, .fetched,
        .leadership:
        break
    }
}

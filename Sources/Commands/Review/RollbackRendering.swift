import Analysis
import Git
import GitSource
import JSON
import Manifest
import Policy
import Reconciler
import Reports

/// The declared objects that differ between two revisions, and what that means for security.
struct DeclaredChanges {
    var added: [ObjectID]
    var changed: [ObjectID]
    var removed: [ObjectID]
    var meaning: ChangeReport

    init(from before: DeclaredState, to after: DeclaredState, meaning: ChangeReport) {
        added = after.objects.keys.filter { before.objects[$0] == nil }.sorted()
        removed = before.objects.keys.filter { after.objects[$0] == nil }.sorted()
        changed =
            after.objects.filter { id, object in before.objects[id].map { $0.tree != object.tree } ?? false }
            .keys.sorted()
        self.meaning = meaning
    }
}

/// What a rollback came to, for people.
///
/// - Parameter command: The address that was given with `--repo`.
func renderRollback(_ report: RollbackReport, _ invocation: Invocation, command address: String) -> String {
    let terminal = invocation.terminal
    var text = ""
    let count = report.range.reverts.count
    text += "Takes back \(count == 1 ? "one revision" : "\(count) revisions") on top of \(name(report.range.tip)):\n"
    for revision in report.range.reverts.prefix(shown) {
        text += "    \(name(revision)) by \(printable(revision.author.description))\n"
    }
    if count > shown { text += "    and \(count - shown) more\n" }
    switch report.outcome {
    case .nothing: return text + "\nNothing to do: \(short(report.range.tip)) is without that already.\n"
    case .conflicts: return text + "\n" + conflictText(report, terminal)
    case .refused:
        if let refusal = report.refusal {
            text += "\n" + renderFindings(refusal.findings, on: terminal)
            text += "Nothing was made: without that the repository would not be sound: \(printable(refusal.message))\n"
        }
        return text + "    Take back more with --to, or correct it by hand; see: bylaw check\n"
    case .made, .wasThere: break
    }
    text += exactnessText(report) + "\n" + filesText(report, terminal)
    if let changes = report.changes {
        text += objectsText(changes, terminal) + "\n"
        text += renderChangeText(changes.meaning, colour: terminal.isColoured)
    }
    if let plan = report.plan, let commit = report.commit {
        text += "\nIn the cluster, once it is merged:\n"
        switch plan {
        case .refused(let refusal): text += renderRefusal(refusal, of: commit, on: terminal)
        case .planned(let plan, let holds):
            text += renderPlan(plan, guarded: holds, revision: commit, on: terminal)
        }
    }
    for note in report.notes { text += "note: \(printable(note))\n" }
    return text + "\n" + endText(report, printable(address))
}

private let shown = 20

private func short(_ revision: Revision) -> String { String(revision.commit.prefix(12)) }

private func name(_ revision: Revision) -> String { "\(short(revision)) \"\(printable(revision.subject))\"" }

private func conflictText(_ report: RollbackReport, _ terminal: Terminal) -> String {
    let count = report.conflicts.count
    var text =
        "Nothing was made: \(count == 1 ? "a file was" : "\(count) files were") changed again since, in the same places:\n"
    for conflict in report.conflicts {
        let later = conflict.later.map { "  by \(name($0)) of \(printable($0.author.description))" } ?? ""
        text += "    \(terminal.styled(printable(conflict.file), .bold))\(later)\n"
    }
    let oldest = short(report.range.oldest)
    if let blocking = report.blocking {
        text += "    Take the later ones back too: bylaw rollback \(oldest) --to \(short(blocking))\n"
    }
    return text + "    Or do it by hand in a clone: git revert \(oldest)\n"
}

private func exactnessText(_ report: RollbackReport) -> String {
    let place = report.folder.isEmpty ? "" : " below \(printable(report.folder))"
    guard let restored = report.recognition?.restores else {
        return "Restores no earlier state as a whole: what other commits changed since stays.\n"
    }
    return "Restores exactly what \(restored.prefix(12)) declared\(place).\n"
}

private func filesText(_ report: RollbackReport, _ terminal: Terminal) -> String {
    func list(_ files: [GitChangedFile]) -> String {
        var text = files.prefix(100).map { "    \(letter($0.change)) \(printable($0.path))\n" }.joined()
        if files.count > 100 { text += "    and \(files.count - 100) more\n" }
        return text
    }
    var text = "Files:\n" + list(report.changedFiles.filter(report.isPolicy))
    if !report.otherFiles.isEmpty {
        text += "Also outside of \(printable(report.folder)), since a revert takes back all that a commit changed:\n"
        text += list(report.otherFiles)
    }
    return text
}

private func letter(_ change: GitChangedFile.Change) -> String {
    switch change {
    case .added: "A"
    case .removed: "D"
    case .modified: "M"
    }
}

private func objectsText(_ changes: DeclaredChanges, _ terminal: Terminal) -> String {
    func lines(_ sign: String, _ ids: [ObjectID], _ style: Terminal.Style) -> String {
        ids.map { terminal.styled("    \(sign) \(printable($0.description))", style) + "\n" }.joined()
    }
    let text =
        lines("+", changes.added, .green) + lines("~", changes.changed, .yellow) + lines("-", changes.removed, .red)
    return "Declared objects:\n" + (text.isEmpty ? "    none changes\n" : text)
}

private func endText(_ report: RollbackReport, _ address: String) -> String {
    let commit = report.commit?.commit ?? ""
    let branch = printable(report.branch)
    let verb = report.outcome == .wasThere ? "was there already" : "made"
    var text = "Commit \(commit) \(verb) on branch \(branch).\n"
    guard !report.isPushed else {
        return text + "Pushed to \(address): have it reviewed and merged there.\n"
    }
    let clone = printable(report.clone)
    text += "Nothing has left this machine. To push it: the same command with --push, or\n"
    text += "    git -C \(clone) push \(address) \(branch)\n"
    return text + "To fetch it into a clone of yours:\n    git fetch \(clone) \(branch):\(branch)\n"
}

/// The same as a JSON answer of kind `Rollback`.
func rollbackAnswer(_ report: RollbackReport) -> String {
    let commit = report.commit
    var fields: [(String, Tree)] = [
        ("outcome", .string(report.outcome.rawValue)), ("commit", commit.map { .string($0.commit) } ?? .null),
        ("branch", .string(report.branch)), ("clone", .string(report.clone)),
        ("onto", .string(report.range.tip.commit)),
        ("reverts", .array(report.range.reverts.map { .string($0.commit) })),
        ("restores", report.recognition?.restores.map(Tree.string) ?? .null),
        ("isExact", .bool(report.recognition?.isExact ?? false)),
        (
            "changedFiles",
            .array(
                report.changedFiles.map { file in
                    [
                        "path": .string(file.path), "change": .string(file.change.rawValue),
                        "isPolicy": .bool(report.isPolicy(file)),
                    ]
                })
        ),
        ("changes", report.changes.map(changesTree) ?? .null),
        ("conflicts", .array(report.conflicts.map(conflictTree))), ("notes", .array(report.notes.map(Tree.string))),
        ("pushed", .bool(report.isPushed)),
    ]
    if let refusal = report.refusal {
        fields += [("refusal", refusalTree(refusal)), ("findings", findingTrees(refusal.findings))]
    }
    if let plan = report.plan, let commit {
        switch plan {
        case .refused(let refusal): fields.append(("plan", refusedPlanAnswer(refusal, revision: commit)))
        case .planned(let plan, let holds):
            fields.append(("plan", planAnswer(plan, guarded: holds, revision: commit)))
        }
    }
    return renderAnswer(kind: "Rollback", fields)
}

private func changesTree(_ changes: DeclaredChanges) -> Tree {
    [
        "added": .array(changes.added.map(objectTree)), "changed": .array(changes.changed.map(objectTree)),
        "removed": .array(changes.removed.map(objectTree)), "meaning": changeTree(changes.meaning),
    ]
}

private func conflictTree(_ conflict: RollbackConflict) -> Tree {
    var tree: Tree = ["file": .string(conflict.file)]
    if let later = conflict.later {
        tree.set(["commit"], to: .string(later.commit))
        tree.set(["subject"], to: .string(later.subject))
    }
    return tree
}

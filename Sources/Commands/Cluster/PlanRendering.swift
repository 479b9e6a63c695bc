import Guardrails
import JSON
import Manifest
import Planning
import Policy
import Reconciler

/// A plan for people: one line for each action, the differing places below it, and a sum at the end.
///
/// - Parameter guarded: What the guardrails hold of the revision.
func renderPlan(_ plan: Plan, guarded: [GuardrailHold], revision: Revision, on terminal: Terminal) -> String {
    var text = ""
    for action in plan.actions {
        let (sign, style): (String, Terminal.Style) =
            switch action.kind {
            case .create: ("+", .green)
            case .delete: ("-", .red)
            case .update, .replace, .adopt: ("~", .yellow)
            }
        let origin = action.origin.map { terminal.styled("  \(printable($0.description))", .dim) } ?? ""
        text +=
            terminal.styled("\(sign) \(action.kind.rawValue) \(printable(action.id.description))", style) + origin
            + "\n"
        for difference in action.differences {
            text += "    \(printable(difference.pathDescription)) (\(difference.kind.rawValue))\n"
            if let live = difference.live { text += "      - \(abbreviated(live))\n" }
            if let declared = difference.declared { text += "      + \(abbreviated(declared))\n" }
        }
    }
    for hold in guarded {
        text += terminal.styled("! held \(printable(hold.id.description))", .yellow) + "\n"
        for meaning in hold.meanings { text += "    \(printable(meaning))\n" }
        for id in hold.removes { text += "    would remove \(printable(id.description))\n" }
        for trailer in hold.trailers { text += "    to approve it: \(printable(trailer))\n" }
        if let runbook = hold.runbook { text += "    see: \(runbook)\n" }
    }
    for hold in plan.holds {
        text += terminal.styled("! held \(printable(hold.id.description))", .yellow) + "\n"
        text += "    \(printable(hold.message))\n    see: bylaw runbook show \(runbookName(hold.reason))\n"
    }
    for object in plan.waiting {
        text += terminal.styled("! waits \(printable(object.id.description))", .yellow) + "  is being deleted\n"
    }
    for object in plan.leftForNow {
        text +=
            terminal.styled("! left \(printable(object.id.description))", .yellow)
            + "  as it is, since somebody broke the glass\n"
    }
    for object in plan.strangers {
        text += terminal.styled("? undeclared \(printable(object.id.description))", .yellow) + "\n"
    }
    if !text.isEmpty { text += "\n" }
    var counts: [String] = []
    for kind in ActionKind.allCases {
        let count = plan.actions.count { $0.kind == kind }
        if count > 0 { counts.append("\(count) to \(kind.rawValue)") }
    }
    let held = plan.holds.count + guarded.count
    if held > 0 { counts.append("\(held) held") }
    if !plan.leftForNow.isEmpty { counts.append("\(plan.leftForNow.count) left for now") }
    if !plan.strangers.isEmpty { counts.append("\(plan.strangers.count) undeclared") }
    if !plan.waiting.isEmpty { counts.append("\(plan.waiting.count) waiting") }
    let sum = counts.isEmpty ? "Nothing to change" : counts.joined(separator: ", ")
    return text
        + "\(sum); \(plan.unchangedCount) as declared by \(revision.commit.prefix(12)) \"\(printable(revision.subject))\".\n"
}

/// A plan as a JSON answer of kind `Plan`.
func planAnswer(_ plan: Plan, guarded: [GuardrailHold], revision: Revision) -> Tree {
    answerTree(
        kind: "Plan",
        [
            ("revision", .string(revision.commit)), ("subject", .string(revision.subject)),
            ("unchanged", .integer(Int64(plan.unchangedCount))),
            ("actions", .array(plan.actions.map(actionTree))),
            ("undeclared", .array(plan.strangers.map { objectTree($0.id) })),
            ("leftForNow", .array(plan.leftForNow.map { objectTree($0.id) })),
            (
                "held",
                .array(guarded.map(guardedTree) + plan.holds.map(heldTree))
            ),
            ("waiting", .array(plan.waiting.map { objectTree($0.id) })),
        ])
}

private func guardedTree(_ hold: GuardrailHold) -> Tree {
    // What has no guardrail of its own waits for something that has.
    let reason = (hold.incident ?? (hold.trailers.isEmpty ? .approvalMissing : .deletionBudgetExceeded)).rawValue
    return [
        "object": objectTree(hold.id), "message": .string(hold.meanings.joined(separator: "; ")),
        "runbook": .string(hold.runbook ?? "Runbooks/\(reason).md"), "reason": .string(reason),
        "trailers": .array(hold.trailers.map(Tree.string)), "wouldRemove": .array(hold.removes.map(objectTree)),
    ]
}

private func heldTree(_ hold: Hold) -> Tree {
    [
        "object": objectTree(hold.id), "message": .string(hold.message),
        "runbook": .string("Runbooks/\(runbookName(hold.reason)).md"), "reason": .string(runbookName(hold.reason)),
    ]
}

private func actionTree(_ action: Action) -> Tree {
    var tree: Tree = [
        "action": .string(action.kind.rawValue), "object": objectTree(action.id),
        "differences": .array(
            action.differences.map { difference in
                [
                    "path": .string(difference.pathDescription), "kind": .string(difference.kind.rawValue),
                    "live": difference.live ?? .null, "declared": difference.declared ?? .null,
                ]
            }),
    ]
    if let origin = action.origin {
        tree.set(["file"], to: .string(origin.file))
        tree.set(["line"], to: .integer(Int64(origin.line)))
    }
    return tree
}

private func runbookName(_ reason: Hold.Reason) -> String { reason.incident.rawValue }

/// A value on one line, cut where it would be too long to read.
private func abbreviated(_ tree: Tree) -> String {
    let text = printable(tree.jsonText())
    return text.count <= 160 ? text : text.prefix(157) + "..."
}

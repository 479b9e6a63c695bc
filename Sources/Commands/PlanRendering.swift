import JSON
import Manifest
import Planning
import Policy
import Reconciler

/// A plan for people: one line for each action, the differing places below it, and a sum at the end.
func renderPlan(_ plan: Plan, revision: Revision, on terminal: Terminal) -> String {
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
    for hold in plan.holds {
        text += terminal.styled("! held \(printable(hold.id.description))", .yellow) + "\n"
        text += "    \(printable(hold.message))\n    see: bylaw runbook show \(runbookName(hold.reason))\n"
    }
    for object in plan.waiting {
        text += terminal.styled("! waits \(printable(object.id.description))", .yellow) + "  is being deleted\n"
    }
    if !text.isEmpty { text += "\n" }
    var counts: [String] = []
    for kind in ActionKind.allCases {
        let count = plan.actions.count { $0.kind == kind }
        if count > 0 { counts.append("\(count) to \(kind.rawValue)") }
    }
    if !plan.holds.isEmpty { counts.append("\(plan.holds.count) held") }
    if !plan.waiting.isEmpty { counts.append("\(plan.waiting.count) waiting") }
    let sum = counts.isEmpty ? "Nothing to change" : counts.joined(separator: ", ")
    return text
        + "\(sum); \(plan.unchangedCount) as declared by \(revision.commit.prefix(12)) \"\(printable(revision.subject))\".\n"
}

/// A plan as a JSON answer of kind `Plan`.
func planAnswer(_ plan: Plan, revision: Revision) -> String {
    renderAnswer(
        kind: "Plan",
        [
            ("revision", .string(revision.commit)), ("subject", .string(revision.subject)),
            ("unchanged", .integer(Int64(plan.unchangedCount))),
            ("actions", .array(plan.actions.map(actionTree))),
            (
                "held",
                .array(
                    plan.holds.map { hold in
                        [
                            "object": objectTree(hold.id), "message": .string(hold.message),
                            "runbook": .string("Runbooks/\(runbookName(hold.reason)).md"),
                            "reason": .string(runbookName(hold.reason)),
                        ]
                    })
            ),
            ("waiting", .array(plan.waiting.map { objectTree($0.id) })),
        ])
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

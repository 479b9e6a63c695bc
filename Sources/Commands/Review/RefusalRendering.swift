import Manifest
import Policy
import Reconciler

/// Why a revision is not enforced, for people: its findings, what that means, and where to read on.
func renderRefusal(_ refusal: RevisionRefusal, of revision: Revision, on terminal: Terminal) -> String {
    let name = "revision \(revision.commit.prefix(12))"
    let words =
        switch refusal {
        case .invalid(let findings): renderFindings(findings, on: terminal) + "\(name) is not valid"
        case .empty: "\(name) declares nothing; nothing is deleted"
        case .untrusted, .lockout: "\(name) is refused: \(printable(refusal.message))"
        }
    return words + "; the last good one stays enforced\n    see: bylaw runbook show \(refusal.incident.rawValue)\n"
}

/// The same as a part of a JSON answer.
func refusalTree(_ refusal: RevisionRefusal) -> Tree {
    [
        "reason": .string(refusal.incident.rawValue), "message": .string(refusal.message),
        "runbook": .string("Runbooks/\(refusal.incident.rawValue).md"),
    ]
}

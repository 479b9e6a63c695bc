import Manifest

@testable import Reconciler

let syncTime = Timestamp(microsecondsSinceEpoch: 1_772_366_400_123_456)

func syncRevision(_ digit: Character, subject: String = "A team") -> Revision {
    let ann = Person(name: "Ann Policy", email: "ann@example.com")
    return Revision(
        commit: String(repeating: digit, count: 40), author: ann, committer: ann, committedAt: syncTime,
        subject: subject)
}

/// A state of an instance about which nothing is known yet.
func syncState() -> PolicySyncState {
    PolicySyncState(
        .init(
            instance: "default", cluster: "production", repository: "https://git.example.com/policies",
            path: "production",
            reporter: "bylaw/0.1.0 on bylaw-0"))
}

/// A controller with nothing to complain about.
func wellStanding(declared: Int = 7) -> ControllerStanding {
    ControllerStanding(
        isEnforcing: true, isGathered: true, isJournalUsable: true, objects: [.inSync: ["Role": declared]],
        enforcedRevision: syncRevision("a"), declaredObjects: declared)
}

extension PolicySyncState {
    func condition(_ kind: PolicySyncCondition.Kind) -> (status: String, reason: String) {
        let found = conditions.first { $0.kind == kind }
        return (found?.status.rawValue ?? "", found?.reason ?? "")
    }

    /// The four statuses in the order of their kinds, as one text.
    var statuses: String { conditions.map(\.status.rawValue).joined(separator: " ") }

    mutating func note(_ notice: ControllerNotice) { note(notice, at: syncTime) { _ in "What it is" } }
}

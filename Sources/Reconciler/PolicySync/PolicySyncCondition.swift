/// One thing that a PolicySync says of its instance, in the standard form of Kubernetes' conditions.
package struct PolicySyncCondition: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Whether it enforces, as `/readyz` has it.
        case ready = "Ready"
        /// Whether the cluster is as the newest revision of the repository declares.
        case synced = "Synced"
        /// Whether something is not as declared without a new revision behind it.
        case drifted = "Drifted"
        /// Whether something waits for a person: an action for its approval, or newer revisions for the end of a hold.
        case held = "Held"
    }

    package enum Status: String, Sendable {
        case yes = "True"
        case no = "False"
        /// Nobody can tell; never said where it is known to be otherwise, and never left out for a guess.
        case unknown = "Unknown"
    }

    package var kind: Kind
    package var status: Status
    /// A stable CamelCase word; that of an incident wherever one is the reason.
    package var reason: String
    /// A sentence without a full stop.
    package var message: String

    package init(_ kind: Kind, _ status: Status, _ reason: String, _ message: String) {
        self.kind = kind
        self.status = status
        self.reason = reason
        self.message = message
    }
}

extension PolicySyncState {
    /// All four, in the order of ``PolicySyncCondition/Kind``.
    package var conditions: [PolicySyncCondition] {
        let looked = looked
        return [ready(looked), synced(looked), drifted(looked), held(looked)]
    }

    private typealias Condition = PolicySyncCondition

    /// What is known of the controller, or why nothing is.
    private enum Looked {
        case standing(ControllerStanding)
        case unknown(reason: String, message: String)
    }

    private var looked: Looked {
        if isStopped {
            return .unknown(
                reason: "Stopped", message: "Bylaw was told to stop; nothing is enforced until it runs again")
        }
        guard let standing else {
            if let outage { return .unknown(reason: outage.rawValue, message: unusableJournal(outage)) }
            return .unknown(
                reason: "Starting", message: "the cluster, the repository or the journal has not been read yet")
        }
        guard isAnswering else {
            return .unknown(reason: "NotAnswering", message: "the controller has not answered for two minutes")
        }
        return .standing(standing)
    }

    private func unusableJournal(_ reason: IncidentReason) -> String {
        "nothing is changed in the cluster while the journal cannot be used: bylaw runbook show \(reason.rawValue)"
    }

    // MARK: Each of them

    private func ready(_ looked: Looked) -> Condition {
        if case .unknown(let reason, let message) = looked {
            // That it enforces nothing is known where it has ended in order, or has no journal.
            return Condition(.ready, isStopped || (standing == nil && outage != nil) ? .no : .unknown, reason, message)
        }
        guard case .standing(let standing) = looked else { return Condition(.ready, .unknown, "Starting", "") }
        guard standing.isJournalUsable else {
            let reason = outage ?? .journalUnwritable
            return Condition(.ready, .no, reason.rawValue, unusableJournal(reason))
        }
        guard standing.isEnforcing else {
            return Condition(.ready, .no, "NothingEnforced", "no revision is enforced yet")
        }
        guard standing.isGathered else {
            return Condition(.ready, .no, "KindsUnread", "not every kind has been listed yet")
        }
        return Condition(.ready, .yes, "Enforcing", "revision \(short(standing.enforcedRevision)) is enforced")
    }

    private func synced(_ looked: Looked) -> Condition {
        let standing: ControllerStanding
        switch looked {
        case .unknown(let reason, let message): return Condition(.synced, .unknown, reason, message)
        case .standing(let found): standing = found
        }
        if let (reason, message) = behind(standing) { return Condition(.synced, .no, reason, message) }
        guard standing.isEnforcing else {
            return Condition(.synced, .unknown, "NothingEnforced", "no revision is enforced yet")
        }
        if let (reason, message) = unlike(standing) { return Condition(.synced, .no, reason, message) }
        if let unread = unread(standing) { return Condition(.synced, .unknown, unread.reason, unread.message) }
        let pending = standing.count(.pending)
        guard pending == 0 else {
            return Condition(
                .synced, .no, "Applying",
                "\(objects(pending)) of the revision \(isOrAre(pending)) not seen as declared yet")
        }
        let commit = short(standing.enforcedRevision)
        if let newest, let enforced = standing.enforcedRevision, newest.commit != enforced.commit {
            return Condition(.synced, .no, "RevisionPending", "revision \(short(newest)) is not enforced yet")
        }
        guard !isFetchFailing, standing.openIncidents[.fetchFailed, default: 0] == 0 else {
            return Condition(
                .synced, .unknown, IncidentReason.fetchFailed.rawValue,
                "the cluster is as revision \(commit) declares; whether there is a newer one is not known: "
                    + "bylaw runbook show FetchFailed")
        }
        guard newest != nil else {
            return Condition(
                .synced, .unknown, "NotFetched",
                "the cluster is as revision \(commit) declares; the repository has not answered yet whether there is a "
                    + "newer one")
        }
        return Condition(
            .synced, .yes, "AsDeclared",
            "\(objects(standing.declaredObjects)) \(isOrAre(standing.declaredObjects)) as revision \(commit) declares")
    }

    /// Why the newest revision is not the one that is enforced.
    private func behind(_ standing: ControllerStanding) -> (reason: String, message: String)? {
        if standing.isRevisionRefused {
            let incident = refusalIncidents.first { standing.openIncidents[$0, default: 0] > 0 }
            let reason = incident?.rawValue ?? "RevisionRefused"
            return (
                reason,
                "the newest revision is refused, and the last good one stays enforced"
                    + (incident == nil ? "" : ": bylaw runbook show \(reason)")
            )
        }
        guard standing.openIncidents[.holdActive, default: 0] > 0 else { return nil }
        return (IncidentReason.holdActive.rawValue, activeHold(standing))
    }

    /// Why the cluster is not as the enforced revision declares.
    private func unlike(_ standing: ControllerStanding) -> (reason: String, message: String)? {
        let failing = standing.count(.failing)
        if failing > 0 {
            return (
                "Failing",
                "what was tried last failed for \(objects(failing)): bylaw status lists the incidents"
            )
        }
        if let held = heldActions(standing) { return held }
        if standing.openDrifts > 0 { return ("Drifted", openDrift(standing)) }
        let waiting = standing.count(.waiting)
        if waiting > 0 {
            return ("Waiting", "\(objects(waiting)) \(waiting == 1 ? "waits" : "wait") for something else")
        }
        return nil
    }

    private func drifted(_ looked: Looked) -> Condition {
        let standing: ControllerStanding
        switch looked {
        case .unknown(let reason, let message): return Condition(.drifted, .unknown, reason, message)
        case .standing(let found): standing = found
        }
        guard standing.openDrifts == 0 else { return Condition(.drifted, .yes, "Drifted", openDrift(standing)) }
        if let unread = unread(standing) { return Condition(.drifted, .unknown, unread.reason, unread.message) }
        guard let lastDrift, lastDrift.isCorrected else {
            return Condition(.drifted, .no, "NothingDrifted", "nothing is known to have drifted")
        }
        return Condition(.drifted, .no, "Corrected", "nothing is drifted now; \(lastDrift.object) was put back last")
    }

    private func held(_ looked: Looked) -> Condition {
        let standing: ControllerStanding
        switch looked {
        case .unknown(let reason, let message): return Condition(.held, .unknown, reason, message)
        case .standing(let found): standing = found
        }
        if let (reason, message) = heldActions(standing) { return Condition(.held, .yes, reason, message) }
        guard standing.openIncidents[.holdActive, default: 0] == 0 else {
            return Condition(.held, .yes, IncidentReason.holdActive.rawValue, activeHold(standing))
        }
        if let unread = unread(standing) { return Condition(.held, .unknown, unread.reason, unread.message) }
        return Condition(.held, .no, "NothingHeld", "nothing waits for an approval, and no emergency hold is in force")
    }

    /// Why something that was not found may be there all the same.
    private func unread(_ standing: ControllerStanding) -> (reason: String, message: String)? {
        guard standing.isEnforcing else { return ("NothingEnforced", "no revision is enforced yet") }
        guard standing.isGathered else { return ("KindsUnread", "not every kind has been listed yet") }
        guard standing.isViewBroken else { return nil }
        let reason = IncidentReason.clusterUnreachable.rawValue
        return (reason, "not every kind can be read or watched now: bylaw runbook show \(reason)")
    }

    // MARK: Words

    /// What holds actions back, the most urgent first.
    private static let holding: [IncidentReason] = [
        .deletionBudgetExceeded, .approvalMissing, .configurationHeld, .namespaceDeletionHeld, .ownAccessHeld,
        .pruneUnproven, .protectedObjectHeld, .breakGlassUsed,
    ]

    private func heldActions(_ standing: ControllerStanding) -> (reason: String, message: String)? {
        let count = max(standing.heldActions, standing.count(.held))
        guard count > 0 else { return nil }
        let incident = Self.holding.first { standing.openIncidents[$0, default: 0] > 0 }
        return (
            incident?.rawValue ?? "ActionsHeld",
            "\(count) action\(count == 1 ? " waits" : "s wait") for an approval, or for somebody who acts: "
                + (incident.map { "bylaw runbook show \($0.rawValue)" } ?? "bylaw status lists the incidents")
        )
    }

    private func activeHold(_ standing: ControllerStanding) -> String {
        "an emergency hold keeps revision \(short(standing.enforcedRevision)) enforced; newer ones wait"
    }

    private func openDrift(_ standing: ControllerStanding) -> String {
        "\(objects(standing.openDrifts)) \(isOrAre(standing.openDrifts)) not as declared, and no revision asked for that"
            + (standing.oldestDrift.map { "; the oldest since \($0.inWholeSeconds)" } ?? "")
    }

    private func objects(_ count: Int) -> String { "\(count) object\(count == 1 ? "" : "s")" }
    private func isOrAre(_ count: Int) -> String { count == 1 ? "is" : "are" }
    private func short(_ revision: Revision?) -> String { revision.map { String($0.commit.prefix(12)) } ?? "(unknown)" }
}

extension ControllerStanding {
    /// How many objects of all kinds are in a state.
    func count(_ state: ObjectState) -> Int { objects[state, default: [:]].values.reduce(0, +) }
}

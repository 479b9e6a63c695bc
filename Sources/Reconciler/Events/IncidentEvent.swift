package import Manifest

/// What the people who look at an object are told about it by a Kubernetes Event.
///
/// Events are read by more people than policies are (rule L5), so there is nothing here but which object, and what kind of
/// incident; what differed, and who did it, is in the journal.
package struct IncidentEvent: Sendable, Hashable {
    package var reason: IncidentReason
    /// Nil for what concerns the instance as a whole.
    package var object: ObjectID?
    /// Empty where it is not known.
    package var uid: String
    /// What was done, or could not be; nil where nothing was to be done.
    package var action: ActionKind?

    package init(reason: IncidentReason, object: ObjectID? = nil, uid: String = "", action: ActionKind? = nil) {
        self.reason = reason
        self.object = object
        self.uid = uid
        self.action = action
    }

    fileprivate init?(_ entry: EntryDraft) {
        guard let reason = entry.reason.incident else { return nil }
        self.init(reason: reason, object: entry.object, uid: entry.uid ?? "", action: entry.action)
    }
}

extension ControllerNotice {
    /// The incident that this tells of; nil where it tells of none.
    package var incidentEvent: IncidentEvent? {
        switch self {
        case .changed(let entry, _), .incident(let entry), .hold(let entry): IncidentEvent(entry)
        case .journalLost(let outage): outage.error.incident.map { IncidentEvent(reason: $0) }
        case .journalBack(_, let entry): entry.flatMap(IncidentEvent.init)
        case .revisionAccepted, .revisionRefused, .revisionWaiting, .leadership, .driftFound, .driftEnded, .fetched,
            .unrecordedDrift,
            .journalStillLost, .outageChanged, .trouble, .progress, .synced:
            nil
        }
    }
}

package import Manifest

/// A change that a watch or a list showed, and that somebody must have made.
package struct ObservedChange: Sendable, Equatable {
    package enum Kind: String, Sendable { case created, changed, deleted }

    /// What an object says of who wrote it: a name that any client may choose (rule A17).
    package struct Claim: Sendable, Equatable {
        package var manager: String
        package var time: Timestamp?

        package init(manager: String, time: Timestamp?) {
            self.manager = manager
            self.time = time
        }
    }

    package var object: ObjectID
    /// The uid of the object, of a deleted one the uid that it had; nil where it is not known.
    package var uid: String?
    package var kind: Kind
    /// The version before the change, where it is known.
    package var versionBefore: String?
    /// The version after it; for a deletion that of the DELETED event, where there was one, though its uid decides.
    package var versionAfter: String?
    /// When we saw it, by our clock.
    package var observedAt: Timestamp
    /// When we last saw the object as it was before, by our clock; nothing earlier can have made the change.
    package var unchangedAt: Timestamp?
    /// The field managers, the most probable first.
    package var claims: [Claim]

    package init(
        object: ObjectID, uid: String?, kind: Kind, versionBefore: String? = nil, versionAfter: String?,
        observedAt: Timestamp, unchangedAt: Timestamp? = nil, claims: [Claim] = []
    ) {
        self.object = object
        self.uid = uid
        self.kind = kind
        self.versionBefore = versionBefore
        self.versionAfter = versionAfter
        self.observedAt = observedAt
        self.unchangedAt = unchangedAt
        self.claims = claims
    }
}

/// How far an event may lie from the moment at which its change was seen.
///
/// The times of events are those of the servers, so it plays no part how late a batch comes (rule M1). We see a change
/// after it was made, and now and then long after, when a watch had to begin anew; before it we see it only by as much as
/// the clocks differ (rule M12).
package struct AttributionWindow: Sendable {
    package var before: Duration
    package var clockDifference: Duration
    /// For deletions that take their time: of namespaces, and of what waits for finalizers.
    package var beforeCascade: Duration

    package init(
        before: Duration = .seconds(120), clockDifference: Duration = .seconds(5),
        beforeCascade: Duration = .seconds(1800)
    ) {
        self.before = before
        self.clockDifference = clockDifference
        self.beforeCascade = beforeCascade
    }

    func holds(_ event: AuditEvent, of change: ObservedChange, isCascade: Bool = false) -> Bool {
        let start = change.observedAt.advanced(by: isCascade ? .zero - beforeCascade : .zero - before)
        // A deletion is asked for while the object is still seen as it was.
        let known = isCascade ? nil : change.unchangedAt?.advanced(by: .zero - clockDifference)
        return event.at >= max(start, known ?? start) && holdsBeginning(of: event, change)
    }

    /// Whether a request had begun when its change was seen; it may be noted as done well after it wrote.
    func holdsBeginning(of event: AuditEvent, _ change: ObservedChange) -> Bool {
        min(event.receivedAt, event.at) <= change.observedAt.advanced(by: clockDifference)
    }
}

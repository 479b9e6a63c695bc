import AuditEvents
import JSON
import Journal
import Manifest
import Reconciler

/// Whether an entry is of the kind that somebody else's change stands behind.
func mayHaveActor(_ entry: JournalEntry) -> Bool { entry.kind == .action && entry.actor != nil }

/// What somebody else must have done for an entry to be written; nil where it is none of that kind.
func observedChange(behind entry: JournalEntry, reader: JournalReader) async throws(JournalError) -> ObservedChange? {
    guard mayHaveActor(entry), let object = entry.object, let action = entry.action else { return nil }
    let before = try entry.content().before
    let earlier = try await reader.lastState(of: object, on: entry.cluster, before: entry.sequence)
    let uid = before?["metadata"]?["uid"]?.string
    let isSame = uid != nil && uid == earlier?.uid
    let claims = entry.actor.map { actor in
        actor.name.isEmpty
            ? [] : [ObservedChange.Claim(manager: actor.name, time: actor.time.flatMap { Timestamp($0) })]
    }
    let version = before?["metadata"]?["resourceVersion"]?.string
    guard action != .create else {
        // What had to be made again was deleted; what stood there before is how it was last seen.
        return ObservedChange(
            object: object, uid: uid ?? earlier?.uid, kind: .deleted,
            versionBefore: version ?? earlier?.resourceVersion, versionAfter: nil, observedAt: entry.time)
    }
    return ObservedChange(
        object: object, uid: uid, kind: action == .delete && earlier == nil ? .created : .changed,
        versionBefore: isSame ? earlier?.resourceVersion : nil, versionAfter: version, observedAt: entry.time,
        claims: claims ?? [])
}

/// The entry that says who is behind another one.
func identification(
    of sequence: Int64, _ entry: JournalEntry?, by attribution: Attribution, _ event: AuditEvent, at now: Timestamp
) -> EntryDraft {
    EntryDraft(
        at: now, kind: .notice, reason: .actorIdentified, outcome: .succeeded, object: entry?.object, uid: entry?.uid,
        actor: Actor(
            name: attribution.name, operation: event.verb, time: event.at.description,
            certainty: attribution.certainty == .proven ? .proven : .likely, details: details(attribution, event)),
        auditID: event.auditID.isEmpty ? nil : event.auditID, refersTo: sequence,
        message: "what entry \(sequence) undid was done by \(attribution.summary), "
            + "with \(event.verb) from \(event.sourceIPs.last ?? "an unknown address")")
}

/// Under this the entry says that a proof rests on the mark of a field manager, and may be taken back.
let restsOnMarkKey = "restsOnMark"

private func details(_ attribution: Attribution, _ event: AuditEvent) -> Tree {
    var members = Members()
    members["evidence"] = .string("\(attribution.evidence)")
    members["groups"] = .array(event.actor.groups.map(Tree.string))
    members["isControlPlane"] = .bool(attribution.isControlPlane)
    members["sourceIPs"] = .array(event.sourceIPs.map(Tree.string))
    members["userAgent"] = .string(event.userAgent)
    if attribution.restsOnMark { members[restsOnMarkKey] = .bool(true) }
    if let impersonator = event.impersonator { members["impersonatedBy"] = .string(impersonator.name) }
    if let reason = event.reason, !reason.isEmpty { members["allowedBecause"] = .string(reason) }
    if !attribution.rivals.isEmpty {
        members["others"] = .array(attribution.rivals.prefix(10).map(Tree.string))
    }
    if attribution.contributors.count > 1 {
        members["contributors"] = .array(
            attribution.contributors.suffix(10).map {
                ["user": .string($0.actor.name), "verb": .string($0.verb), "auditID": .string($0.auditID)]
            })
    }
    return .object(members)
}

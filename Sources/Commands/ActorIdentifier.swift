import AuditEvents
import JSON
import Journal
import Manifest
import Reconciler
import Telemetry

/// Joins the API server's audit events to the changes of others that the journal has, and records who made them.
///
/// A drift is undone and recorded within milliseconds, its audit event comes up to half a minute later (rule M1): so what
/// an event tells becomes an entry of its own that refers to the first. Nothing that corrects drift waits for it. What is
/// remembered is in memory: after a restart, events of before are not known, and the entry keeps its field manager.
actor ActorIdentifier {
    private let journal: SQLiteJournal
    private let reader: JournalReader
    private let logger: Logger
    private var memory = AuditMemory()
    private var pending = PendingAttributions<Int64>()
    private let sequences: AsyncStream<Int64>
    private nonisolated let queue: AsyncStream<Int64>.Continuation
    /// Who we are, so that our own writes are nobody's drift.
    private var ourUser: String?
    /// Found and not in the journal yet, because it could not be written.
    private var unrecorded: [(sequence: Int64, attribution: Attribution)] = []

    var isReady: Bool { ourUser != nil }

    init(journal: SQLiteJournal, reader: JournalReader, logger: Logger) {
        self.journal = journal
        self.reader = reader
        self.logger = logger
        (sequences, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
    }

    /// Takes in that an entry was written; looks at it soon.
    nonisolated func note(_ sequence: Int64) { queue.yield(sequence) }

    /// Looks at what was noted until it is cancelled.
    func run() async {
        for await sequence in sequences {
            do throws(JournalError) { try await consider(sequence) } catch {
                logger.log(.warning, "Who made a change could not be recorded", [("error", error.message)])
            }
        }
    }

    func setOurUser(_ name: String?) { ourUser = name }

    /// Takes a batch of events; what it explains is in the journal when this returns.
    func take(_ body: [UInt8]) async throws(JournalError) -> AuditBatch {
        let batch = AuditReader(ourUser: ourUser).readList(body)
        let now = systemNow()
        let new = memory.add(batch.events, at: now)
        unrecorded += pending.take(new, from: memory).map { ($0.key, $0.attribution) }
        _ = pending.expire(at: now)
        try await recordFound()
        return batch
    }

    /// What cannot be recorded now is tried again with the next batch, which the server sends again.
    private func recordFound() async throws(JournalError) {
        while let found = unrecorded.first {
            unrecorded.removeFirst()
            do throws(JournalError) { try await record(found.attribution, of: found.sequence) } catch {
                unrecorded.insert(found, at: 0)
                throw error
            }
        }
    }

    private func consider(_ sequence: Int64) async throws(JournalError) {
        guard let entry = try await reader.entry(sequence: sequence), let change = try await change(of: entry) else {
            return
        }
        let known = memory.attribute(change)
        pending.add(change, key: sequence, known: known?.event == nil ? nil : known)
        guard let known, known.event != nil else { return }
        unrecorded.append((sequence, known))
        try await recordFound()
    }

    /// What somebody else must have done for this entry to be written; nil where it is none of that kind.
    private func change(of entry: JournalEntry) async throws(JournalError) -> ObservedChange? {
        guard entry.kind == .action, entry.actor != nil, let object = entry.object, let action = entry.action else {
            return nil
        }
        let before = try entry.content().before
        let earlier = try await reader.lastState(of: object, before: entry.sequence)
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

    private func record(_ attribution: Attribution, of sequence: Int64) async throws(JournalError) {
        guard let event = attribution.event else { return }
        let entry = try await reader.entry(sequence: sequence)
        let name = attribution.name
        let draft = EntryDraft(
            at: systemNow(), kind: .notice, reason: .actorIdentified, outcome: .succeeded, object: entry?.object,
            uid: entry?.uid,
            actor: Actor(
                name: name, operation: event.verb, time: event.at.description,
                certainty: attribution.certainty == .proven ? .proven : .likely, details: details(attribution, event)),
            auditID: event.auditID.isEmpty ? nil : event.auditID, refersTo: sequence,
            message: "what entry \(sequence) undid was done by \(attribution.summary), "
                + "with \(event.verb) from \(event.sourceIPs.last ?? "an unknown address")")
        let number = try await journal.record(draft, owned: .unchanged)
        logger.log(
            .notice, "Actor identified",
            [
                ("entry", String(sequence)), ("by", String(number)), ("user", name),
                ("certainty", "\(attribution.certainty)"), ("auditID", event.auditID),
            ])
    }

    private func details(_ attribution: Attribution, _ event: AuditEvent) -> Tree {
        var members = Members()
        members["evidence"] = .string("\(attribution.evidence)")
        members["groups"] = .array(event.actor.groups.map(Tree.string))
        members["isControlPlane"] = .bool(attribution.isControlPlane)
        members["sourceIPs"] = .array(event.sourceIPs.map(Tree.string))
        members["userAgent"] = .string(event.userAgent)
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
}

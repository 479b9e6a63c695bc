import JSON
import Manifest
import Reconciler
import SQLite

/// A column of `entries` beside its number and its hash, in the order in which all statements name them.
enum EntryColumn: Int, CaseIterable {
    case time, instance, cluster, kind, reason, isIncident, outcome, action, apiGroup, apiVersion, objectKind, namespace
    case name, uid, resourceVersion, revision, author, committer, pullRequest, approver, actor, actorOperation
    case actorTime, actorCertainty, runbook, runbookRevision, durationMicroseconds, auditID, subject, trailers, message
    case patch, before, after, refersTo, actorDetails

    /// The name in the table.
    var name: String { EntryColumns.names[rawValue] }
}

/// The columns of `entries`, in one order for writing and for reading.
enum EntryColumns {
    static let names = [
        "time", "instance", "cluster", "kind", "reason", "is_incident", "outcome", "action", "api_group", "api_version",
        "object_kind", "namespace", "name", "uid", "resource_version", "revision", "author", "committer",
        "pull_request", "approver", "actor", "actor_operation", "actor_time", "actor_certainty", "runbook",
        "runbook_revision", "duration_microseconds", "audit_id", "subject", "trailers", "message", "patch", "before",
        "after", "refers_to", "actor_details",
    ]

    /// Takes the number, the values in the order of ``names``, and the hash.
    static let insertion = """
        INSERT INTO entries (sequence, \(names.joined(separator: ", ")), leaf_hash)
        VALUES (?, \(names.map { _ in "?" }.joined(separator: ", ")), ?)
        """

    /// What a SELECT names so that ``entry(from:)`` can read it.
    static func selection(includesContent: Bool) -> String {
        let content: Set<String> = ["patch", "before", "after"]
        return (["sequence"] + names).map { content.contains($0) && !includesContent ? "NULL" : $0 }
            .joined(separator: ", ")
    }

    /// The values of a new entry, in the order of ``names``.
    static func values(
        of draft: EntryDraft, instance: String, cluster: String, build: String
    ) throws(JournalFailure) -> [SQLValue] {
        func line(_ text: String?) -> SQLValue { .optional(text?.bounded(toBytes: TextLimit.line)) }
        let object = draft.object
        let incident = draft.reason.incident
        let version = (draft.after ?? draft.before)?["apiVersion"]?.string.map { $0.split(separator: "/").last ?? "" }
        return [
            .text(draft.at.description), .text(instance), .text(cluster), .text(draft.kind.rawValue),
            .text(draft.reason.word), .integer(incident == nil ? 0 : 1), .text(draft.outcome.rawValue),
            .optional(draft.action?.rawValue), .optional(object?.group),
            line(object == nil ? nil : version.map(String.init) ?? object?.resource?.version), line(object?.kind),
            line(object?.namespace), line(object?.name), line(draft.uid), line(draft.resourceVersion),
            line(draft.revision?.commit), line(draft.revision?.author), line(draft.revision?.committer),
            .optional(draft.revision?.pullRequest.map(Int64.init)), line(draft.approver), line(draft.actor?.name),
            line(draft.actor?.operation), line(draft.actor?.time), .optional(draft.actor?.certainty.rawValue),
            .optional(incident.map { "Runbooks/\($0.rawValue).md" }), line(incident.map { _ in build }),
            .optional(draft.duration?.wholeMicroseconds), line(draft.auditID), line(draft.revision?.subject),
            .optional(draft.revision.map(trailersText)), .text(draft.message.bounded(toBytes: TextLimit.message)),
            .optional(try canonicalText(draft.patch, of: object)),
            .optional(try canonicalText(draft.before, of: object)),
            .optional(try canonicalText(draft.after, of: object)), .optional(draft.refersTo),
            .optional(try canonicalText(draft.actor?.details, of: nil)),
        ]
    }

    /// Reads one row of a SELECT of ``selection(includesContent:)``.
    static func entry(from row: Row) throws(DatabaseError) -> Result<JournalEntry, JournalFailure> {
        let sequence = try row.integer(0)
        let timeText = try row.text(1)
        let kindText = try row.text(4)
        let outcomeText = try row.text(7)
        let actionText = try row.optionalText(8)
        let certaintyText = try row.optionalText(24)
        guard let time = Timestamp(timeText) else { return unknown(sequence, "time", timeText) }
        guard let kind = EntryKind(rawValue: kindText) else { return unknown(sequence, "kind", kindText) }
        guard let outcome = EntryOutcome(rawValue: outcomeText) else {
            return unknown(sequence, "outcome", outcomeText)
        }
        let action = actionText.flatMap(ActionKind.init(rawValue:))
        if let actionText, action == nil { return unknown(sequence, "action", actionText) }
        let certainty = certaintyText.flatMap(Actor.Certainty.init(rawValue:))
        if let certaintyText, certainty == nil { return unknown(sequence, "certainty", certaintyText) }

        var entry = JournalEntry(
            sequence: sequence, time: time, instance: try row.text(2), cluster: try row.text(3), kind: kind,
            reason: try row.text(5), isIncident: try row.integer(6) != 0, outcome: outcome, action: action,
            message: try row.text(31))
        if let objectKind = try row.optionalText(11), let name = try row.optionalText(13) {
            entry.object = ObjectID(
                group: try row.optionalText(9) ?? "", kind: objectKind, namespace: try row.optionalText(12) ?? "",
                name: name)
        }
        entry.objectVersion = try row.optionalText(10)
        entry.uid = try row.optionalText(14)
        entry.resourceVersion = try row.optionalText(15)
        entry.approver = try row.optionalText(20)
        if let name = try row.optionalText(21), let certainty {
            entry.actor = Actor(
                name: name, operation: try row.optionalText(22) ?? "", time: try row.optionalText(23),
                certainty: certainty)
            if let text = try row.optionalText(36) {
                do throws(JournalFailure) {
                    entry.actor?.details = try tree(fromCanonical: text, in: "entry \(sequence)")
                } catch {
                    return .failure(error)
                }
            }
        }
        if let path = try row.optionalText(25) {
            entry.runbook = .init(path: path, revision: try row.optionalText(26) ?? "")
        }
        entry.duration = try row.optionalInteger(27).map { .microseconds($0) }
        entry.auditID = try row.optionalText(28)
        entry.refersTo = try row.optionalInteger(35)
        entry.patch = try row.optionalText(32)
        entry.before = try row.optionalText(33)
        entry.after = try row.optionalText(34)
        if let commit = try row.optionalText(16) {
            let trailers: [Revision.Trailer]
            do throws(JournalFailure) {
                trailers = try readTrailers(try databaseText(row, 30), of: sequence)
            } catch {
                return .failure(error)
            }
            entry.revision = RevisionFacts(
                commit: commit, author: try row.optionalText(17) ?? "", committer: try row.optionalText(18) ?? "",
                subject: try row.optionalText(29) ?? "",
                pullRequest: try row.optionalInteger(19).map { Int(clamping: $0) }, trailers: trailers)
        }
        return .success(entry)
    }

    private static func databaseText(_ row: Row, _ column: Int) throws(JournalFailure) -> String? {
        do throws(DatabaseError) { return try row.optionalText(column) } catch { throw .database(error) }
    }

    private static func unknown(
        _ sequence: Int64, _ column: String, _ word: String
    ) -> Result<JournalEntry, JournalFailure> {
        .failure(.unreadable("entry \(sequence) has the \(column) “\(word)”, which this version does not know"))
    }

    // MARK: Trailers

    /// `[["Key","value"],...]`; what is beyond the limit is left out and counted in a last pair.
    private static func trailersText(_ revision: RevisionFacts) -> String {
        var pairs: [Tree] = []
        var bytes = 0
        for (index, trailer) in revision.trailers.enumerated() {
            bytes += trailer.key.utf8.count + trailer.value.utf8.count
            guard bytes <= TextLimit.trailers else {
                pairs.append([.string("…"), .string("cut, \(revision.trailers.count - index) more")])
                break
            }
            pairs.append([.string(trailer.key), .string(trailer.value)])
        }
        return Tree.array(pairs).jsonText()
    }

    private static func readTrailers(
        _ text: String?, of sequence: Int64
    ) throws(JournalFailure) -> [Revision.Trailer] {
        guard let text else { return [] }
        return try tree(fromCanonical: text, in: "entry \(sequence)").array?.compactMap { pair in
            guard let parts = pair.array, parts.count == 2, let key = parts[0].string, let value = parts[1].string
            else { return nil }
            return Revision.Trailer(key: key, value: value)
        } ?? []
    }
}

extension Duration {
    /// Whole microseconds, kept within what fits.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflows else { return seconds < 0 ? Int64.min : Int64.max }
        let (sum, sumOverflows) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return sumOverflows ? product : sum
    }
}

package import Manifest
package import Reconciler

/// One entry as `bylaw journal show -o json` and each line of a followed list give it.
///
/// A contract: see the golden test. Its canonical text is what the tree over the entries holds the hash of.
///
/// - Throws: ``JournalError`` where the kept content cannot be read.
package func entryTree(_ entry: JournalEntry) throws(JournalError) -> Tree {
    let content = try entry.content()
    var members = Members()
    members["apiVersion"] = "bylaw.dev/v1"
    members["kind"] = "JournalEntry"
    members["sequence"] = .integer(entry.sequence)
    members["time"] = .string(entry.time.description)
    members["instance"] = .string(entry.instance)
    members["cluster"] = .string(entry.cluster)
    members["type"] = .string(entry.kind.rawValue)
    members["reason"] = .string(entry.reason)
    members["incident"] = .bool(entry.isIncident)
    members["outcome"] = .string(entry.outcome.rawValue)
    members["action"] = (entry.action?.rawValue).map(Tree.string)
    members["object"] = entry.object.map { object in
        tree([
            ("group", .string(object.group)), ("version", entry.objectVersion.map(Tree.string)),
            ("kind", .string(object.kind)),
            ("namespace", object.namespace.isEmpty ? nil : .string(object.namespace)), ("name", .string(object.name)),
            ("uid", entry.uid.map(Tree.string)), ("resourceVersion", entry.resourceVersion.map(Tree.string)),
        ])
    }
    members["before"] = content.before
    members["after"] = content.after
    members["patch"] = content.patch
    members["revision"] = entry.revision.map { revision in
        tree([
            ("commit", .string(revision.commit)), ("author", .string(revision.author)),
            ("committer", .string(revision.committer)), ("subject", .string(revision.subject)),
            ("pullRequest", revision.pullRequest.map { .integer(Int64($0)) }),
            (
                "trailers",
                .array(revision.trailers.map { ["key": .string($0.key), "value": .string($0.value)] })
            ),
        ])
    }
    members["approver"] = entry.approver.map(Tree.string)
    members["actor"] = entry.actor.map { actor in
        tree([
            ("details", actor.details), ("name", .string(actor.name)), ("operation", .string(actor.operation)),
            ("time", actor.time.map(Tree.string)), ("certainty", .string(actor.certainty.rawValue)),
        ])
    }
    members["runbook"] = entry.runbook.map { ["path": .string($0.path), "revision": .string($0.revision)] }
    members["durationMicroseconds"] = entry.duration.map { .integer($0.wholeMicroseconds) }
    members["auditID"] = entry.auditID.map(Tree.string)
    members["refersTo"] = entry.refersTo.map(Tree.integer)
    members["message"] = .string(entry.message)
    return .object(members)
}

private func tree(_ pairs: [(String, Tree?)]) -> Tree {
    .object(Members(pairs.compactMap { key, value in value.map { (key, $0) } }))
}

import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TestSupport
import TransparencyLog

/// Journals with signed checkpoints, and ways to change them behind the program's back.
struct SignedJournal {
    let folder: ScratchDirectory
    let path: String
    let key: Ed25519PrivateKey
    /// Signed over all entries, and kept elsewhere.
    let checkpoint: SignedCheckpoint

    var kept: VerificationRequest {
        VerificationRequest(keys: [.bare(key.publicKey)], checkpoints: [checkpoint])
    }

    /// Makes a journal of so many entries, signed at the given sizes and at its end.
    static func make(entries count: Int, signedAt sizes: Set<Int> = []) async throws -> SignedJournal {
        let folder = try ScratchDirectory()
        let key = try Ed25519PrivateKey.generate()
        var configuration = Sample.configuration(folder.path + "/journal.db")
        configuration.signingKey = key
        let journal = try await SQLiteJournal.open(configuration)
        for number in 1...count {
            _ = try await journal.record(Sample.numbered(number), owned: .unchanged)
            if sizes.contains(number) { _ = try await journal.checkpoint(at: Sample.moment(Int64(number))) }
        }
        let checkpoint = try await journal.checkpoint(at: Sample.moment(Int64(count)))
        await journal.close()
        // As introducing the key does, without the entry that would shift all numbers.
        let verifier = try VerifierKey(name: checkpoint.checkpoint.origin, publicKey: key.publicKey)
        try Connection(path: configuration.path, mode: .readWrite).execute(
            "INSERT INTO checkpoint_keys (key, time) VALUES (?, '')", [.text(verifier.description)])
        return SignedJournal(folder: folder, path: configuration.path, key: key, checkpoint: checkpoint)
    }

    func verify(_ request: VerificationRequest? = nil) async throws -> VerificationReport {
        try await JournalVerifier.verify(path, request ?? kept)
    }

    /// Changes the file as somebody would who has the volume: without the triggers.
    func tamper(_ statements: String...) throws { try tamper(statements) }

    private func tamper(_ statements: [String]) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        // Put back afterwards, as somebody would who does not want to be noticed.
        let triggers = try Self.dropTriggers(connection)
        try connection.transaction(.immediate) { () throws(DatabaseError) in
            for statement in statements { try connection.executeScript(statement) }
        }
        for trigger in triggers { try connection.executeScript(trigger) }
    }

    private static func dropTriggers(_ connection: Connection) throws -> [String] {
        let triggers = try connection.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'") {
            (row) throws(DatabaseError) in (name: try row.text(0), sql: try row.text(1))
        }
        for trigger in triggers { try connection.executeScript("DROP TRIGGER \(trigger.name)") }
        return triggers.map(\.sql)
    }

    /// Puts another journal's entries, and the tree over them, in the place of this one's.
    func replaceHistory(by other: String, entries: String = "1", blocks: String = "1") throws {
        let source = try Connection(path: other, mode: .readOnly)
        var statements = ["DELETE FROM entries WHERE \(entries)", "DELETE FROM tree_blocks WHERE \(blocks)"]
        for (table, condition, columns) in [
            ("entries", entries, ["sequence"] + Self.columns + ["leaf_hash"]),
            ("tree_blocks", blocks, ["block", "root"]),
        ] {
            let values = columns.map { "quote(\($0))" }.joined(separator: " || ',' || ")
            statements += try source.rows("SELECT \(values) FROM \(table) WHERE \(condition)") {
                (row) throws(DatabaseError) in
                "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(try row.text(0)))"
            }
        }
        try tamper(statements)
    }

    /// Runs `change` on the file, gives what verification says of it, and puts the file back.
    func afterTampering(_ statements: String...) async throws -> VerificationReport {
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        defer { try? original.write(to: URL(fileURLWithPath: path)) }
        let connection = try Connection(path: path, mode: .readWrite)
        let triggers = try Self.dropTriggers(connection)
        for statement in statements { try connection.executeScript(statement) }
        for trigger in triggers { try connection.executeScript(trigger) }
        try connection.executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
        return try await verify()
    }

    /// All columns of an entry but its number.
    static let columns: [String] = [
        "time", "instance", "cluster", "kind", "reason", "is_incident", "outcome", "action", "api_group", "api_version",
        "object_kind", "namespace", "name", "uid", "resource_version", "revision", "author", "committer",
        "pull_request", "approver", "actor", "actor_operation", "actor_time", "actor_certainty", "runbook",
        "runbook_revision", "duration_microseconds", "audit_id", "subject", "trailers", "message", "patch", "before",
        "after", "refers_to", "actor_details",
    ]
}

extension Sample {
    /// Entries of every shape, one after the other.
    static func numbered(_ number: Int) -> EntryDraft {
        var draft: EntryDraft
        switch number % 4 {
        case 0: draft = event("synced \(number)", at: Int64(number))
        case 1: draft = correction(role("reader-\(number)"), at: Int64(number))
        case 2:
            draft = incident(
                .driftFight, ObjectID(.clusterRole, name: "wide-\(number)"), "fought \(number) \"times\"\n",
                at: Int64(number))
        default:
            draft = correction(role("écrit-\(number)", in: "team-\(number % 7)"), at: Int64(number))
            draft.approver = "Ana Lima <ana@example.org>"
            draft.before = nil
            draft.actor?.time = nil
            draft.revision?.trailers = []
            draft.revision?.pullRequest = nil
        }
        return draft
    }
}

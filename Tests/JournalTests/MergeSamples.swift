import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TestSupport
import TransparencyLog

/// Journals of several replicas, and the history that they give.
struct Replicas {
    let folder: ScratchDirectory
    let paths: [String]
    let keys: [Ed25519PrivateKey]

    var history: String { folder.path + "/history.db" }
    var known: VerificationRequest { VerificationRequest(keys: keys.map { .bare($0.publicKey) }) }

    /// Makes journals whose entries take turns, some seconds each, and that sign at their end.
    static func make(entries count: Int, replicas: Int = 2, turn: Int = 5) async throws -> Replicas {
        let folder = try ScratchDirectory()
        let paths = (0..<replicas).map { "\(folder.path)/replica-\($0).db" }
        let keys = try (0..<replicas).map { _ in try Ed25519PrivateKey.generate() }
        let replicas = Replicas(folder: folder, paths: paths, keys: keys)
        for replica in paths.indices {
            try await replicas.write(replica) { journal in
                for number in 0..<count {
                    let moment = Int64((number / turn * paths.count + replica) * turn + number % turn)
                    var draft = Sample.numbered(number)
                    draft.at = Sample.moment(moment)
                    draft.message += " by \(replica)"
                    // Each fifth one undoes the one before it.
                    if number % 5 == 4, draft.kind == .action { draft.refersTo = Int64(number) }
                    _ = try await journal.record(draft, owned: .unchanged)
                }
            }
        }
        return replicas
    }

    /// Opens a journal, writes to it, and signs.
    func write(
        _ replica: Int, isSigned: Bool = true, _ body: (SQLiteJournal) async throws -> Void
    ) async throws {
        var configuration = Sample.configuration(paths[replica])
        configuration.signingKey = keys[replica]
        let journal = try await SQLiteJournal.open(configuration)
        try await journal.introduceKey(at: Sample.moment(0))
        try await body(journal)
        if isSigned { _ = try await journal.checkpoint(at: Sample.moment(100_000)) }
        await journal.close()
    }

    @discardableResult
    func merge(into path: String? = nil, _ change: (inout MergeRequest) -> Void = { _ in }) async throws -> MergeReport
    {
        var request = MergeRequest(journals: paths, verification: known)
        change(&request)
        return try await JournalMerge.merge(request, into: path ?? history)
    }

    /// What verification says of the history after a change by somebody who has the file; puts the file back.
    func afterTampering(
        _ statements: [String], _ request: VerificationRequest? = nil
    ) async throws -> VerificationReport {
        let original = try bytes(of: history)
        defer { try? original.write(to: URL(fileURLWithPath: history)) }
        let connection = try Connection(path: history, mode: .readWrite)
        let triggers = try connection.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'") {
            (row) throws(DatabaseError) in (name: try row.text(0), sql: try row.text(1))
        }
        for trigger in triggers { try connection.executeScript("DROP TRIGGER \(trigger.name)") }
        for statement in statements { try connection.executeScript(statement) }
        for trigger in triggers { try connection.executeScript(trigger.sql) }
        return try await JournalVerifier.verify(history, request ?? known)
    }
}

import Foundation
import Glibc
import Reconciler
import SQLite

/// What is open of a journal: replaced as a whole where it has to be opened anew.
struct OpenedJournal: Sendable {
    let writer: GroupedWriter
    let lock: WriterLock
    /// The row of this instance and cluster in `instances`.
    let instanceID: Int64
    /// The last intent that was there when it was opened.
    let lastIntent: Int64
    /// The name under which its checkpoints are signed.
    let origin: String
    /// Set where it had to be brought up to date.
    let upgrade: JournalUpgrade?
    private let file: FileIdentity
    /// Written into it when it is opened, so that another writer in between is noticed.
    private let mark: String

    /// Takes the lock, opens the file and checks it.
    ///
    /// - Parameters:
    ///   - tree: Follows the entries from here on; it must not be in use.
    ///   - earlier: What was open before of the same journal, which nobody may have written since; nil takes any journal,
    ///     and makes one where there is none.
    init(
        _ configuration: JournalConfiguration, tree: JournalTree, continuing earlier: OpenedJournal?
    ) async throws(JournalError) {
        let path = configuration.path
        let lock = try WriterLock(besideJournal: path)
        do throws(JournalFailure) {
            let note = UpgradeNote()
            let writer = try await GroupedWriter(label: "bylaw.journal.writer") {
                () throws(JournalFailure) -> sending Connection in
                if earlier != nil, try JournalFile.isNew(path) { throw .replaced("the file is gone") }
                return try JournalFile.openForWriting(configuration, note: note)
            }
            let mark = UUID().uuidString
            do throws(JournalFailure) {
                (origin, instanceID, lastIntent) = try await writer.perform(
                    { (connection) throws(JournalFailure) in
                        let origin = try JournalIdentity.origin(on: connection)
                        guard earlier == nil || earlier?.origin == origin else {
                            throw .replaced("another journal lies there now")
                        }
                        try tree.follow(connection)
                        try StoredCheckpoints(connection: connection).expectFit(of: configuration.signingKey)
                        let (instanceID, lastIntent) = try Self.register(configuration, connection)
                        let mayContinue = try Self.replaceMark(
                            of: instanceID, by: mark, expecting: earlier?.mark, on: connection)
                        guard mayContinue else { throw .takenOver }
                        return (origin, instanceID, lastIntent)
                    }, orElse: { .database($0) })
                file = try FileIdentity(path)
            } catch {
                // Now, not some time later: by then something else may lie there, whose log it would take for its own.
                await writer.close()
                throw error
            }
            upgrade = note.value
            self.mark = mark
            self.writer = writer
            self.lock = lock
        } catch {
            throw JournalError(error, doing: "open", path: path)
        }
    }

    /// Refuses to go on where the path does not lead to the open file any more: what is written to that would be lost.
    func expectInPlace(at path: String) throws(JournalFailure) {
        guard try FileIdentity(path) == file else { throw .replaced("another file lies there now") }
    }

    /// - Returns: Whether the mark was the expected one; only then it is replaced.
    private static func replaceMark(
        of instanceID: Int64, by mark: String, expecting earlier: String?, on connection: Connection
    ) throws(JournalFailure) -> Bool {
        try JournalFailure.wrapping { () throws(DatabaseError) in
            let key: [SQLValue] = [.integer(instanceID), .text("writer")]
            let found = try connection.firstRow("SELECT value FROM memory WHERE instance_id = ? AND key = ?", key) {
                (row) throws(DatabaseError) in try row.text(0)
            }
            guard earlier == nil || earlier == found else { return false }
            try connection.execute(
                "INSERT OR REPLACE INTO memory (instance_id, key, value) VALUES (?, ?, ?)", key + [.text(mark)])
            return true
        }
    }

    private static func register(
        _ configuration: JournalConfiguration, _ connection: Connection
    ) throws(JournalFailure) -> (instanceID: Int64, lastIntent: Int64) {
        do throws(DatabaseError) {
            let id = try configuration.instanceID(on: connection)
            let last = try connection.firstRow("SELECT ifnull(max(id), 0) FROM intents") {
                (row) throws(DatabaseError) in
                try row.integer(0)
            }
            return (id, last ?? 0)
        } catch {
            throw .database(error)
        }
    }
}

extension JournalConfiguration {
    /// The row of its instance and cluster in `instances`, which is made where there is none.
    func instanceID(on connection: Connection) throws(DatabaseError) -> Int64 {
        let names: [SQLValue] = [.text(instance), .text(cluster)]
        try connection.execute(
            "INSERT INTO instances (instance, cluster) VALUES (?, ?) ON CONFLICT DO NOTHING", names)
        return try connection.firstRow("SELECT id FROM instances WHERE instance = ? AND cluster = ?", names) {
            (row) throws(DatabaseError) in try row.integer(0)
        } ?? 0
    }
}

/// Which file a path leads to.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    private let number: UInt64

    init(_ path: String) throws(JournalFailure) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let code = errno
            throw code == ENOENT
                ? .replaced("the file is gone")
                : .database(systemCallFailure(code, operation: "look at \(path)"))
        }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }
}

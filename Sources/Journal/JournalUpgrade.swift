import Foundation
import Glibc
package import Manifest
package import Reconciler
import SQLite
import Synchronization

/// That a journal of an earlier version was brought up to date when it was opened.
package struct JournalUpgrade: Sendable, Equatable {
    /// What became of the journal as it was.
    package enum Copy: Sendable, Equatable {
        /// It is kept in this file, for whoever has to go back to the earlier version.
        case kept(path: String)
        case missing(why: String)
    }

    /// The schema that it had.
    package var from: Int
    /// The schema that it has.
    package var to: Int
    package var copy: Copy

    package init(from: Int, to: Int, copy: Copy) {
        self.from = from
        self.to = to
        self.copy = copy
    }

    /// One sentence without its end, as entries and logs hold it.
    package var words: String {
        let copy =
            switch copy {
            case .kept(let path): "as it was it is kept in \(path), for going back"
            case .missing(let why): "no copy of it as it was is kept: \(why)"
            }
        return "the journal was brought from schema \(from) to schema \(to); \(copy)"
    }
}

/// Takes an upgrade from the queue that opens the file to whoever asked for it.
final class UpgradeNote: Sendable {
    private let upgrade = Mutex<JournalUpgrade?>(nil)

    var value: JournalUpgrade? { upgrade.withLock(\.self) }

    func take(_ new: JournalUpgrade) { upgrade.withLock { $0 = new } }
}

extension SQLiteJournal {
    /// Records that the journal was brought up to date, where that has no entry yet.
    ///
    /// The upgrade itself leaves word of it, so that it is told also where its process was killed before it could.
    package func recordUpgrade(at now: Timestamp) async throws(JournalError) {
        let untold = try await write { (connection) throws(DatabaseError) in
            try connection.rows("SELECT key, value FROM memory WHERE key GLOB 'upgrade-*' ORDER BY key") {
                (row) throws(DatabaseError) in (key: try row.text(0), message: try row.text(1))
            }
        }
        let tree = tree
        for (key, message) in untold {
            let prepared = try prepare(
                EntryDraft(
                    at: now, kind: .event, reason: .journalUpgraded, outcome: .succeeded, message: message))
            let sequence = try await perform("write") { (connection) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    try connection.execute("DELETE FROM memory WHERE key = ?", [.text(key)])
                }
                return try tree.append(prepared, to: connection)
            }
            tree.noteDurable(sequence)
        }
    }
}

extension JournalUpgrade {
    /// Leaves word of it for ``SQLiteJournal/recordUpgrade(at:)``, under a key of its own for each schema.
    fileprivate func leaveWord(
        for configuration: JournalConfiguration, on connection: Connection
    ) throws(DatabaseError) {
        try connection.execute(
            "INSERT OR REPLACE INTO memory (instance_id, key, value) VALUES (?, ?, ?)",
            [
                .integer(try configuration.instanceID(on: connection)), .text("upgrade-\(to)"),
                .text("bylaw \(configuration.build): \(words)"),
            ])
    }
}

/// Brings a journal of an earlier version up to date, on the queue that owns the connection and under the writer's lock.
///
/// Context: an earlier program cannot read what a later one has made of the journal, and the deployment that failed is
/// rolled back by somebody in a hurry. Choice: the journal as it was is kept beside, one copy for the last upgrade. Given
/// up: the space of it, until somebody deletes it; where there is not enough, the upgrade goes on without.
enum JournalMigration {
    /// Does what is missing, all or nothing.
    ///
    /// - Returns: What was done of a journal that was there; nil for a new one or one that is up to date.
    static func perform(
        on connection: Connection, _ configuration: JournalConfiguration
    ) throws(JournalFailure) -> JournalUpgrade? {
        let schema = JournalSchema.schema
        let version = try JournalFailure.wrapping { () throws(DatabaseError) in try connection.schemaVersion() }
        guard version > 0, version < schema.version else {
            do throws(SchemaError) { try connection.migrate(to: schema) } catch { throw .schema(error) }
            return nil
        }
        let copy = keepCopy(of: connection, path: configuration.path, version: version)
        let upgrade = JournalUpgrade(from: version, to: schema.version, copy: copy)
        do throws(SchemaError) {
            try connection.migrate(to: schema) { (connection) throws(DatabaseError) in
                try upgrade.leaveWord(for: configuration, on: connection)
            }
        } catch {
            // The journal is what the copy is, and may need its room.
            if case .kept(let copy) = copy { unlink(copy) }
            guard case .database(let cause) = error else { throw .schema(error) }
            throw .upgrade(from: version, to: schema.version, cause)
        }
        return upgrade
    }

    /// The newest copy that this program can read, where there is one.
    static func readableCopy(besideJournal path: String) -> String? {
        stride(from: JournalSchema.schema.version, to: 0, by: -1).map { copyPath(path, $0) }
            .first { access($0, R_OK) == 0 }
    }

    private static func copyPath(_ path: String, _ version: Int) -> String { "\(path).schema-\(version)" }

    // MARK: The copy

    private static func keepCopy(of connection: Connection, path: String, version: Int) -> JournalUpgrade.Copy {
        let target = copyPath(path, version)
        do throws(CopyFailure) {
            try expectRoom(for: path)
            try copy(connection, to: target)
        } catch {
            return .missing(why: error.why)
        }
        for other in 1..<JournalSchema.schema.version where other != version { unlink(copyPath(path, other)) }
        return .kept(path: target)
    }

    private struct CopyFailure: Error {
        var why: String

        init(_ why: String) { self.why = why }

        /// A system call that has just failed.
        init(at what: String) { why = "\(what): \(String(cString: strerror(errno)))" }
    }

    /// The copy must not take what the upgrade itself needs: its log holds each page anew, before it is written back.
    private static func expectRoom(for path: String) throws(CopyFailure) {
        var file = stat()
        var volume = statvfs()
        let folder = path.contains("/") ? (path as NSString).deletingLastPathComponent : "."
        guard stat(path, &file) == 0, statvfs(folder.isEmpty ? "/" : folder, &volume) == 0 else {
            throw CopyFailure(at: "look at the room beside it")
        }
        let free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
        let (needed, isHuge) = UInt64(max(0, file.st_size)).multipliedReportingOverflow(by: 3)
        guard !isHuge, free >= needed + 1 << 20 else {
            throw CopyFailure("there is not enough room beside it (\(free >> 20) MiB are free)")
        }
    }

    /// Under a name of its own until it is whole; what a process that was killed left there is no loss.
    private static func copy(_ connection: Connection, to path: String) throws(CopyFailure) {
        let temporary = path + ".part"
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(temporary + suffix) }
        let descriptor = Glibc.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CopyFailure(at: "make \(temporary)") }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        do throws(DatabaseError) {
            try connection.backUp(to: temporary)
        } catch {
            throw CopyFailure("write \(temporary): \(error.detail)")
        }
        guard fsync(descriptor) == 0 else { throw CopyFailure(at: "write \(temporary)") }
        guard rename(temporary, path) == 0 else { throw CopyFailure(at: "put it into \(path)") }
        // The name as well: it must be there before the journal is another one.
        let folder = Glibc.open(
            path.contains("/") ? (path as NSString).deletingLastPathComponent : ".",
            O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

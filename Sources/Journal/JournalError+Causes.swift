import Foundation
import Manifest
import Reconciler
import SQLite
import Signatures

/// Why a piece of work on the journal failed, before it is put into words for a person.
enum JournalFailure: Error {
    case database(DatabaseError)
    case schema(SchemaError)
    /// It could not be brought up to date, and is as it was.
    case upgrade(from: Int, to: Int, DatabaseError)
    /// There is no file, or one that nothing was written to yet.
    case missing
    /// Settled already, or never begun.
    case unknownIntent(Int64)
    case secret(String)
    case oversized(bytes: Int)
    case unreadable(String)
    /// libcrypto refused.
    case hashing
    /// There are entries behind the last one of ours that this process did not write.
    case foreignEntries(after: Int64)
    /// Entries that had reached the disk are not there any more.
    case missingEntries(after: Int64, through: Int64)
    /// It does not fit what was signed over it.
    case contradictsCheckpoint(String)
    /// Retention has removed what was asked for.
    case removed(through: Int64, time: Timestamp, entry: Int64)
    /// A revision is not known, and retention has removed what may have told of it.
    case revisionRemoved(String, through: Int64, time: Timestamp, entry: Int64)
    /// Retention removed entries between two steps of what was done.
    case removedMeanwhile
    /// A checkpoint could not be signed or read.
    case checkpoint(String)
    /// The file that was open is not there any more, or another journal lies in its place.
    case replaced(String)
    /// Another process has written it while it was not open here.
    case takenOver
    /// It is a history that was merged out of several journals, and has not what was asked for.
    case merged(String)
    /// Another version of the program has merged it.
    case mergedByAnotherVersion
    /// Journals cannot be merged; what is wrong, and what to do.
    case unmergeable(String, hint: String)
}

extension JournalFailure {
    /// What has to change before the journal can be used.
    var kind: JournalError.Kind {
        switch self {
        case .database(let error), .schema(.database(let error)), .upgrade(_, _, let error): error.kind
        case .schema(.damaged), .unreadable: .damaged
        case .schema(.foreign), .schema(.newer), .schema(.older), .missing, .unknownIntent, .secret, .oversized,
            .removed, .revisionRemoved, .removedMeanwhile, .merged, .mergedByAnotherVersion, .unmergeable:
            .request
        case .foreignEntries, .missingEntries, .contradictsCheckpoint: .tampered
        case .checkpoint: .keyless
        case .hashing, .replaced: .unwritable
        case .takenOver: .takenOver
        }
    }

    /// Runs `body`; a failure of the database becomes one of the journal.
    static func wrapping<Value>(_ body: () throws(DatabaseError) -> Value) throws(JournalFailure) -> Value {
        do throws(DatabaseError) { return try body() } catch { throw .database(error) }
    }

    /// Runs `body`; where libcrypto refuses, that is a failure of the journal.
    static func hashing<Value>(_ body: () throws(HashingFailure) -> Value) throws(JournalFailure) -> Value {
        do throws(HashingFailure) { return try body() } catch { throw .hashing }
    }
}

extension JournalError {
    /// Puts a failure into words.
    ///
    /// - Parameter doing: What was being done, such as "write"; followed by "the journal PATH".
    init(_ failure: JournalFailure, doing: String, path: String) {
        let kind = failure.kind
        let start = "\(doing) the journal \(path)"
        switch failure {
        case .database(let error):
            self.init(kind: kind, message: "\(start): \(error.summary)", hint: error.hint(path: path))
        case .schema(.database(let error)):
            self.init(kind: kind, message: "\(start): \(error.summary)", hint: error.hint(path: path))
        case .upgrade(let old, let new, let error):
            self.init(
                kind: kind,
                message:
                    "\(start): it could not be brought from schema \(old) to schema \(new) and is as it was: "
                    + error.summary,
                hint: error.hint(path: path))
        case .schema(.foreign(MergedSchema.applicationID)):
            self.init(
                kind: kind,
                message:
                    "\(start): it is a history that was merged out of several journals, which is only read; it was "
                    + "left as it is",
                hint: "Name the journal of this instance with --journal.")
        case .schema(.foreign(let id)):
            let made = id == 0 ? "by another program" : "by another program (application id \(id))"
            self.init(
                kind: kind,
                message: "\(start): it is a database made \(made), not a journal; it was left as it is",
                hint: "Name another file with --journal.")
        case .schema(.newer(let version, let known)):
            self.init(
                kind: kind,
                message:
                    "\(start): a later version of bylaw made it (schema \(version), this one knows up to \(known));"
                    + " it was left as it is",
                hint: JournalMigration.readableCopy(besideJournal: path).map {
                    "Use that version of bylaw. To go back to this one, stop bylaw, move the journal with its -wal and -shm "
                        + "aside, and put \($0) in its place, which was kept when the journal was brought up to date."
                }
                    ?? "Use that version of bylaw, put a copy back that this one has written, or name another file with --journal."
            )
        case .schema(.older(let version, let known)):
            self.init(
                kind: kind,
                message: "\(start): an earlier version of bylaw made it (schema \(version), this one reads \(known))",
                hint: "Let `bylaw run` or `bylaw sync` of this version open it once, which brings it up to date.")
        case .schema(.damaged(let findings)):
            self.init(
                kind: kind,
                message: "\(start): it is damaged and was left as it is: \(findings.joined(separator: "; "))",
                hint: Self.damageHint(path))
        case .missing:
            self.init(
                kind: kind,
                message: "\(start): there is no journal there, or an empty file",
                hint: "Name it with --journal FILE, or begin one with bylaw sync or bylaw run.")
        case .unknownIntent(let id):
            self.init(
                kind: kind,
                message: "\(start): intent \(id) has an outcome already or was never begun",
                hint: "This is a mistake in bylaw: please report it.")
        case .secret(let object):
            self.init(
                kind: kind,
                message: "\(start): refused to keep the content of \(object)",
                hint: "The journal never holds Secrets; this is a mistake in bylaw: please report it.")
        case .oversized(let bytes):
            self.init(
                kind: kind,
                message: "\(start): an object of \(bytes) bytes is larger than any API server takes",
                hint: "Look at what answers at the API server's address.")
        case .hashing:
            self.init(kind: kind, message: "\(start): libcrypto refused to hash", hint: "Check the machine's memory.")
        case .foreignEntries(let last):
            self.init(
                kind: kind,
                message: "\(start): something else wrote entries behind entry \(last)",
                hint:
                    "Find out what has access to the volume; keep a copy of the file, and look at it with bylaw journal verify."
            )
        case .missingEntries(let last, let lasting):
            self.init(
                kind: kind,
                message: "\(start): entries \(last + 1) to \(lasting) were written and are gone",
                hint: Self.tamperHint(path))
        case .removed(let through, let time, let entry):
            self.init(
                kind: kind,
                message: "\(start): retention has removed what was before \(time) (entries up to \(through), see entry "
                    + "\(entry))",
                hint: "Ask for a later moment, or look into a backup or an export that was made before.")
        case .revisionRemoved(let name, let through, let time, let entry):
            self.init(
                kind: kind,
                message:
                    "\(start): no entry tells that revision \(name) was enforced, and retention has removed what was "
                    + "before \(time) (entries up to \(through), see entry \(entry)), so the journal may reach back to it no "
                    + "longer",
                hint: "Check the name, or look into a backup or an export that was made before.")
        case .removedMeanwhile:
            self.init(
                kind: kind, message: "\(start): retention removed entries at the same time", hint: "Do it again.")
        case .contradictsCheckpoint(let detail):
            self.init(kind: kind, message: "\(start): \(detail)", hint: Self.tamperHint(path))
        case .checkpoint(let detail):
            self.init(kind: kind, message: "\(start): \(detail)", hint: "Check the key of the journal (--journal-key).")
        case .replaced(let detail):
            self.init(
                kind: kind, message: "\(start): \(detail)",
                hint: "Put the journal back, or start bylaw again to go on with what lies there now.")
        case .takenOver:
            self.init(
                kind: kind, message: "\(start): another process has written it in between",
                hint: "bylaw run begins anew with what it says now; let no two of them share a journal.")
        case .merged(let what):
            self.init(
                kind: kind,
                message: "\(start): it is a history that was merged out of several journals, which has no \(what)",
                hint: "Name one of those journals with --journal.")
        case .mergedByAnotherVersion:
            self.init(
                kind: kind, message: "\(start): another version of bylaw has merged it",
                hint: "Merge the journals anew with bylaw journal merge.")
        case .unmergeable(let detail, let hint):
            self.init(kind: kind, message: "\(start): \(detail)", hint: hint)
        case .unreadable(let detail):
            self.init(kind: kind, message: "\(start): \(detail)", hint: "Use the version of bylaw that wrote it.")
        }
    }

    static func tamperHint(_ path: String) -> String {
        "Somebody changed the file, or an older copy was put back: keep it as evidence, look at it with bylaw journal verify"
            + " \(path), and move it away to begin a new journal (what bylaw owns is then recognised from its markers)."
    }

    static func damageHint(_ path: String) -> String {
        "Keep a copy of \(path) and its -wal file, then restore a backup, or move both away to begin a new journal"
            + " (what bylaw owns is then recognised from its markers and Git's history)."
    }
}

extension DatabaseError {
    fileprivate var kind: JournalError.Kind {
        switch (code, systemError) {
        // Another path has to be named.
        case (.cannotOpen, EISDIR), (.cannotOpen, ENOTDIR), (.cannotOpen, EINVAL): .request
        case (.corrupt, _), (.notADatabase, _), (.mismatch, _): .damaged
        case (.tooBig, _), (.constraint, _): .request
        default: .unwritable
        }
    }

    /// One line without the SQL: what a person can act on.
    fileprivate var summary: String {
        let cause = systemError == 0 ? "" : " (\(String(cString: strerror(systemError))))"
        return switch code {
        case .full: "the disk is full, or the file has reached its limit\(cause)"
        case .notADatabase: "it is not a database; it was left as it is"
        case .corrupt: "it is damaged: \(detail)"
        case .readOnly: "it cannot be written: \(detail)\(cause)"
        case .busy, .locked: "another program holds its lock: \(detail)"
        default: "\(detail)\(cause) [SQLite \(extendedCode)]"
        }
    }

    fileprivate func hint(path: String) -> String {
        let folder = path.contains("/") ? (path as NSString).deletingLastPathComponent : "the current folder"
        switch (code, systemError) {
        case (.full, _), (_, ENOSPC), (_, EDQUOT):
            return "Free space where \(path) lies; nothing is changed in the cluster while it cannot be written."
        case (.notADatabase, _):
            return "Name another file with --journal, or move this one away."
        case (.corrupt, _):
            return JournalError.damageHint(path)
        case (_, EROFS):
            return "\(folder) is on a read-only file system: mount a writable volume there, or name another file with"
                + " --journal."
        case (_, EACCES), (_, EPERM), (.readOnly, _), (.permission, _):
            return
                "Give the user that runs bylaw the right to read and write \(path) and \(folder), or name another file"
                + " with --journal."
        case (_, ENOENT), (_, ENOTDIR):
            return "Create the folder \(folder), or name another file with --journal."
        case (_, EISDIR):
            return "Name a file, not a folder, with --journal."
        case (.busy, _), (.locked, _):
            return "Close other programs that have \(path) open, such as a sqlite3 shell."
        case (.inputOutput, _):
            return
                "Look at the disk and the kernel's log; nothing is changed in the cluster while it cannot be written."
        case (.cannotOpen, _):
            return "Check that \(folder) exists and can be written, or name another file with --journal."
        default:
            return "Please report this if it stays."
        }
    }
}

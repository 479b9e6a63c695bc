package import Reconciler
import SQLite

extension SQLiteJournal {
    package func expectWritable(bytes: Int) async throws(JournalError) {
        do throws(JournalFailure) {
            guard !givesDamage else { throw .schema(.damaged(findings: ["damaged pages were read"])) }
            return try await probe(bytes: bytes)
        } catch {
            // A full disk is told by the open file as well, and what was tampered with is not forgiven by a second look.
            guard error.mayNeedOpeningAnew else { throw JournalError(error, doing: "write", path: path) }
        }
        try await openAnew()
        do throws(JournalFailure) {
            try await probe(bytes: bytes)
        } catch {
            throw JournalError(error, doing: "write", path: path)
        }
    }

    /// Writes and takes back, in two commits: what one commit both writes and frees never reaches the disk.
    private func probe(bytes: Int) async throws(JournalFailure) {
        let (opened, tree, path) = (current, tree, path)
        let key: [SQLValue] = [.integer(opened.instanceID), .text("probe")]
        let value = String(repeating: "0", count: max(1, bytes))
        try await opened.writer.perform(
            { (connection) throws(JournalFailure) in
                try opened.expectInPlace(at: path)
                try tree.follow(connection)
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    try connection.execute(
                        "INSERT OR REPLACE INTO memory (instance_id, key, value) VALUES (?, ?, ?)", key + [.text(value)]
                    )
                }
            }, orElse: { .database($0) })
        try await opened.writer.perform(
            { (connection) throws(JournalFailure) in
                try JournalFailure.wrapping { () throws(DatabaseError) in
                    try connection.execute("DELETE FROM memory WHERE instance_id = ? AND key = ?", key)
                }
            }, orElse: { .database($0) })
    }
}

extension JournalFailure {
    /// Whether the fault may lie in what is open rather than in what lies on the disk now.
    fileprivate var mayNeedOpeningAnew: Bool {
        switch self {
        case .database(let error), .schema(.database(let error)): error.code != .full
        case .schema(.damaged), .replaced, .unreadable: true
        default: false
        }
    }
}

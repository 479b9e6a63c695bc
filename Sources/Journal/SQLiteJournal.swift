import Foundation
package import Manifest
package import Reconciler
import SQLite
import Synchronization

/// The journal in an SQLite file, written by one process.
///
/// Every call that writes returns after its transaction has reached the disk (WAL, `synchronous=FULL`); calls that come
/// at the same moment share one transaction, see `GroupedWriter`. What an entry holds is put into its final form in
/// the caller's task, so that the one writer only inserts.
///
/// What is known to be owned, open incidents, intents and memory belong to one instance on one cluster; the entries of
/// all of them are in one sequence.
package final class SQLiteJournal: RunJournal {
    let configuration: JournalConfiguration
    package var path: String { configuration.path }
    /// Intents up to this one are an earlier run's.
    let lastEarlierIntent: Int64
    /// Set where it was brought up to date when it was opened.
    package let upgrade: JournalUpgrade?
    /// The tree over the entries.
    let tree: JournalTree
    private let intentNumbers: Counter
    private let opened: Mutex<OpenedJournal>
    private let isBeingOpened = Mutex(false)
    /// Whether the open file gave damaged pages: nothing more is written to it before it was opened anew, and checked.
    private let isDamaged = Mutex(false)

    /// The number of the newest entry that was written since it was opened; 0 before the first.
    package var newestSequence: Int64 { tree.newestDurable }

    /// For how long what is written now has not reached the disk; nil where nothing is written.
    package var writingFor: Duration? { writer.busySince.map { .now - $0 } }

    var current: OpenedJournal { opened.withLock { $0 } }
    var writer: GroupedWriter { current.writer }
    /// The row of this instance and cluster in `instances`.
    var instanceID: Int64 { current.instanceID }

    /// Opens the journal for writing, and makes it where there is none.
    ///
    /// - Throws: ``JournalError`` where another process writes it, where it cannot be written, and where the file is
    ///   damaged, made by something else or by a later version: such a file is left as it is.
    package static func open(_ configuration: JournalConfiguration) async throws(JournalError) -> SQLiteJournal {
        let tree: JournalTree
        do throws(JournalFailure) {
            // Before anything is made beside it: the lock of another program's file is none of ours.
            try JournalFile.checkOrigin(of: configuration.path)
            tree = try JournalTree()
        } catch {
            throw JournalError(error, doing: "open", path: configuration.path)
        }
        return SQLiteJournal(configuration, try await OpenedJournal(configuration, tree: tree, continuing: nil), tree)
    }

    /// Refuses a place where no journal lies, before anything is made for one.
    package static func expectJournal(at path: String) throws(JournalError) {
        do throws(JournalFailure) {
            guard try !JournalFile.isNew(path) else { throw .missing }
        } catch {
            throw JournalError(error, doing: "open", path: path)
        }
    }

    /// Lets go of the file and opens it again, if it is still the same journal with everything that had reached the disk.
    ///
    /// What is open may be of a volume that is gone. Where it cannot be opened again the journal stays closed, and every
    /// call fails until this succeeds.
    func openAnew() async throws(JournalError) {
        let isFirst = isBeingOpened.withLock { isOpening in
            defer { isOpening = true }
            return !isOpening
        }
        guard isFirst else {
            throw JournalError(
                kind: .unwritable, message: "write the journal \(path): it is being opened anew", hint: "Wait for it.")
        }
        defer { isBeingOpened.withLock { $0 = false } }
        let earlier = current
        await letGo(writingBack: false)
        // Its queue is at its end, so nothing else looks at the tree.
        tree.forget()
        let new = try await OpenedJournal(configuration, tree: tree, continuing: earlier)
        opened.withLock { $0 = new }
        isDamaged.withLock { $0 = false }
    }

    private init(_ configuration: JournalConfiguration, _ opened: consuming OpenedJournal, _ tree: JournalTree) {
        self.configuration = configuration
        self.tree = tree
        upgrade = opened.upgrade
        lastEarlierIntent = opened.lastIntent
        intentNumbers = Counter(after: opened.lastIntent)
        self.opened = Mutex(opened)
    }

    /// Ends the journal after the writes that were asked for; the file is whole without its log afterwards.
    ///
    /// Another process, or this one, may write it from then on. Where something failed that may be damage, the log is left
    /// beside the file: what is damaged is evidence, and nothing is written over it.
    package func close() async { await letGo(writingBack: !givesDamage) }

    /// Whether damaged pages were read since it was opened.
    var givesDamage: Bool { isDamaged.withLock { $0 } }

    private func letGo(writingBack: Bool) async {
        let current = current
        if !writingBack {
            do throws(DatabaseError) {
                try await current.writer.perform { (connection) throws(DatabaseError) in
                    try connection.setCheckpointsOnClose(false)
                }
            } catch {
                // It is closed, or cannot even begin to write: then it does not write its log back either.
            }
        }
        await current.writer.close()
        current.lock.release()
    }

    // MARK: Writes

    package func begin(_ intent: Intent) async throws(JournalError) -> IntentID {
        let content = try describing("write") { () throws(JournalFailure) in try IntentContent.text(of: intent) }
        let id = intentNumbers.next()
        let values: [SQLValue] = [
            .integer(id), .integer(instanceID), .text(intent.at.description), .text(content),
        ]
        try await perform("write") { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.execute(Self.intentInsertion, values)
            }
        }
        return IntentID(rawValue: id)
    }

    private static let intentInsertion = "INSERT INTO intents (id, instance_id, time, content) VALUES (?, ?, ?, ?)"

    package func revise(_ id: IntentID, as intent: Intent) async throws(JournalError) {
        let content = try describing("write") { () throws(JournalFailure) in try IntentContent.text(of: intent) }
        let values: [SQLValue] = [.text(content), .integer(id.rawValue), .integer(instanceID)]
        try await perform("write") { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.execute("UPDATE intents SET content = ? WHERE id = ? AND instance_id = ?", values)
            }
            guard connection.changedRowCount == 1 else { throw .unknownIntent(id.rawValue) }
        }
    }

    @discardableResult
    package func settle(
        _ intent: IntentID, as entry: EntryDraft, owned: OwnershipChange
    ) async throws(JournalError) -> Int64 {
        let prepared = try prepare(entry)
        let (instanceID, tree) = (instanceID, tree)
        let failure = entry.outcome == .failed ? entry.reason.incident : nil
        let time = entry.at.description
        let message = entry.message.bounded(toBytes: TextLimit.message)
        let sequence = try await perform("write") { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try connection.execute(
                    "DELETE FROM intents WHERE id = ? AND instance_id = ?",
                    [.integer(intent.rawValue), .integer(instanceID)])
            }
            guard connection.changedRowCount == 1 else { throw .unknownIntent(intent.rawValue) }
            let sequence = try tree.append(prepared, to: connection)
            return try JournalFailure.wrapping { () throws(DatabaseError) in
                try Self.apply(owned, instanceID: instanceID, to: connection)
                if let failure {
                    let key = Self.incidentKey(failure, entry.object, instanceID)
                    try Self.open(key, sequence: sequence, time: time, message: message, on: connection)
                }
                return sequence
            }
        }
        tree.noteDurable(sequence)
        return sequence
    }

    @discardableResult
    package func record(_ entry: EntryDraft, owned: OwnershipChange) async throws(JournalError) -> Int64 {
        let prepared = try prepare(entry)
        let (instanceID, tree) = (instanceID, tree)
        let sequence = try await perform("write") { (connection) throws(JournalFailure) in
            let sequence = try tree.append(prepared, to: connection)
            try JournalFailure.wrapping { () throws(DatabaseError) in
                try Self.apply(owned, instanceID: instanceID, to: connection)
            }
            return sequence
        }
        tree.noteDurable(sequence)
        return sequence
    }

    package func note(owned: [ObjectID: OwnedObject]) async throws(JournalError) {
        let instanceID = instanceID
        try await write { (connection) throws(DatabaseError) in
            for (id, object) in owned {
                try Self.apply(.owns(id, object), instanceID: instanceID, to: connection)
            }
        }
    }

    private static func apply(
        _ change: OwnershipChange, instanceID: Int64, to connection: Connection
    ) throws(DatabaseError) {
        switch change {
        case .unchanged:
            return
        case .owns(let id, let object):
            try connection.execute(
                """
                INSERT INTO owned (instance_id, api_group, object_kind, namespace, name, uid, declaration_digest, revision)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET uid = excluded.uid, declaration_digest = excluded.declaration_digest,
                    revision = excluded.revision
                """,
                identity(id, instanceID: instanceID)
                    + [.text(object.uid), .text(object.declarationDigest), .text(object.revision)])
        case .released(let id):
            try connection.execute(
                """
                DELETE FROM owned
                WHERE instance_id = ? AND api_group = ? AND object_kind = ? AND namespace = ? AND name = ?
                """, identity(id, instanceID: instanceID))
        }
    }

    static func identity(_ id: ObjectID, instanceID: Int64) -> [SQLValue] {
        [.integer(instanceID), .text(id.group), .text(id.kind), .text(id.namespace), .text(id.name)]
    }

    func prepare(_ draft: EntryDraft) throws(JournalError) -> JournalTree.PreparedEntry {
        try describing("write") { () throws(JournalFailure) in
            try JournalTree.PreparedEntry(
                values: EntryColumns.values(
                    of: draft, instance: configuration.instance, cluster: configuration.cluster,
                    build: configuration.build))
        }
    }

    // MARK: Errors

    func describing<Value>(
        _ doing: String, _ body: () throws(JournalFailure) -> Value
    ) throws(JournalError) -> Value {
        do throws(JournalFailure) { return try body() } catch {
            throw JournalError(error, doing: doing, path: configuration.path)
        }
    }

    func perform<Value: Sendable>(
        _ doing: String, _ body: @escaping @Sendable (Connection) throws(JournalFailure) -> Value
    ) async throws(JournalError) -> Value {
        let (opened, path) = (current, path)
        let begun = ContinuousClock.now
        var isDone = false
        defer { if doing == "write" { configuration.noteWrite(ContinuousClock.now - begun, isDone) } }
        do throws(JournalFailure) {
            guard !givesDamage else {
                throw .unreadable("damaged pages were read; nothing is written before it was checked")
            }
            let value = try await opened.writer.perform(
                { (connection) throws(JournalFailure) in
                    // What is written to a file that the path does not lead to any more is lost.
                    try opened.expectInPlace(at: path)
                    return try body(connection)
                }, orElse: { .database($0) })
            isDone = true
            return value
        } catch {
            if error.kind == .damaged { isDamaged.withLock { $0 = true } }
            throw JournalError(error, doing: doing, path: configuration.path)
        }
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(JournalError) -> Value {
        try await perform("write") { (connection) throws(JournalFailure) in
            try JournalFailure.wrapping { () throws(DatabaseError) in try body(connection) }
        }
    }
}

/// Numbers that this process gives out once each; the database alone would give a settled intent's number again.
///
/// `@unchecked Sendable`: the lock guards the variable.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var last: Int64

    init(after last: Int64) { self.last = last }

    func next() -> Int64 {
        lock.withLock {
            last += 1
            return last
        }
    }
}

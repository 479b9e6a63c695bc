import Dispatch
import Foundation

/// Group commit: writes that come while a commit is under way go to the disk together in the next one.
///
/// One durable commit costs a wait for the disk however much is in it. So a caller hands over its write and sleeps; the
/// writer, on a queue of its own, takes everything that has gathered, runs each write in a savepoint of one transaction,
/// commits once, and wakes each caller with its own result. A write that fails is undone alone and fails its own
/// caller only. A failed commit, or a failure after which SQLite has undone the transaction, fails all of its callers:
/// none of them was told that its write stands.
///
/// Nothing waits for company: a lone write begins at once. Measured with sixteen callers, two halves take turns, one
/// gathering while the other commits; holding a commit back for more callers gained nothing.
///
/// Given up for it: a write is one closure, it cannot wait for something else between two statements.
package final class GroupedWriter: Sendable {
    private let queue: DispatchQueue
    private let confined: ConfinedConnection
    private let mailbox = Mailbox()
    private let maximumGroupSize: Int

    /// Opens a connection on a new queue; `open` runs there.
    ///
    /// - Parameter maximumGroupSize: The most writes in one transaction.
    package init<Failure: Error>(
        label: String, maximumGroupSize: Int = 256, _ open: @escaping @Sendable () throws(Failure) -> sending Connection
    ) async throws(Failure) {
        queue = DispatchQueue(label: label)
        self.maximumGroupSize = maximumGroupSize
        confined = try await ConfinedConnection.opened(on: queue, open)
    }

    deinit {
        // Whoever waits for a write holds a reference to the writer, so the mailbox is empty here.
        queue.async { [confined] in confined.close() }
    }

    /// Runs a write; returns when it has reached the disk.
    ///
    /// `write` runs on the writer's queue inside a transaction; it must not begin, commit or roll back one itself.
    package func perform<Value: Sendable, Failure: Error>(
        _ write: @escaping @Sendable (Connection) throws(Failure) -> Value,
        orElse convert: @escaping @Sendable (DatabaseError) -> Failure
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            post(PendingWrite(write, orElse: convert, continuation))
        }
        return try result.get()
    }

    /// Runs a write; see the other form.
    package func perform<Value: Sendable>(
        _ write: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        try await perform(write, orElse: { $0 })
    }

    /// Since when the writes that are on their way to the disk now have been; nil where none are.
    ///
    /// A disk that hangs gives no error, and nothing else tells of it.
    package var busySince: ContinuousClock.Instant? { mailbox.busySince }

    /// Closes the connection after the writes that were asked for; later ones fail.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [confined] in
                confined.close()
                continuation.resume()
            }
        }
    }

    private func post(_ write: any GroupedWrite) {
        guard mailbox.add(write) else { return }
        queue.async { [confined, mailbox, maximumGroupSize] in
            while let group = mailbox.takeGroup(atMost: maximumGroupSize) {
                Self.commit(group, on: confined)
            }
        }
    }

    private static func commit(_ group: [any GroupedWrite], on confined: ConfinedConnection) {
        do throws(DatabaseError) {
            try confined.use(orElse: { $0 }) { (connection) throws(DatabaseError) in
                try connection.transaction(.immediate) { () throws(DatabaseError) in
                    for write in group {
                        write.run(on: connection)
                        guard connection.isInTransaction else { throw write.databaseError ?? .transactionLost }
                    }
                }
            }
        } catch {
            for write in group { write.finish(commitError: error) }
            return
        }
        for write in group { write.finish(commitError: nil) }
    }
}

/// A write that waits for its commit, whatever it returns.
private protocol GroupedWrite: Sendable {
    /// Runs it in a savepoint and keeps its result.
    func run(on connection: Connection)
    /// The failure of the write, where it was one of SQLite's.
    var databaseError: DatabaseError? { get }
    /// Wakes the caller: with the kept result, or with the error that took the whole transaction.
    func finish(commitError: DatabaseError?)
}

/// `@unchecked Sendable`: handed over through the mailbox's lock, and used by the writer's queue alone after that.
private final class PendingWrite<Value: Sendable, Failure: Error>: GroupedWrite, @unchecked Sendable {
    private let write: @Sendable (Connection) throws(Failure) -> Value
    private let convert: @Sendable (DatabaseError) -> Failure
    private let continuation: CheckedContinuation<Result<Value, Failure>, Never>
    private var result: Result<Value, Failure>?

    init(
        _ write: @escaping @Sendable (Connection) throws(Failure) -> Value,
        orElse convert: @escaping @Sendable (DatabaseError) -> Failure,
        _ continuation: CheckedContinuation<Result<Value, Failure>, Never>
    ) {
        self.write = write
        self.convert = convert
        self.continuation = continuation
    }

    func run(on connection: Connection) {
        do throws(Failure) {
            result = .success(try connection.savepoint(orElse: convert) { () throws(Failure) in try write(connection) })
        } catch {
            result = .failure(error)
        }
    }

    var databaseError: DatabaseError? {
        if case .failure(let error) = result { error as? DatabaseError } else { nil }
    }

    func finish(commitError: DatabaseError?) {
        // A write that had failed by itself keeps its own reason.
        if case .failure = result { return continuation.resume(returning: result ?? .failure(convert(.closed))) }
        if let commitError { return continuation.resume(returning: .failure(convert(commitError))) }
        continuation.resume(returning: result ?? .failure(convert(.closed)))
    }
}

/// Writes on their way to the writer.
///
/// `@unchecked Sendable`: the lock guards all variables.
private final class Mailbox: @unchecked Sendable {
    private let lock = NSLock()
    private var waiting: [any GroupedWrite] = []
    private var isBeingEmptied = false
    private var begun: ContinuousClock.Instant?

    /// Since when the group that was taken last is being written.
    var busySince: ContinuousClock.Instant? { lock.withLock { begun } }

    /// Adds a write; true where the caller has to start the writer.
    func add(_ write: any GroupedWrite) -> Bool {
        lock.withLock {
            waiting.append(write)
            defer { isBeingEmptied = true }
            return !isBeingEmptied
        }
    }

    /// Everything that waits, up to a limit; nil where nothing does, and then the writer has to be started again.
    func takeGroup(atMost limit: Int) -> [any GroupedWrite]? {
        lock.withLock {
            guard !waiting.isEmpty else {
                isBeingEmptied = false
                begun = nil
                return nil
            }
            begun = .now
            let group = Array(waiting.prefix(limit))
            waiting.removeFirst(group.count)
            return group
        }
    }
}

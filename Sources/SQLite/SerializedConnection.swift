import Dispatch

/// A connection that lives on one serial queue of its own, off the cooperative pool.
///
/// A commit with `synchronous=FULL` waits for the disk; on the pool, which has a thread per core, it would hold up
/// every other task, and a global queue shares its threads with the pool.
package final class SerializedConnection: Sendable {
    private let confined: ConfinedConnection
    private let queue: DispatchQueue

    /// Opens a connection on a new queue; `open` runs there.
    package init<Failure: Error>(
        label: String, _ open: @escaping @Sendable () throws(Failure) -> sending Connection
    ) async throws(Failure) {
        queue = DispatchQueue(label: label)
        confined = try await ConfinedConnection.opened(on: queue, open)
    }

    deinit {
        // Closing may write the log back: not on the thread that happened to drop the last reference.
        queue.async { [confined] in confined.close() }
    }

    /// Runs `work` with the connection, one piece of work after the other, in the order of the calls.
    package func perform<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable (Connection) throws(Failure) -> Value,
        orElse convert: @escaping @Sendable (DatabaseError) -> Failure
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.async { [confined] in
                do throws(Failure) {
                    continuation.resume(returning: .success(try confined.use(orElse: convert, work)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Runs `work` with the connection; see the other form.
    package func perform<Value: Sendable>(
        _ work: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        try await perform(work, orElse: { $0 })
    }

    /// Closes the connection after the work that was asked for; later work fails.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async { [confined] in
                confined.close()
                continuation.resume()
            }
        }
    }
}

/// The connection of one serial queue.
///
/// `@unchecked Sendable`: every access stands in a block on the one queue of its owner, which runs one block at a time.
final class ConfinedConnection: @unchecked Sendable {
    private var connection: Connection?

    private init(_ connection: sending Connection) { self.connection = connection }

    /// Opens a connection on the queue that it stays on.
    static func opened<Failure: Error>(
        on queue: DispatchQueue, _ open: @escaping @Sendable () throws(Failure) -> sending Connection
    ) async throws(Failure) -> ConfinedConnection {
        let opened: Result<ConfinedConnection, Failure> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(Failure) {
                    continuation.resume(returning: .success(ConfinedConnection(try open())))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try opened.get()
    }

    func use<Value, Failure: Error>(
        orElse convert: (DatabaseError) -> Failure, _ work: (Connection) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard let connection else { throw convert(.closed) }
        return try work(connection)
    }

    func close() { connection = nil }
}

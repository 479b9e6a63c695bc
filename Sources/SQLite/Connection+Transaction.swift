extension Connection {
    /// How a transaction takes its lock.
    package enum TransactionKind: String, Sendable {
        /// Takes the write lock at once, so that a later write in it cannot fail for a lock.
        case immediate = "IMMEDIATE"
    }

    /// Runs `body` in one transaction: committed when it returns, rolled back when it throws.
    ///
    /// When this returns from an `immediate` transaction, what it wrote is on the disk.
    ///
    /// - Parameter convert: Turns a failure to begin or to commit into the caller's error.
    package func transaction<Value, Failure: Error>(
        _ kind: TransactionKind, orElse convert: (DatabaseError) -> Failure, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do { try execute("BEGIN \(kind.rawValue)") } catch { throw convert(error) }
        let value: Value
        do { value = try body() } catch {
            rollBack()
            throw error
        }
        do { try execute("COMMIT") } catch {
            rollBack()
            throw convert(error)
        }
        return value
    }

    /// Runs `body` in one transaction; see the other form.
    package func transaction<Value>(
        _ kind: TransactionKind, _ body: () throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value {
        try transaction(kind, orElse: { $0 }, body)
    }

    /// Runs `body` on one consistent snapshot for several reads.
    ///
    /// Ends without a commit, which would fail after a damaged page even where `body` has dealt with that.
    package func snapshot<Value, Failure: Error>(
        orElse convert: (DatabaseError) -> Failure, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do { try execute("BEGIN DEFERRED") } catch { throw convert(error) }
        defer { rollBack() }
        return try body()
    }

    /// Runs `body` in a savepoint of the open transaction: when it throws, only what it did is undone.
    ///
    /// After some failures, such as a full disk, SQLite has undone the whole transaction: then
    /// ``isInTransaction`` is false afterwards.
    package func savepoint<Value, Failure: Error>(
        orElse convert: (DatabaseError) -> Failure, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do { try execute("SAVEPOINT part") } catch { throw convert(error) }
        do throws(Failure) {
            let value = try body()
            do { try execute("RELEASE part") } catch { throw convert(error) }
            return value
        } catch {
            if isInTransaction {
                do {
                    try execute("ROLLBACK TO part")
                    try execute("RELEASE part")
                } catch {
                    // Half of `body` may stand: only undoing everything is safe now.
                    rollBack()
                }
            }
            throw error
        }
    }

    /// Ends the open transaction without keeping it; a failed roll-back leaves nothing that could be committed later.
    func rollBack() {
        guard isInTransaction else { return }
        do { try execute("ROLLBACK") } catch {
            // SQLite reports an error here only where it has rolled back by itself already.
        }
    }
}

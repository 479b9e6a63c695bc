import Synchronization

/// What may come to its end after the work that it belongs to, so that whoever works next need not wait for it.
final class TrailingTasks: Sendable {
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Begins something that takes a bounded time.
    func begin(_ body: @escaping @Sendable () async -> Void) {
        tasks.withLock { $0.append(Task { await body() }) }
    }

    /// Waits until all of it has ended, as the process has to.
    func end() async {
        for task in tasks.withLock(\.self) { await task.value }
    }
}

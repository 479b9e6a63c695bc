import Foundation
import Synchronization

/// What may come to its end after the work that it belongs to, so that whoever works next need not wait for it.
final class TrailingTasks: Sendable {
    private let tasks = Mutex<[UUID: Task<Void, Never>]>([:])

    /// Begins something that takes a bounded time.
    func begin(_ body: @escaping @Sendable () async -> Void) {
        let id = UUID()
        tasks.withLock { tasks in
            tasks[id] = Task {
                await body()
                self.tasks.withLock { $0[id] = nil }
            }
        }
    }

    /// Waits until all of it has ended, as the process has to.
    func end() async {
        for task in tasks.withLock({ Array($0.values) }) { await task.value }
    }
}

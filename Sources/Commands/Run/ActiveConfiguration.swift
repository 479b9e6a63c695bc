import Synchronization

/// Which configuration is in force, and what works with it.
final class ActiveConfiguration: Sendable {
    private struct State {
        var run: Run
        /// What is to stop where another configuration comes into force; nil while nothing works.
        var work: StopRequest?
        /// What was in force before, until it is known that this one can begin.
        var earlier: Run?
    }

    private let state: Mutex<State>

    init(_ run: Run) { state = Mutex(State(run: run)) }

    var run: Run { state.withLock(\.run) }

    /// Begins to work with what is in force.
    ///
    /// - Returns: What to work with, and until when.
    func begin(within whole: StopRequest, lease: Run.HeldLease?) -> (run: Run, end: StopRequest) {
        let end = StopRequest(within: whole)
        return state.withLock { state in
            state.work = end
            var run = state.run
            run.lease = lease
            return (run, end)
        }
    }

    /// Puts another configuration into force.
    ///
    /// - Parameter isBegunAnew: Whether what works with the earlier one is to stop.
    func replace(by run: Run, isBegunAnew: Bool) {
        let work: StopRequest? = state.withLock { state in
            guard isBegunAnew else {
                state.run = run
                return nil
            }
            // One that never began is nothing to go back to.
            if state.earlier == nil { state.earlier = state.run }
            state.run = run
            defer { state.work = nil }
            return state.work
        }
        work?.end()
    }

    /// Takes in that the work with a configuration has begun: what fails from now on is not for its sake.
    func noteBegun(_ run: Run) {
        state.withLock { state in
            if state.run.number == run.number { state.earlier = nil }
        }
    }

    /// Whether there is an earlier configuration to go back to, should this one not be able to begin.
    func canGoBack(from run: Run) -> Bool {
        state.withLock { $0.run.number == run.number && $0.earlier != nil }
    }

    /// Puts the earlier configuration into force again, after one that could not begin.
    ///
    /// - Returns: False where there is none.
    func goBack(from run: Run) -> Bool {
        state.withLock { state in
            // Meanwhile another one came, which may do better.
            guard state.run.number == run.number else { return true }
            guard let earlier = state.earlier else { return false }
            state.run = earlier
            state.run.beginning = "a changed configuration could not begin"
            state.earlier = nil
            return true
        }
    }
}

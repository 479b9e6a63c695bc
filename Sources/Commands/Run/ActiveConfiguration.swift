import StatusServer
import Synchronization

/// Which configuration is in force, what works with it, and what the metrics say of it: all of that changes at once.
final class ActiveConfiguration: Sendable {
    private struct State {
        var run: Run
        /// What is to stop where another configuration comes into force; nil while nothing works.
        var work: StopRequest?
        /// What was in force before, until it is known that this one can begin.
        var earlier: Run?
    }

    private let state: Mutex<State>

    init(_ run: Run) {
        state = Mutex(State(run: run))
        state.withLock { Self.note(isTaken: true, $0) }
    }

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
    /// - Parameters:
    ///   - running: What was in force when the other one was judged.
    ///   - isBegunAnew: Whether what works with the earlier one is to stop.
    ///   - tell: Called before that is told to.
    /// - Returns: False where something else is in force by now; then nothing has changed.
    func replace(_ running: Run, by run: Run, isBegunAnew: Bool, tell: () -> Void) -> Bool {
        var work: StopRequest?
        let isReplaced = state.withLock { state in
            guard state.run.number == running.number else { return false }
            Self.note(isTaken: true, state)
            if isBegunAnew {
                // One that never began is nothing to go back to.
                if state.earlier == nil { state.earlier = state.run }
                work = state.work
                state.work = nil
            }
            state.run = run
            return true
        }
        guard isReplaced else { return false }
        tell()
        work?.end()
        return true
    }

    /// Takes in that what the file holds cannot be put into force.
    func noteRefused() { state.withLock { Self.note(isTaken: false, $0) } }

    /// Takes in that the work with a configuration has begun: what fails from now on is not for its sake.
    func noteBegun(_ run: Run) {
        state.withLock { state in
            if state.run.number == run.number { state.earlier = nil }
        }
    }

    /// Whether there is an earlier configuration to go back to, should the journal of this one not be usable.
    ///
    /// One with the same journal would have to wait for it as well, and is no reason to give up what was changed.
    func canGoBackToAnotherJournal(from run: Run) -> Bool {
        state.withLock { state in
            guard state.run.number == run.number, let earlier = state.earlier?.wiring else { return false }
            return (earlier.journalPath, earlier.journalKeyPath) != (run.wiring.journalPath, run.wiring.journalKeyPath)
        }
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
            Self.note(isTaken: false, state)
            return true
        }
    }

    private static func note(isTaken: Bool, _ state: State) {
        state.run.process.metrics.noteConfiguration(isTaken: isTaken, at: systemNow())
    }
}

import ChildProcess
import Manifest
import Synchronization

/// Runs a credential program once for all requests that wait, and keeps its answer until it expires or is refused (rule
/// A6).
///
/// A run belongs to no single request: it ends early only when the last one that waits for it is cancelled.
final class ExecCredentialRunner: Sendable {
    fileprivate typealias Outcome = Result<Authorization, ClusterConfigurationError>

    private struct Answer {
        var authorization: Authorization
        var expiresAt: Timestamp?
        var obtainedAt: Duration
    }

    private struct State {
        var answer: Answer?
        var run: Task<Void, Never>?
        /// Tells the run that counts from one that was given up.
        var generation = 0
        var waiting: [ObjectIdentifier: Waiter] = [:]
    }

    private let configuration: ExecCredential
    private let environment: [String: String]
    private let uptime: @Sendable () -> Duration
    private let time: @Sendable () -> Timestamp
    private let state = Mutex(State())

    private static let deadline = Duration.seconds(60)

    init(
        _ configuration: ExecCredential, environment: [String: String], uptime: @escaping @Sendable () -> Duration,
        time: @escaping @Sendable () -> Timestamp
    ) {
        self.configuration = configuration
        self.environment = environment
        self.uptime = uptime
        self.time = time
    }

    func authorization() async throws(ClusterConfigurationError) -> Authorization {
        let now = time()
        let waiter = Waiter()
        let kept: Authorization? = state.withLock { state in
            if let answer = state.answer, answer.expiresAt.map({ $0 > now }) ?? true { return answer.authorization }
            state.waiting[ObjectIdentifier(waiter)] = waiter
            if state.run == nil {
                state.generation += 1
                state.run = Task { [generation = state.generation] in await self.run(generation) }
            }
            return nil
        }
        if let kept { return kept }
        let outcome: Outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter.wait($0) }
        } onCancel: {
            leave(waiter)
        }
        return try outcome.get()
    }

    /// Forgets an answer that was obtained before a moment, so that the next request asks anew.
    func doubt(obtainedUntil moment: Duration?) {
        state.withLock { state in
            if let moment, let answer = state.answer, answer.obtainedAt > moment { return }
            state.answer = nil
        }
    }

    private func leave(_ waiter: Waiter) {
        state.withLock { state in
            guard state.waiting.removeValue(forKey: ObjectIdentifier(waiter)) != nil, state.waiting.isEmpty else {
                return
            }
            state.run?.cancel()
            state.run = nil
            state.generation += 1
        }
        waiter.finish(.failure(configuration.failure("was not waited for: cancelled")))
    }

    private func run(_ generation: Int) async {
        let result = await runProgram()
        let waiting = state.withLock { state -> [Waiter] in
            guard state.generation == generation else { return [] }
            if case .success(let answer) = result { state.answer = answer }
            let waiting = Array(state.waiting.values)
            state.waiting = [:]
            state.run = nil
            return waiting
        }
        for waiter in waiting { waiter.finish(result.map(\.authorization)) }
    }

    private func runProgram() async -> Result<Answer, ClusterConfigurationError> {
        var variables = environment
        variables.merge(configuration.environment) { _, own in own }
        variables["KUBERNETES_EXEC_INFO"] = configuration.request
        let result: ChildProcessResult
        do throws(ChildProcessError) {
            result = try await runChildProcess(
                configuration.program, configuration.arguments, environment: variables, deadline: Self.deadline)
        } catch {
            return .failure(configuration.failure("could not be run: \(error.detail)"))
        }
        // What it wrote may hold credentials, so only how it ended is told.
        switch result.ending {
        case .exited(0): break
        case .exited(let status): return .failure(configuration.failure("failed with exit status \(status)"))
        case .killed(let signal): return .failure(configuration.failure("was ended by signal \(signal)"))
        case .unknown: return .failure(configuration.failure("ended in a way that the system does not tell"))
        }
        do throws(ClusterConfigurationError) {
            let (authorization, expiresAt) = try configuration.decode(result.output)
            return .success(Answer(authorization: authorization, expiresAt: expiresAt, obtainedAt: uptime()))
        } catch {
            return .failure(error)
        }
    }
}

/// A request that waits for an outcome, which may come before it has begun to wait.
private final class Waiter: Sendable {
    private struct State {
        var outcome: ExecCredentialRunner.Outcome?
        var continuation: CheckedContinuation<ExecCredentialRunner.Outcome, Never>?
    }

    private let state = Mutex(State())

    func wait(_ continuation: CheckedContinuation<ExecCredentialRunner.Outcome, Never>) {
        let outcome = state.withLock { state in
            if state.outcome == nil { state.continuation = continuation }
            return state.outcome
        }
        if let outcome { continuation.resume(returning: outcome) }
    }

    /// The first outcome counts.
    func finish(_ outcome: ExecCredentialRunner.Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<ExecCredentialRunner.Outcome, Never>? in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            return state.continuation.take()
        }
        continuation?.resume(returning: outcome)
    }
}

import Arguments
import Git
import HTTPClient
import KubeClient
import Manifest
import Reconciler
import RunbookLibrary
import StatusServer
import Synchronization
import Telemetry

/// Keeps the status of a PolicySync as the controller stands, for whoever looks with `kubectl get policysyncs`.
///
/// It is a courtesy, and nothing waits for it: the newest state replaces one that was not written, and where the object or a
/// right is missing that is told once and tried again now and then. It has connections of its own, which keep to the fence
/// where several replicas share a Lease.
final class PolicySyncRecorder: Sendable {
    private let object: PolicySyncObject
    private let logger: Logger
    private let memory: Mutex<Memory>

    private struct Memory {
        var state: PolicySyncState
        /// When the controller answered last, or began; nil while none runs.
        var answeredAt: Duration?
        /// What was written by the end of ``run()``.
        var written: Writing?
    }

    /// How often it is looked at whether there is something to write.
    private static let turn = Duration.seconds(1)

    /// For messages.
    var name: String { object.name }

    init(_ identity: PolicySyncState.Identity, object: PolicySyncObject, logger: Logger) {
        self.object = object
        self.logger = logger
        memory = Mutex(Memory(state: PolicySyncState(identity)))
    }

    /// Takes what the controller tells.
    func note(_ notice: ControllerNotice) {
        let now = systemNow()
        memory.withLock { memory in
            memory.state.note(notice, at: now) { runbook(named: $0.rawValue)?.title }
        }
    }

    /// Takes how the controller stands; nil where there is none any more.
    func note(_ standing: ControllerStanding?) {
        memory.withLock { memory in
            memory.answeredAt = standing == nil ? nil : systemUptime()
            memory.state.note(standing)
        }
    }

    /// Writes until it is cancelled.
    func run() async {
        var writing = Writing(object: object, logger: logger)
        while !Task.isCancelled {
            await writing.write(stateOfNow)
            do { try await Task.sleep(for: Self.turn) } catch { break }
        }
        memory.withLock { $0.written = writing }
    }

    /// Writes once more, after ``run()``, that it has ended.
    ///
    /// What another one has written meanwhile stays.
    func tellEnd(within grace: Duration) async {
        var (last, written) = memory.withLock { ($0.state, $0.written) }
        last.isStopped = true
        let ending = Task { [last, written] in await written?.writeLast(last) ?? () }
        let giveUp = Task {
            do { try await Task.sleep(for: grace) } catch { return }
            ending.cancel()
        }
        await ending.value
        giveUp.cancel()
    }

    private var stateOfNow: PolicySyncState {
        memory.withLock { memory in
            var state = memory.state
            state.isAnswering = memory.answeredAt.map { systemUptime() - $0 <= ControllerHealth.patience } ?? true
            return state
        }
    }

    /// What was written, and what is to be said of it.
    private struct Writing {
        let object: PolicySyncObject
        let logger: Logger
        private var pacing = PolicySyncPacing()
        /// What is there; nil while it was not read.
        private var found: PolicySyncObject.Content?
        /// What keeps it from being written, as it was told.
        private var told: ClusterError.Kind?

        init(object: PolicySyncObject, logger: Logger) {
            self.object = object
            self.logger = logger
        }

        mutating func write(_ state: PolicySyncState) async {
            guard !state.isAnotherAtWork, pacing.mayTry(at: systemUptime()) else { return }
            do throws(ClusterError) {
                let found: PolicySyncObject.Content
                if let known = self.found { found = known } else { found = try await object.read() }
                self.found = found
                let status = status(of: state, over: found)
                let content = PolicySyncState.content(of: status)
                guard pacing.isDue(content, at: systemUptime()) else { return }
                let written = try await object.write(status)
                // Since when a condition is as it is we know ourselves: somebody may have written over it.
                self.found = PolicySyncObject.Content(status: status, generation: written.generation)
                pacing.noteWritten(content, at: systemUptime())
                noteSuccess()
            } catch {
                pacing.noteFailure(error, at: systemUptime())
                note(error)
            }
        }

        /// Writes a last state whatever was written before, where it could be written at all.
        func writeLast(_ state: PolicySyncState) async {
            guard told == nil, !state.isAnotherAtWork else { return }
            do throws(ClusterError) {
                // What there is may be what this process wrote with an earlier configuration.
                let found: PolicySyncObject.Content
                if let known = self.found { found = known } else { found = try await object.read() }
                _ = try await object.write(status(of: state, over: found), over: state.identity.reporter)
            } catch {
                logger.log(
                    .debug, "The end was not written to the PolicySync",
                    [("object", object.name), ("error", error.message)])
            }
        }

        private func status(of state: PolicySyncState, over found: PolicySyncObject.Content) -> Tree {
            var state = state
            state.takeOver(found.status)
            return state.status(over: found.status, generation: found.generation, at: systemNow())
        }

        private mutating func noteSuccess() {
            guard told != nil else { return }
            told = nil
            logger.log(.notice, "The PolicySync is written again", [("object", object.name)])
        }

        private mutating func note(_ error: ClusterError) {
            // Another replica writes it.
            guard error.kind != .notLeading, error.kind != .cancelled, told != error.kind else { return }
            told = error.kind
            logger.log(
                error.isMissingObject ? .notice : .warning,
                "The PolicySync cannot be written; everything else goes on, and it is tried again",
                [
                    ("object", object.name), ("error", error.message),
                    (
                        "hint",
                        error.isMissingObject
                            ? "Apply Deploy/components/policy-sync, which has the definition, the object and the right, or "
                                + "leave --policy-sync out." : error.hint
                    ),
                ])
        }
    }
}

extension Wiring {
    /// Shows in a PolicySync how the controller stands; nil where none is named.
    func policySyncRecorder(
        _ endpoint: ClusterEndpoint, instance: String, logger: Logger
    ) throws -> PolicySyncRecorder? {
        guard let text = arguments.text("policy-sync"), text != "off" else { return nil }
        let (namespace, name) = try configMap(text, flag: "policy-sync", example: "bylaw-system/bylaw")
        let cluster = KubeCluster(
            endpoint: endpoint, fieldManager: ControllerConfiguration(instance: instance).fieldManager,
            userAgent: userAgent, concurrentCalls: 1, fence: replica?.fence, callTimeout: .seconds(15))
        let identity = PolicySyncState.Identity(
            instance: instance, cluster: clusterName(endpoint),
            repository: try arguments.text("repo").map { try shownAddress(RemoteURL($0)) } ?? "",
            path: arguments.text("path") ?? "",
            reporter: "bylaw/\(bylawVersion)" + ((replica?.identity ?? hostName()).map { " on \($0)" } ?? ""))
        return PolicySyncRecorder(
            identity, object: PolicySyncObject(namespace: namespace, name: name, on: cluster), logger: logger)
    }

    /// Without who logs in there, which may be a secret.
    private func shownAddress(_ url: RemoteURL) -> String {
        guard let user = url.user, !url.text.contains("://") else { return redactedURL(url.text) }
        return String(url.text.dropFirst(user.count + 1))
    }
}

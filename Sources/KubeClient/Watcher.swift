import HTTPClient
import KubeProtocol
import Manifest
import Reconciler

/// Drives the state machine of one kind's watch with real requests and real time.
struct Watcher {
    let cluster: KubeCluster
    let resource: Resource
    let resyncInterval: Duration
    let randomness: @Sendable () -> Double

    /// Runs until the task is cancelled.
    func run(_ publish: @Sendable (Observation) -> Void) async {
        var machine = WatchStateMachine()
        var pending = machine.start
        var resyncDue = ContinuousClock.now + resyncInterval
        while !Task.isCancelled {
            guard !pending.isEmpty else {
                pending = machine.resync()
                continue
            }
            switch pending.removeFirst() {
            case .list(let token):
                let next = await list(continuing: token, isPaged: true, &machine, publish)
                // A resync that failed while the watch is sound: the watch comes first, the list again in a while.
                if next.contains(where: { if case .watch = $0 { true } else { false } }) {
                    resyncDue = .now + min(resyncInterval, .seconds(60))
                }
                pending += next
            case .listWhole:
                pending += await list(continuing: nil, isPaged: false, &machine, publish)
            case .publish(let objects, let version, let isRewound):
                // Spread, so that nine kinds and many instances do not list at one moment (rule C8).
                resyncDue = .now + resyncInterval * (0.75 + randomness() / 2)
                publish(.replaced(ObjectList(objects: objects, resourceVersion: version), isRewound: isRewound))
            case .watch(let version):
                let untilResync = resyncDue - .now
                if untilResync <= .zero {
                    pending += machine.resync()
                } else {
                    pending += await watch(from: version, untilResync: untilResync, &machine, publish)
                }
            case .emit(let event): pass(event, to: publish)
            case .wait(let duration):
                do { try await Task.sleep(for: duration) } catch { return }
            case .report(let failure):
                if let failure {
                    publish(
                        .interrupted(
                            cluster.failure("watch \(resource.qualifiedPlural)", failure, resource: resource)))
                }
            case .reloadCredentials: cluster.invalidateCredentials()
            }
        }
    }

    private func pass(_ event: WatchEvent, to publish: (Observation) -> Void) {
        switch event {
        case .upserted(let object): publish(.upserted(object))
        case .deleted(let object): publish(.deleted(object))
        case .bookmark, .failed: break
        }
    }

    private func list(
        continuing token: String?, isPaged: Bool, _ machine: inout WatchStateMachine, _ publish: (Observation) -> Void
    ) async -> [WatchStateMachine.Action] {
        do throws(ClusterError) {
            return machine.receive(try await cluster.listPage(resource, continuing: token, isPaged: isPaged))
        } catch {
            return react(to: error, &machine, publish)
        }
    }

    private func watch(
        from version: String, untilResync: Duration, _ machine: inout WatchStateMachine,
        _ publish: (Observation) -> Void
    ) async -> [WatchStateMachine.Action] {
        // At random between five and ten minutes (rule C14), but not beyond the next complete list.
        let timeout = min(.seconds(300 + Int(randomness() * 300)), max(untilResync, .seconds(5)))
        let openedAt = ContinuousClock.now
        var hasEvents = false
        do {
            let stream = try await cluster.openWatch(resource, from: version, timeout: timeout)
            publish(.watching)
            var splitter = WatchStreamSplitter()
            while let chunk = try await stream.next() {
                for value in try splitter.append(chunk) {
                    hasEvents = true
                    let event = try decodeWatchEvent(value, of: resource)
                    let actions = machine.receive(event, randomness: randomness())
                    // An error event ends the stream, and what to do then is more than to pass it on.
                    if case .failed(let failure) = event {
                        noteRestart(failure.kind == .expired ? .expired : .refused)
                        return actions
                    }
                    for case .emit(let event) in actions { pass(event, to: publish) }
                }
            }
        } catch let error as ClusterError {
            switch error.kind {
            case .cancelled: break
            case .expired: noteRestart(.expired)
            case .unreachable: noteRestart(.unreachable)
            default: noteRestart(.refused)
            }
            return react(to: error, &machine, publish)
        } catch let error as HTTPError where error.kind != .cancelled {
            // A broken or silent stream: what was seen stays valid, the watch goes on from there.
            noteRestart(.lost)
            return endOfStream(&machine, since: openedAt, hasEvents: hasEvents)
        } catch is DecodingFailure {
            noteRestart(.rubbish)
            return machine.interrupt(.rubbish, randomness: randomness())
        } catch {
            return []
        }
        noteRestart(.ended)
        return endOfStream(&machine, since: openedAt, hasEvents: hasEvents)
    }

    private func endOfStream(
        _ machine: inout WatchStateMachine, since openedAt: ContinuousClock.Instant, hasEvents: Bool
    ) -> [WatchStateMachine.Action] {
        let isShort = !hasEvents && ContinuousClock.now - openedAt < .seconds(1)
        return machine.interrupt(.streamEnded(isShort: isShort), randomness: randomness())
    }

    private func noteRestart(_ reason: WatchRestart) { cluster.traffic.noteWatchRestart(resource, reason) }

    private func react(
        to error: ClusterError, _ machine: inout WatchStateMachine, _ publish: (Observation) -> Void
    ) -> [WatchStateMachine.Action] {
        guard error.kind != .cancelled else { return [] }
        guard let kind = APIFailure.Kind(rawValue: error.kind.rawValue) else {
            publish(.interrupted(error))
            return machine.interrupt(.unreachable, randomness: randomness())
        }
        let failure = APIFailure(
            kind: kind, status: error.status, message: error.message, causes: [], retryAfter: error.retryAfter)
        return machine.fail(failure, randomness: randomness())
    }
}

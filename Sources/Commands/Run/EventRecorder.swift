import Arguments
import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import RunbookLibrary
import Telemetry

/// Tells incidents as Kubernetes Events about the objects concerned, for whoever looks at these with `kubectl describe`.
///
/// Events are lossy by nature and the journal is the record: what does not fit into the queue is dropped, and nothing ever
/// waits for it (rule L4). They have connections of their own.
final class EventRecorder: Sendable {
    private let writer: EventWriter
    /// What an incident of the instance as a whole is about: the pod; nil outside of one, where such are not told.
    private let pod: ObjectID?
    private let logger: Logger
    private let queue: (items: AsyncStream<Item>, put: AsyncStream<Item>.Continuation)

    private enum Item: Sendable {
        case event(IncidentEvent, at: Timestamp)
        case tick
    }

    private static let queueLength = 256
    /// How long nothing is tried after the server refused one for want of rights.
    private static let pauseAfterRefusal = Duration.seconds(600)

    init(writer: EventWriter, pod: ObjectID?, logger: Logger) {
        self.writer = writer
        self.pod = pod
        self.logger = logger
        let (items, put) = AsyncStream.makeStream(of: Item.self, bufferingPolicy: .bufferingOldest(Self.queueLength))
        queue = (items, put)
    }

    /// Takes what the controller tells.
    func note(_ notice: ControllerNotice) {
        guard let event = notice.incidentEvent else { return }
        queue.put.yield(.event(event, at: systemNow()))
    }

    /// Writes until it is cancelled.
    func run() async {
        let put = queue.put
        let ticking = Task {
            while true {
                do { try await Task.sleep(for: .seconds(60)) } catch { return }
                put.yield(.tick)
            }
        }
        defer { ticking.cancel() }
        var telling = Telling(writer: writer, logger: logger)
        for await item in queue.items {
            switch item {
            case .tick: await telling.endIdle()
            case .event(let event, let time):
                guard let object = event.object ?? pod else { continue }
                await telling.tell(content(of: event, regarding: object), at: time)
            }
        }
    }

    private func content(of event: IncidentEvent, regarding object: ObjectID) -> EventContent {
        let reason = event.reason.rawValue
        let runbook = runbook(named: reason)
        let action = event.action?.rawValue ?? "reconcile"
        return EventContent(
            severity: runbook?.severity == "info" ? .normal : .warning, reason: reason,
            action: action.prefix(1).uppercased() + action.dropFirst(), regarding: object, regardingUID: event.uid,
            regardingVersion: object.resource?.version ?? "v1",
            note: "\(runbook?.title ?? reason). What it was is in the journal: bylaw journal list --reason \(reason). "
                + "What to do: bylaw runbook show \(reason)")
    }

    /// What is written, and what is only counted.
    private struct Telling {
        var writer: EventWriter
        let logger: Logger
        private var series = EventSeries()
        private var pausedUntil: Duration?
        private var isRefusalTold = false

        init(writer: EventWriter, logger: Logger) {
            self.writer = writer
            self.logger = logger
        }

        mutating func tell(_ content: EventContent, at time: Timestamp) async {
            await take(series.note(content, at: systemUptime(), time: time), of: content, at: time)
        }

        mutating func endIdle() async {
            for (content, step) in series.endIdle(at: systemUptime()) {
                guard case .count(let event, let count, let lastSeen) = step else { continue }
                do throws(ClusterError) {
                    try await writer.setCount(of: event, to: count, lastSeen: lastSeen)
                } catch {
                    note(error, about: content)
                }
            }
        }

        private mutating func take(_ step: EventSeries.Step, of content: EventContent, at time: Timestamp) async {
            if let pausedUntil, systemUptime() < pausedUntil {
                series.forget(content)
                return
            }
            do throws(ClusterError) {
                switch step {
                case .nothing: return
                case .make: try await make(content, at: time)
                case .count(let event, let count, let lastSeen):
                    do throws(ClusterError) {
                        try await writer.setCount(of: event, to: count, lastSeen: lastSeen)
                    } catch {
                        // It has expired.
                        guard error.kind == .notFound else { throw error }
                        series.forget(content)
                        guard series.note(content, at: systemUptime(), time: time) == .make else { return }
                        try await make(content, at: time)
                    }
                }
                pausedUntil = nil
            } catch {
                series.forget(content)
                note(error, about: content)
            }
        }

        private mutating func make(_ content: EventContent, at time: Timestamp) async throws(ClusterError) {
            let number = UInt64.random(in: 0...UInt64.max)
            let event = try await writer.make(content, name: "bylaw-\(String(number, radix: 16))", at: time)
            series.made(content, as: event)
        }

        private mutating func note(_ error: ClusterError, about content: EventContent) {
            guard error.kind == .forbidden else {
                logger.log(
                    .debug, "An event was not written",
                    [("object", content.regarding.description), ("error", error.message)])
                return
            }
            pausedUntil = systemUptime() + EventRecorder.pauseAfterRefusal
            guard !isRefusalTold else { return }
            isRefusalTold = true
            logger.log(
                .notice, "Events may not be written; everything else goes on",
                [
                    ("error", error.message),
                    ("hint", "Apply Deploy/base/events.yaml, which gives the right, or say --events off."),
                ])
        }
    }
}

extension Wiring {
    /// Tells incidents as Kubernetes Events; nil where that is switched off.
    func eventRecorder(_ endpoint: ClusterEndpoint, instance: String, logger: Logger) -> EventRecorder? {
        guard arguments.text("events") != "off" else { return nil }
        let host = hostName() ?? ""
        let cluster = KubeCluster(
            endpoint: endpoint, fieldManager: ControllerConfiguration(instance: instance).fieldManager,
            userAgent: userAgent, concurrentCalls: 1, fence: replica?.fence, callTimeout: .seconds(15))
        let writer = EventWriter(controller: "bylaw.dev/controller", instance: "bylaw-\(instance)-\(host)", on: cluster)
        let isPod = endpoint.name == "in-cluster" && !endpoint.namespace.isEmpty
        let pod = ObjectID(group: "", kind: "Pod", namespace: endpoint.namespace, name: host)
        return EventRecorder(writer: writer, pod: isPod ? pod : nil, logger: logger)
    }
}

import ChildProcess
import KubeClient
package import Shipping
import Synchronization
package import Telemetry
package import Tracing

/// How many spans wait and go at once, and how long anything may take.
package struct SpanExportLimits: Sendable {
    /// How many wait to be sent at most.
    package var waiting = 4096
    /// How many are sent at once.
    package var batch = 512
    /// How long others are waited for after the first one came.
    package var gathering = Duration.seconds(1)
    /// How long it may take at the end to send what is left.
    package var flush = Duration.seconds(3)
    /// The pauses after failures.
    package var pauses = ShippingLimits(
        firstPause: .seconds(1), longestPause: .seconds(60), longestRequestedPause: .seconds(300))

    package init() {}
}

/// Sends the spans of syncs on, beside them.
///
/// Whoever hands spans over waits for nothing: they are put into a queue of bounded length, from which the oldest are
/// dropped, and counted, where a receiver does not take them. What it cannot take now is tried again; a span may arrive
/// twice, with the same id.
package final class SpanExporter: Sendable {
    /// Brings spans to a receiver: what came of it, and what it says of spans that it took.
    package typealias Delivery = @Sendable ([Span]) async -> (next: DeliveryOutcome.Next, advice: String?)

    private let deliver: Delivery
    private let limits: SpanExportLimits
    private let voice: DampedVoice
    private let noteSpans: @Sendable (Int, SpanFate) -> Void
    private let noteExport: @Sendable (_ isDone: Bool) -> Void
    private let queue: Mutex<SpanQueue>
    private let wakes: (all: AsyncStream<Void>, next: AsyncStream<Void>.Continuation)
    private let ending = CancellationFlag()

    /// - Parameters:
    ///   - noteSpans: Told what became of how many spans.
    ///   - noteExport: Told of each attempt to send some.
    package init(
        limits: SpanExportLimits = SpanExportLimits(), logger: Logger,
        noteSpans: @escaping @Sendable (Int, SpanFate) -> Void = { _, _ in },
        noteExport: @escaping @Sendable (_ isDone: Bool) -> Void = { _ in }, deliver: @escaping Delivery
    ) {
        self.deliver = deliver
        self.limits = limits
        self.noteSpans = noteSpans
        self.noteExport = noteExport
        voice = DampedVoice(logger)
        queue = Mutex(SpanQueue(capacity: limits.waiting))
        let (all, next) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wakes = (all, next)
    }

    /// Takes spans to be sent; returns at once.
    package func take(_ spans: [Span]) {
        noteDropped(queue.withLock { $0.add(spans) }, "there is no room for more")
        wakes.next.yield()
    }

    /// Sends what is taken until ``finish(_:)``, or until it is cancelled.
    package func run() async {
        for await _ in wakes.all {
            await pause(limits.gathering)
            await sendWaiting()
        }
        await sendWaiting()
    }

    /// Lets the task of ``run()`` send what is left, for a bounded time, and waits for its end.
    package func finish(_ task: Task<Void, Never>) async {
        ending.set()
        wakes.next.finish()
        let giveUp = Task { [limits] in
            do { try await Task.sleep(for: limits.flush) } catch { return }
            task.cancel()
        }
        await task.value
        giveUp.cancel()
        noteDropped(
            queue.withLock { queue in queue.takeBatch(of: max(1, queue.count)).count }, "the program ends")
    }

    /// Ends when nothing is left, or after a failure when it is to end.
    private func sendWaiting() async {
        var failures = 0
        while !Task.isCancelled {
            let batch = queue.withLock { $0.takeBatch(of: limits.batch) }
            guard !batch.isEmpty else { return }
            guard let pause = await send(batch, failures: failures) else {
                failures = 0
                continue
            }
            failures += 1
            noteDropped(queue.withLock { $0.putBack(batch) }, "there is no room for more")
            guard !ending.isSet else { return }
            await self.pause(pause)
        }
    }

    /// - Returns: After which time they are to be sent again; nil where they are dealt with.
    private func send(_ batch: [Span], failures: Int) async -> Duration? {
        let (next, advice) = await deliver(batch)
        let usual = limits.pauses.pause(afterFailures: failures + 1, randomness: .random(in: 0..<1))
        noteExport(next == .goOn)
        switch next {
        case .goOn:
            noteSpans(batch.count, .sent)
            if let advice { tell(.warning, "The receiver of traces has a remark", [("detail", advice)]) }
            return nil
        case .dropped(let count, let why):
            let refused = Int(min(count, Int64(batch.count)))
            noteSpans(batch.count - refused, .sent)
            noteSpans(refused, .refused)
            tell(.warning, "The receiver of traces took a part", [("refused", String(refused)), ("error", why)])
            return nil
        case .rejected(_, let why):
            noteSpans(batch.count, .refused)
            tell(.warning, "The receiver of traces refused spans", [("spans", String(batch.count)), ("error", why)])
            return nil
        case .retry(let requested, let why):
            tell(.warning, "Traces could not be sent; trying again", [("error", why)])
            return max(usual, min(requested ?? .zero, limits.pauses.longestRequestedPause))
        case .lost(_, let why):
            tell(.warning, "Traces could not be sent; trying again", [("error", why)])
            return usual
        case .stop(let why, let hint):
            tell(.warning, "Traces cannot be sent; trying slowly", [("error", why), ("hint", hint)])
            return limits.pauses.longestPause
        }
    }

    private func noteDropped(_ count: Int, _ why: String) {
        guard count > 0 else { return }
        noteSpans(count, .dropped)
        tell(.warning, "Spans were dropped", [("spans", String(count)), ("detail", why)])
    }

    private func tell(_ level: LogLevel, _ message: String, _ fields: [(key: String, value: String)]) {
        voice.log(level, message, fields, at: systemUptime())
    }

    /// Waits for so long, but not when it is to end.
    private func pause(_ duration: Duration) async {
        let end = systemUptime() + duration
        while !ending.isSet {
            let left = end - systemUptime()
            guard left > .zero else { return }
            do { try await Task.sleep(for: min(left, .milliseconds(100))) } catch { return }
        }
    }
}

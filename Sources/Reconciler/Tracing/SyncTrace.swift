import Manifest
import Synchronization
package import Tracing

/// Where the spans of syncs go, and what a controller cannot know of them.
package struct Tracer: Sendable {
    /// What every root span tells, such as the folder of the repository.
    package var attributes: [SpanAttribute]
    /// 64 bits by chance, for ids.
    package var randomBits: @Sendable () -> UInt64
    /// Takes spans that have ended; called on the way of a sync, so it has to be quick.
    package var take: @Sendable ([Span]) -> Void

    package init(
        attributes: [SpanAttribute], randomBits: @escaping @Sendable () -> UInt64,
        take: @escaping @Sendable ([Span]) -> Void
    ) {
        self.attributes = attributes
        self.randomBits = randomBits
        self.take = take
    }
}

/// Why a sync was begun.
package enum SyncTrigger: String, Sendable {
    /// Somebody asked for one pass.
    case command
    /// The look at the repository.
    case fetch
    /// What is known has changed otherwise: the cluster was read for the first time or its history went back, an emergency
    /// hold began or ended, or the journal is back.
    case state
    /// One object has drifted.
    case drift
    /// One object is tried again.
    case retry
}

/// The spans of one sync.
///
/// Context: whether a look at the repository was worth telling is known only at its end, and changes may still be under way
/// when their pass is over. Choice: spans are kept here until the sync has ended, and go all at once, or not at all; what
/// ends later follows by itself. Given up: the trace of a sync that hangs is not seen before it goes on.
package final class SyncTrace: Sendable {
    private struct State {
        var spans: [Span] = []
        var allowance = SpanAllowance()
        var fate = Fate.underWay
    }

    private enum Fate { case underWay, told, discarded }

    package let id: TraceID
    fileprivate let tracer: Tracer
    private let begun: (at: Timestamp, uptime: Duration)
    private let uptime: @Sendable () -> Duration
    private let state = Mutex(State())
    private let rootID: SpanID
    private let rootFacts = Mutex(OpenSpan.Facts())

    package init(_ trigger: SyncTrigger, tracer: Tracer, surroundings: Surroundings) {
        self.tracer = tracer
        id = TraceID(tracer.randomBits(), tracer.randomBits())
        rootID = SpanID(tracer.randomBits())
        uptime = surroundings.uptime
        begun = (surroundings.now(), surroundings.uptime())
        rootFacts.withLock { $0.attributes = tracer.attributes + [SpanAttribute("bylaw.trigger", trigger.rawValue)] }
    }

    /// Begins a stage of the sync.
    package func stage(_ name: String, _ attributes: [SpanAttribute] = []) -> OpenSpan {
        OpenSpan(name, .inner, attributes, in: self, below: rootID, begun: elapsed, isKept: true)
    }

    /// Notes that the sync as a whole failed; what is noted first counts.
    package func fail(_ words: String) { rootFacts.withLock { $0.failure = $0.failure ?? words } }

    package var hasFailed: Bool { rootFacts.withLock { $0.failure != nil } }

    /// Ends the sync and tells its spans; does nothing the second time.
    package func end(_ attributes: [SpanAttribute]) {
        let leftOut = state.withLock { $0.allowance.leftOut }
        var facts = rootFacts.withLock { $0 }
        facts.attributes += attributes
        if leftOut > 0 { facts.attributes.append(SpanAttribute("bylaw.spans_left_out", leftOut)) }
        let root = span("sync", .inner, id: rootID, below: nil, from: .zero, facts)
        let told: [Span] = state.withLock { state in
            guard state.fate == .underWay else { return [] }
            state.fate = .told
            defer { state.spans = [] }
            return state.spans + [root]
        }
        if !told.isEmpty { tracer.take(told) }
    }

    /// Forgets a sync in which nothing came up.
    package func discard() {
        state.withLock { state in
            state.fate = .discarded
            state.spans = []
        }
    }

    fileprivate var elapsed: Duration { uptime() - begun.uptime }

    fileprivate func admit() -> Bool { state.withLock { $0.allowance.admit() } }

    fileprivate func take(_ ended: OpenSpan, _ facts: OpenSpan.Facts) {
        let span = span(ended.name, ended.kind, id: ended.id, below: ended.parent, from: ended.begun, facts)
        let late: Span? = state.withLock { state in
            guard ended.isKept || state.allowance.admit(afterFailure: facts.failure != nil) else { return nil }
            switch state.fate {
            case .underWay:
                state.spans.append(span)
                return nil
            case .told: return span
            case .discarded: return nil
            }
        }
        if let late { tracer.take([late]) }
    }

    /// Times are counted from the beginning of the sync on a clock that never goes back.
    private func span(
        _ name: String, _ kind: Span.Kind, id: SpanID, below parent: SpanID?, from begin: Duration,
        _ facts: OpenSpan.Facts
    ) -> Span {
        Span(
            trace: self.id, id: id, parent: parent, name: name, kind: kind, begin: begun.at.advanced(by: begin),
            end: begun.at.advanced(by: elapsed), attributes: facts.attributes,
            status: facts.failure.map { .failed($0) } ?? .unset)
    }
}

/// A span that goes on.
package final class OpenSpan: Sendable {
    fileprivate struct Facts {
        var attributes: [SpanAttribute] = []
        var failure: String?
    }

    fileprivate let trace: SyncTrace
    fileprivate let name: String
    fileprivate let kind: Span.Kind
    fileprivate let id: SpanID
    fileprivate let parent: SpanID
    fileprivate let begun: Duration
    /// False where the trace has so many that this one is only told if it fails.
    fileprivate let isKept: Bool
    private let facts: Mutex<Facts>

    fileprivate init(
        _ name: String, _ kind: Span.Kind, _ attributes: [SpanAttribute], in trace: SyncTrace, below parent: SpanID,
        begun: Duration, isKept: Bool
    ) {
        self.trace = trace
        self.name = name
        self.kind = kind
        self.parent = parent
        self.begun = begun
        self.isKept = isKept
        id = SpanID(trace.tracer.randomBits())
        facts = Mutex(Facts(attributes: attributes))
    }

    /// Begins something that is a part of this one.
    ///
    /// - Returns: Nil where this one is told only if it fails.
    package func part(
        _ name: String, _ kind: Span.Kind = .inner, _ attributes: [SpanAttribute] = []
    ) -> OpenSpan? {
        guard isKept else { return nil }
        return OpenSpan(
            name, kind, attributes, in: trace, below: id, begun: trace.elapsed, isKept: trace.admit())
    }

    package func add(_ attributes: [SpanAttribute]) { facts.withLock { $0.attributes += attributes } }

    /// Notes that it failed; what is noted first counts.
    package func fail(_ words: String) { facts.withLock { $0.failure = $0.failure ?? words } }

    /// Notes that it failed, with what may be told of the error.
    package func fail(_ error: any Error) {
        fail(spanWords(of: error))
        if let kind = spanKind(of: error) { add([SpanAttribute("error.type", kind)]) }
        if let error = error as? ClusterError, error.status > 0 {
            add([SpanAttribute("http.response.status_code", error.status)])
        }
    }

    package var failure: String? { facts.withLock { $0.failure } }

    package func end() { trace.take(self, facts.withLock { $0 }) }
}

extension Optional where Wrapped == SyncTrace {
    /// Does something as a stage of a sync, where syncs are traced.
    package func stage<Value, Failure: Error>(
        _ name: String, _ body: (OpenSpan?) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await measure(self?.stage(name), body)
    }
}

extension Optional where Wrapped == OpenSpan {
    /// Does something as a part of something else, where that is traced.
    package func part<Value, Failure: Error>(
        _ name: String, _ kind: Span.Kind = .inner, _ body: (OpenSpan?) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await measure(self?.part(name, kind), body)
    }
}

private func measure<Value, Failure: Error>(
    _ span: OpenSpan?, _ body: (OpenSpan?) async throws(Failure) -> Value
) async throws(Failure) -> Value {
    guard let span else { return try await body(nil) }
    defer { span.end() }
    do throws(Failure) {
        return try await body(span)
    } catch {
        span.fail(error)
        throw error
    }
}

/// What may be told of an error: the texts of ours hold no credential, which cannot be said of others.
func spanWords(of error: any Error) -> String {
    switch error {
    case let error as ClusterError: error.message
    case let error as SourceError: error.explanation.message
    case let error as JournalError: error.message
    case is CancellationError: "cancelled"
    default: "\(type(of: error))"
    }
}

private func spanKind(of error: any Error) -> String? {
    switch error {
    case let error as ClusterError: error.kind.rawValue
    case let error as SourceError: error.explanation.reason
    case let error as JournalError: error.incident?.rawValue
    default: nil
    }
}

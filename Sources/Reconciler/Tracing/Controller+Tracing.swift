import Manifest
import Planning
import Tracing

/// What the controller tells of how long its syncs take; nothing where there is no tracer.
extension Controller {
    func beginTrace(_ trigger: SyncTrigger) -> SyncTrace? {
        tracer.map { SyncTrace(trigger, tracer: $0, surroundings: surroundings) }
    }

    /// Hands over the trace of the look at the repository, for the pass that comes of it.
    func takeArriving() -> SyncTrace? {
        defer { arriving = nil }
        return arriving
    }

    /// Ends the trace of a look at the repository that no pass came of; one in which nothing came up is not told.
    func endArriving(after error: (any Error)? = nil) {
        guard let trace = arriving else { return }
        arriving = nil
        if let error { trace.fail(spanWords(of: error)) }
        guard trace.hasFailed else { return trace.discard() }
        trace.end([SpanAttribute("bylaw.outcome", error == nil ? SyncOutcome.refused.rawValue : "error")])
    }

    /// Ends the trace of a pass.
    ///
    /// - Parameter outcome: Where it did not come to its end: why.
    func endTrace(_ trace: SyncTrace?, _ report: PassReport, outcome: String? = nil) {
        guard let trace else { return }
        if report.failures > 0 { trace.fail(report.summary) }
        let counts: [(String, Int)] =
            ActionKind.allCases.map { ($0.pastTense, report.changes[$0] ?? 0) } + [
                ("declared", report.declaredCount), ("drift_corrected", report.driftCorrections),
                ("failed", report.failures), ("held", report.held), ("waiting", report.waiting),
                ("undeclared", report.strangers),
            ]
        trace.end(
            [
                SpanAttribute("bylaw.revision", report.revision),
                SpanAttribute("bylaw.outcome", outcome ?? SyncOutcome(report).rawValue),
                SpanAttribute("bylaw.revision_refused", report.isRevisionRefused),
            ] + counts.map { SpanAttribute("bylaw." + $0, $1) })
    }

    /// Ends the trace of a pass that will not come to its end.
    func endInterruptedTrace(as outcome: String) {
        guard let current = pass else { return }
        current.applying?.end()
        endTrace(current.trace, current.report, outcome: outcome)
        pass?.trace = nil
        pass?.applying = nil
    }

    /// Begins the span of a change: of the pass that is under way, else of a sync of its own.
    func beginChange(_ action: Action, isDrift: Bool) -> TracedChange? {
        guard tracer != nil else { return nil }
        let name = "\(action.kind.rawValue) \(action.id.kind)"
        let attributes = [
            SpanAttribute("bylaw.action", action.kind.rawValue), SpanAttribute("bylaw.drift", isDrift),
            SpanAttribute("bylaw.object.kind", action.id.kind),
            SpanAttribute("bylaw.object.namespace", action.id.namespace),
            SpanAttribute("bylaw.object.name", action.id.name),
        ]
        if let applying = pass?.applying {
            return applying.part(name, .inner, attributes).map { TracedChange(span: $0) }
        }
        guard let trace = beginTrace(isDrift || action.isOfStranger ? .drift : .retry) else { return nil }
        return TracedChange(span: trace.stage(name, attributes), own: trace)
    }

    /// Ends the span of a change, and its sync where it is one by itself.
    func endChange(_ change: TracedChange?, of action: Action, by enforced: EnforcedState) {
        guard let change else { return }
        change.span.end()
        guard let own = change.own else { return }
        if let words = change.span.failure { own.fail(words) }
        let isDone = change.span.failure == nil
        own.end(
            [
                SpanAttribute("bylaw.revision", enforced.revision.commit),
                SpanAttribute("bylaw.outcome", (isDone ? SyncOutcome.converged : .failed).rawValue),
                SpanAttribute("bylaw.failed", isDone ? 0 : 1),
            ]
                + ActionKind.allCases.map {
                    SpanAttribute("bylaw." + $0.pastTense, isDone && $0 == action.kind ? 1 : 0)
                })
    }
}

/// The span of one change to an object.
struct TracedChange {
    var span: OpenSpan
    /// Set where the change is no part of a pass.
    var own: SyncTrace?
}

extension Optional where Wrapped == OpenSpan {
    /// Sends one write to the API server as a part of a change.
    ///
    /// The status of a write that was done is told by what it did: the port does not hand on the answer's.
    ///
    /// - Parameter verb: As Kubernetes' audit log calls it.
    func request<Value>(
        _ verb: String, _ body: () async throws(ClusterError) -> Value
    ) async throws(ClusterError) -> Value {
        try await part("request", .client) { span throws(ClusterError) in
            guard let span else { return try await body() }
            span.add([SpanAttribute("bylaw.verb", verb)])
            let value = try await body()
            let isCreated = (value as? WriteAnswer)?.wasCreated == true
            span.add([SpanAttribute("http.response.status_code", isCreated ? 201 : 200)])
            return value
        }
    }
}

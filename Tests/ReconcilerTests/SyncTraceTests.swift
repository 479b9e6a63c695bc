import Manifest
import Reconciler
import Synchronization
import Testing
import Tracing

@Suite struct SyncTraceTests {
    private let told = Told()
    private let clock = Clock()

    /// What a tracer was given.
    private final class Told: Sendable {
        private let batches = Mutex<[[Span]]>([])
        func take(_ spans: [Span]) { batches.withLock { $0.append(spans) } }
        var all: [[Span]] { batches.withLock { $0 } }
        var spans: [Span] { all.flatMap { $0 } }
        func named(_ name: String) throws -> Span { try #require(spans.first { $0.name == name }) }
    }

    /// A clock that stands until it is moved.
    private final class Clock: Sendable {
        private let passed = Mutex(Duration.zero)
        var uptime: Duration { passed.withLock { $0 } }
        func move(_ duration: Duration) { passed.withLock { $0 += duration } }
    }

    private final class Counter: Sendable {
        private let value = Mutex<UInt64>(0)
        func next() -> UInt64 {
            value.withLock {
                $0 += 1
                return $0
            }
        }
    }

    private func trace() -> SyncTrace {
        let counter = Counter()
        let tracer = Tracer(
            attributes: [SpanAttribute("bylaw.instance", "a")], randomBits: counter.next, take: told.take)
        return SyncTrace(
            .command, tracer: tracer,
            surroundings: Surroundings(
                now: { Timestamp(microsecondsSinceEpoch: 1_000_000) }, uptime: { [clock] in clock.uptime },
                sleep: { _ in }, randomness: { 0 }))
    }

    @Test func everythingIsToldAtTheEndBelowOneRoot() throws {
        let trace = trace()
        let stage = trace.stage("apply")
        clock.move(.milliseconds(5))
        let part = try #require(stage.part("create Role"))
        clock.move(.milliseconds(7))
        part.end()
        stage.end()
        #expect(told.all.isEmpty, "nothing before the end")
        trace.end([SpanAttribute("bylaw.outcome", "converged")])
        trace.end([])
        #expect(told.all.count == 1, "the end is told once")

        let root = try told.named("sync")
        let apply = try told.named("apply")
        let create = try told.named("create Role")
        #expect(root.parent == nil)
        #expect(apply.parent == root.id)
        #expect(create.parent == apply.id)
        #expect(Set(told.spans.map(\.id)).count == 3)
        #expect(Set(told.spans.map(\.trace)) == [trace.id])
        #expect(create.begin.microsecondsSinceEpoch == 1_005_000)
        #expect(create.end.microsecondsSinceEpoch == 1_012_000)
        #expect(root.begin.microsecondsSinceEpoch == 1_000_000)
        #expect(root.end.microsecondsSinceEpoch == 1_012_000)
        #expect(
            root.attributes == [
                SpanAttribute("bylaw.instance", "a"), SpanAttribute("bylaw.trigger", "command"),
                SpanAttribute("bylaw.outcome", "converged"),
            ])
        #expect(told.spans.allSatisfy { $0.status == .unset })
    }

    @Test func whatIsDiscardedIsNeverTold() {
        let trace = trace()
        let late = trace.stage("fetch")
        trace.discard()
        late.end()
        trace.end([])
        #expect(told.spans.isEmpty)
    }

    @Test func whatEndsAfterItsSyncFollows() throws {
        let trace = trace()
        let late = trace.stage("apply")
        trace.end([])
        late.end()
        #expect(told.all.map { $0.map(\.name) } == [["sync"], ["apply"]])
        #expect(try told.named("apply").parent == told.named("sync").id)
    }

    @Test func aFailedStageHasTheWordsOfItsError() async throws {
        let trace: SyncTrace? = trace()
        let error = ClusterError(kind: .forbidden, status: 403, message: "apply Role a/b: forbidden")
        await #expect(throws: ClusterError.self) {
            try await trace.stage("apply") { _ in throw error }
        }
        trace?.fail("1 failed")
        trace?.fail("later words")
        trace?.end([])
        let apply = try told.named("apply")
        #expect(apply.status == .failed("apply Role a/b: forbidden"))
        #expect(apply.attributes.contains(SpanAttribute("error.type", "forbidden")))
        #expect(apply.attributes.contains(SpanAttribute("http.response.status_code", 403)))
        #expect(try told.named("sync").status == .failed("1 failed"))
    }

    /// The text of an error that is not ours may hold anything.
    @Test func ofOtherErrorsOnlyTheirTypeIsTold() throws {
        struct Foreign: Error { var url = "https://jane:s3cret@git.example.com" }
        let trace = trace()
        let stage = trace.stage("fetch")
        stage.fail(Foreign())
        stage.end()
        trace.end([])
        #expect(try told.named("fetch").status == .failed("Foreign"))
    }

    @Test func aLongSyncKeepsTheFirstChangesAndThoseThatFail() throws {
        let trace = trace()
        let apply = trace.stage("apply")
        for number in 0..<2000 {
            let change = try #require(apply.part("update Role"))
            let request = change.part("request", .client)
            request?.end()
            if number == 1900 { change.fail("refused") }
            change.end()
        }
        apply.end()
        trace.end([])
        let changes = told.spans.filter { $0.name == "update Role" }
        let requests = told.spans.filter { $0.name == "request" }
        #expect(changes.count + requests.count == 513)
        #expect(changes.count { $0.status == .failed("refused") } == 1)
        let ids = Set(told.spans.map(\.id))
        #expect(told.spans.allSatisfy { $0.parent.map(ids.contains) ?? true }, "none is without its parent")
        #expect(try told.named("sync").attributes.contains { $0.key == "bylaw.spans_left_out" })
    }

    @Test func nothingIsDoneWhereNothingIsTraced() async {
        let trace: SyncTrace? = nil
        let answer = await trace.stage("fetch") { span in
            #expect(span == nil)
            return await span.part("list") { part in part == nil ? 7 : 0 }
        }
        #expect(answer == 7)
    }
}

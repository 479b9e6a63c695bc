import EmbeddedCluster
import Foundation
import HTTPServer
import JSON
import Manifest
import TestSupport
import Testing

/// What a collector of traces learns of a sync.
@Suite struct TraceTests {
    private let program: Program
    private let repository: PolicyRepository
    private let collector: TraceCollector

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        collector = try TraceCollector()
    }

    private var traces: [String] { ["--trace-endpoint", collector.url] }

    /// That a trace is whole: one root, and everything below it and within its time.
    private func expectWhole(_ trace: SentTrace, sourceLocation: SourceLocation = #_sourceLocation) {
        let ids = Set(trace.spans.map(\.id))
        #expect(ids.count == trace.spans.count, sourceLocation: sourceLocation)
        #expect(trace.root.trace.count == 32 && trace.root.id.count == 16, sourceLocation: sourceLocation)
        for span in trace.spans {
            #expect(
                span.id == trace.root.id || span.parent.map(ids.contains) == true, "\(span.name)",
                sourceLocation: sourceLocation)
            #expect(
                trace.root.begin <= span.begin && span.begin <= span.end && span.end <= trace.root.end,
                "\(span.name)", sourceLocation: sourceLocation)
        }
    }

    @Test func aSyncIsOneTraceWithItsStagesAndTheWrittenObjects() async throws {
        let cluster = try ClusterUnderTest()
        let run = program.ofThisRun("trace", repository: repository, cluster: cluster)
        try repository.write(teamManifests(run.namespace), to: "policies/team.yaml")
        let commit = try await repository.commit("A team")
        let headers = try program.folder.write("Authorization: Bearer c0llector-secret\n", to: "headers")
        let sync = try await program.run(
            ["sync", "-o", "json", "--path", "policies", "--trace-headers-file", headers] + traces + run.flags)
        #expect(sync.status == 0, "\(sync.errors)")
        let report = try parseJSON(Array(sync.output.utf8))

        #expect(collector.requests.allSatisfy { $0.header("Authorization") == "Bearer c0llector-secret" })
        #expect(!collector.text.contains("c0llector-secret"))
        let all = try collector.traces()
        #expect(all.count == 1)
        let trace = try #require(all.first)
        expectWhole(trace)
        #expect(trace.root.name == "sync")
        #expect(trace.root.trace == report["traceId"]?.string)
        #expect(trace.root.error == nil)
        let facts = trace.root.attributes
        #expect(facts.text("bylaw.trigger") == "command")
        #expect(facts.text("bylaw.outcome") == "converged")
        #expect(facts.text("bylaw.revision") == commit)
        #expect(facts.text("bylaw.path") == "policies")
        #expect(facts.text("bylaw.repository") == repository.path)
        #expect(facts.number("bylaw.created").map(Int64.init) == report["changes"]?["create"]?.integer)
        #expect(facts.number("bylaw.failed") == 0 && facts.number("bylaw.held") == 0)
        let resource = try collector.resource()
        #expect(resource.text("service.name") == "bylaw")
        #expect(resource.text("service.instance.id") == facts.text("bylaw.instance"))

        for stage in ["prepare", "fetch", "read revision", "guard", "record revision", "plan", "record sync"] {
            #expect(try trace.stage(stage).error == nil)
        }
        let lists = trace.children(of: try trace.stage("observe cluster"))
        #expect(Set(lists.compactMap { $0.attributes.text("bylaw.object.kind") }) == Set(Resource.managed.map(\.kind)))

        let changes = try trace.changes()
        let written = try #require(report["actions"]?.array).map { action in
            ["kind", "namespace", "name"].map { action["object"]?[$0]?.string ?? "" }.joined(separator: "/")
        }
        #expect(Set(changes.map(\.object)) == Set(written))
        #expect(changes.count == written.count)
        for change in changes {
            let parts = trace.children(of: change)
            // A cluster whose caches lag may want a request more than once.
            #expect(Set(parts.map(\.name)) == ["journal intent", "request", "journal outcome"], "\(change.object)")
            #expect(parts.first?.name == "journal intent" && parts.last?.name == "journal outcome")
            let request = try #require(parts.last { $0.name == "request" })
            #expect(request.attributes.text("bylaw.verb") == "apply")
            #expect([200, 201].contains(request.attributes.number("http.response.status_code")))
            #expect(change.attributes.number("bylaw.entry") != nil)
        }
    }

    @Test func aFailingWriteIsAnErrorOfItsSpanAndOfTheSync() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let flags = program.flags(repository: repository, cluster: cluster, instance: "trace-fail")
        try repository.write(teamManifests("e2e-trace-fail"), to: "team.yaml")
        try await repository.commit("A team")
        cluster.inject(
            "PATCH", "/roles/reader", .answer(status: 422, body: nil, text: "not this one", retryAfter: nil),
            count: 100)
        let sync = try await program.run(["sync"] + traces + flags)
        #expect(sync.status == 1)
        let trace = try #require(try collector.traces().first)
        expectWhole(trace)
        #expect(trace.root.error?.contains("1 failed") == true, "\(trace.root)")
        #expect(trace.root.attributes.text("bylaw.outcome") == "failed")
        #expect(trace.root.attributes.number("bylaw.failed") == 1)
        let failed = try trace.changes().filter { $0.error != nil }
        #expect(failed.map(\.object) == ["Role/e2e-trace-fail/reader"])
        let change = try #require(failed.first)
        #expect(change.error?.contains("not this one") == true, "\(change)")
        let request = try #require(trace.children(of: change).first { $0.name == "request" })
        #expect(request.error == change.error)
        #expect(request.attributes.number("http.response.status_code") == 422)
        #expect(sync.output.contains("trace \(trace.root.trace)"), "\(sync.output)")
    }

    @Test func aRefusedRevisionIsTold() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write("kind: Rool\n", to: "team.yaml")
        try await repository.commit("A mistake")
        let sync = try await program.run(
            ["sync"] + traces + program.flags(repository: repository, cluster: cluster, instance: "trace-bad"))
        #expect(sync.status == 1)
        let trace = try #require(try collector.traces().first)
        #expect(trace.root.attributes.text("bylaw.outcome") == "refused")
        #expect(trace.root.error?.contains("is refused") == true)
    }

    @Test func theControllerTellsOfPassesAndOfDriftAndNotOfLooksAtNothingNew() async throws {
        let cluster = try ClusterUnderTest()
        let run = program.ofThisRun("trace-run", repository: repository, cluster: cluster)
        try repository.write(teamManifests(run.namespace), to: "team.yaml")
        let first = try await repository.commit("A team")
        let running = try RunningProgram(
            program, ["run", "--interval", "100ms"] + RunningProgram.statusFlags + traces + run.flags)
        try await eventually("the first pass in: \(running.text)") {
            running.count("Synced", first, "trace_id=") > 0
        }
        let role = ObjectID(.role, namespace: run.namespace, name: "reader")
        let uid = try #require(try await cluster.object(role)?["metadata"]?["uid"])
        try await cluster.delete(role)
        try await eventually("the role is made again") {
            let now = try await cluster.object(role)?["metadata"]?["uid"]
            return now != nil && now != uid
        }
        try await eventually("the trace of the drift") {
            try collector.traces().contains { $0.isCorrection(of: "Role/\(run.namespace)/reader") }
        }
        try await eventually("spans are counted") {
            try await running.metrics()[#"bylaw_trace_spans_total{outcome="sent"}"#, default: 0] > 0
        }
        try repository.write(teamManifests(run.namespace, round: 1), to: "team.yaml")
        let second = try await repository.commit("Another round")
        try await eventually("the second pass in: \(running.text)") {
            running.count("Synced", second, "trace_id=") > 0
        }
        try await running.stop()
        #expect(running.status == 0, "\(running.text)")

        let all = try collector.traces()
        for trace in all { expectWhole(trace) }
        for commit in [first, second] {
            let pass = try #require(
                all.first {
                    $0.root.attributes.text("bylaw.revision") == commit
                        && $0.root.attributes.text("bylaw.trigger") == "fetch"
                })
            for stage in ["fetch", "read revision", "guard", "record revision", "plan", "apply", "record sync"] {
                _ = try pass.stage(stage)
            }
            #expect(running.text.contains("trace_id=\(pass.root.trace)"), "the log names the trace")
        }
        let drift = try #require(all.first { $0.isCorrection(of: "Role/\(run.namespace)/reader") })
        #expect(drift.children(of: drift.root).map(\.name) == ["create Role"])
        #expect(drift.root.attributes.text("bylaw.outcome") == "converged")
        #expect(drift.root.attributes.number("bylaw.created") == 1)
        // Some seconds of ten looks each, none of which found anything new.
        #expect(all.count { $0.root.attributes.text("bylaw.trigger") == "fetch" } == 2)
    }

    @Test func aPassThatIsCutShortIsToldAtTheEnd() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let flags = program.flags(repository: repository, cluster: cluster, instance: "trace-stop")
        try repository.write(teamManifests("e2e-trace-stop"), to: "team.yaml")
        try await repository.commit("A team")
        cluster.inject("PATCH", "/namespaces/e2e-trace-stop", .late, after: .seconds(2))
        let running = try RunningProgram(program, ["run"] + traces + flags)
        try await running.untilItSays("Revision accepted")
        try await running.stop()
        #expect(running.status == 0, "\(running.text)")
        let trace = try #require(try collector.traces().first)
        #expect(trace.root.attributes.text("bylaw.outcome") == "stopped")
        _ = try trace.stage("fetch")
        _ = try trace.stage("apply")
    }

    @Test func noCredentialLeavesWithATrace() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(clusterRoleManifest("e2e-trace-secret"), to: "role.yaml")
        try await repository.commit("One role")
        let server = try await GitHTTPServer(serving: repository.path, folder: program.folder, token: "s3cret-token")
        defer { server.stop() }
        let words = [
            "sync", "--repo", server.address, "--git-ca-file", server.certificate, "--kubeconfig", cluster.kubeconfig,
            "--instance", "trace-secret", "--journal", program.journal, "--cache", program.folder.path + "/cache",
        ]
        let right = try program.folder.write("s3cret-token\n", to: "token")
        let good = try await program.run(words + ["--git-token-file", right] + traces)
        #expect(good.status == 0, "\(good.errors)")
        let wrong = try program.folder.write("wr0ng-token\n", to: "wrong")
        let refused = try await program.run(words + ["--git-token-file", wrong] + traces)
        #expect(refused.status == 2)

        let all = try collector.traces()
        #expect(all.count == 2)
        let failed = try #require(all.first { $0.root.error != nil })
        #expect(failed.root.attributes.text("bylaw.outcome") == "error")
        #expect(try failed.stage("fetch").error != nil)
        #expect(all.allSatisfy { $0.root.attributes.text("bylaw.repository") == server.address })
        for secret in ["s3cret-token", "wr0ng-token"] { #expect(!collector.text.contains(secret)) }
        // An address with a password in it goes nowhere.
        let inAddress = try await program.run(
            ["sync", "--repo", server.address.replacing("https://", with: "https://ann:pa55word@")]
                + words.dropFirst(3) + traces)
        #expect(inAddress.status == 2)
        #expect(!collector.text.contains("pa55word") && !inAddress.errors.contains("pa55word"))
    }

    @Test func aCollectorThatIsAwayOrSilentDelaysAndFailsNothing() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        let flags = program.flags(repository: repository, cluster: cluster, instance: "trace-away")
        try repository.write(teamManifests("e2e-trace-away"), to: "team.yaml")
        try await repository.commit("A team")
        let release = AsyncStream.makeStream(of: Void.self)
        let silent = try HTTPListener { _ in
            for await _ in release.stream {}
            return ServerResponse(status: 200, body: Array("{}".utf8))
        }
        defer { silent.stop() }
        defer { release.continuation.finish() }
        let gone = try HTTPListener { _ in ServerResponse(status: 200, body: []) }
        let gonePort = gone.port
        gone.stop()
        for port in [silent.port, gonePort] {
            let begun = ContinuousClock.now
            let sync = try await program.run(["sync", "--trace-endpoint", "http://127.0.0.1:\(port)"] + flags)
            #expect(sync.status == 0, "\(sync.errors)")
            #expect(sync.errors.contains("Spans were dropped"), "\(sync.errors)")
            #expect(ContinuousClock.now - begun < .seconds(15))
        }
    }

    @Test func theEnvironmentSaysWhereAndAFlagOverridesIt() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(clusterRoleManifest("e2e-trace-env"), to: "role.yaml")
        try await repository.commit("One role")
        let words = ["sync"] + program.flags(repository: repository, cluster: cluster, instance: "trace-env")
        var environment = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "policies",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_EXPORTER_OTLP_HEADERS": "X-Scope=a%20b",
        ]
        let first = try await program.run(words, extraEnvironment: environment)
        #expect(first.status == 0, "\(first.errors)")
        #expect(try collector.traces().count == 1)
        #expect(collector.requests.first?.path == "/v1/traces")
        #expect(collector.requests.first?.header("X-Scope") == "a b")
        #expect(try collector.resource().text("service.name") == "policies")
        #expect(try collector.resource().text("deployment.environment.name") == "test")

        let other = try TraceCollector()
        let elsewhere = try await program.run(
            words + ["--trace-endpoint", other.url], extraEnvironment: environment)
        #expect(elsewhere.status == 0 && !other.requests.isEmpty, "\(elsewhere.errors)")
        #expect(
            other.requests.allSatisfy { $0.header("X-Scope") == nil },
            "what the environment says for its own collector is not for another one")

        let off = try await program.run(words + ["--trace-endpoint", "off"], extraEnvironment: environment)
        #expect(off.status == 0 && off.errors.isEmpty, "\(off.errors)")
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "nowhere"
        let wrong = try await program.run(words, extraEnvironment: environment)
        #expect(wrong.status == 0, "a mistake of the platform ends nothing")
        #expect(wrong.errors.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "\(wrong.errors)")
        let mistaken = try await program.run(words + ["--trace-endpoint", "nowhere"])
        #expect(mistaken.status == 2, "a mistake of the call does")
        #expect(try collector.traces().count == 1)
    }
}

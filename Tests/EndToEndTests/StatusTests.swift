import Foundation
import HTTPClient
import JSON
import Manifest
import TestSupport
import Testing

/// What `bylaw run --status-listen` tells probes and Prometheus, and what its listener takes.
@Suite struct StatusTests {
    private let program: Program
    private let repository: PolicyRepository
    private let cluster: ClusterUnderTest

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        cluster = try ClusterUnderTest()
    }

    private func start(
        _ name: String, _ more: [String] = RunningProgram.statusFlags
    ) async throws -> (run: RunningProgram, namespace: String, commit: String) {
        let (namespace, flags) = program.ofThisRun(name, repository: repository, cluster: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        let commit = try await repository.commit("A team")
        return (try RunningProgram(program, ["run", "--interval", "300ms"] + more + flags), namespace, commit)
    }

    // MARK: What it tells

    @Test func driftAndWhatBecameOfIt() async throws {
        let (run, namespace, commit) = try await start("signals")
        try await run.untilItSynced(commit)
        try await eventually("it is ready") { try await run.status("/readyz").code == 200 }
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        let policy = ObjectID(.networkPolicy, namespace: namespace, name: "allow-web")
        try await cluster.delete(role)
        try await cluster.mergePatch(policy, #"{"spec":{"ingress":[{}]}}"#)
        var metrics: [String: Double] = [:]
        try await eventually("both are counted") {
            metrics = try await run.metrics()
            return metrics[#"bylaw_drift_corrected_total{kind="Role",reason="Deleted"}"#] == 1
                && metrics[#"bylaw_drift_corrected_total{kind="NetworkPolicy",reason="Changed"}"#] == 1
        }
        #expect(metrics[#"bylaw_drift_found_total{kind="Role",reason="Deleted"}"#] == 1)
        #expect(metrics[#"bylaw_drift_found_total{kind="NetworkPolicy",reason="Changed"}"#] == 1)
        #expect(metrics[#"bylaw_drift_correction_seconds_count{kind="Role"}"#] == 1)
        #expect(metrics["bylaw_drift_open_seconds_count"] == 2)
        #expect(metrics[#"bylaw_changes_total{kind="Role",reason="DriftCorrected",outcome="succeeded"}"#] == 1)
        #expect(metrics[#"bylaw_leader{bylaw_instance="\#(namespace.dropFirst(4))"}"#] == 1)
        #expect(metrics["bylaw_journal_usable"] == 1)
        #expect(metrics[#"bylaw_fetches_total{outcome="failed"}"#] == 0)
        #expect(metrics[#"bylaw_syncs_total{outcome="converged"}"#] ?? 0 >= 1)
        #expect(metrics["bylaw_last_successful_sync_timestamp_seconds"] ?? 0 > 1_700_000_000)
        let newest = metrics["bylaw_newest_revision_timestamp_seconds"]
        #expect(newest ?? 0 > 1_700_000_000)
        #expect(metrics["bylaw_journal_write_duration_seconds_count"] ?? 0 > 5)
        #expect(metrics[#"bylaw_journal_writes_total{outcome="failed"}"#] == 0)
        let lists = #"bylaw_api_requests_total{verb="list",resource="roles.rbac.authorization.k8s.io",code="200"}"#
        #expect(metrics[lists] ?? 0 >= 1)
        let writes = metrics.filter {
            $0.key.hasPrefix(#"bylaw_api_requests_total{verb="apply",resource="networkpolicies.networking.k8s.io""#)
                && !$0.key.contains("error")
        }
        #expect(writes.values.reduce(0, +) >= 4, "three were made and one put back: \(writes)")
        // How it stands is told within a second or two.
        try await eventually("all is as declared again") {
            metrics = try await run.metrics()
            return metrics[#"bylaw_objects{kind="Role",state="in_sync"}"#] == 2
                && metrics[#"bylaw_objects{kind="NetworkPolicy",state="in_sync"}"#] == 3
                && metrics["bylaw_drift_oldest_timestamp_seconds"] == 0
                && metrics["bylaw_enforced_revision_timestamp_seconds"] == newest
        }
        #expect(metrics.filter { $0.key.contains("state=\"drifted\"") }.values.allSatisfy { $0 == 0 })
        try await eventually("all of the journal is signed") {
            metrics = try await run.metrics()
            return metrics["bylaw_journal_sequence"] ?? 0 > 8
                && metrics["bylaw_journal_sequence"] == metrics["bylaw_journal_signed_sequence"]
                || metrics["bylaw_journal_signed_sequence"] ?? 0 > 8
        }
        try await run.stop()
    }

    /// A revision that is refused, and drift that a guardrail or a failing server leaves, are seen as they stand.
    @Test func aRefusedRevision() async throws {
        let (run, _, commit) = try await start("refused")
        try await run.untilItSynced(commit)
        try repository.write("kind: Nonsense\n", to: "broken.yaml")
        try await repository.commit("Broken")
        try await eventually("it is told") { try await run.metrics()["bylaw_revision_refused"] == 1 }
        let metrics = try await run.metrics()
        #expect(metrics[#"bylaw_open_incidents{reason="RevisionInvalid"}"#] == 1)
        #expect(metrics[#"bylaw_incidents_total{reason="RevisionInvalid"}"#] == 1)
        #expect(try await run.status("/readyz").code == 200, "the last good revision is enforced")
        try await run.stop()
    }

    @Test func watchesThatEnd() async throws {
        let cluster = try ClusterUnderTest(isEmbedded: true)
        try repository.write(clusterRoleManifest("e2e-watches"), to: "role.yaml")
        let commit = try await repository.commit("One role")
        let run = try RunningProgram(
            program,
            ["run", "--interval", "300ms"] + RunningProgram.statusFlags
                + program.flags(repository: repository, cluster: cluster, instance: "watches"))
        try await run.untilItSynced(commit)
        try await eventually("the watch is open") {
            let watch = #"bylaw_api_requests_total{verb="watch",resource="roles.rbac.authorization.k8s.io",code="200"}"#
            return try await run.metrics()[watch] ?? 0 >= 1
        }
        cluster.breakWatches()
        try await eventually("it is told that they were begun again") {
            try await run.metrics().contains {
                $0.key.hasPrefix(#"bylaw_watch_restarts_total{kind="Role""#) && $0.value > 0
            }
        }
        try await run.stop()
    }

    // MARK: Alive and ready

    /// As in a rolling update: the one that comes is ready once the one before it has let go of the journal.
    @Test func readyWhenTheJournalIsFree() async throws {
        let (first, namespace, commit) = try await start("ready")
        try await eventually("it is ready") { try await first.status("/readyz").code == 200 }
        try await first.untilItSynced(commit)
        let flags = program.flags(repository: repository, cluster: cluster, instance: String(namespace.dropFirst(4)))
        let second = try RunningProgram(
            program, ["run", "--interval", "300ms"] + RunningProgram.statusFlags + flags, named: "second")
        try await second.untilItSays("The journal cannot be used")
        let waiting = try await second.status("/readyz")
        #expect(waiting.code == 500)
        #expect(waiting.text.contains("[-]journal failed: reason withheld\n"), "\(waiting.text)")
        #expect(try await second.status("/healthz").code == 200, "a restart would not help")
        #expect(try await second.status("/livez?verbose").text == "[+]controller ok\nlivez check passed\n")
        try await first.stop()
        try await eventually("the second one is ready") { try await second.status("/readyz").code == 200 }
        #expect(
            try await second.status("/readyz?verbose").text
                == "[+]controller ok\n[+]journal ok\n[+]revision ok\n[+]kinds ok\nreadyz check passed\n")
        try await second.stop()
    }

    @Test func aClusterThatWasNeverReachedIsCountedAndNoReasonToRestart() async throws {
        let kubeconfig = try program.folder.write(
            """
            apiVersion: v1
            kind: Config
            current-context: gone
            clusters: [{name: gone, cluster: {server: "http://127.0.0.1:1"}}]
            contexts: [{name: gone, context: {cluster: gone, user: gone}}]
            users: [{name: gone, user: {token: a}}]
            """, to: "gone.kubeconfig")
        let run = try RunningProgram(
            program,
            [
                "run", "--repo", repository.path, "--kubeconfig", kubeconfig, "--journal", program.journal,
                "--cache", program.folder.path + "/cache",
            ] + RunningProgram.statusFlags)
        try await eventually("it is counted") {
            try await run.metrics()[#"bylaw_incidents_total{reason="ClusterUnreachable"}"#] == 1
        }
        try await eventually("it is open") {
            try await run.metrics()[#"bylaw_open_incidents{reason="ClusterUnreachable"}"#] == 1
        }
        #expect(
            try await run.metrics()[#"bylaw_api_requests_total{verb="get",resource="other",code="error"}"#] ?? 0 >= 1)
        #expect(try await run.status("/healthz").code == 200)
        let ready = try await run.status("/readyz")
        #expect(ready.code == 500)
        #expect(ready.text.contains("[+]journal ok\n") && ready.text.contains("[-]kinds failed"), "\(ready.text)")
        #expect(!ready.text.contains("127.0.0.1"), "no details")
        try await run.stop()
    }

    // MARK: What the listener takes

    /// Of one address eight at a time, each with one short question.
    @Test func nobodyHoldsTheListenerUp() async throws {
        let (run, _, _) = try await start("limits")
        let port = try await run.statusPort()
        let slow = try SocketClient(port: port)
        let silent = try SocketClient(port: port)
        try #require(slow.say("GET /healthz HTTP/1.1\r\nHost: a\r\n"))
        let begun = ContinuousClock.now

        let others = try (0..<6).map { _ in try SocketClient(port: port) }
        for other in others { #expect(await other.ask("/healthz") == "HTTP/1.1 200 OK") }
        #expect(try await SocketClient(port: port).ask("/healthz") == nil, "the ninth of an address")
        #expect(try await SocketClient(port: port, from: "127.0.0.2").ask("/healthz") == "HTTP/1.1 200 OK")

        var isDropped = false
        while !isDropped, ContinuousClock.now - begun < .seconds(120) {
            isDropped = !slow.say("X: a\r\n")
            try await Task.sleep(for: .milliseconds(250))
        }
        #expect(isDropped, "a head that never ends")
        #expect(await silent.answer() == nil, "nothing asked")
        #expect(try await SocketClient(port: port).ask("/healthz") == "HTTP/1.1 200 OK", "there is room again")
        try await run.stop()
    }

    @Test func nothingLargeIsRead() async throws {
        let (run, _, _) = try await start("large")
        let port = try await run.statusPort()
        let head = try SocketClient(port: port)
        var isTaken = head.say("GET /healthz HTTP/1.1\r\nHost: a\r\n")
        for number in 0..<64 where isTaken {
            isTaken = head.say("X-\(number): \(String(repeating: "a", count: 1024))\r\n")
        }
        _ = head.say("\r\n")
        let answer = await head.answer()
        #expect(answer == nil || answer?.hasPrefix("HTTP/1.1 4") == true, "\(answer ?? "")")

        let body = try SocketClient(port: port)
        // Refused by its head, before the body is sent.
        try #require(body.say("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"))
        #expect(await body.answer() == "HTTP/1.1 405 Method Not Allowed")
        let hidden = try SocketClient(port: port)
        try #require(hidden.say("GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"))
        #expect(await hidden.answer()?.hasPrefix("HTTP/1.1 413 ") == true)
        #expect(try await run.status("/healthz").code == 200)
        try await run.stop()
    }

    // MARK: TLS

    private func code(_ port: Int, trusting certificates: Certificates) async -> Int? {
        do {
            let authority = [UInt8](try Data(contentsOf: URL(fileURLWithPath: certificates.path("authority.crt"))))
            let exchanger = HTTPExchanger(tls: TLSConfiguration(certificateAuthorities: authority), proxy: .none)
            defer { exchanger.shutdown() }
            return try await exchanger.send(HTTPRequest(url: "https://127.0.0.1:\(port)/healthz")).status
        } catch {
            return nil
        }
    }

    private func copy(_ file: String, of certificates: Certificates) throws {
        let text = try String(contentsOfFile: certificates.path(file), encoding: .utf8)
        try program.folder.write(text, to: file)
    }

    @Test func aRenewedCertificateIsShownWithoutARestart() async throws {
        let (old, new) = (try await Certificates(), try await Certificates())
        for file in ["server.crt", "server.key"] { try copy(file, of: old) }
        let (run, _, _) = try await start(
            "tls",
            RunningProgram.statusFlags + [
                "--status-cert-file", program.folder.path + "/server.crt",
                "--status-key-file", program.folder.path + "/server.key",
            ])
        let port = try await run.statusPort()
        #expect(await code(port, trusting: old) == 200)
        #expect(await code(port, trusting: new) == nil)
        #expect(try await SocketClient(port: port).ask("/healthz") == nil, "nothing without TLS")
        // Half of a pair changes nothing.
        try copy("server.crt", of: new)
        try await run.untilItSays("A renewed certificate of the status listener cannot be shown")
        #expect(await code(port, trusting: old) == 200)
        try copy("server.key", of: new)
        try await run.untilItSays("Serving status with a renewed certificate")
        try await eventually("the new one is shown") { await code(port, trusting: new) == 200 }
        #expect(await code(port, trusting: old) == nil)
        try await run.stop()
    }

    @Test(arguments: [
        (["--status-listen", "127.0.0.1:0", "--status-cert-file", "a"], "go together"),
        (["--status-listen", "127.0.0.1:0", "--status-key-file", "a"], "go together"),
        (["--status-cert-file", "a", "--status-key-file", "b"], "without --status-listen"),
        (["--status-listen", "127.0.0.1:0", "--status-cert-file", "/none", "--status-key-file", "/none"], "/none"),
        (["--status-listen", "9464"], "is no address with a port"),
        (["--status-listen", "192.0.2.1:9464"], "listen on 192.0.2.1"),
    ])
    func whatCannotBeServedIsAnErrorAtOnce(_ flags: [String], _ words: String) async throws {
        let outcome = try await program.run(
            ["run"] + flags + program.flags(repository: repository, cluster: cluster, instance: "status"))
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
}

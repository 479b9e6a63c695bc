@testable import HTTPServer
import HTTPClient
import Manifest
import Reconciler
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import StatusServer

@Suite struct StatusAnswerTests {
    /// A clock that a test sets.
    private final class Clock: Sendable {
        private let value = Mutex(Duration.seconds(1000))
        func now() -> Duration { value.withLock { $0 } }
        func advance(by duration: Duration) { value.withLock { $0 += duration } }
    }

    private let clock = Clock()
    private let metrics = ControllerMetrics(version: "1.2.3", instance: "team")
    private let health: ControllerHealth
    private let answer: StatusAnswer
    private let wellStanding = ControllerStanding(isEnforcing: true, isGathered: true, isJournalUsable: true)

    init() {
        health = ControllerHealth(uptime: clock.now)
        answer = StatusAnswer(metrics: metrics, health: health)
    }

    private func get(
        _ path: String, _ method: String = "GET", query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = []
    ) -> (status: Int, text: String, type: String?) {
        let response = answer.answer(
            ServerRequest(method: method, path: path, query: query, headers: headers, body: []))
        guard case .whole(let bytes) = response.body else { return (0, "", nil) }
        return (
            response.status, String(decoding: bytes, as: UTF8.self),
            response.headers.first { $0.name == "Content-Type" }?.value
        )
    }

    // MARK: Alive

    @Test func aliveBeforeThereIsAController() {
        for path in ["/healthz", "/livez"] {
            #expect(get(path).status == 200)
            #expect(get(path).text == "ok\n")
        }
        clock.advance(by: .seconds(100_000))
        #expect(get("/healthz").status == 200, "a journal that cannot be opened for a day is no reason to be killed")
    }

    @Test func aControllerThatDoesNotAnswerIsStuck() {
        let run = health.begin()
        clock.advance(by: ControllerHealth.patience)
        #expect(get("/healthz").status == 200)
        health.note(wellStanding, of: run)
        clock.advance(by: ControllerHealth.patience)
        #expect(get("/healthz").status == 200)
        clock.advance(by: .seconds(1))
        #expect(get("/healthz").status == 500)
        #expect(get("/healthz").text == "[-]controller failed: reason withheld\nhealthz check failed\n")
        #expect(get("/readyz").status == 500)
        health.note(wellStanding, of: run)
        #expect(get("/healthz").status == 200)
        clock.advance(by: .seconds(1000))
        health.end(run)
        health.note(wellStanding, of: run)
        clock.advance(by: .seconds(1000))
        #expect(get("/healthz").status == 200, "it ended, and is begun anew")
        let next = health.begin()
        health.note(wellStanding, of: next)
        health.end(run)
        #expect(get("/readyz").status == 200, "what is late of the one before says nothing")
    }

    @Test func whatARestartDoesNotHelpTakesNoLife() {
        health.note(ControllerStanding(), of: health.begin())
        #expect(get("/healthz").status == 200)
        #expect(get("/readyz").status == 500)
    }

    // MARK: Ready

    @Test func readyOnceItEnforces() {
        #expect(get("/readyz").status == 500)
        let run = health.begin()
        #expect(get("/readyz").status == 500)
        var standing = ControllerStanding()
        for change in [\ControllerStanding.isJournalUsable, \.isEnforcing, \.isGathered] {
            health.note(standing, of: run)
            #expect(get("/readyz").status == 500)
            standing[keyPath: change] = true
        }
        health.note(standing, of: run)
        #expect(get("/readyz").status == 200)
        #expect(get("/readyz").text == "ok\n")
        standing.isJournalUsable = false
        health.note(standing, of: run)
        #expect(get("/readyz").status == 500)
        health.note(wellStanding, of: run)
        health.end(run)
        #expect(get("/readyz").status == 500, "what ran is not there any more")
    }

    @Test func theChecksAreListedWithoutTheirReasons() {
        let run = health.begin()
        var standing = wellStanding
        standing.isEnforcing = false
        health.note(standing, of: run)
        let list =
            "[+]controller ok\n[+]journal ok\n[-]revision failed: reason withheld\n[+]kinds ok\nreadyz check failed\n"
        #expect(get("/readyz").text == list)
        #expect(get("/readyz", query: [("verbose", "")]).text == list)
        #expect(get("/readyz/journal").text == "ok\n")
        #expect(get("/readyz/revision").status == 500)
        #expect(get("/readyz/nothing").status == 404)
        health.note(wellStanding, of: run)
        #expect(
            get("/readyz", query: [("verbose", "")]).text
                == "[+]controller ok\n[+]journal ok\n[+]revision ok\n[+]kinds ok\nreadyz check passed\n")
        #expect(get("/livez", query: [("verbose", "1")]).text == "[+]controller ok\nlivez check passed\n")
    }

    // MARK: Metrics

    @Test func metricsAreServedInTheFormThatIsAskedFor() async throws {
        let listener = try HTTPListener(precheck: StatusAnswer.refuse) { [answer] request in answer.answer(request) }
        defer { listener.stop() }
        let exchanger = HTTPExchanger(tls: TLSConfiguration(), proxy: .none)
        defer { exchanger.shutdown() }
        let address = "http://127.0.0.1:\(listener.port)/metrics"
        let plain = try await exchanger.send(HTTPRequest(url: address))
        #expect(plain.status == 200)
        #expect(plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(String(decoding: plain.body, as: UTF8.self).contains("bylaw_build_info{version=\"1.2.3\"} 1\n"))
        let open = try await exchanger.send(
            HTTPRequest(url: address, headers: [("Accept", "application/openmetrics-text")]))
        #expect(open.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(String(decoding: open.body, as: UTF8.self).hasSuffix("# EOF\n"))
    }

    @Test func theProcessIsAmongThem() throws {
        let text = get("/metrics").text
        func value(_ name: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap {
                Double($0.dropFirst(name.count + 1))
            }
        }
        #expect(try #require(value("process_resident_memory_bytes")) > 1_048_576)
        #expect(try #require(value("process_virtual_memory_bytes")) > 1_048_576)
        #expect(try #require(value("process_open_fds")) >= 3)
        #expect(try #require(value("process_max_fds")) >= #require(value("process_open_fds")))
        #expect(try #require(value("process_cpu_seconds_total")) >= 0)
        #expect(try #require(value("process_start_time_seconds")) > 1_700_000_000)
    }

    /// proc(5): the name may hold anything.
    @Test func aProcessWithAStrangeNameIsReadWell() throws {
        let stat =
            "42 (a ) (b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 12345 4096000 100 18446744073709551615 1"
        let usage = try #require(ProcessUsage(stat: stat, ticks: 100, pageBytes: 4096))
        #expect(usage.cpuSeconds == 3)
        #expect(usage.startSeconds == 123.45)
        #expect(usage.virtualBytes == 4_096_000)
        #expect(usage.residentBytes == 409_600)
        for text in ["", "42 (a", "42 (a) S 1 2 3"] {
            #expect(ProcessUsage(stat: text, ticks: 100, pageBytes: 4096) == nil)
        }
    }

    // MARK: Refused

    @Test(arguments: ["/", "/metrics/", "/Metrics", "/metrics/a", "/readyz/", "/readyz/a/b", "//readyz", "/health", ""])
    func nothingElseIsServed(_ path: String) {
        #expect(get(path).status == 404)
        #expect(get(path).text == "there are /metrics, /healthz, /livez and /readyz\n")
    }

    @Test(arguments: ["/metrics", "/readyz"]) func onlyReading(_ path: String) {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] { #expect(get(path, method).status == 405) }
        #expect(get(path, "HEAD").status == get(path).status)
    }

    /// By its head alone, so that nobody can make it read.
    @Test(arguments: [("Content-Length", "1"), ("content-length", "x"), ("Transfer-Encoding", "chunked")])
    func noBodyIsRead(_ name: String, _ value: String) {
        var request = ServerRequest(
            method: "GET", path: "/metrics", query: [], headers: [("Content-Length", "0")], body: [])
        #expect(StatusAnswer.refuse(request)?.status == nil)
        request.headers = [(name, value)]
        #expect(StatusAnswer.refuse(request)?.status == 413)
        request.path = "/"
        #expect(StatusAnswer.refuse(request)?.status == 404)
    }
}

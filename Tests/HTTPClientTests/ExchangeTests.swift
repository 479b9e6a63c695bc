import Foundation
import HTTPClient
import Testing

@Suite struct ExchangeTests {
    let server: TestServer
    let exchanger: HTTPExchanger

    init() throws {
        server = try TestServer.shared()
        exchanger = try server.exchanger()
    }

    private func error(_ request: HTTPRequest, _ exchanger: HTTPExchanger? = nil) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await (exchanger ?? self.exchanger).send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func sendsEachMethodWithItsBodyAndHeaders(_ method: String) async throws {
        let body: [UInt8]? = method == "GET" ? nil : Array(#"{"a":"é"}"#.utf8)
        let answer = try await exchanger.send(
            HTTPRequest(
                method: method, url: server.tls + "/prefix/echo?x=1",
                headers: [
                    ("Content-Type", "application/apply-patch+yaml"), ("X-Empty", ""), ("X-Bad", "a\r\nX-Evil: b"),
                ],
                body: body))
        let echo = try object(answer.body)
        #expect(answer.status == 200)
        #expect(echo["method"] as? String == method)
        #expect(echo["path"] as? String == "/prefix/echo?x=1")
        #expect(echo["length"] as? Int == body?.count ?? 0)
        if method != "GET" { #expect(echo["body"] as? String == #"{"a":"é"}"#) }
        let headers = try #require(echo["headers"] as? [[String]])
        #expect(headers.contains(["content-type", "application/apply-patch+yaml"]))
        #expect(headers.contains(["user-agent", "bylaw-test"]))
        #expect(headers.contains(["x-empty", ""]))
        #expect(headers.contains(["x-bad", "aX-Evil: b"]))
        #expect(!headers.contains { $0[0] == "expect" || $0[0] == "x-evil" })
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func sendsAMethodWithoutABody(_ method: String) async throws {
        let answer = try await exchanger.send(HTTPRequest(method: method, url: server.tls + "/echo"))
        #expect(try object(answer.body)["length"] as? Int == 0)
        #expect(try object(answer.body)["method"] as? String == method)
    }

    @Test func sendsAndReadsLargeBodies() async throws {
        let body = [UInt8](repeating: 0x61, count: 8 << 20)
        let sent = try await exchanger.send(HTTPRequest(method: "POST", url: server.tls + "/echo", body: body))
        #expect(try object(sent.body)["length"] as? Int == body.count)
        let read = try await exchanger.send(HTTPRequest(url: server.tls + "/big?n=20000000"))
        #expect(read.body.count == 20_000_000)
    }

    @Test func readsChunks() async throws {
        let answer = try await exchanger.send(HTTPRequest(url: server.tls + "/chunked?n=1000"))
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text == (0..<1000).map { String(repeating: "0", count: 6 - String($0).count) + "\($0)\n" }.joined())
    }

    @Test func offersAndReadsGzip() async throws {
        let answer = try await exchanger.send(HTTPRequest(url: server.tls + "/gzip?n=3000000"))
        #expect(answer.body == [UInt8](repeating: 0, count: 3_000_000))
        let echo = try object(try await exchanger.send(HTTPRequest(url: server.tls + "/echo")).body)
        let headers = try #require(echo["headers"] as? [[String]])
        #expect(headers.contains(["accept-encoding", "gzip"]))
    }

    @Test func readsHeadersWithoutRegardToCase() async throws {
        let answer = try await exchanger.send(HTTPRequest(url: server.tls + "/headers"))
        #expect(answer.headers.all("WARNING") == [#"299 - "one""#, #"299 - "two""#])
        #expect(answer.headers["x-EMPTY"] == "")
        #expect(answer.headers["absent"] == nil)
    }

    @Test func givesBackRefusalsAsAnswers() async throws {
        let busy = try await exchanger.send(HTTPRequest(url: server.tls + "/busy"))
        #expect(busy.status == 429)
        #expect(busy.headers["retry-after"] == "7")
        #expect(String(decoding: busy.body, as: UTF8.self) == "slow down")
        let elsewhere = try await exchanger.send(HTTPRequest(url: server.tls + "/elsewhere"))
        #expect(elsewhere.status == 302, "a redirect is never followed")
    }

    @Test func usesAConnectionAgain() async throws {
        var connections: Set<Int> = []
        for path in ["/echo", "/busy", "/echo", "/chunked?n=3", "/echo"] {
            let answer = try await exchanger.send(HTTPRequest(url: server.tls + path))
            if path == "/echo" { connections.insert(try #require(try object(answer.body)["connection"] as? Int)) }
        }
        #expect(connections.count == 1)
    }

    @Test func answersFiftyAtOnceOverFewConnections() async throws {
        let exchanger = try server.exchanger(connections: 8)
        let url = server.tls
        let connections = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<50 {
                group.addTask {
                    let request = HTTPRequest(method: "POST", url: url + "/echo", body: Array("\(index)".utf8))
                    let echo = try object(try await exchanger.send(request).body)
                    #expect(echo["body"] as? String == "\(index)")
                    return echo["connection"] as? Int ?? -1
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect((1...8).contains(connections.count))
    }

    // MARK: Failures

    @Test(arguments: ["/big?n=1000001", "/gzip?n=100000000", "/chunked?n=200000"])
    func stopsAtTheMostItMayRead(_ path: String) async throws {
        let limits = HTTPLimits(maximumAnswerBytes: 1_000_000)
        let error = await error(HTTPRequest(url: server.tls + path, limits: limits))
        #expect(error?.kind == .tooLarge)
        let exact = try await exchanger.send(HTTPRequest(url: server.tls + "/big?n=1000000", limits: limits))
        #expect(exact.body.count == 1_000_000)
    }

    @Test func stopsAtHeadersWithoutEnd() async throws {
        let error = await error(HTTPRequest(url: server.plain + "/many-headers"))
        #expect(error != nil)
    }

    @Test func endsAtItsTimeLimit() async throws {
        let start = ContinuousClock.now
        // On a connection that stands already: how long it takes to make one says nothing here.
        _ = try await exchanger.send(HTTPRequest(url: server.tls + "/big?n=1"))
        let limits = HTTPLimits(total: .seconds(4))
        let error = await error(HTTPRequest(method: "POST", url: server.tls + "/hang", body: [1], limits: limits))
        #expect(error?.kind == .timedOut)
        #expect(error?.mayHaveBeenSent == true)
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    /// By a clock that counts what the machine sleeps through, beside the time limit.
    @Test func endsAtTheMomentUntilWhichItIsAllowed() async throws {
        _ = try await exchanger.send(HTTPRequest(url: server.tls + "/big?n=1"))
        var limits = HTTPLimits(total: .seconds(60))
        let deadline = ContinuousClock.now + .milliseconds(700)
        limits.deadline = { deadline }
        let error = await error(HTTPRequest(method: "POST", url: server.tls + "/hang", body: [1], limits: limits))
        #expect(error?.kind == .timedOut)
        #expect(error?.mayHaveBeenSent == true)
        #expect(ContinuousClock.now >= deadline)
        #expect(ContinuousClock.now - deadline < .seconds(30))
    }

    /// As when a lease is renewed while a slow server works.
    @Test func goesOnWhileTheMomentUntilWhichItIsAllowedMoves() async throws {
        _ = try await exchanger.send(HTTPRequest(url: server.tls + "/big?n=1"))
        var limits = HTTPLimits(total: .seconds(2))
        limits.deadline = { .now + .milliseconds(300) }
        let start = ContinuousClock.now
        let error = await error(HTTPRequest(method: "POST", url: server.tls + "/hang", body: [1], limits: limits))
        #expect(error?.kind == .timedOut)
        #expect(ContinuousClock.now - start > .milliseconds(1900), "by the limit of the whole exchange alone")
    }

    @Test func sendsNothingAfterTheMomentUntilWhichItIsAllowed() async throws {
        var limits = HTTPLimits()
        limits.deadline = { .now - .milliseconds(1) }
        let url = server.tls + "/echo?key=overdue"
        let error = await error(HTTPRequest(method: "POST", url: url, body: [1], limits: limits))
        #expect(error?.kind == .timedOut)
        #expect(error?.mayHaveBeenSent == false)
        limits.deadline = { .now + .seconds(60) }
        #expect(
            try await exchanger.send(HTTPRequest(method: "POST", url: url, body: [1], limits: limits)).status == 200)
    }

    @Test func endsAfterTooLongASilence() async throws {
        let start = ContinuousClock.now
        let limits = HTTPLimits(total: nil, idle: .seconds(1))
        let error = await error(HTTPRequest(url: server.tls + "/stall", limits: limits))
        #expect(error?.kind == .stalled)
        #expect(ContinuousClock.now - start < .seconds(60))
        let trickle = try await exchanger.send(HTTPRequest(url: server.tls + "/trickle?n=40", limits: limits))
        #expect(trickle.body.count == 40, "each byte begins the silence anew")
    }

    @Test(arguments: [
        ("/short", HTTPError.Kind.closedEarly), ("/vanish", .closedEarly), ("/rubbish", .other),
    ])
    func tellsHowAServerBroke(_ path: String, _ kind: HTTPError.Kind) async throws {
        let error = await error(HTTPRequest(url: server.plain + path))
        #expect(error?.kind == kind)
        #expect(error?.message.contains(server.plain + path) == true)
    }

    @Test(arguments: [
        ("http://127.0.0.1:1/x", HTTPError.Kind.couldNotConnect), ("https://nowhere.invalid/", .couldNotResolve),
        ("no url at all", .invalidURL), ("file:///etc/passwd", .invalidURL), ("http://127.0.0.1:99999/", .invalidURL),
        ("", .invalidURL),
    ])
    func tellsWhatIsWrongWithAnAddress(_ url: String, _ kind: HTTPError.Kind) async throws {
        let error = await error(HTTPRequest(url: url))
        #expect(error?.kind == kind)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test func repeatsOnlyAGetOnAConnectionThatTurnedOutDead() async throws {
        for (method, body) in [("GET", nil), ("POST", [UInt8(1)]), ("PATCH", [1]), ("DELETE", [1])]
            as [(String, [UInt8]?)]
        {
            let exchanger = try server.exchanger(connections: 1)
            let url = server.tls + "/vanish-when-reused?key=\(UUID().uuidString)"
            #expect(try await exchanger.send(HTTPRequest(url: url)).status == 200)
            let request = HTTPRequest(method: method, url: url, body: body)
            if method == "GET" {
                #expect(try await exchanger.send(request).status == 200)
            } else {
                let error = await error(request, exchanger)
                #expect(error?.kind == .closedEarly, "\(method)")
                #expect(error?.mayHaveBeenSent == true)
                let key = url.split(separator: "=").last.map(String.init) ?? ""
                #expect(
                    try await server.counts(key)["hits"] as? Int == 3, "\(method): the first, the one that failed, this"
                )
            }
        }
    }

    @Test func neverTellsACredential() async throws {
        let url = server.plain.replacingOccurrences(of: "http://", with: "http://user:hunter2@")
        let error = await error(
            HTTPRequest(url: url + "/vanish?token=hunter2", headers: [("Authorization", "hunter2")]))
        #expect(error?.kind == .closedEarly)
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("user") == false)
    }

    // MARK: End

    @Test func endsAtOnceWhenItsTaskIsCancelled() async throws {
        let exchanger = exchanger
        let url = server.tls + "/hang?key=cancel"
        let task = Task { () -> HTTPError? in
            do throws(HTTPError) {
                _ = try await exchanger.send(HTTPRequest(url: url))
                return nil
            } catch {
                return error
            }
        }
        #expect(try await hasArrived("cancel"))
        let start = ContinuousClock.now
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func sendsNothingForATaskThatIsAlreadyCancelled() async throws {
        let exchanger = exchanger
        let url = server.tls + "/echo?key=never"
        let task = Task { () -> HTTPError? in
            withUnsafeCurrentTask { $0?.cancel() }
            do throws(HTTPError) {
                _ = try await exchanger.send(HTTPRequest(url: url))
                return nil
            } catch {
                return error
            }
        }
        let error = await task.value
        #expect(error?.kind == .cancelled)
        #expect(error?.mayHaveBeenSent == false)
        #expect(try await server.counts("never")["hits"] as? Int == 1, "only this question")
    }

    @Test func endsWhatRunsWhenShutDown() async throws {
        let exchanger = try server.exchanger()
        let url = server.tls + "/hang?key=shutdown"
        async let outcome = error(HTTPRequest(url: url), exchanger)
        #expect(try await hasArrived("shutdown"))
        exchanger.shutdown()
        #expect(await outcome?.kind == .cancelled)
        #expect(await error(HTTPRequest(url: url), exchanger)?.kind == .cancelled)
    }

    /// Each question counts itself too.
    private func hasArrived(_ key: String) async throws -> Bool {
        for question in 1..<2000 where try await server.counts(key)["hits"] as? Int ?? 0 > question { return true }
        return false
    }
}

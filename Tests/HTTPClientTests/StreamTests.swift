import Foundation
import HTTPClient
import Testing

/// Long answers that are read as they come.
///
/// One after the other, since they look at what the server has sent.
@Suite(.serialized) struct StreamTests {
    let server: TestServer
    let exchanger: HTTPExchanger

    init() throws {
        server = try TestServer.shared()
        exchanger = try server.exchanger()
    }

    private static let limits = HTTPLimits(total: nil)

    private func failure(_ stream: HTTPBodyStream) async -> HTTPError? {
        do throws(HTTPError) {
            while try await stream.next() != nil {}
            return nil
        } catch {
            return error
        }
    }

    @Test func readsAStreamToItsEnd() async throws {
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/chunked?n=50000", limits: Self.limits))
        #expect(stream.status == 200)
        #expect(stream.headers["transfer-encoding"] == "chunked")
        var count = 0
        var last: [UInt8] = []
        while let chunk = try await stream.next() {
            count += chunk.count
            last = chunk
        }
        #expect(count == 350_000)
        #expect(String(decoding: last.suffix(7), as: UTF8.self) == "049999\n")
        #expect(try await stream.next() == nil, "the end stays the end")
    }

    @Test func givesTheHeadersAndFirstBytesBeforeTheRestExists() async throws {
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/stall", limits: Self.limits))
        #expect(try await stream.next() == Array("first".utf8))
    }

    @Test func readsAShortRestOfARefusal() async throws {
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/busy", limits: Self.limits))
        #expect(stream.status == 429)
        #expect(try await stream.rest(maximumBytes: 4) == Array("slow".utf8))
    }

    @Test func tellsOfAStreamThatBreaks() async throws {
        let stream = try await exchanger.open(HTTPRequest(url: server.plain + "/short", limits: Self.limits))
        #expect(try await stream.next() == Array("only this".utf8))
        #expect(await failure(stream)?.kind == .closedEarly)
    }

    @Test func endsAStreamThatFallsSilent() async throws {
        let limits = HTTPLimits(total: nil, idle: .milliseconds(300))
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/stall", limits: limits))
        #expect(try await stream.next() == Array("first".utf8))
        #expect(await failure(stream)?.kind == .stalled)
    }

    @Test func givesUpOnAnAnswerThatDoesNotBegin() async throws {
        let limits = HTTPLimits(total: nil, idle: .seconds(600), firstByte: .milliseconds(300))
        let error = await #expect(throws: HTTPError.self) {
            try await exchanger.open(HTTPRequest(url: server.tls + "/hang", limits: limits))
        }
        #expect(error?.kind == .stalled)
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/stall", limits: limits))
        #expect(try await stream.next() == Array("first".utf8), "what has begun may fall silent for longer")
    }

    @Test func failsToOpenWhereNobodyAnswers() async throws {
        await #expect(throws: HTTPError.self) {
            try await exchanger.open(HTTPRequest(url: "http://127.0.0.1:1/", limits: Self.limits))
        }
    }

    @Test func slowsTheServerDownForASlowReader() async throws {
        let before = try await server.counts()["streamed"] as? Int ?? 0
        var limits = Self.limits
        limits.idle = .seconds(2)
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/endless", limits: limits))
        // The server writes until every buffer between us is full, and then no more.
        var sent = -1
        var unchanged = 0
        while unchanged < 50 {
            _ = try await exchanger.send(HTTPRequest(url: server.tls + "/trickle?n=1"))
            let now = (try await server.counts()["streamed"] as? Int ?? 0) - before
            unchanged = now == sent ? unchanged + 1 : 0
            sent = now
            try #require(sent < 64 << 20, "the stream is not held back")
        }
        // Nor is it given up, though no byte comes: that is the reader's doing.
        var read = 0
        while read < 32 << 20 { read += try #require(try await stream.next()).count }
        #expect(read > sent, "it goes on when it is read")
        #expect(sent < 16 << 20)
    }

    @Test func endsAtOnceWhenItsTaskIsCancelled() async throws {
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/stall", limits: Self.limits))
        #expect(try await stream.next() != nil)
        let task = Task { await failure(stream) }
        let start = ContinuousClock.now
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(60))
        await #expect(throws: HTTPError.self, "it stays cancelled") { try await stream.next() }
    }

    @Test func endsWhenItIsLetGo() async throws {
        let exchanger = try server.exchanger()
        let open = try await server.counts()["open"] as? Int ?? 0
        var stream: HTTPBodyStream? = try await exchanger.open(
            HTTPRequest(url: server.tls + "/endless", limits: Self.limits))
        #expect(try await stream?.next() != nil)
        #expect(try await server.eventually { ($0["open"] as? Int ?? 0) > open })
        stream = nil
        #expect(try await server.eventually { ($0["open"] as? Int ?? 0) <= open + 1 })
    }

    @Test func servesOtherCallsBesideAStreamThatWaits() async throws {
        let exchanger = try server.exchanger(connections: 2)
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/endless", limits: Self.limits))
        for _ in 0..<5 {
            #expect(try await exchanger.send(HTTPRequest(url: server.tls + "/echo")).status == 200)
        }
        #expect(try await stream.next() != nil)
    }

    // MARK: Rotation

    @Test func usesNewAuthoritiesForNewConnectionsAndLetsStreamsEnd() async throws {
        let exchanger = try server.exchanger()
        let stream = try await exchanger.open(HTTPRequest(url: server.tls + "/trickle?n=40", limits: Self.limits))
        // On a busy machine the first piece may hold more than one.
        var count = try #require(try await stream.next()).count
        exchanger.replaceTLS(TLSConfiguration(certificateAuthorities: try server.file("other.crt")))
        await #expect(throws: HTTPError.self, "the kept connection must not carry on the old trust") {
            try await exchanger.send(HTTPRequest(url: server.tls + "/echo"))
        }
        #expect(try await exchanger.send(HTTPRequest(url: server.stranger + "/echo")).status == 200)
        while let chunk = try await stream.next() { count += chunk.count }
        #expect(count == 40)
    }

    @Test func showsANewCertificateOnNewConnections() async throws {
        let exchanger = HTTPExchanger(tls: try server.identity(), proxy: .none)
        func client() async throws -> String {
            let answer = try await exchanger.send(HTTPRequest(url: server.mutual + "/echo"))
            return try object(answer.body)["client"] as? String ?? ""
        }
        #expect(try await client().contains("'client'"))
        exchanger.replaceTLS(try server.identity())
        var tls = try server.identity()
        tls.clientCertificate = try server.file("second.crt")
        tls.clientKey = SecretBytes(try server.file("second.key"))
        exchanger.replaceTLS(tls)
        #expect(try await client().contains("'second'"))
    }

    @Test func keepsConnectionsWhereNothingChangedAndClosesIdleOnesWhereItDid() async throws {
        let exchanger = try server.exchanger()
        func connection() async throws -> Int? {
            try object(try await exchanger.send(HTTPRequest(url: server.tls + "/echo")).body)["connection"] as? Int
        }
        let first = try await connection()
        exchanger.replaceTLS(try server.trust())
        #expect(try await connection() == first)
        let open = try await server.counts()["open"] as? Int ?? 0
        exchanger.replaceTLS(try server.identity())
        #expect(try await server.eventually { ($0["open"] as? Int ?? 0) < open })
        #expect(try await connection() != first)
    }
}

import HTTPServer
import TestSupport
import Testing

/// What holds connections of a listener, over real sockets.
@Suite struct ConnectionLimitTests {
    private func listener(_ limits: ListenerLimits) throws -> HTTPListener {
        try HTTPListener(
            limits: limits,
            precheck: { $0.path == "/refused" ? ServerResponse(status: 401, body: Array("no\n".utf8)) : nil },
            handler: { _ in ServerResponse(status: 200, body: Array("yes\n".utf8)) })
    }

    @Test func oneAddressCannotTakeAllConnections() async throws {
        let listener = try listener(ListenerLimits(maximumConnections: 32, maximumConnectionsPerAddress: 8))
        defer { listener.stop() }
        let held = try (0..<8).map { _ in try SocketClient(port: listener.port) }
        // Each of them is known to be taken once it was answered.
        for client in held { #expect(await client.ask() == "HTTP/1.1 200 OK") }
        #expect(try await SocketClient(port: listener.port).ask() == nil)
        #expect(await held[0].ask() == "HTTP/1.1 200 OK")
        // Another address, as that of an API server, is none the worse for it.
        #expect(try await SocketClient(port: listener.port, from: "127.0.0.2").ask() == "HTTP/1.1 200 OK")
    }

    @Test func whereNothingIsSaidAnAddressMayHaveAny() async throws {
        let listener = try listener(ListenerLimits())
        defer { listener.stop() }
        let held = try (0..<40).map { _ in try SocketClient(port: listener.port) }
        for client in held { #expect(await client.ask() == "HTTP/1.1 200 OK") }
    }

    /// The one that was answered stays for the longer time, on which an API server between two batches depends.
    @Test func whoHasProvenNothingIsDroppedSoon() async throws {
        let listener = try listener(ListenerLimits(idleTimeout: .seconds(600), unprovenTimeout: .seconds(2)))
        defer { listener.stop() }
        let proven = try SocketClient(port: listener.port)
        #expect(await proven.ask() == "HTTP/1.1 200 OK")
        let silent = try SocketClient(port: listener.port)
        let refused = try SocketClient(port: listener.port)
        #expect(await refused.ask("/refused") == "HTTP/1.1 401 Unauthorized")
        // One that asks again and again has no more time than one that is silent.
        let stubborn = try SocketClient(port: listener.port)
        let end = ContinuousClock.now + .seconds(60)
        while await stubborn.ask("/refused") != nil, ContinuousClock.now < end {}
        #expect(ContinuousClock.now < end)
        #expect(await silent.answer() == nil)
        #expect(await refused.answer() == nil)
        #expect(await proven.ask() == "HTTP/1.1 200 OK")
    }

    /// It is never silent for as long as the idle time, and never done.
    @Test(arguments: [
        ListenerLimits(idleTimeout: .seconds(600), exchangeTimeout: .seconds(10)),
        ListenerLimits(idleTimeout: .seconds(600), unprovenTimeout: .seconds(3), exchangeTimeout: .seconds(900)),
        ListenerLimits(idleTimeout: .seconds(600), unprovenTimeout: .seconds(3)),
    ])
    func whoSendsAByteNowAndThenIsDroppedAsWell(_ limits: ListenerLimits) async throws {
        let listener = try listener(limits)
        defer { listener.stop() }
        let slow = try SocketClient(port: listener.port)
        let busy = try SocketClient(port: listener.port)
        try #require(slow.say("GET / HTTP/1.1\r\nHost: a\r\n"))
        let begun = ContinuousClock.now
        var isDropped = false
        while !isDropped, ContinuousClock.now - begun < .seconds(120) {
            // What is answered in between may go on for as long as it likes.
            #expect(await busy.ask() == "HTTP/1.1 200 OK")
            isDropped = !slow.say("X-Header-\(Int.random(in: 0..<1_000_000)): a\r\n")
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(isDropped)
        #expect(ContinuousClock.now - begun > .seconds(2))
    }

    /// A restart does not wait for connections that linger, or that clients keep.
    @Test func aPortThatWasGivenUpIsListenedOnAgain() async throws {
        // None that the system gives to those that ask for any, such as another test.
        let first = try #require(
            (0..<100).lazy.compactMap { _ in
                try? HTTPListener(port: Int.random(in: 20_000..<30_000)) { _ in
                    ServerResponse(status: 200, body: Array("yes\n".utf8))
                }
            }.first)
        let kept = try SocketClient(port: first.port)
        #expect(await kept.ask() == "HTTP/1.1 200 OK")
        first.stop()
        // A child of another test has a copy of every descriptor until it becomes its program.
        var found: HTTPListener?
        let end = ContinuousClock.now + .seconds(20)
        while found == nil, ContinuousClock.now < end {
            found = try? HTTPListener(port: first.port) { _ in
                ServerResponse(status: 200, body: Array("yes\n".utf8))
            }
            if found == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
        let second = try #require(found)
        defer { second.stop() }
        #expect(second.port == first.port)
        #expect(try await SocketClient(port: second.port).ask() == "HTTP/1.1 200 OK")
        #expect(await kept.answer() == nil)
    }
}

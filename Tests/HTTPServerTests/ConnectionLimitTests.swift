import Foundation
import Glibc
import HTTPServer
import Testing

/// What holds connections of a listener, over real sockets.
@Suite struct ConnectionLimitTests {
    /// A connection that is closed when the last reference to it goes.
    ///
    /// It waits on threads of its own: those of tasks are few, and the listener's handlers need them.
    private final class Client: Sendable {
        private let descriptor: Int32

        init(port: Int, from address: String = "127.0.0.1") throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            // Far longer than anything here takes, on a machine that is busy with other tests: what fails must not hang.
            var patience = timeval(tv_sec: 180, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var (own, server) = (Self.address(address, 0), Self.address("127.0.0.1", UInt16(port)))
            let isBound = withUnsafePointer(to: &own) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            let isConnected = withUnsafePointer(to: &server) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            try #require(isBound && isConnected)
        }

        deinit { close(descriptor) }

        private static func address(_ text: String, _ port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            inet_pton(AF_INET, text, &address.sin_addr)
            return address
        }

        /// Sends a request and gives the first line of the answer; nil where the connection is closed instead.
        func ask(_ path: String = "/") async -> String? {
            let request = Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
                return nil
            }
            return await answer()
        }

        /// The first line of the next answer, which ends with its one line of text; nil where the connection is closed.
        func answer() async -> String? {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: self.waitForAnswer()) }
            }
        }

        private func waitForAnswer() -> String? {
            var text = ""
            var bytes = [UInt8](repeating: 0, count: 4096)
            while !text.hasSuffix("yes\n"), !text.hasSuffix("no\n") {
                let count = recv(descriptor, &bytes, bytes.count, 0)
                if count < 0, errno == EAGAIN { return "it is open, and nothing comes" }
                guard count > 0 else { return nil }
                text += String(decoding: bytes.prefix(count), as: UTF8.self)
            }
            return text.split(separator: "\r\n").first.map(String.init)
        }
    }

    private func listener(_ limits: ListenerLimits) throws -> HTTPListener {
        try HTTPListener(
            limits: limits,
            precheck: { $0.path == "/refused" ? ServerResponse(status: 401, body: Array("no\n".utf8)) : nil },
            handler: { _ in ServerResponse(status: 200, body: Array("yes\n".utf8)) })
    }

    @Test func oneAddressCannotTakeAllConnections() async throws {
        let listener = try listener(ListenerLimits(maximumConnections: 32, maximumConnectionsPerAddress: 8))
        defer { listener.stop() }
        let held = try (0..<8).map { _ in try Client(port: listener.port) }
        // Each of them is known to be taken once it was answered.
        for client in held { #expect(await client.ask() == "HTTP/1.1 200 OK") }
        #expect(try await Client(port: listener.port).ask() == nil)
        #expect(await held[0].ask() == "HTTP/1.1 200 OK")
        // Another address, as that of an API server, is none the worse for it.
        #expect(try await Client(port: listener.port, from: "127.0.0.2").ask() == "HTTP/1.1 200 OK")
    }

    @Test func whereNothingIsSaidAnAddressMayHaveAny() async throws {
        let listener = try listener(ListenerLimits())
        defer { listener.stop() }
        let held = try (0..<40).map { _ in try Client(port: listener.port) }
        for client in held { #expect(await client.ask() == "HTTP/1.1 200 OK") }
    }

    /// The one that was answered stays for the longer time, on which an API server between two batches depends.
    @Test func whoHasProvenNothingIsDroppedSoon() async throws {
        let listener = try listener(ListenerLimits(idleTimeout: .seconds(600), unprovenTimeout: .seconds(2)))
        defer { listener.stop() }
        let proven = try Client(port: listener.port)
        #expect(await proven.ask() == "HTTP/1.1 200 OK")
        let silent = try Client(port: listener.port)
        let refused = try Client(port: listener.port)
        #expect(await refused.ask("/refused") == "HTTP/1.1 401 Unauthorized")
        #expect(await silent.answer() == nil)
        #expect(await refused.answer() == nil)
        #expect(await proven.ask() == "HTTP/1.1 200 OK")
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
        let kept = try Client(port: first.port)
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
        #expect(try await Client(port: second.port).ask() == "HTTP/1.1 200 OK")
        #expect(await kept.answer() == nil)
    }
}

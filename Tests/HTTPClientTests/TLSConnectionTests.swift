import Foundation
import HTTPClient
import Testing

@Suite struct TLSConnectionTests {
    let server: TestServer

    init() throws { server = try TestServer.shared() }

    private func open(_ url: String, _ tls: TLSConfiguration) async throws(HTTPError) -> TLSConnection {
        let port = URLComponents(string: url)?.port ?? 0
        return try await TLSConnection.open(host: "127.0.0.1", port: port, tls: tls, proxy: .none, within: .seconds(20))
    }

    private func error(_ body: () async throws(HTTPError) -> Void) async -> HTTPError? {
        do throws(HTTPError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsWrittenArrives() async throws {
        let connection = try await open(server.tls, try server.trust())
        let body = String(repeating: "x", count: 1 << 20)
        let head = "POST /echo?key=raw HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        for _ in 0..<3 {
            try await connection.write(Array((head + body).utf8), within: .seconds(20))
            try await connection.watch(for: .zero)
        }
        // Asking counts as a request as well.
        var arrived = 0
        for asked in 1...5000 where arrived < 3 {
            arrived = (try await server.counts("raw")["hits"] as? Int ?? 0) - asked
        }
        #expect(arrived == 3)
    }

    @Test func theOtherEndsGoodbyeIsSeen() async throws {
        let connection = try await open(server.tls, try server.trust())
        try await connection.watch(for: .zero)
        let end = "GET /vanish HTTP/1.1\r\nHost: a\r\n\r\n"
        let error = await error { () async throws(HTTPError) in
            try await connection.write(Array(end.utf8), within: .seconds(20))
            try await connection.watch(for: .seconds(20))
        }
        #expect(error?.kind == .closedEarly, "\(error?.message ?? "nothing was thrown")")
        #expect(error?.mayHaveBeenSent == true)
        let later = await self.error { () async throws(HTTPError) in
            try await connection.write([1], within: .seconds(20))
        }
        #expect(later == error, "it stays as it is")
    }

    @Test func anotherAuthorityOrNameIsRefused() async throws {
        let trust = try server.trust()
        let untrusted = await error { () async throws(HTTPError) in _ = try await open(server.stranger, trust) }
        #expect(untrusted?.kind == .tlsUntrusted)
        #expect(untrusted?.mayHaveBeenSent == false)
        #expect(untrusted?.message.hasPrefix("send to tls://127.0.0.1:") == true, "\(untrusted?.message ?? "")")
        #expect(
            await error { () async throws(HTTPError) in _ = try await open(server.named, trust) }?.kind
                == .tlsNameMismatch)
        #expect(
            await error { () async throws(HTTPError) in _ = try await open(server.tls, TLSConfiguration()) }?.kind
                == .tlsUntrusted)
    }

    @Test func ourCertificateIsShownAndItsRefusalIsSeen() async throws {
        let identity = try server.identity()
        let trust = try server.trust()
        for url in [server.mutual, server.mutualOlder] {
            let connection = try await open(url, identity)
            try await connection.write(Array("GET /hang HTTP/1.1\r\n".utf8), within: .seconds(20))
            try await connection.watch(for: .zero)
            let error = await error { () async throws(HTTPError) in
                let connection = try await open(url, trust)
                try await connection.watch(for: .seconds(20))
            }
            let refusals: Set<HTTPError.Kind> = [.tlsClientCertificate, .tlsOther, .closedEarly]
            #expect(error.map { refusals.contains($0.kind) } == true, "\(error?.message ?? "")")
        }
    }

    @Test func whoeverTakesNothingIsGivenUp() async throws {
        let connection = try await open(server.tls, try server.trust())
        // The server reads no body of a GET without a length, and answers nothing for a minute.
        let bytes = Array("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n".utf8) + [UInt8](repeating: 10, count: 64 << 20)
        let error = await error { () async throws(HTTPError) in
            try await connection.write(bytes, within: .milliseconds(500))
        }
        #expect(error?.kind == .timedOut, "\(error?.message ?? "")")
    }

    @Test func aCancelledTaskEndsTheWait() async throws {
        let connection = try await open(server.tls, try server.trust())
        let task = Task { () async -> HTTPError? in
            await error { () async throws(HTTPError) in try await connection.watch(for: .seconds(120)) }
        }
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
    }

    @Test func nobodyThereIsAnErrorThatNamesThePlace() async throws {
        let error = await error { () async throws(HTTPError) in
            _ = try await TLSConnection.open(
                host: "127.0.0.1", port: 1, tls: TLSConfiguration(), proxy: .none, within: .seconds(5))
        }
        #expect(error?.kind == .couldNotConnect)
        #expect(error?.message.contains("tls://127.0.0.1:1") == true)
    }
}

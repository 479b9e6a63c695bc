import HTTPServer
import Testing

/// Who may listen on a port.
@Suite struct ListeningPortTests {
    private func listen(_ port: Int = 0) throws -> HTTPListener {
        try HTTPListener(port: port) { _ in ServerResponse(status: 200, body: []) }
    }

    /// Otherwise some of the requests would go to the other one, unseen.
    @Test func twoCannotListenOnOnePort() throws {
        let first = try listen()
        defer { first.stop() }
        let error = #expect(throws: ListenerError.self) { try listen(first.port).stop() }
        #expect(error?.message.contains("the port is in use") == true)
    }
}

import Foundation
import Glibc

/// A client that could not connect.
package struct NotConnected: Error { package var port: Int }

/// A connection over which a test says what it likes, closed when the last reference to it goes.
///
/// It waits on threads of its own: those of tasks are few, and the listener's handlers need them.
package final class SocketClient: Sendable {
    private let descriptor: Int32

    package init(port: Int, from address: String = "127.0.0.1") throws(NotConnected) {
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
        guard isBound && isConnected else { throw NotConnected(port: port) }
    }

    deinit { close(descriptor) }

    private static func address(_ text: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        return address
    }

    /// Sends some text; false where the connection is gone.
    package func say(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Sends a request and gives the first line of the answer; nil where the connection is closed instead.
    package func ask(_ path: String = "/") async -> String? {
        guard say("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n") else { return nil }
        return await answer()
    }

    /// The first line of the next answer, which has a length; nil where the connection is closed.
    package func answer() async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.waitForAnswer()) }
        }
    }

    private func waitForAnswer() -> String? {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !Self.isWhole(text) {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0, errno == EAGAIN { return "it is open, and nothing comes" }
            guard count > 0 else { return nil }
            text += String(decoding: bytes.prefix(count), as: UTF8.self)
        }
        return text.split(separator: "\r\n").first.map(String.init)
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n"),
            let length = text[..<end.lowerBound].split(separator: "\r\n")
                .first(where: { $0.lowercased().hasPrefix("content-length:") })
                .flatMap({ Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) })
        else { return false }
        return text[end.upperBound...].utf8.count >= length
    }
}

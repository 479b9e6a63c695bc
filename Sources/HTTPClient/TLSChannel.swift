internal import CCurl
import Foundation

/// The blocking side of a ``TLSConnection``: a libcurl handle that connects and does no request.
///
/// Waits in short steps, so that a deadline and a cancellation are looked at ten times a second.
///
/// `@unchecked Sendable`: after its initializer it is touched on the queue of its connection only.
final class TLSChannel: @unchecked Sendable {
    private let handle: CurlHandle
    private let multi: UnsafeMutableRawPointer
    private let name: String
    private var socket: curl_socket_t = -1
    private var ending: HTTPError?
    private var isClosed = false

    private static let step: Int32 = 100
    /// As large as one record of TLS: libcurl has to be given the same bytes again where it could not write them.
    private static let chunkBytes = 16 << 10

    init(
        host: String, port: Int, tls: TLSConfiguration, proxy: ProxyConfiguration, connectLimit: Duration
    ) throws(HTTPError) {
        name = "send to tls://\(host):\(port)"
        guard curlStarts, let multi = curl_multi_init() else {
            throw HTTPError(kind: .other, message: "libcurl could not be started", mayHaveBeenSent: false)
        }
        self.multi = multi
        var request = HTTPRequest(
            url: "https://\(host):\(port)", limits: HTTPLimits(connect: connectLimit, total: connectLimit))
        request.title = name
        do throws(HTTPError) {
            handle = try CurlHandle(request, isStream: true, tls: tls, proxy: proxy, userAgent: "bylaw")
            var setting = Setting()
            setting += shim_curl_set_long(handle.easy, CURLOPT_CONNECT_ONLY, 1)
            // It is not HTTP that is spoken, so none is offered.
            setting += shim_curl_set_long(handle.easy, CURLOPT_SSL_ENABLE_ALPN, 0)
            try setting.check(request)
            guard curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
                throw HTTPError(kind: .other, message: "\(name): libcurl takes no transfer", mayHaveBeenSent: false)
            }
        } catch {
            curl_multi_cleanup(multi)
            throw error
        }
    }

    deinit { close() }

    /// Later calls fail.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        if ending == nil { ending = failure(.cancelled, "the connection was closed") }
        curl_multi_remove_handle(multi, handle.easy)
        curl_multi_cleanup(multi)
    }

    func connect(within limit: Duration, isCancelled: () -> Bool) throws(HTTPError) {
        let deadline = ContinuousClock.now + limit
        while true {
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            var left: Int32 = 0
            while let message = curl_multi_info_read(multi, &left) {
                guard message.pointee.msg == CURLMSG_DONE else { continue }
                let code = shim_curl_message_result(message)
                guard code == CURLE_OK, shim_curl_get_socket(handle.easy, &socket) == CURLE_OK, socket >= 0 else {
                    throw end(handle.failure(code))
                }
                return
            }
            try check(deadline, isCancelled)
            curl_multi_poll(multi, nil, 0, Self.step, nil)
        }
    }

    func write(_ bytes: [UInt8], within limit: Duration, isCancelled: () -> Bool) throws(HTTPError) {
        let deadline = ContinuousClock.now + limit
        // One buffer that does not move, for the same reason as the size of a chunk.
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        defer { buffer.deallocate() }
        _ = buffer.initialize(from: bytes)
        var rest = UnsafeRawBufferPointer(buffer)[...]
        while !rest.isEmpty {
            try check(deadline, isCancelled)
            let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.chunkBytes))
            var count = 0
            switch curl_easy_send(handle.easy, chunk.baseAddress, chunk.count, &count) {
            case CURLE_OK: rest = rest.dropFirst(count)
            case CURLE_AGAIN:
                try discard()
                wait(for: Int16(POLLIN | POLLOUT), Self.step)
            case let code: throw end(broken(code))
            }
        }
        // -1 where the kernel does not tell: nothing more can be waited for then.
        while shim_socket_unacknowledged(socket) > 0 {
            try check(deadline, isCancelled)
            try discard()
            // Nothing wakes us when an acknowledgement comes; on one machine it is there already.
            wait(for: Int16(POLLIN), 5)
        }
        try discard()
    }

    func watch(for duration: Duration, isCancelled: () -> Bool) throws(HTTPError) {
        let end = ContinuousClock.now + duration
        while true {
            guard !isCancelled() else { throw failure(.cancelled, "cancelled") }
            try discard()
            let left = end - ContinuousClock.now
            guard left > .zero else { return }
            wait(for: Int16(POLLIN), min(Self.step, Int32(milliseconds(left))))
        }
    }

    /// Reads what has come and throws it away, until there is no more or the connection has ended.
    private func discard() throws(HTTPError) {
        if let ending { throw ending }
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A server that talks without end must not keep us from our deadline.
        for _ in 0..<64 {
            var count = 0
            let size = buffer.count
            switch buffer.withUnsafeMutableBytes({ curl_easy_recv(handle.easy, $0.baseAddress, size, &count) }) {
            case CURLE_OK where count == 0:
                throw end(failure(.closedEarly, "the receiver closed the connection"))
            case CURLE_OK: continue
            case CURLE_AGAIN: return
            case let code: throw end(broken(code))
            }
        }
    }

    private func check(_ deadline: ContinuousClock.Instant, _ isCancelled: () -> Bool) throws(HTTPError) {
        if let ending { throw ending }
        guard !isCancelled() else { throw end(failure(.cancelled, "cancelled")) }
        guard ContinuousClock.now < deadline else {
            throw end(failure(.timedOut, "not taken within the time allowed"))
        }
    }

    private func wait(for events: Int16, _ milliseconds: Int32) {
        var entry = pollfd(fd: socket, events: events, revents: 0)
        // An interruption only makes it look again sooner.
        _ = poll(&entry, 1, milliseconds)
    }

    /// What a failed write or read means: libcurl's words where it has some.
    private func broken(_ code: CURLcode) -> HTTPError {
        var error = handle.failure(code)
        error.mayHaveBeenSent = true
        return error
    }

    private func failure(_ kind: HTTPError.Kind, _ message: String) -> HTTPError {
        HTTPError(kind: kind, message: "\(name): \(message)", mayHaveBeenSent: socket >= 0)
    }

    private func end(_ error: HTTPError) -> HTTPError {
        ending = error
        return error
    }
}

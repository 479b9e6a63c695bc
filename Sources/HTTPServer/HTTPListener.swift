internal import CMicroHTTPD
import Foundation

/// Serves HTTP on one address, the loopback one where nothing else is asked for, with an asynchronous handler.
///
/// One thread of its own drives all connections. A connection whose handler runs is suspended, so a slow handler holds up
/// nobody.
package final class HTTPListener: Sendable {
    package typealias Handler = @Sendable (ServerRequest) async -> ServerResponse
    /// Refuses a request by its path, method and headers, before anything of its body is read; nil to go on.
    package typealias Precheck = @Sendable (ServerRequest) -> ServerResponse?

    private let state: ListenerState
    package let port: Int

    /// - Parameters:
    ///   - address: Of version 4 or 6, in digits; `0.0.0.0` and `::` are all of the machine.
    ///   - port: 0 lets the system choose a free one.
    ///   - identity: With it HTTPS is spoken, TLS 1.2 or later, and nothing else.
    package init(
        address: String = "127.0.0.1", port: Int = 0, limits: ListenerLimits = ListenerLimits(),
        identity: ServerIdentity? = nil, precheck: @escaping Precheck = { _ in nil }, handler: @escaping Handler
    ) throws(ListenerError) {
        guard let number = UInt16(exactly: port) else { throw ListenerError(message: "\(port) is no port") }
        if let authorities = identity?.clientAuthorities, countCertificates(in: authorities) == 0 {
            throw ListenerError(message: "the authorities of clients have no certificate in PEM that can be read")
        }
        let state = ListenerState(
            limits: limits, asksForCertificates: identity?.clientAuthorities != nil, precheck: precheck,
            handler: handler)
        self.state = state
        let daemon = withOptionalText(identity?.key) { key in
            withOptionalText(identity?.certificate) { certificate in
                withOptionalText(identity?.clientAuthorities) { authorities in
                    shim_httpd_start(
                        address, number, accept, Unmanaged.passRetained(state).toOpaque(), complete, noteConnection,
                        UInt32(limits.maximumConnections), UInt32(limits.maximumConnectionsPerAddress ?? 0),
                        limits.seconds(isProven: false), key, certificate, authorities)
                }
            }
        }
        guard let daemon else {
            Unmanaged.passUnretained(state).release()
            throw ListenerError(
                message:
                    "listen on \(address), port \(port): it is no address of this machine, or the port is in use or may not be used"
                    + (identity == nil ? "" : ", or the certificate and key do not fit each other")
            )
        }
        self.port = Int(shim_httpd_port(daemon))
        state.daemon = daemon
        state.connections?.begin()
    }

    deinit { stop() }

    /// Takes no new connections, ends open streams, lets running handlers answer, and returns when all is over.
    ///
    /// libmicrohttpd aborts the process when it is stopped with a suspended connection, so all are resumed first.
    package func stop() { state.stop() }
}

/// Bytes as a C string; NULL where there are none.
private func withOptionalText<Value>(_ bytes: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
    guard let bytes else { return body(nil) }
    return (bytes + [0]).withUnsafeBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress) }
    }
}

/// `@unchecked Sendable`: everything mutable is only touched under `lock`, except `daemon`, which is set once before use.
private final class ListenerState: @unchecked Sendable {
    let limits: ListenerLimits
    let asksForCertificates: Bool
    let precheck: HTTPListener.Precheck
    let handler: HTTPListener.Handler
    var daemon: OpaquePointer?
    /// Those that may not last as long as they like; nil where they may.
    let connections: ConnectionDeadlines?
    private let lock = NSLock()
    private var open: [ObjectIdentifier: Exchange] = [:]
    private var isStopping = false

    init(
        limits: ListenerLimits, asksForCertificates: Bool, precheck: @escaping HTTPListener.Precheck,
        handler: @escaping HTTPListener.Handler
    ) {
        self.limits = limits
        self.asksForCertificates = asksForCertificates
        self.precheck = precheck
        self.handler = handler
        connections = ConnectionDeadlines(limits)
    }

    func add(_ exchange: Exchange) -> Bool {
        lock.withLock {
            guard !isStopping else { return false }
            open[ObjectIdentifier(exchange)] = exchange
            return true
        }
    }

    func remove(_ exchange: Exchange) { lock.withLock { open[ObjectIdentifier(exchange)] = nil } }

    func stop() {
        let isFirst = lock.withLock {
            let isFirst = !isStopping
            isStopping = true
            return isFirst
        }
        guard isFirst, let daemon else { return }
        connections?.end()
        let socket = MHD_quiesce_daemon(daemon)
        let deadline = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < deadline {
            let left = lock.withLock { Array(open.values) }
            if left.isEmpty { break }
            for exchange in left { exchange.finishStream() }
            usleep(2_000)
        }
        // With a handler that still hangs the daemon is left alone: stopping it now would abort the process.
        // It still calls back then, so it keeps what it calls.
        if lock.withLock({ open.isEmpty }) {
            MHD_stop_daemon(daemon)
            Unmanaged.passUnretained(self).release()
        }
        if socket >= 0 { close(socket) }
    }
}

/// One request on its way.
///
/// `@unchecked Sendable`: everything mutable is only touched under `lock`, or before the handler starts by the one thread
/// that reads the request.
private final class Exchange: @unchecked Sendable {
    var request: ServerRequest
    var isTooLarge = false
    var hasStarted = false
    private let lock = NSLock()
    private var answer: ServerResponse?

    init(_ request: ServerRequest) { self.request = request }

    func answer(_ response: ServerResponse) { lock.withLock { answer = response } }
    var response: ServerResponse? { lock.withLock { answer } }

    func finishStream() { if case .stream(let stream) = response?.body { stream.finish() } }
    func endStream() { if case .stream(let stream) = response?.body { stream.end() } }
}

/// A pointer that one thread hands to another.
///
/// `@unchecked Sendable`: libmicrohttpd lets any thread resume a connection.
private struct SuspendedConnection: @unchecked Sendable {
    var pointer: OpaquePointer
}

private func accept(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let url, let method, let uploadSize, let slot else { return MHD_Result.NO }
    let state = Unmanaged<ListenerState>.fromOpaque(context).takeUnretainedValue()
    guard let known = slot.pointee else {
        let exchange = Exchange(
            ServerRequest(
                method: String(cString: method), path: String(cString: url),
                query: values(of: connection, .GET_ARGUMENT_KIND), headers: values(of: connection, .HEADER_KIND),
                body: [], clientCertificate: state.asksForCertificates ? ClientCertificate(of: connection) : .absent))
        let refusal = state.precheck(exchange.request)
        if state.limits.unprovenTimeout != nil {
            shim_httpd_set_idle(connection, state.limits.seconds(isProven: refusal == nil))
        }
        if let refusal { return queue(refusal, on: connection) }
        state.connections?.noteProof(connection)
        guard state.add(exchange) else { return MHD_Result.NO }
        slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
        return MHD_Result.YES
    }
    let exchange = Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue()
    if uploadSize.pointee > 0 {
        if exchange.request.body.count + uploadSize.pointee > state.limits.maximumBodyBytes {
            exchange.isTooLarge = true
        } else if let upload {
            upload.withMemoryRebound(to: UInt8.self, capacity: uploadSize.pointee) {
                exchange.request.body.append(contentsOf: UnsafeBufferPointer(start: $0, count: uploadSize.pointee))
            }
        }
        uploadSize.pointee = 0
        return MHD_Result.YES
    }
    if let response = exchange.response { return queue(response, on: connection) }
    if exchange.isTooLarge {
        return queue(.line(413, "too large"), on: connection)
    }
    guard !exchange.hasStarted else { return MHD_Result.YES }
    exchange.hasStarted = true
    MHD_suspend_connection(connection)
    let suspended = SuspendedConnection(pointer: connection)
    let handler = state.handler
    let request = exchange.request
    Task {
        exchange.answer(await handler(request))
        MHD_resume_connection(suspended.pointer)
    }
    return MHD_Result.YES
}

private func complete(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_RequestTerminationCode
) {
    guard let context, let slot else { return }
    if let connection {
        Unmanaged<ListenerState>.fromOpaque(context).takeUnretainedValue().connections?.noteExchange(connection)
    }
    guard let known = slot.pointee else { return }
    slot.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue()
    exchange.endStream()
    Unmanaged<ListenerState>.fromOpaque(context).takeUnretainedValue().remove(exchange)
}

/// Called by the thread that drives all connections: when one has been opened, and before its descriptor is closed.
private func noteConnection(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_ConnectionNotificationCode
) {
    guard let context, let connection,
        let connections = Unmanaged<ListenerState>.fromOpaque(context).takeUnretainedValue().connections
    else { return }
    if code == .CONNECTION_NOTIFY_STARTED {
        connections.add(connection, descriptor: shim_httpd_descriptor(connection))
    } else {
        connections.remove(connection)
    }
}

private func queue(_ response: ServerResponse, on connection: OpaquePointer) -> MHD_Result {
    let handle: OpaquePointer?
    switch response.body {
    case .whole(let bytes):
        var bytes = bytes
        handle = MHD_create_response_from_buffer(bytes.count, &bytes, .RESPMEM_MUST_COPY)
    case .stream(let stream):
        let box = Unmanaged.passRetained(StreamReader(stream, connection)).toOpaque()
        handle = shim_httpd_streamed_response(
            { context, _, buffer, capacity in
                guard let context, let buffer else { return -1 }
                let reader = Unmanaged<StreamReader>.fromOpaque(context).takeUnretainedValue()
                return reader.stream.read(into: buffer, capacity: capacity, connection: reader.connection)
            }, box,
            { context in
                if let context { Unmanaged<StreamReader>.fromOpaque(context).release() }
            })
    }
    guard let handle else { return MHD_Result.NO }
    for (name, value) in response.headers { MHD_add_response_header(handle, name, value) }
    let result = MHD_queue_response(connection, UInt32(response.status), handle)
    MHD_destroy_response(handle)
    return result
}

private final class StreamReader {
    let stream: ResponseStream
    let connection: OpaquePointer

    init(_ stream: ResponseStream, _ connection: OpaquePointer) {
        self.stream = stream
        self.connection = connection
    }
}

private final class ValueCollector { var values: [(name: String, value: String)] = [] }

private func values(of connection: OpaquePointer, _ kind: MHD_ValueKind) -> [(name: String, value: String)] {
    let collector = ValueCollector()
    MHD_get_connection_values(
        connection, kind,
        { context, _, name, value in
            guard let context, let name else { return MHD_Result.YES }
            Unmanaged<ValueCollector>.fromOpaque(context).takeUnretainedValue().values
                .append((String(cString: name), value.map { String(cString: $0) } ?? ""))
            return MHD_Result.YES
        }, Unmanaged.passUnretained(collector).toOpaque())
    return collector.values
}

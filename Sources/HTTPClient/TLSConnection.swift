import Dispatch
import Synchronization

/// A TLS connection that takes bytes as they are, for protocols that are not HTTP, such as syslog (RFC 5425).
///
/// The server's certificate is verified as for `https`, and the same proxies are used. What the server says is read and
/// thrown away: only its end matters. Calls run one after the other on a queue of their own, since they block; a
/// connection that failed once fails from then on. Letting go of it closes it, with TLS's own goodbye.
package final class TLSConnection: Sendable {
    private let channel: TLSChannel
    private let queue: DispatchQueue

    private init(_ channel: TLSChannel, _ queue: DispatchQueue) {
        self.channel = channel
        self.queue = queue
    }

    deinit {
        // The goodbye is written: not on the thread that happened to drop the last reference.
        queue.async { [channel] in channel.close() }
    }

    /// Connects, and ends the handshake.
    ///
    /// With TLS 1.3 a server refuses our certificate only after that: the first ``write(_:within:)`` or ``watch(for:)``
    /// tells.
    ///
    /// - Parameters:
    ///   - host: A name or an address, as it is in the server's certificate; an address of IPv6 in brackets.
    ///   - limit: For all of it.
    package static func open(
        host: String, port: Int, tls: TLSConfiguration = TLSConfiguration(), proxy: ProxyConfiguration = .environment,
        within limit: Duration
    ) async throws(HTTPError) -> TLSConnection {
        let queue = DispatchQueue(label: "bylaw.tls")
        let channel = try await onQueue(queue) { (isCancelled) throws(HTTPError) in
            let channel = try TLSChannel(host: host, port: port, tls: tls, proxy: proxy, connectLimit: limit)
            try channel.connect(within: limit, isCancelled: isCancelled)
            return channel
        }
        return TLSConnection(channel, queue)
    }

    /// Writes all bytes, waits until the machine at the other end has acknowledged them, and looks whether the
    /// connection still stands.
    ///
    /// That says nothing of the program at the other end: what its machine took, it may not have read.
    package func write(_ bytes: [UInt8], within limit: Duration) async throws(HTTPError) {
        try await Self.onQueue(queue) { [channel] (isCancelled) throws(HTTPError) in
            try channel.write(bytes, within: limit, isCancelled: isCancelled)
        }
    }

    /// Looks for so long whether the connection is ended from the other side; zero to look once.
    ///
    /// - Throws: ``HTTPError`` as soon as it is.
    package func watch(for duration: Duration) async throws(HTTPError) {
        try await Self.onQueue(queue) { [channel] (isCancelled) throws(HTTPError) in
            try channel.watch(for: duration, isCancelled: isCancelled)
        }
    }

    private static func onQueue<Value: Sendable>(
        _ queue: DispatchQueue, _ work: @escaping @Sendable (_ isCancelled: () -> Bool) throws(HTTPError) -> Value
    ) async throws(HTTPError) -> Value {
        let flag = CancelFlag()
        let result: Result<Value, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async {
                    do throws(HTTPError) {
                        continuation.resume(returning: .success(try work { flag.isSet }))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            flag.set()
        }
        return try result.get()
    }
}

/// A flag that one thread sets and another looks at.
private final class CancelFlag: Sendable {
    private let value = Atomic<Bool>(false)

    func set() { value.store(true, ordering: .releasing) }
    var isSet: Bool { value.load(ordering: .acquiring) }
}

import HTTPClient
import KubeClient
import Shipping

/// Brings entries to a syslog receiver over TLS (RFC 5425), over one connection that is kept.
///
/// Nothing is ever answered there, so "at least once" has limits. A batch counts as delivered once the machine at the other
/// end has acknowledged every byte of it and the connection was seen alive after that. Where a connection is lost, also
/// while there is nothing to send, everything of the last minute (up to ten thousand entries) is sent again, over the next
/// one; the receiver knows what came twice by journal and sequence.
///
/// What that cannot promise: a receiver that reads a message and loses it afterwards; one that takes messages without
/// reading them for more than a minute, or behind a proxy or load balancer that took them for it, and then dies; and a
/// receiver that dies within the same minute as this process. Where none of that may happen, a receiver with
/// acknowledgements is what is needed.
actor SyslogDelivery: ShippingDelivery {
    nonisolated let place: String
    private let host: String
    private let port: Int
    private let tls: TLSConfiguration
    private let authorityFlag: String
    private let format = SyslogFormat()
    private var connection: TLSConnection?
    /// Whether the connection was watched for long enough after its first batch.
    private var isProven = false
    private var tail = UnacknowledgedTail()

    private static let connectLimit = Duration.seconds(20)
    private static let writeLimit = Duration.seconds(60)
    /// A receiver that refuses our certificate, or has nothing behind it, ends the connection within this.
    private static let firstWatch = Duration.seconds(1)

    init(host: String, port: Int, tls: TLSConfiguration, authorityFlag: String) {
        self.host = host
        self.port = port
        self.tls = tls
        self.authorityFlag = authorityFlag
        place = "syslog at \(host):\(port)"
    }

    func deliver(_ entries: [ShippedEntry]) async -> DeliveryOutcome {
        do throws(HTTPError) {
            let connection = try await liveConnection()
            try await connection.write(entries.flatMap { format.frame($0) }, within: Self.writeLimit)
            if !isProven {
                try await connection.watch(for: Self.firstWatch)
                isProven = true
            }
            tail.note(entries, at: systemUptime())
            return .delivered(entries)
        } catch {
            guard let sequence = loseConnection() else { return error.outcome(authorityFlag: authorityFlag) }
            return .lost(after: sequence, error.message)
        }
    }

    func loss(within duration: Duration) async -> (after: Int64, why: String)? {
        guard let connection else { return nil }
        do throws(HTTPError) {
            try await connection.watch(for: duration)
            return nil
        } catch {
            return loseConnection().map { ($0, error.message) }
        }
    }

    private func liveConnection() async throws(HTTPError) -> TLSConnection {
        if let connection {
            try await connection.watch(for: .zero)
            return connection
        }
        let opened = try await TLSConnection.open(host: host, port: port, tls: tls, within: Self.connectLimit)
        connection = opened
        return opened
    }

    private func loseConnection() -> Int64? {
        connection = nil
        isProven = false
        return tail.lose(at: systemUptime())
    }
}

import HTTPClient
import Manifest
import Shipping

/// One way to bring entries to a receiver.
protocol ShippingDelivery: Sendable {
    /// The receiver for messages: its kind, host and port, without the path, in which a token may stand.
    var place: String { get }

    /// Brings a batch there; called for one batch after the other.
    func deliver(_ entries: [ShippedEntry]) async -> DeliveryOutcome

    /// Whether what counted as delivered may be lost, as far as that shows within a time, while there is nothing to send.
    ///
    /// - Returns: After which sequence everything is to be sent again, and why; nil where all is well.
    func loss(within duration: Duration) async -> (after: Int64, why: String)?
}

/// Brings entries to a receiver that answers over HTTP.
struct HTTPDelivery: ShippingDelivery {
    let place: String
    let receiver: any LogReceiver
    let exchanger: HTTPExchanger
    /// The flag that names the authorities to trust, for hints.
    let authorityFlag: String

    func deliver(_ entries: [ShippedEntry]) async -> DeliveryOutcome {
        let request: DeliveryRequest
        do throws(DeliveryRefusal) { request = try receiver.request(delivering: entries, at: systemNow()) } catch {
            return error.outcome
        }
        do throws(HTTPError) {
            return receiver.outcome(
                of: try await exchanger.deliver(
                    request, to: place,
                    limits: HTTPLimits(connect: .seconds(10), total: .seconds(60), maximumAnswerBytes: 16 << 20)),
                to: entries)
        } catch {
            return error.outcome(authorityFlag: authorityFlag)
        }
    }

    /// An answer is kept: what was acknowledged is not lost with a connection.
    func loss(within duration: Duration) async -> (after: Int64, why: String)? { nil }
}

extension HTTPError {
    /// What the sender of entries is to make of it.
    func outcome(authorityFlag: String) -> DeliveryOutcome {
        switch kind {
        case .tlsUntrusted:
            .stopped(
                message,
                "Give the certificate of the authority that signed the receiver's with --\(authorityFlag), and check that the "
                    + "address is right.")
        case .tlsNameMismatch:
            .stopped(
                message, "Use the host that the receiver's certificate names, or give it a certificate for this one.")
        case .tlsClientCertificate:
            .stopped(message, "Check the certificate and key that are shown to the receiver, and whom it trusts.")
        default: .unanswered(message)
        }
    }
}

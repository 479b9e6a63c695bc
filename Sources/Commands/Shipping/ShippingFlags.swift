import Arguments
import Foundation
import HTTPClient
import Journal
import Shipping
import Signatures
import Telemetry

extension Flags {
    /// Where the journal is sent.
    ///
    /// - Parameter prefix: Before each name, where a command does other things as well.
    static func shipping(prefix: String = "") -> [FlagDescription] {
        func flag(_ name: String, _ kind: FlagDescription.Kind, _ value: String, _ summary: String, _ standard: String?)
            -> FlagDescription
        {
            FlagDescription(prefix + name, kind, valueName: value, summary, default: standard)
        }
        return [
            flag(
                "to", .choice(["elasticsearch", "loki", "splunk", "webhook", "otlp", "syslog"]), "KIND",
                "\(prefix.isEmpty ? "" : "send the journal on: ")what answers there; elasticsearch is OpenSearch as well, "
                    + "syslog is RFC 5424 over TLS", nil),
            flag(
                "url", .text, "URL",
                "its address, without the path of the protocol; for syslog tls://HOST:PORT, port 6514 where none is given",
                nil),
            flag(
                "token-file", .text, "F",
                "a file with the token (splunk, elasticsearch, loki, otlp: the whole Authorization header but for splunk)",
                nil),
            flag(
                "signing-key-file", .text, "F", "webhook: a file with the key that deliveries are signed with", nil),
            flag("index", .text, "NAME", "elasticsearch, splunk: the index or data stream", "bylaw"),
            flag("ca-file", .text, "F", "PEM certificates to trust in place of the system's", nil),
            flag("cert-file", .text, "F", "the PEM certificate that is shown to the receiver, where it wants one", nil),
            flag("key-file", .text, "F", "the PEM key of that certificate", nil),
            flag(
                "cursor", .text, "FILE",
                "where it is kept how far it is; beside the journal, one for each address, where it is not given",
                nil),
            flag("batch", .number(1...10_000), "N", "how many entries are sent at once at most", "500"),
        ]
    }

    /// The same for the controller, which also tells where nothing gets through.
    static let backgroundShipping =
        shipping(prefix: "ship-") + [
            FlagDescription(
                "ship-stalled-after", .duration, valueName: "T",
                "after how long without a delivery an incident is opened", default: "15m")
        ]
}

/// What the flags of shipping ask for.
struct ShippingFlags {
    let wiring: Wiring
    let prefix: String

    private func text(_ name: String) -> String? { wiring.arguments.text(prefix + name) }

    /// The kind of receiver; nil where none is named.
    var kind: String? {
        get throws(CommandFailure) {
            let kind = text("to")
            guard (kind == nil) == (text("url") == nil) else {
                throw CommandFailure(
                    message: "where the journal is to be sent is said by half",
                    hint: "Give both --\(prefix)to KIND and --\(prefix)url URL.")
            }
            return kind
        }
    }

    /// The way to the receiver.
    func delivery(_ kind: String) throws -> any ShippingDelivery {
        let (address, host) = try receiverURL(
            text("url") ?? "", flag: prefix + "url", schemes: kind == "syslog" ? ["tls"] : ["https", "http"],
            example: kind == "syslog" ? "tls://HOST:6514" : "https://HOST:PORT", secretFlag: prefix + "token-file")
        let tls = try wiring.receiverTLS(prefix: prefix)
        guard kind == "syslog" else {
            let exchanger = HTTPExchanger(
                tls: tls, proxy: .environment, userAgent: "bylaw/\(bylawVersion)", maximumConnections: 1)
            return HTTPDelivery(
                place: "\(kind) at \(host)\(address.port.map { ":\($0)" } ?? "")",
                receiver: try receiver(kind, text("url") ?? ""), exchanger: exchanger,
                authorityFlag: prefix + "ca-file")
        }
        guard address.path.isEmpty || address.path == "/", address.query == nil, address.fragment == nil else {
            throw CommandFailure(
                message: "--\(prefix)url has something after the port", hint: "Write tls://HOST:6514.")
        }
        return SyslogDelivery(
            host: host, port: address.port ?? 6514, tls: tls, authorityFlag: prefix + "ca-file")
    }

    /// Everything that sends a journal.
    func shipper(
        _ kind: String, _ delivery: any ShippingDelivery, reader: JournalReader, logger: Logger, endsWhenSent: Bool
    ) async throws -> Shipper {
        let journal = try await reader.identity()
        let standard = standardCursorPath(
            journal: wiring.journalPath, kind: kind, url: text("url") ?? "", index: text("index") ?? "bylaw")
        let cursor =
            text("cursor").map { ShippingCursor(path: $0, journal: journal) }
            ?? ShippingCursor(
                path: standard, journal: journal, earlierPath: "\(wiring.journalPath).\(kind)-cursor")
        return Shipper(
            reader: reader, delivery: delivery, cursor: cursor,
            voice: ShippingVoice(logger.adding([("receiver", delivery.place)])),
            limits: ShippingLimits(maximumEntries: wiring.arguments.number(prefix + "batch") ?? 500),
            endsWhenSent: endsWhenSent)
    }

    private func receiver(_ kind: String, _ url: String) throws -> any LogReceiver {
        let token = try text("token-file").map { String(decoding: try wiring.secret(in: $0).bytes, as: UTF8.self) }
        let address = ReceiverAddress(
            url: url, headers: kind == "splunk" ? [] : token.map { [DeliveryHeader("Authorization", $0)] } ?? [])
        let index = text("index") ?? "bylaw"
        switch kind {
        case "elasticsearch": return ElasticsearchReceiver(address: address, index: index)
        case "loki": return LokiReceiver(address: address)
        case "splunk":
            guard let token else {
                throw CommandFailure(
                    message: "splunk needs --\(prefix)token-file", hint: "Write the HEC token into a file.")
            }
            return SplunkReceiver(address: address, token: Secret(token), index: index)
        case "webhook":
            guard let file = text("signing-key-file") else {
                throw CommandFailure(
                    message: "webhook needs --\(prefix)signing-key-file",
                    hint: "The receiver could not tell whose deliveries are true else: write a key into a file.")
            }
            return WebhookReceiver(address: address, key: Secret(try wiring.secret(in: file).bytes)) { message, key in
                hmacSHA256(message, key: key)
            }
        default: return OTLPReceiver(address: address)
        }
    }
}

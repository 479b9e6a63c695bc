import Arguments
import Foundation
import HTTPClient
import JSON
import Journal
import Manifest
import Reconciler
import Shipping
import Signatures
import Telemetry

let journalShipCommand = Command(
    description: CommandDescription(
        name: "journal ship", summary: "send the journal to where logs are kept",
        details:
            "Sends every entry, in order and at least once, and goes on as they are written, until it is told to stop (--once: "
            + "until all are sent). How far it is, is kept in a file: after a crash some entries may be sent twice, which "
            + "their journal's id and sequence tell, and none is left out. The journal itself is the spool: what a receiver "
            + "does not take now is read again later. An entry that the receiver will never take is left out and told. "
            + "Runs beside the controller, and takes no lock.",
        flags: [
            FlagDescription(
                "to", .choice(["elasticsearch", "loki", "splunk", "webhook", "otlp"]), valueName: "KIND",
                "what answers there; elasticsearch is OpenSearch as well"),
            FlagDescription("url", .text, valueName: "URL", "its address, without the path of the protocol"),
            FlagDescription(
                "token-file", .text, valueName: "F",
                "a file with the token (splunk, elasticsearch, loki, otlp: the whole Authorization header but for splunk)"
            ),
            FlagDescription(
                "signing-key-file", .text, valueName: "F",
                "webhook: a file with the key that deliveries are signed with"),
            FlagDescription(
                "index", .text, valueName: "NAME", "elasticsearch, splunk: the index or data stream", default: "bylaw"),
            FlagDescription("ca-file", .text, valueName: "F", "PEM certificates to trust in place of the system's"),
            FlagDescription(
                "cursor", .text, valueName: "FILE",
                "where it is kept how far it is; beside the journal where it is not given"),
            FlagDescription(
                "batch", .number(1...10_000), valueName: "N", "how many entries are sent at once at most",
                default: "500"),
            FlagDescription("once", .isSet, "end when all entries are sent"), Flags.journal,
        ] + Flags.logging + [Flags.config],
        examples: [
            "bylaw journal ship --to splunk --url https://splunk.example.com:8088 --token-file token",
            "bylaw journal ship --to loki --url http://loki:3100 --once",
        ],
        exitStatuses: [(0, "all is sent, or it was told to stop"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let arguments = invocation.arguments
    guard let kind = arguments.text("to"), let url = arguments.text("url") else {
        throw CommandFailure(
            message: "where the journal is to be sent is not said", hint: "Give --to KIND and --url URL.")
    }
    let receiver = try wiring.receiver(kind, url)
    let reader = try await JournalReader.open(wiring.journalPath)
    let cursor = ShippingCursor(
        path: arguments.text("cursor") ?? "\(wiring.journalPath).\(kind)-cursor", journal: try await reader.identity())
    let sink = StandardErrorSink(format: LogFormat(rawValue: arguments.text("log-format") ?? "") ?? .text)
    let logger = Logger(
        level: LogLevel(rawValue: arguments.text("log-level") ?? "") ?? .info, fields: [("receiver", kind)],
        now: { systemNow().description }, sink: { sink.write($0) })
    var tls = TLSConfiguration()
    if let file = arguments.text("ca-file") { tls.certificateAuthorities = try wiring.readFile(file) }
    let exchanger = HTTPExchanger(
        proxy: .environment, userAgent: "bylaw/\(bylawVersion)", maximumConnections: 1)
    exchanger.replaceTLS(tls)
    let shipper = Shipper(
        reader: reader, receiver: receiver, exchanger: exchanger, cursor: cursor, logger: logger,
        limits: ShippingLimits(maximumEntries: arguments.number("batch") ?? 500),
        endsWhenSent: arguments.isSet("once"))
    let signals = StopSignals()
    let shipping = Task { try await shipper.run() }
    let waiting = Task {
        await signals.wait()
        shipping.cancel()
    }
    defer { waiting.cancel() }
    do { try await shipping.value } catch is CancellationError {
        // Told to stop: the cursor says where it goes on.
    }
    await reader.close()
    return ExitStatus.success
}

extension Wiring {
    fileprivate func receiver(_ kind: String, _ url: String) throws -> any LogReceiver {
        guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
            throw CommandFailure(message: "--url is no address with https://", hint: "Write https://HOST:PORT.")
        }
        let token = try arguments.text("token-file").map { String(decoding: try secret(in: $0).bytes, as: UTF8.self) }
        let address = ReceiverAddress(
            url: url, headers: kind == "splunk" ? [] : token.map { [DeliveryHeader("Authorization", $0)] } ?? [])
        let index = arguments.text("index") ?? "bylaw"
        switch kind {
        case "elasticsearch": return ElasticsearchReceiver(address: address, index: index)
        case "loki": return LokiReceiver(address: address)
        case "splunk":
            guard let token else {
                throw CommandFailure(message: "splunk needs --token-file", hint: "Write the HEC token into a file.")
            }
            return SplunkReceiver(address: address, token: Secret(token), index: index)
        case "webhook":
            guard let file = arguments.text("signing-key-file") else {
                throw CommandFailure(
                    message: "webhook needs --signing-key-file",
                    hint: "The receiver could not tell whose deliveries are true else: write a key into a file.")
            }
            return WebhookReceiver(address: address, key: Secret(try secret(in: file).bytes)) { message, key in
                hmacSHA256(message, key: key)
            }
        default: return OTLPReceiver(address: address)
        }
    }
}

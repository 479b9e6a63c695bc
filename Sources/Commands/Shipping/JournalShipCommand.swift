import Arguments
import ChildProcess
import Journal
import Manifest
import Telemetry

let journalShipCommand = Command(
    description: CommandDescription(
        name: "journal ship", summary: "send the journal to where logs are kept",
        details:
            "Sends every entry, in order and at least once, and goes on as they are written, until it is told to stop (--once: "
            + "until all are sent). How far it is, is kept in a file: after a crash some entries may be sent twice, which "
            + "their journal's id and sequence tell, and none is left out. The journal itself is the spool: what a receiver "
            + "does not take now is read again later. An entry that the receiver will never take is left out and told. "
            + "Syslog acknowledges nothing: there, what was written in the last minute before a connection broke is sent "
            + "again. Runs beside the controller, and takes no lock; run --ship-to does the same within it.",
        flags: Flags.shipping() + [
            FlagDescription("once", .isSet, "end when all entries are sent"), Flags.journal,
        ] + Flags.logging + [Flags.config],
        examples: [
            "bylaw journal ship --to splunk --url https://splunk.example.com:8088 --token-file token",
            "bylaw journal ship --to syslog --url tls://logs.example.com:6514 --ca-file ca.pem",
            "bylaw journal ship --to loki --url http://loki:3100 --once",
        ],
        exitStatuses: [(0, "all is sent, or it was told to stop"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let arguments = invocation.arguments
    let flags = ShippingFlags(wiring: wiring, prefix: "")
    guard let kind = try flags.kind else {
        throw CommandFailure(
            message: "where the journal is to be sent is not said", hint: "Give --to KIND and --url URL.")
    }
    let delivery = try flags.delivery(kind)
    let reader = try await JournalReader.open(wiring.journalPath)
    let sink = StandardErrorSink(format: LogFormat(rawValue: arguments.text("log-format") ?? "") ?? .text)
    let logger = Logger(
        level: LogLevel(rawValue: arguments.text("log-level") ?? "") ?? .info,
        now: { systemNow().description }, sink: { sink.write($0) })
    let shipper = try await flags.shipper(
        kind, delivery, reader: reader, logger: logger, endsWhenSent: arguments.isSet("once"))
    let signals = StopSignals()
    let shipping = Task { try await shipper.run() }
    let waiting = Task {
        await signals.wait()
        shipper.ending.set()
        do { try await Task.sleep(for: .seconds(5)) } catch { return }
        shipping.cancel()
    }
    defer { waiting.cancel() }
    do { try await shipping.value } catch is CancellationError {
        // Told to stop: the cursor says where it goes on.
    }
    await reader.close()
    return ExitStatus.success
}

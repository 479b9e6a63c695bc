import Arguments
import ChildProcess
import Journal
import Reconciler
import Shipping
import StatusServer
import Telemetry

/// Sends the journal on while the controller runs.
///
/// Reads through a connection of its own and waits for nobody, so that a receiver may do what it likes. Also what ends
/// `bylaw journal ship` is only told here and tried again slowly: shipping must not end enforcement.
struct BackgroundShipping: Sendable {
    let shipper: Shipper
    let alarm: ShippingAlarm

    /// Ends after ``finish(_:)``, or when it is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                return try await shipper.run()
            } catch is CancellationError {
                return
            } catch {
                let failure = commandFailure(error)
                let report = ShippingReport.stopped(why: failure.message, hint: failure.hint)
                shipper.voice.tell(report)
                await alarm.take(report)
            }
            do { if try await shipper.pause(shipper.limits.slowPause) { return } } catch { return }
        }
    }

    /// Lets the task of ``run()`` send what is left, for a few seconds at most, and waits for its end.
    func finish(_ task: Task<Void, Never>) async {
        shipper.ending.set()
        let giveUp = Task {
            do { try await Task.sleep(for: .seconds(5)) } catch { return }
            task.cancel()
        }
        await task.value
        giveUp.cancel()
        await shipper.reader.close()
    }
}

extension Wiring {
    /// Nil where no receiver is named; an incident of a time when one was is over then.
    ///
    /// - Parameter logger: With the fields of the run.
    func backgroundShipping(
        journal: SQLiteJournal, logger: Logger, metrics: ControllerMetrics
    ) async throws -> BackgroundShipping? {
        metrics.noteShippingBegins()
        let flags = ShippingFlags(wiring: self, prefix: "ship-")
        guard let kind = try flags.kind else {
            if try await journal.openIncidents().contains(where: { $0.reason == .shippingStalled }) {
                try await journal.resolve([.shippingStalled], object: nil)
            }
            return nil
        }
        let delivery = try flags.delivery(kind)
        let alarm = try await ShippingAlarm(
            journal: journal, place: delivery.place,
            patience: arguments.duration("ship-stalled-after") ?? .seconds(900), logger: logger, metrics: metrics)
        var shipper = try await flags.shipper(
            kind, delivery, reader: try await JournalReader.open(journalPath), logger: logger, endsWhenSent: false)
        shipper.alarm = alarm
        shipper.noteShipped = { metrics.noteShipped(to: kind, upTo: $0, at: systemNow()) }
        return BackgroundShipping(shipper: shipper, alarm: alarm)
    }
}

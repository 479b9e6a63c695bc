import Journal
import KubeClient
import Manifest
import Reconciler
import Shipping
import StatusServer
import Telemetry

/// Tells people, by an incident in the journal, that nothing has reached a receiver for long; ends it when something does.
///
/// The incident's entry has to be sent as well. It is one entry for each time that shipping stands still, whatever becomes
/// of it, so that it cannot bring forth others.
actor ShippingAlarm {
    private let journal: SQLiteJournal
    private let place: String
    private let logger: Logger
    private let metrics: ControllerMetrics
    private var watch: StallWatch
    private var lastFailure = ""

    /// - Parameter patience: After how long people are told.
    init(
        journal: SQLiteJournal, place: String, patience: Duration, logger: Logger, metrics: ControllerMetrics
    ) async throws(JournalError) {
        self.journal = journal
        self.place = place
        self.logger = logger
        self.metrics = metrics
        let isOpen = try await journal.openIncidents().contains { $0.reason == .shippingStalled }
        watch = StallWatch(patience: patience, isTold: isOpen)
        metrics.noteShippingStalled(isOpen)
    }

    /// Whether something failed that has not been seen to be over.
    var isInTrouble: Bool { watch.isInTrouble }

    /// Takes a report of the machine.
    func take(_ report: ShippingReport) async {
        switch report {
        case .delayed(_, let why), .stopped(let why, _):
            lastFailure = why
            watch.fail(at: systemUptime())
            await tellIfDue()
        case .recovered: await end()
        case .undeliverable, .undeliverableAmong: break
        }
    }

    /// Opens the incident where it is time.
    func tellIfDue() async {
        guard watch.isToBeTold(at: systemUptime()) else { return }
        let draft = EntryDraft(
            at: systemNow(), kind: .notice, reason: .incident(.shippingStalled), outcome: .failed,
            message: "nothing of the journal has reached \(place) for \(words(watch.patience)): \(lastFailure)")
        do throws(JournalError) {
            if try await journal.raise(draft) != nil {
                log(.incident(draft), to: logger)
                metrics.note(.incident(draft))
            }
            metrics.noteShippingStalled(true)
        } catch {
            watch.failToTell(at: systemUptime())
            logger.log(
                .error, "That shipping stands still could not be recorded",
                [("error", error.message), ("hint", error.hint)])
        }
    }

    private func end() async {
        guard watch.succeed() else { return }
        do throws(JournalError) {
            try await journal.resolve([.shippingStalled], object: nil)
            metrics.noteShippingStalled(false)
        } catch {
            // It stays open until the next start.
            logger.log(
                .error, "That shipping goes on could not be recorded", [("error", error.message), ("hint", error.hint)])
        }
    }

    private func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return seconds >= 120 && seconds.isMultiple(of: 60) ? "\(seconds / 60) minutes" : "\(seconds) s"
    }
}

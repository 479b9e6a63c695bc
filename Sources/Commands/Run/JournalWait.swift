import Arguments
import GitSource
import Journal
import KubeClient
import Manifest
import Planning
import Reconciler
import Telemetry

/// Opens the journal of `bylaw run`, however long it takes.
///
/// Context: without a journal nothing may be changed, and a program that ends and is started again and again tells nobody
/// anything. Choice: it waits, tells why with the runbook, tries again by itself, and meanwhile says what is not as declared
/// by planning a pass now and then, which only reads. Given up: what is not as declared is seen within a minute, not within
/// milliseconds, until there is a journal.
struct JournalWait {
    let invocation: Invocation
    let wiring: Wiring
    let instance: String
    let endpoint: ClusterEndpoint
    let logger: Logger
    let signals: StopRequest
    let noteWrite: @Sendable (Duration, _ isDone: Bool) -> Void
    let notify: @Sendable (ControllerNotice) -> Void

    private(set) var outage: JournalOutage?
    private var pause = Duration.milliseconds(500)
    private var nextReminder = ContinuousClock.now
    private var nextReport = ContinuousClock.now
    /// What kept the last report from being made.
    private var reportFailure: String?

    private static let longestPause = Duration.seconds(15)
    private static let reminderInterval = Duration.seconds(300)
    private static let reportInterval = Duration.seconds(60)

    /// - Parameter outage: What an earlier one could not record.
    init(
        invocation: Invocation, wiring: Wiring, instance: String, endpoint: ClusterEndpoint, logger: Logger,
        signals: StopRequest, outage: JournalOutage?,
        noteWrite: @escaping @Sendable (Duration, _ isDone: Bool) -> Void,
        notify: @escaping @Sendable (ControllerNotice) -> Void
    ) {
        self.invocation = invocation
        self.wiring = wiring
        self.instance = instance
        self.endpoint = endpoint
        self.logger = logger
        self.signals = signals
        self.outage = outage
        self.noteWrite = noteWrite
        self.notify = notify
    }

    /// Opens the journal, and records there for how long it could not be.
    ///
    /// - Parameter isUnwanted: Whether something better can be done than wait for a journal that cannot be opened.
    /// - Returns: Nil where it was told to stop before.
    /// - Throws: What waiting cannot cure, such as a file that is no journal.
    mutating func untilOpened(orThrowIf isUnwanted: () -> Bool) async throws -> SQLiteJournal? {
        while !signals.isSet {
            // After a journal that could be opened and not be used it is not tried at once.
            if outage != nil {
                await report()
                try await sleepUnlessStopped()
            }
            guard !signals.isSet else { break }
            do {
                return try await open()
            } catch let error as JournalError where error.incident != nil && !isUnwanted() {
                note(error)
            }
        }
        await recordAtStop()
        return nil
    }

    /// Tries once more before the end: an outage that nobody recorded looks like a time without events.
    private mutating func recordAtStop() async {
        guard let outage, !outage.wasOnlyLocked else { return }
        do {
            await (try open()).close()
        } catch {
            let failure = commandFailure(error)
            logger.log(
                .warning, "The outage is not recorded: the journal still cannot be used",
                [("error", failure.message), ("hint", failure.hint)])
        }
    }

    /// Takes in why the journal cannot be used.
    mutating func note(_ error: JournalError) {
        let isNew = outage?.note(error) ?? true
        var outage = outage ?? JournalOutage(since: systemNow(), error: error)
        // Whoever holds it puts right what was not as declared, or tells of it.
        if error.kind == .locked { outage.keep(only: []) }
        self.outage = outage
        guard isNew || ContinuousClock.now >= nextReminder else { return }
        nextReminder = .now + Self.reminderInterval
        notify(isNew ? .journalLost(outage) : .journalStillLost(outage))
    }

    /// Takes in that an outage of the controller goes on here.
    mutating func goOn(with outage: JournalOutage) {
        self.outage = outage
        pause = .milliseconds(500)
        nextReminder = .now + Self.reminderInterval
        notify(.journalLost(outage))
    }

    private mutating func open() async throws -> SQLiteJournal {
        let journal = try await wiring.journal(instance: instance, endpoint: endpoint, noteWrite: noteWrite)
        if let upgrade = journal.upgrade {
            logger.log(.notice, "The journal was brought up to date", [("detail", upgrade.words)])
        }
        guard let ended = outage else { return journal }
        do throws(JournalError) {
            // Whoever held it has worked, and recorded that.
            let entry =
                ended.wasOnlyLocked
                ? nil : try await journal.record(ended, until: systemNow(), revision: nil)
            notify(.journalBack(ended, entry: entry))
        } catch {
            await journal.close()
            throw error
        }
        outage = nil
        return journal
    }

    private mutating func sleepUnlessStopped() async throws {
        try await signals.wait(atMost: pause)
        pause = min(pause * 2, Self.longestPause)
    }

    // MARK: What is not as declared

    /// Tells what is not as declared; another process that holds the journal does that itself.
    ///
    /// A remote that does not answer takes as long as a fetch may; a signal ends that.
    private mutating func report() async {
        guard outage?.error.kind != .locked, ContinuousClock.now >= nextReport else { return }
        let looking = Task { [self] in await look() }
        let stopping = Task { [signals] in
            await signals.wait()
            looking.cancel()
        }
        let found = await looking.value
        stopping.cancel()
        guard !signals.isSet else { return }
        switch found {
        case .planned(let plan, let revision):
            reportFailure = nil
            tell(plan, of: revision)
        case .failed(let message, let hint): tellFailure(message, hint)
        }
        nextReport = .now + Self.reportInterval
    }

    private enum Look: Sendable {
        case planned(Plan, of: Revision)
        case failed(String, hint: String)
    }

    /// Plans a pass of the newest revision.
    private func look() async -> Look {
        do {
            let source = try wiring.source(cacheFolder: "report")
            let pass = try PlannedPass(invocation, from: source, isJournalOptional: true) { [logger] message, hint in
                logger.log(.debug, "Planned without everything", [("error", message), ("hint", hint)])
            }
            let revision = try await source.fetchNewest()
            return switch try await pass.plan(revision, trust: wiring.trust) {
            case .refused(let refusal):
                .failed("revision \(revision.commit) is refused: \(refusal.message)", hint: "")
            case .planned(let plan, _): .planned(plan, of: revision)
            }
        } catch {
            let failure = commandFailure(error)
            return .failed(failure.message, hint: failure.hint)
        }
    }

    private mutating func tell(_ plan: Plan, of revision: Revision) {
        var found: [(id: ObjectID, words: String)] = plan.actions.map { action in
            let paths = action.differences.prefix(12).map(\.pathDescription).joined(separator: ", ")
            return (
                action.id,
                "\(action.id) is not as revision \(revision.commit.prefix(12)) declares it: \(action.kind.rawValue)"
                    + (paths.isEmpty ? "" : " at \(paths)")
            )
        }
        found += plan.strangers.map { ($0.id, "\($0.id) is there, and no revision declares it") }
        for (id, words) in found where outage?.note(id, words) == true { notify(.unrecordedDrift(id, words)) }
        outage?.keep(only: Set(found.map(\.id)))
        if let outage { notify(.outageChanged(outage)) }
    }

    private mutating func tellFailure(_ message: String, _ hint: String) {
        guard reportFailure != message else { return }
        reportFailure = message
        logger.log(
            .warning, "What is not as declared cannot be told; trying again", [("error", message), ("hint", hint)])
    }
}

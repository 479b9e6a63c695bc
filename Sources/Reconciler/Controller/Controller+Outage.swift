import Manifest
import Planning

/// What is done while nothing can be recorded: nothing is changed, what is seen is told, and the journal is tried again.
extension Controller {
    /// As large as the intents and entries of a busy moment: a disk with room for one line is full.
    private static let probeBytes = 64 << 10
    /// How often it is told that it goes on.
    private static let reminderInterval = Duration.seconds(300)
    /// An outage within this time after another goes on where that one's pauses were.
    private static let relapse = Duration.seconds(60)
    private static let probeBackOff = BackOff(first: .milliseconds(250), longest: .seconds(15))

    /// Takes in that something could not be recorded.
    ///
    /// - Returns: Whether nothing can be; false where it is about this one record, or in a single pass, which ends soon.
    @discardableResult
    func noteJournalFailure(_ error: JournalError, _ what: String) -> Bool {
        guard mode == .continuous, error.incident != nil else {
            notify(.trouble("\(what): \(error.message)", hint: error.hint))
            return false
        }
        guard outage != nil else {
            let began = JournalOutage(since: surroundings.now(), error: error)
            outage = began
            if surroundings.uptime() - outageEndedAt > Self.relapse { failedProbes = 0 }
            notify(.journalLost(began))
            outages.wish.yield()
            return true
        }
        if outage?.note(error) == true, let now = outage { notify(.journalLost(now)) }
        return true
    }

    /// Tells, once, what would be done to an object if it could be recorded.
    func noteUnrecorded(_ id: ObjectID) {
        guard let before = outage?.differing, let enforced else { return }
        defer { if let outage, outage.differing != before { notify(.outageChanged(outage)) } }
        let words: String
        let decision = decision(on: id, live: live[id], by: enforced)
        noteDrift(decision, id, enforced)
        switch decision {
        case .act(let action):
            failing.insert(id)
            words = describeUnrecorded(action, isDrift: isDrift(id, enforced))
        case .stranger(let object) where toldStrangers[id] != strangerWords(object):
            words = strangerWords(object)
        case .hold(let hold) where !held.contains(id):
            words = hold.message
        case .stranger, .hold, .leave, .recognise, .release, .leaveUntil, .waitForDeletion:
            outage?.noteAsDeclared(id)
            if case .leave = decision { endDrift(id, isCorrected: false) }
            return
        }
        if outage?.note(id, words) == true { notify(.unrecordedDrift(id, words)) }
    }

    private func describeUnrecorded(_ action: Action, isDrift: Bool) -> String {
        guard isDrift else { return "\(action.id) waits for its \(action.kind.rawValue)" }
        guard let before = action.before else { return "\(action.id) was deleted by hand" }
        let paths = action.differences.prefix(12).map(\.pathDescription).joined(separator: ", ")
        let writer = attribute(action.differences, of: before, ourFieldManager: configuration.fieldManager)
        return "\(action.id) was changed by hand at \(paths)" + (writer.map { " by \($0.manager)" } ?? "")
    }

    /// Tells, once, that a new revision is not looked at before that can be recorded.
    func noteWaiting(_ newest: Revision) {
        guard newest.commit != enforced?.revision.commit, newest.commit != refusedCommit,
            outage?.hold(newest.commit) == true
        else { return }
        notify(
            .trouble(
                "revision \(newest.commit) waits until the journal can be written",
                hint: "See bylaw runbook show \(outage?.error.incident?.rawValue ?? "").")
        )
    }

    /// Tries to write again while nothing can be recorded, until it is stopped.
    func keepJournal() async {
        for await _ in outages.wishes {
            var toldAt = surroundings.uptime()
            var toldTrouble = ""
            while outage != nil, !hasStopped, !Task.isCancelled {
                failedProbes += 1
                await sleepUnlessStopped(
                    Self.probeBackOff.wait(afterFailures: failedProbes, randomness: surroundings.randomness()))
                guard !hasStopped, !Task.isCancelled else { return }
                do throws(JournalError) {
                    try await journal.expectWritable(bytes: Self.probeBytes)
                    try await endOutage()
                } catch {
                    if error.kind == .takenOver {
                        noteTakenOver(error)
                        return stop()
                    }
                    if error.incident != nil || error.message != toldTrouble {
                        noteJournalFailure(error, "try the journal")
                        if error.incident == nil { toldTrouble = error.message }
                    }
                    guard surroundings.uptime() - toldAt >= Self.reminderInterval, let outage else { continue }
                    toldAt = surroundings.uptime()
                    notify(.journalStillLost(outage))
                }
            }
        }
    }

    private func noteTakenOver(_ error: JournalError) {
        _ = outage?.note(error)
        isTakenOver = true
    }

    /// Tries the journal once more before the end: an outage that nobody recorded looks like a time without events.
    func recordOutageAtStop() async {
        guard outage != nil, !isTakenOver else { return }
        do throws(JournalError) {
            try await journal.expectWritable(bytes: Self.probeBytes)
            try await recordOutage()
        } catch {
            // Whoever opens it anew records the outage.
            if error.kind == .takenOver { return noteTakenOver(error) }
            notify(.trouble("the outage is not recorded: \(error.message)", hint: error.hint))
        }
    }

    /// Records the outage, and compares everything anew.
    private func endOutage() async throws(JournalError) {
        guard outage != nil else { return }
        try await recordOutage()
        failureCounts = [:]
        failedDifferences = [:]
        forbidden = []
        needsPass = true
        await beginPass()
        fetchSoon()
    }

    /// Records the outage, which ends with that.
    private func recordOutage() async throws(JournalError) {
        guard let ended = outage else { return }
        // What was learned meanwhile and has to outlive this run; first, since it may be done twice.
        if isHistoryProof { try await journal.remember(.ownershipSettled, "false") }
        for resource in interruptedKinds {
            try await raise(
                .clusterUnreachable, object: nil, message: "\(resource.qualifiedPlural) cannot be read")
        }
        let entry = try await journal.record(
            ended, until: surroundings.now(), revision: enforced.map { RevisionFacts($0.revision) })
        outage = nil
        outageEndedAt = surroundings.uptime()
        notify(.journalBack(ended, entry: entry))
    }
}

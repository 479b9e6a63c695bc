import ChildProcess
import JSON
import Journal
import KubeClient
import Manifest
import Reconciler
import Shipping

/// Does what a shipping machine asks for: reads the journal, sends, waits, and keeps the cursor.
struct Shipper: Sendable {
    let reader: JournalReader
    let delivery: any ShippingDelivery
    let cursor: ShippingCursor
    let voice: ShippingVoice
    let limits: ShippingLimits
    /// Whether it ends where others would wait for new entries.
    let endsWhenSent: Bool
    /// Tells people where nothing gets through for long; nil where somebody watches anyway.
    var alarm: ShippingAlarm?
    /// Told up to which entry all is dealt with.
    var noteShipped: @Sendable (Int64) -> Void = { _ in }
    /// Set to make it end: when all is sent, or after one more attempt where that comes to nothing.
    let ending = CancellationFlag()

    /// Ends when it is told to, or when all is sent where that is asked for.
    ///
    /// - Throws: ``CommandFailure`` where the cursor cannot be read or kept: going on would send all of it again later.
    func run() async throws {
        let begun = try cursor.read()
        noteShipped(begun ?? 0)
        var machine = ShippingMachine(
            cursor: begun, limits: limits, isInTrouble: await alarm?.isInTrouble ?? false)
        var actions = machine.start()[...]
        var isLastAttempt = false
        while let action = actions.popFirst() {
            try Task.checkCancellation()
            switch action {
            case .read(let after, let count):
                do throws(JournalError) { actions += machine.take(try await entries(after: after, count)) } catch {
                    actions += machine.failToRead(error.message, randomness: .random(in: 0..<1))
                }
            case .send(let entries):
                actions += machine.receive(await delivery.deliver(entries), randomness: .random(in: 0..<1))
            case .wait(let duration):
                guard !isLastAttempt else { return }
                isLastAttempt = try await pause(duration)
                actions += machine.resume()
            case .awaitEntries:
                guard let next = try await idle(&machine) else { return }
                actions += next
            case .store(let sequence):
                noteShipped(sequence)
                if let earlier = try cursor.store(sequence) { voice.tellTakenOver(earlier, as: cursor.path) }
            case .report(let report):
                voice.tell(report)
                await alarm?.take(report)
            }
        }
    }

    /// Waits for so long, but not when it is told to end.
    ///
    /// - Returns: Whether it is.
    func pause(_ duration: Duration) async throws -> Bool {
        let end = systemUptime() + duration
        while !ending.isSet {
            await alarm?.tellIfDue()
            let left = end - systemUptime()
            guard left > .zero else { return false }
            try await Task.sleep(for: min(left, .milliseconds(250)))
        }
        return true
    }

    /// Waits until there is something to do.
    ///
    /// - Returns: Nil where that is to be the end.
    private func idle(_ machine: inout ShippingMachine) async throws -> [ShippingAction]? {
        while true {
            let isEnding = endsWhenSent || ending.isSet
            if let loss = await delivery.loss(within: isEnding ? .seconds(1) : .zero) {
                return machine.lose(after: loss.after, loss.why, randomness: .random(in: 0..<1))
            }
            do throws(JournalError) {
                if try await reader.lastSequence() > machine.cursor ?? 0 { return machine.wake() }
            } catch {
                // Reading the entries fails as well, and is what has its pauses.
                return machine.wake()
            }
            if isEnding { return nil }
            _ = try await pause(.milliseconds(500))
        }
    }

    private func entries(after sequence: Int64?, _ count: Int) async throws(JournalError) -> [ShippedEntry] {
        var query = JournalQuery()
        query.afterSequence = sequence ?? 0
        query.order = .oldestFirst
        query.limit = count
        var shipped: [ShippedEntry] = []
        var last = sequence ?? 0
        var removed: Int64 = 0
        for entry in try await reader.entries(query) {
            // Only retention makes gaps.
            removed += entry.sequence - last - 1
            last = entry.sequence
            shipped.append(
                ShippedEntry(
                    sequence: entry.sequence, time: entry.time, instance: entry.instance, cluster: entry.cluster,
                    reason: entry.reason, isIncident: entry.isIncident, outcome: entry.outcome.rawValue,
                    objectDescription: entry.object?.description, actor: entry.actor?.name, message: entry.message,
                    json: try entryTree(entry).jsonBytes(), journal: cursor.journal))
        }
        if removed > 0 { voice.tellRemoved(removed, before: last) }
        return shipped
    }
}

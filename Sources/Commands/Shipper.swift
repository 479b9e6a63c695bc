import HTTPClient
import JSON
import Journal
import Manifest
import Reconciler
import Shipping
import Telemetry

/// Does what a shipping machine asks for: reads the journal, sends, waits, and keeps the cursor.
struct Shipper: Sendable {
    let reader: JournalReader
    let receiver: any LogReceiver
    let exchanger: HTTPExchanger
    let cursor: ShippingCursor
    let logger: Logger
    let limits: ShippingLimits
    /// Whether it ends where others would wait for new entries.
    let endsWhenSent: Bool

    /// Ends when it is cancelled, or when all is sent where that is asked for.
    ///
    /// - Throws: ``CommandFailure`` where the cursor cannot be read or kept: going on would send all of it again later.
    func run() async throws {
        var machine = ShippingMachine(cursor: try cursor.read(), limits: limits)
        var actions = machine.start()[...]
        while let action = actions.popFirst() {
            try Task.checkCancellation()
            switch action {
            case .read(let after, let count):
                do throws(JournalError) { actions += machine.take(try await entries(after: after, count)) } catch {
                    actions += machine.failToRead(error.message, randomness: .random(in: 0..<1))
                }
            case .send(let entries):
                actions += machine.receive(await send(entries), randomness: .random(in: 0..<1))
            case .wait(let pause):
                try await Task.sleep(for: pause)
                actions += machine.resume()
            case .awaitEntries:
                guard !endsWhenSent else { return }
                let last = machine.cursor ?? 0
                while try await reader.lastSequence() <= last { try await Task.sleep(for: .milliseconds(500)) }
                actions += machine.wake()
            case .store(let sequence): try cursor.store(sequence)
            case .report(let report): tell(report)
            }
        }
    }

    private func entries(after sequence: Int64?, _ count: Int) async throws(JournalError) -> [ShippedEntry] {
        var query = JournalQuery()
        query.afterSequence = sequence ?? 0
        query.order = .oldestFirst
        query.limit = count
        var shipped: [ShippedEntry] = []
        for entry in try await reader.entries(query) {
            shipped.append(
                ShippedEntry(
                    sequence: entry.sequence, time: entry.time, instance: entry.instance, cluster: entry.cluster,
                    reason: entry.reason, isIncident: entry.isIncident, outcome: entry.outcome.rawValue,
                    objectDescription: entry.object?.description, actor: entry.actor?.name, message: entry.message,
                    json: try entryTree(entry).jsonBytes(), journal: cursor.journal))
        }
        return shipped
    }

    private func send(_ entries: [ShippedEntry]) async -> DeliveryOutcome {
        let request: DeliveryRequest
        do throws(DeliveryRefusal) { request = try receiver.request(delivering: entries, at: systemNow()) } catch {
            return error.outcome
        }
        do throws(HTTPError) {
            let answer = try await exchanger.send(
                HTTPRequest(
                    method: request.method, url: request.url,
                    headers: request.headers.map { (name: $0.name, value: $0.value) }, body: request.body,
                    limits: HTTPLimits(connect: .seconds(10), total: .seconds(60), maximumAnswerBytes: 16 << 20)))
            return receiver.outcome(
                of: DeliveryAnswer(
                    status: answer.status, retryAfter: answer.headers["retry-after"], body: answer.body),
                to: entries)
        } catch {
            return .unanswered(error.message)
        }
    }

    private func tell(_ report: ShippingReport) {
        switch report {
        case .undeliverable(let sequence, let why):
            logger.log(.error, "An entry was left out", [("entry", String(sequence)), ("error", why)])
        case .undeliverableAmong(let first, let last, let count, let why):
            logger.log(
                .error, "Entries were left out",
                [("first", String(first)), ("last", String(last)), ("count", String(count)), ("error", why)])
        case .delayed(let failures, let why):
            logger.log(.warning, "Sending again", [("failures", String(failures)), ("error", why)])
        case .stopped(let why, let hint):
            logger.log(.error, "Nothing is taken; trying slowly", [("error", why), ("hint", hint)])
        case .recovered: logger.log(.notice, "Sending goes on")
        }
    }
}

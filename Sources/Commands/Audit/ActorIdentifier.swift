import AuditEvents
import Journal
import Manifest
import Reconciler
import Telemetry

/// Joins the API server's audit events to the changes of others that the journal has, and records who made them.
///
/// A drift is undone and recorded within milliseconds, its audit event comes up to half a minute later (rule M1): so what
/// an event tells becomes an entry of its own that refers to the first. Nothing that corrects drift waits for it. Either
/// may come on the other side of a restart: events are kept in a file, and what has no proven actor yet is in the journal.
actor ActorIdentifier {
    private let journal: SQLiteJournal
    private let reader: JournalReader
    private let scope: JournalReader.Scope
    private let file: AuditEventFile
    private let logger: Logger
    private var memory = AuditMemory()
    private var pending = PendingAttributions<Int64>()
    private let sequences: AsyncStream<Int64>
    private nonisolated let queue: AsyncStream<Int64>.Continuation
    /// Who we are, so that our own writes are nobody's drift; nil until that is known, and then nothing may be taken.
    private(set) var ourUser: String?
    /// Found and not in the journal yet, because it could not be written.
    private var unrecorded: [(sequence: Int64, attribution: Attribution)] = []
    /// What the journal says of entries from before the start, of which nothing more was said since.
    private var noted: [Int64: NotedAttribution] = [:]
    private var nextRewrite = Timestamp.earliest

    init(
        journal: SQLiteJournal, reader: JournalReader, scope: JournalReader.Scope, file: AuditEventFile, logger: Logger
    ) {
        self.journal = journal
        self.reader = reader
        self.scope = scope
        self.file = file
        self.logger = logger
        (sequences, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
    }

    /// Takes in that an entry was written; looks at it soon.
    nonisolated func note(_ sequence: Int64) { queue.yield(sequence) }

    func setOurUser(_ name: String) { ourUser = name }

    /// Looks at what was noted until it is cancelled, and first at what the journal has from before the start.
    func run() async {
        do throws(JournalError) { try await resume() } catch { warn(error) }
        for await sequence in sequences {
            do throws(JournalError) { try await consider(sequence) } catch { warn(error) }
        }
    }

    private func warn(_ error: JournalError) {
        logger.log(.warning, "Who made a change could not be recorded", [("error", error.message)])
    }

    // MARK: Events

    /// Takes events; they are kept, and what they explain is in the journal, when this returns.
    ///
    /// - Throws: Where one of the two could not be done; what is left of it is done with the next batch.
    func take(_ batch: AuditBatch) async throws {
        let now = systemNow()
        let new = memory.add(batch.events, at: now)
        unrecorded += pending.take(new, from: memory).map { ($0.key, $0.attribution) }
        _ = pending.expire(at: now)
        var failure: AuditEventFile.Failure?
        do throws(AuditEventFile.Failure) {
            let isLarge = try await file.append(new)
            if isLarge || now >= nextRewrite { await rewriteFile(at: now) }
        } catch {
            failure = error
        }
        // A full disk keeps nobody from being named.
        try await recordFound()
        if let failure { throw failure }
    }

    /// Remembers the events that were kept before the start.
    func restore() async {
        let now = systemNow()
        let content = await file.load()
        memory.add(content.events, at: now)
        if let trouble = content.trouble {
            logger.log(.warning, "Audit events from before the start are not known", [("error", trouble)])
        }
        if content.damaged > 0 || content.ofOtherClusters > 0 {
            logger.log(
                .warning, "Some audit events from before the start were left out",
                [
                    ("file", file.path), ("damaged", String(content.damaged)),
                    ("ofOtherClusters", String(content.ofOtherClusters)),
                ])
        }
        // What could not be read may be read the next time.
        if content.trouble == nil { await rewriteFile(at: now) }
    }

    private func rewriteFile(at now: Timestamp) async {
        // Set first: another batch may come while this one waits. What is older than is remembered goes.
        nextRewrite = now.advanced(by: memory.age)
        await file.beginRewriting()
        do throws(AuditEventFile.Failure) { try await file.rewrite(memory.all) } catch {
            nextRewrite = now.advanced(by: .seconds(60))
            logger.log(
                .warning, "The file of audit events could not be written anew",
                [("error", error.message), ("hint", error.hint)])
        }
    }

    // MARK: Entries

    /// Looks at the entries from before the start whose actor is not proven, or only by a mark: their events may have come
    /// since, or may come.
    private func resume() async throws(JournalError) {
        let now = systemNow()
        var query = JournalQuery()
        query.instance = scope.instance
        query.cluster = scope.cluster
        query.since = now.advanced(by: .zero - memory.age)
        query.limit = 10_000
        query.includesContent = false
        let entries = try await reader.entries(query)
        // The newest first: what was said last counts.
        for entry in entries where entry.reason == EntryReason.actorIdentified.word {
            guard let about = entry.refersTo, noted[about] == nil else { continue }
            noted[about] = NotedAttribution(
                certainty: entry.actor?.certainty == .proven ? .proven : .likely, auditID: entry.auditID ?? "",
                restsOnMark: entry.actor?.details?[restsOnMarkKey]?.bool == true)
        }
        let open = entries.filter { mayHaveActor($0) && noted[$0.sequence]?.isFinal != true }
        for entry in open.prefix(pending.capacity).reversed() {
            try await consider(entry.sequence, waitingFrom: now)
        }
    }

    private func consider(_ sequence: Int64, waitingFrom start: Timestamp? = nil) async throws(JournalError) {
        guard let entry = try await reader.entry(sequence: sequence),
            let change = try await observedChange(behind: entry, reader: reader)
        else { return }
        let known = memory.attribute(change)
        pending.add(change, key: sequence, known: known?.event == nil ? nil : known, waitingFrom: start)
        guard let known, known.event != nil else { return }
        unrecorded.append((sequence, known))
        try await recordFound()
    }

    /// What cannot be recorded now is tried again with the next batch, which the server sends again.
    private func recordFound() async throws(JournalError) {
        while let found = unrecorded.first {
            unrecorded.removeFirst()
            do throws(JournalError) { try await record(found.attribution, of: found.sequence) } catch {
                guard error.incident != nil else {
                    // It is about this entry alone, and must not hold up the others.
                    logger.log(
                        .error, "An actor could not be recorded",
                        [("entry", String(found.sequence)), ("error", error.message), ("hint", error.hint)])
                    continue
                }
                unrecorded.insert(found, at: 0)
                throw error
            }
        }
    }

    private func record(_ attribution: Attribution, of sequence: Int64) async throws(JournalError) {
        guard let event = attribution.event else { return }
        if let earlier = noted[sequence], !earlier.isOutdone(by: attribution) { return }
        let entry = try await reader.entry(sequence: sequence)
        let draft = identification(of: sequence, entry, by: attribution, event, at: systemNow())
        let number = try await journal.record(draft, owned: .unchanged)
        // From now on what waits knows what was said last.
        noted[sequence] = nil
        logger.log(
            .notice, "Actor identified",
            [
                ("entry", String(sequence)), ("by", String(number)), ("user", attribution.name),
                ("certainty", "\(attribution.certainty)"), ("auditID", event.auditID),
            ])
    }
}

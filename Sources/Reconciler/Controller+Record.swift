import Manifest
import Planning
import Policy

extension Controller {
    // MARK: What is written to the journal besides changes

    func event(_ reason: EntryReason, _ message: String) -> EntryDraft {
        EntryDraft(
            at: surroundings.now(), kind: .event, reason: reason, outcome: .succeeded,
            revision: enforced.map { RevisionFacts($0.revision) }, message: message)
    }

    /// Opens an incident, and tells about it where it is new.
    func raise(
        _ reason: IncidentReason, object: ObjectID?, outcome: EntryOutcome = .failed, revision: Revision? = nil,
        live: LiveObject? = nil, message: String
    ) async throws(JournalError) {
        let draft = EntryDraft(
            at: surroundings.now(), kind: .notice, reason: .incident(reason), outcome: outcome, object: object,
            uid: live?.uid, resourceVersion: live?.resourceVersion, before: live?.content,
            revision: (revision ?? enforced?.revision).map(RevisionFacts.init), message: message)
        if try await journal.raise(draft) != nil { notify(.incident(draft)) }
    }

    func resolve(_ reasons: [IncidentReason], object: ObjectID?) async throws(JournalError) {
        try await journal.resolve(reasons, object: object)
    }

    /// Does something with the journal whose failure must not end the controller: it is told, and nothing depends on it.
    func withJournal(_ what: String, _ body: () async throws(JournalError) -> Void) async {
        do throws(JournalError) {
            try await body()
        } catch {
            notify(.trouble("\(what): \(error.message)", hint: error.hint))
        }
    }

    // MARK: Start

    /// Reads what the journal knows, settles what an earlier run left open, and enforces the revision of then.
    func prepare() async throws {
        owned = try await journal.ownedObjects()
        settledDigests = owned.mapValues(\.declarationDigest)
        newestCommit = try await journal.remembered(.newestRevision)
        try await settleInterrupted()
        guard let commit = try await journal.remembered(.enforcedRevision) else { return }
        do {
            let loaded = try await source.load(try await source.cachedRevision(commit: commit))
            guard !loaded.findings.contains(where: { $0.severity == .error }), !loaded.declared.objects.isEmpty else {
                return
            }
            enforce(EnforcedState(loaded, canonical: canonical))
        } catch {
            // The cache may be new; the next fetch brings the commit back, or a newer one takes its place.
            notify(.trouble("load the enforced revision \(commit): \(error.explanation.message)", hint: error.explanation.hint))
        }
    }

    /// Looks at the objects of intents without an outcome, and gives each its entry (rule N11).
    private func settleInterrupted() async throws {
        for (id, intent) in try await journal.unsettledIntents() {
            let object = try await readWhereServed(intent.object)
            let wasDone = isDone(intent, live: object)
            let change: OwnershipChange =
                switch (object, intent.action) {
                case (let object?, _) where ownership.claim(of: object) == .ours:
                    .owns(
                        object.id,
                        OwnedObject(uid: object.uid, declarationDigest: "", revision: intent.revision?.commit ?? ""))
                case (nil, .delete): .released(intent.object)
                default: .unchanged
                }
            let entry = EntryDraft(
                at: surroundings.now(), kind: .action, reason: .incident(.actionInterrupted),
                outcome: wasDone ? .succeeded : .abandoned, action: intent.action, object: intent.object,
                uid: object?.uid ?? intent.uid, resourceVersion: object?.resourceVersion, before: intent.before,
                after: object?.content, patch: intent.patch, revision: intent.revision, actor: intent.actor,
                message: wasDone
                    ? "\(intent.message): found done after a restart"
                    : "\(intent.message): found not done after a restart, decided anew")
            try await journal.settle(id, as: entry, owned: change)
            switch change {
            case .owns(let id, let record):
                owned[id] = record
                settledDigests[id] = nil
            case .released(let id): forget(id)
            case .unchanged: break
            }
        }
    }

    /// The object, or nil where it or its namespace is absent.
    private func readWhereServed(_ id: ObjectID) async throws(ClusterError) -> LiveObject? {
        do throws(ClusterError) {
            return try await cluster.read(id)
        } catch {
            guard error.kind == .namespaceNotFound else { throw error }
            return nil
        }
    }

    private func isDone(_ intent: Intent, live: LiveObject?) -> Bool {
        guard let desired = intent.desired else { return live == nil || live?.uid != intent.uid }
        guard let live, let resource = intent.object.resource else { return false }
        return compare(
            desired: desired, live: canonicalLive(live.tree, of: resource), of: resource,
            closedLabels: enforced?.closedLabels ?? ClosedLabels()
        ).isEmpty
    }

    func forget(_ id: ObjectID) {
        owned[id] = nil
        settledDigests[id] = nil
    }
}

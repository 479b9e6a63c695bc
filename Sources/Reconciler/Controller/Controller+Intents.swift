import Manifest
import Planning
import Policy

/// A write whose outcome is not known yet; it is settled by looking at the object (rule N11).
struct OpenIntent {
    var id: IntentID
    var intent: Intent
    /// It was left by a run that ended in the middle of it.
    var isFromEarlierRun: Bool
}

extension Controller {
    /// Looks at the objects of intents that an earlier run left without an outcome.
    ///
    /// Those that cannot be read now stay open and are settled when they can.
    func settleInterrupted() async throws(JournalError) {
        for (id, intent) in try await journal.unsettledIntents() where !intent.isOfPolicy {
            openIntents[intent.object] = OpenIntent(id: id, intent: intent, isFromEarlierRun: true)
        }
        // Where the cluster does not answer the rest is settled later, each before its object is touched.
        for id in openIntents.keys.sorted() where !hasStopped {
            guard try await settleOpenIntent(of: id) else { break }
        }
        failureCounts = [:]
    }

    /// Learns the outcome of an earlier write, if there is one whose outcome is unknown.
    ///
    /// - Returns: False where the cluster cannot tell now; nothing else may be done to the object before.
    func settleOpenIntent(of id: ObjectID) async throws(JournalError) -> Bool {
        guard let open = openIntents[id] else { return true }
        let object: LiveObject?
        do throws(ClusterError) {
            object = try await readWhereServed(id)
            noteAnswered()
        } catch {
            if error.kind == .unreachable { noteUnreachable() }
            failing.insert(id)
            scheduleRetry(id, .afterBackOff)
            notify(.trouble("learn the outcome of an interrupted change: \(error.message)", hint: error.hint))
            return false
        }
        noteFound(object, of: id)
        try await settle(open, live: object)
        openIntents[id] = nil
        return true
    }

    private func settle(_ open: OpenIntent, live object: LiveObject?) async throws(JournalError) {
        let intent = open.intent
        let wasDone = isDone(intent, live: object)
        let change = ownershipChange(by: intent, wasDone: wasDone, live: object)
        let how = open.isFromEarlierRun ? "after a restart" : "after the answer was lost"
        // A correction of drift that was done stays one: among what a revision changed, a revert would undo it.
        let isInterruption = !wasDone || open.isFromEarlierRun && intent.reason == .revisionChanged
        let entry = EntryDraft(
            at: surroundings.now(), kind: .action,
            reason: isInterruption ? .incident(.actionInterrupted) : intent.reason,
            outcome: wasDone ? .succeeded : .abandoned, action: intent.action, object: intent.object,
            uid: object?.uid ?? intent.uid, resourceVersion: object?.resourceVersion, before: intent.before,
            after: object?.content, patch: intent.patch, revision: intent.revision, actor: intent.actor,
            refersTo: wasDone ? intent.refersTo : nil,
            message: wasDone
                ? "\(intent.message): found done \(how)" : "\(intent.message): found not done \(how), decided anew")
        try await journal.settle(open.id, as: entry, owned: change)
        note(change)
        // What is missing may be our own half-done work, and nobody's drift.
        if !wasDone, !intent.leavesDrift { settledDigests[intent.object] = nil }
    }

    /// What is owned after an intent was settled.
    ///
    /// A marker alone proves nothing: somebody else may have made an object of that name again from a copy (rule H4).
    private func ownershipChange(by intent: Intent, wasDone: Bool, live object: LiveObject?) -> OwnershipChange {
        // What was handed over is somebody else's.
        if intent.handsOver, wasDone { return .released(intent.object) }
        if intent.action == .delete {
            // The one that was ours is gone, whoever stands in its place.
            return object == nil || object?.uid != intent.uid ? .released(intent.object) : .unchanged
        }
        let isMadeByUs = wasDone && [.create, .replace].contains(intent.action)
        guard let object, ownership.claim(of: object) == .ours, object.uid == intent.uid || isMadeByUs else {
            return .unchanged
        }
        let kept = intent.leavesDrift ? settledDigests[object.id] ?? "" : ""
        return .owns(
            object.id,
            OwnedObject(
                uid: object.uid, declarationDigest: wasDone ? digest(of: intent) : kept,
                revision: intent.revision?.commit ?? ""))
    }

    /// The object, or nil where it or its namespace is absent.
    func readWhereServed(_ id: ObjectID) async throws(ClusterError) -> LiveObject? {
        do throws(ClusterError) {
            return try await cluster.read(id)
        } catch {
            guard error.kind == .namespaceNotFound else { throw error }
            return nil
        }
    }

    private func isDone(_ intent: Intent, live: LiveObject?) -> Bool {
        guard let desired = intent.desired else {
            return live == nil || live?.uid != intent.uid || live?.isTerminating == true
        }
        guard let live, let resource = intent.object.resource else { return false }
        // It takes something off, which a comparison with what is to be there does not see.
        if intent.handsOver { return live.uid == intent.uid && ownership.claim(of: live) == .unmarked }
        return compare(
            desired: desired, live: canonicalLive(live.tree, of: resource), of: resource,
            closedLabels: enforced?.closedLabels ?? ClosedLabels()
        ).isEmpty
    }

    /// The digest of the declaration that an intent was to bring about; empty where another one is enforced now.
    private func digest(of intent: Intent) -> String {
        guard let enforced, let declared = enforced.objects[intent.object],
            ownership.marked(declared.tree, id: intent.object) == intent.desired
        else { return "" }
        return enforced.digests[intent.object] ?? ""
    }

    func forget(_ id: ObjectID) {
        owned[id] = nil
        settledDigests[id] = nil
    }
}

extension Intent {
    /// Whether what it was to correct is still somebody else's doing where it was not done.
    ///
    /// Not where an object is replaced: half of that may be done, and what is missing then is our own work.
    fileprivate var leavesDrift: Bool { reason == .incident(.driftCorrected) && action != .replace }

    /// Whether it takes our marker off an object that stays.
    fileprivate var handsOver: Bool { reason == .uninstalled && action == .update }
}

import Manifest
import Planning

extension Controller {
    // MARK: What the watches tell

    /// Takes in what a watch tells, and puts what is not as declared into the queue.
    func accept(_ observation: Observation, of resource: Resource) async {
        switch observation {
        case .replaced(let list, let isRewound):
            await acceptList(list, of: resource, isRewound: isRewound)
        case .upserted(let object):
            await noteReachable(resource)
            guard live.store(object) else { return }
            consider(object.id)
            reconsiderOwn(after: object)
            reconsiderForbidden(after: object.id)
            if resource == .namespace { considerWaiting(in: object.id.name) }
        case .deleted(let object):
            await noteReachable(resource)
            guard live.remove(object.id, uid: object.uid) else { return }
            consider(object.id)
        case .watching:
            await noteReachable(resource)
        case .interrupted(let error):
            await acceptInterruption(error, of: resource)
        }
        wake()
    }

    private func acceptList(_ list: ObjectList, of resource: Resource, isRewound: Bool) async {
        // Late, where the other kinds did not wait for this one.
        let isFirst = unreadKinds.remove(resource) != nil || !live.isKnown(resource)
        failedFirstLists[resource] = nil
        let changed = live.replace(resource, with: list, isRewound: isRewound)
        if isRewound {
            // What is back was ours, and the journal has let go of it since.
            isHistoryProof = true
            needsPass = true
            await withJournal("record that the cluster's history went back") { () async throws(JournalError) in
                try await self.journal.remember(.ownershipSettled, "false")
                try await self.raise(
                    .clusterRewound, object: nil,
                    message: "the list of \(resource.qualifiedPlural) is at version \(list.resourceVersion), "
                        + "before what was seen earlier: everything is compared anew")
            }
        }
        guard isGathered else { return }
        endWaitForGathering()
        if isFirst {
            // With the last kind that was missing everything can be compared for the first time.
            if enforced != nil { await beginPass() }
            return
        }
        if isRewound, enforced != nil { await beginPass() }
        // The safety net compares all that is declared, not only what changed.
        let declared = enforced?.objects.keys.filter { $0.resource == resource } ?? []
        let ours = owned.keys.filter { $0.resource == resource }
        for id in changed.union(declared).union(ours) { consider(id, isEvent: false) }
        for id in changed {
            if let object = live[id] { reconsiderOwn(after: object) }
            reconsiderForbidden(after: id)
        }
        if resource == .namespace { for name in waitingForNamespace.keys { considerWaiting(in: name) } }
        await withJournal("record the end of a fight") { () async throws(JournalError) in try await self.endOldFights()
        }
    }

    private func acceptInterruption(_ error: ClusterError, of resource: Resource) async {
        // A kind that may not be read, is not served, or cannot be listed while others can, must not keep the others from
        // being enforced.
        failedFirstLists[resource, default: 0] += 1
        let isLasting =
            error.kind == .forbidden || error.kind == .resourceNotServed
            || failedFirstLists[resource, default: 0] >= 3 && !live.knownKinds.isEmpty
        if isLasting, unreadKinds.remove(resource) != nil, isGathered {
            endWaitForGathering()
            if enforced != nil { await beginPass() }
        }
        guard interruptedKinds.insert(resource).inserted else { return }
        await withJournal("record that the cluster cannot be read") { () async throws(JournalError) in
            try await self.raise(
                .clusterUnreachable, object: nil, message: "\(resource.qualifiedPlural): \(error.message)")
        }
        notify(.trouble(error.message, hint: error.hint))
    }

    private func noteReachable(_ resource: Resource) async {
        let wasInterrupted = interruptedKinds.remove(resource) != nil
        // The incident may also be of the start, before any kind was asked for: then all of them end it.
        guard interruptedKinds.isEmpty, wasInterrupted || isGathered else { return }
        await withJournal("record that the cluster can be read again") { () async throws(JournalError) in
            try await self.resolve([.clusterUnreachable], object: nil)
        }
    }

    /// Puts an object into the queue if something has to happen to it.
    ///
    /// - Parameter isEvent: Whether a single change was seen; a complete list gives what fails a new chance in any case.
    func consider(_ id: ObjectID, isEvent: Bool = true) {
        guard let enforced, isGathered, let resource = id.resource, live.isKnown(resource) else { return }
        // Where the journal was lost, what is ours is known only once the history was asked: the pass that follows looks
        // at everything.
        if isHistoryProof, needsPass || isPlanning { return }
        let decision = decision(on: id, live: live[id], by: enforced)
        noteDrift(decision, id, enforced)
        switch decision {
        case .leave:
            if isTroubled(id) { queue.addUrgent(id) }
        case .act(let action) where isEvent && queue.isDelayed(id) && failedDifferences[id] == action.differences:
            // The same would fail once more: an event that changed nothing of it, such as a status, is no new chance.
            break
        case .act(let action) where !isDrift(id, enforced):
            enqueue(action)
        case .stranger(let object) where isTold(object): break
        case .act, .recognise, .hold, .stranger, .leaveUntil, .waitForDeletion, .release:
            queue.addUrgent(id)
        }
    }

    /// Whether an object that nobody declares is known to be there as it is.
    private func isTold(_ object: LiveObject) -> Bool { toldStrangers[object.id] == strangerWords(object) }

    func isDrift(_ id: ObjectID, _ enforced: EnforcedState) -> Bool {
        enforced.isDrift(id, settledDigests: settledDigests)
    }

    func considerWaiting(in namespace: String) {
        for id in waitingForNamespace.removeValue(forKey: namespace) ?? [] { queue.addUrgent(id) }
    }
}

import Guardrails
import Manifest
import Planning
import Policy

extension Controller {
    /// Fetches again and again, and takes what is new.
    func followRepository() async {
        while !hasStopped, !Task.isCancelled {
            isFetchWanted = false
            await fetchOnce()
            // A tenth of jitter either way, so that many instances do not ask one Git host at one moment.
            await pauseFetching(configuration.pollInterval * (0.9 + surroundings.randomness() * 0.2))
        }
    }

    /// Looks at the repository at once instead of after the pause, as when its host says that something was pushed.
    ///
    /// However often it is asked, there is a second between two looks.
    package func fetchSoon() {
        isFetchWanted = true
        fetchPause?.cancel()
    }

    private func pauseFetching(_ pause: Duration) async {
        let least = min(pause, .seconds(1))
        await sleepUnlessStopped(least)
        guard !isFetchWanted, !hasStopped, !Task.isCancelled, pause > least else { return }
        await sleepUnlessStopped(pause - least, asFetchPause: true)
    }

    func sleepUnlessStopped(_ pause: Duration, asFetchPause: Bool = false) async {
        let sleep = surroundings.sleep
        // Being woken early is what it is for.
        let task = Task { do { try await sleep(pause) } catch {} }
        if asFetchPause { fetchPause = task }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if asFetchPause { fetchPause = nil }
    }

    private func fetchOnce() async {
        if case .notAsked = user {
            await learnUser()
            // What was held because we did not know who we are may go on now, whether Git answers or not.
            if case .notAsked = user {} else { await beginPass() }
        }
        var isFetched = false
        arriving = beginTrace(.fetch)
        do {
            let newest = try await fetchNewest()
            isFetched = true
            guard outage == nil else {
                endArriving()
                return noteWaiting(newest)
            }
            try await take(newest)
            await keepPrevention()
            try await resolve([.fetchFailed], object: nil)
            lastFetchFailure = nil
            if needsPass { await beginPass(takeArriving()) }
            endArriving()
            try await rememberStatus()
        } catch let error as SourceError {
            endArriving(after: error)
            await keepPrevention()
            await noteFailedFetch(error.explanation.message)
            notify(.trouble(error.explanation.message, hint: error.explanation.hint))
            // An emergency does not wait for the Git host.
            if !isFetched { await holdWithoutFetch() }
        } catch let error as JournalError {
            endArriving(after: error)
            noteJournalFailure(error, "follow the policy repository")
        } catch let error as ClusterError {
            endArriving(after: error)
            notify(.trouble("follow the policy repository: \(error.message)", hint: error.hint))
            await keepPrevention()
            lastFetchFailure = nil
            await withJournal("record that the repository answers") { () async throws(JournalError) in
                try await self.resolve([.fetchFailed], object: nil)
                try await self.rememberStatus()
            }
        } catch {
            endArriving(after: error)
            notify(.trouble("follow the policy repository: \(error)", hint: "It is tried again by itself."))
        }
    }

    /// Asks the repository, and tells what came of it.
    private func fetchNewest() async throws(SourceError) -> Revision {
        let begun = surroundings.uptime()
        do throws(SourceError) {
            let newest = try await arriving.stage("fetch") { _ throws(SourceError) in
                try await source.fetchNewest()
            }
            let now = surroundings.now()
            lastFetchAt = now
            notify(.fetched(FetchReport(at: now, duration: surroundings.uptime() - begun, newest: newest)))
            return newest
        } catch {
            notify(
                .fetched(
                    FetchReport(at: surroundings.now(), duration: surroundings.uptime() - begun, newest: nil)))
            throw error
        }
    }

    private func noteFailedFetch(_ message: String) async {
        let words = message.filter { !$0.isNumber }
        guard words != lastFetchFailure || openIncidents[nil]?.contains(.fetchFailed) != true else { return }
        lastFetchFailure = words
        await withJournal("record a failed fetch") { () async throws(JournalError) in
            try await self.raise(.fetchFailed, object: nil, message: message)
        }
    }

    /// Looks at the newest commit, and enforces it from now on if it is sound (design, section 5.1) and nobody holds an
    /// earlier one.
    func take(_ newest: Revision) async throws {
        // A hold that comes or ends while a revision is looked at counts already: then all is asked once more.
        for _ in 0..<3 {
            switch try await lookForHold() {
            case .follow: if try await takeNewest(newest) { return }
            case .hold(let hold): if try await keep(to: hold, newest: newest) { return }
            case .wait(let error):
                guard mode == .continuous else { throw error }
                return
            }
        }
        isFetchWanted = true
    }

    /// - Returns: False where a hold came in between, and the revision was not taken on.
    ///
    /// - Parameter hold: One that cannot be enforced while nothing is.
    func takeNewest(_ newest: Revision, despite hold: EmergencyHold? = nil) async throws -> Bool {
        if let refusal = try await verifyPart(before: newest) {
            _ = try await enforcedCluster()
            try await refuse(newest, refusal)
            return true
        }
        try await takeUpHandover(before: newest)
        let trusted = try await journal.remembered(.trustedRevision)
        // What a hold enforces was never accepted by itself, also where the branch was put back to it.
        let isEnforced = newest.commit == enforced?.revision.commit && self.hold.before == nil
        if isEnforced, configuration.trust == .off || trusted == newest.commit {
            try await keep(newest)
            return true
        }
        guard newest.commit != refusedCommit || isRefusalPassing else { return true }
        let loaded: LoadedRevision
        switch try await examine(
            newest, trust: configuration.trust, after: trusted, suspect: distrustedCommit,
            atMost: configuration.verifiedCommitsPerLook, from: source,
            trace: arriving, cluster: enforcedCluster)
        {
        case .sound(let sound): loaded = sound
        case .refused(let refusal):
            // A revision that is not looked at must not keep the last good one from being enforced.
            _ = try await enforcedCluster()
            try await refuse(newest, refusal)
            return true
        }
        if isEnforced {
            // Signatures are asked for only since it was enforced, and its own is good.
            try await journal.remember(.trustedRevision, newest.commit)
            try await keep(newest)
            return true
        }
        try await noteRewrittenHistory(newest, since: leftRevision, lastAccepted)
        if !isGathered { await arriving.stage("observe cluster") { _ in await untilGathered() } }
        guard !hasStopped else { return true }
        let (verdict, guarded) = try await arriving.stage("guard") { _ in
            try await judge(loaded, by: try await judgement())
        }
        // Until the server tells who we are nothing that gives rights in the whole cluster is taken away, and from then on
        // nothing that gives us ours, whatever is enforced.
        await learnUser()
        if let lockout = await lockout(by: verdict) {
            try await refuse(newest, .lockout(lockout))
            return true
        }
        try await announce(guarded, of: newest)
        guard try await lookForHold() == (hold.map { .hold($0) } ?? .follow) else { return false }
        try await arriving.stage("record revision") { _ in try await accept(loaded, verdict, guarded) }
        return true
    }

    /// Goes on with the revision in force.
    private func keep(_ newest: Revision) async throws {
        guard try await !judgeAgain(newest) else { return }
        await leaveEnforced()
        // Where there was a mistake, it was taken back by moving the branch.
        refusedCommit = nil
        let goesOn = isLaterApprovalRefused ? IncidentReason.selfLockoutRefused : nil
        try await resolve(refusalIncidents.filter { $0 != goesOn }, object: nil)
    }

    /// Enforces from now on what the guardrails let through of a revision, which has been announced.
    ///
    /// - Parameter hold: What it is enforced by, where that is not its being the newest one.
    func accept(
        _ loaded: LoadedRevision, _ verdict: GuardVerdict, _ guarded: GuardedState, by hold: EmergencyHold? = nil
    ) async throws {
        let newest = loaded.revision
        isLaterApprovalRefused = false
        if hold == nil {
            refusedCommit = nil
            newestCommit = newest.commit
        }
        commitInForce = nil
        let digest = stateDigest(of: loaded.declared, canonical: canonical)
        try await takeUpWhatWasAccepted()
        var states = try await declaredStates()
        var undoing: Undoing?
        // What a hold enforces is in the record already; where it stood before is what a revert takes back.
        if hold == nil {
            let state = states.accept(
                newest.commit, digest: digest,
                takesBack: try await RevertSearch(among: states, in: source).revisions(takenBackBy: newest))
            undoing = Undoing(by: newest.commit, among: states)
            restoredCommit = state.restores
        }
        let entry = try await journal.record(
            EntryDraft(
                at: surroundings.now(), kind: .event, reason: .revisionAccepted, outcome: .succeeded,
                revision: RevisionFacts(newest), refersTo: undoing?.acceptance,
                message: "\(loaded.declared.objects.count) objects in \(loaded.fileCount) files, "
                    + "\(loaded.parsedFileCount) of them parsed"
                    + (verdict.holds.isEmpty ? "" : "; \(verdict.holds.count) held")
                    + (verdict.restored.isEmpty
                        ? ""
                        : "; \(verdict.restored.count) need no approval, since they restore what was stricter before")
                    + "; the declared state is sha256:\(digest)"
                    + (hold == nil ? restoredCommit.map { ", restored from \($0)" } ?? "" : "")
                    + (hold.map { "; by the emergency hold until \($0.until)" } ?? "")),
            owned: .unchanged)
        if hold == nil {
            states.noteEntry(entry)
            try await journal.remember(.declaredStates, canonical.text(states.tree))
            try await journal.remember(.newestRevision, newest.commit)
        }
        var before = hold == nil ? nil : try await stateBeforeHold()
        before?.noteFound(
            loaded.declared.objects.keys.filter { id in
                // What cannot be read may be there.
                let isOurs = owned[id] != nil && owned[id]?.uid == live[id]?.uid
                return !isOurs && (live[id] != nil || id.resource.map(live.knownKinds.contains) != true)
            })
        // What is held comes first: without it the revision would be enforced whole after a crash in between.
        try await remember(guarded, of: newest, before: before)
        try await journal.remember(.enforcedRevision, newest.commit)
        try await noteTerm()
        if hold == nil {
            if configuration.trust != .off { try await journal.remember(.trustedRevision, newest.commit) }
            try await resolve(refusalIncidents, object: nil)
        }
        var enforcing = EnforcedState(loaded, guarded: guarded, canonical: canonical)
        enforcing.undoing = undoing
        self.hold.before = before
        enforce(enforcing)
        needsPass = true
        notify(.revisionAccepted(newest, objectCount: loaded.declared.objects.count))
        try await noteHolds(verdict.holds, revision: newest)
        try await noteReported(verdict.reported, revision: newest)
    }

    /// The one of many clusters that the enforced revision was read for.
    ///
    /// With a new cache that revision comes only with a fetch.
    func enforcedCluster() async throws -> String? {
        if enforced == nil { try await enforceRemembered() }
        return (enforced ?? handedOver)?.cluster
    }

    /// Leaves a newest revision aside, and ends what was said of another one.
    func refuse(_ newest: Revision, _ refusal: RevisionRefusal) async throws(JournalError) {
        let reason = refusal.incident
        try await raise(
            reason, object: nil, outcome: reason == .revisionEmpty ? .held : .failed, revision: newest,
            message: "revision \(newest.commit) is refused: \(refusal.message)")
        try await resolve(refusalIncidents.filter { $0 != reason }, object: nil)
        try await journal.remember(.newestRevision, newest.commit)
        // What stays refused is told once.
        if refusedCommit != newest.commit { arriving?.fail("revision \(newest.commit) is refused: \(refusal.message)") }
        // Only what was recorded is done with.
        refusedCommit = newest.commit
        distrustedCommit = refusal.distrustedCommit
        isRefusalPassing = refusal.isPassing
        notify(.revisionRefused(newest, refusal))
    }

    /// - Parameter earlier: What was followed, or accepted, before it; nil where that is not known.
    func noteRewrittenHistory(_ newest: Revision, since earlier: String?...) async throws {
        for case let before? in earlier where try await !source.isAncestor(before, of: newest.commit) {
            try await raise(
                .historyRewritten, object: nil, revision: newest,
                message: "\(newest.commit) does not contain \(before), which came before it: "
                    + "the history was rewritten, or another reference is followed")
            return
        }
        if earlier.contains(where: { $0 != nil }) { try await resolve([.historyRewritten], object: nil) }
    }

    /// Swaps the declared state.
    ///
    /// From this moment on every decision is made by the new one (rule G8).
    func enforce(_ state: EnforcedState) {
        enforced = state
        isStandingOld = true
        ownRights.forget()
        failureCounts = [:]
        failedDifferences = [:]
        forbidden = []
        waitingForNamespace = [:]
    }
}

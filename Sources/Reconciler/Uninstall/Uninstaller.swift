import Guardrails
package import Manifest
package import Planning
import Policy

/// Takes what an instance made out of a cluster, or only its marker off it.
///
/// Context: a revision that declares nothing is refused, so that nobody deletes everything by mistake; somebody who wants
/// just that needs another way. Choice: it is planned and shown first, done only when asked for, by the same rules as any
/// deletion (rules H3 and H4), and recorded like one. Given up: what the journal does not know stays, although it carries
/// the marker.
package struct Uninstaller: Sendable {
    private let instance: String
    private let cluster: any ClusterAPI
    private let journal: any RunJournal
    private let ownership: Ownership
    private let wish: UninstallWish
    private let canonical: Canonical
    /// The uids of what the journal says that the instance made.
    private let made: Set<String>
    private let surroundings: Surroundings

    /// How often an object is looked at again that somebody writes meanwhile.
    private static let maximumRounds = 4

    package init(
        instance: String, cluster: any ClusterAPI, journal: any RunJournal, ownership: Ownership, wish: UninstallWish,
        canonical: Canonical, made: Set<String>, surroundings: Surroundings
    ) {
        self.instance = instance
        self.cluster = cluster
        self.journal = journal
        self.ownership = ownership
        self.wish = wish
        self.canonical = canonical
        self.made = made
        self.surroundings = surroundings
    }

    // MARK: Looking

    /// What there is to do.
    package struct Survey: Sendable {
        /// Admission policies and their bindings; they go first, since they refuse what others do with the rest.
        package var policies: [PreventionChange]
        package var steps: [UninstallStep]
        /// Who does it; nil where the server has no way to tell.
        package var user: UserIdentity?
        var proof: UninstallProof
        var access: Set<ObjectID>
        var protection: Protection
    }

    /// Looks at everything, and settles what an uninstall that was cut short left open.
    ///
    /// - Throws: ``ClusterError`` where a kind cannot be read: what is there is not known then. ``JournalError``.
    package func survey() async throws -> Survey {
        try await settleInterrupted()
        let policies = try await policies()
        let gathered = try await gatherLiveState(from: cluster, sleep: surroundings.sleep)
        if let (_, error) = gathered.unreadable.first { throw error }
        let user = try await cluster.whoWeAre()
        let live = gathered.state.all
        let proof = UninstallProof(owned: try await journal.ownedObjects().mapValues(\.uid), made: made)
        let access = user.map { ownAccess(of: $0, in: live) } ?? []
        let configuration = rememberedConfiguration(
            try await journal.remembered(.guardedState), canonical: canonical)
        let protection = Protection(
            patterns: configuration?.protected ?? [], ownNamespace: user?.serviceAccount?.namespace)
        let steps = planUninstall(
            of: Array(live.values), ownership: ownership, proof: proof, access: access, protection: protection,
            wish: wish)
        return Survey(
            policies: policies, steps: steps, user: user, proof: proof, access: access, protection: protection)
    }

    /// What somebody is, and what gives them rights.
    ///
    /// What a group of everybody has is not counted: it would keep every such binding.
    private func ownAccess(of user: UserIdentity, in live: [ObjectID: LiveObject]) -> Set<ObjectID> {
        let everybody: Set = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"]
        let alone = UserIdentity(name: user.name, groups: user.groups.subtracting(everybody))
        let rights = OwnRights(
            of: alone, live: live, lasting: live, isDeclared: { _ in false }, isRemovable: { _ in false }, needed: [],
            wanted: [])
        guard let account = user.serviceAccount else { return rights.givers }
        return rights.givers.union([account, ObjectID(.namespace, name: account.namespace)])
    }

    /// What still, or again, carries the marker of what was done: somebody else makes it anew.
    package func revived(after done: Set<ObjectID>) async throws -> [ObjectID] {
        let gathered = try await gatherLiveState(from: cluster, sleep: surroundings.sleep)
        if let (_, error) = gathered.unreadable.first { throw error }
        return done.filter { id in
            gathered.state[id].map { ownership.claim(of: $0) == .ours && !$0.isTerminating } ?? false
        }.sorted()
    }

    private func policies() async throws -> [PreventionChange] {
        let remembered = try await journal.remembered(.keptPrevention) ?? ""
        let names = PreventionPolicyNames(of: instance)
        var found: [PreventionChange] = []
        // The bindings first, so that nothing is judged by half.
        for name in [names.undeclared, names.managed] {
            for resource in [Resource.admissionPolicyBinding, .admissionPolicy] {
                do throws(ClusterError) {
                    let finding = try await cluster.preventionFinding(
                        of: ObjectID(resource, name: name), wanted: nil, instance: instance)
                    if case .differs(let change) = finding { found.append(change) }
                } catch {
                    // A server without them has none, and without the right Bylaw has never made any.
                    guard error.kind == .resourceNotServed || error.kind == .forbidden && remembered.isEmpty else {
                        throw error
                    }
                }
            }
        }
        return found
    }

    // MARK: Doing

    /// What became of one object.
    package enum Outcome: Sendable, Equatable {
        case done
        /// Marked for deletion, and held by finalizers.
        case pending(String)
        case failed(String, hint: String)
        case left(UninstallStep.Reason)
        /// It is none of ours any more.
        case passedOver

        package var isSettled: Bool { self == .done || self == .passedOver }
    }

    /// Does what a survey found, one after the other.
    ///
    /// - Parameter tell: Is told of each object what became of it.
    /// - Throws: ``JournalError`` where it cannot be recorded: nothing more is done then. ``ClusterError`` where the cluster
    ///   does not answer; what is open is settled by the next call.
    package func perform(
        _ survey: Survey, tell: (ObjectID, UninstallStep.Fate, Outcome) -> Void
    ) async throws {
        for change in survey.policies { tell(change.id, .delete, try await remove(change)) }
        // Nothing is opened while somebody has rights that were to go first.
        var doRightsRemain = false
        for step in survey.steps {
            let outcome: Outcome
            if case .leave(let reason) = step.fate {
                outcome = .left(reason)
                // Held by finalizers, it grants as before (rule F7).
                if step.isAboutRights, reason == .terminating { doRightsRemain = true }
            } else if step.opens, doRightsRemain {
                outcome = .left(.rightsRemain)
            } else {
                outcome = try await perform(step, survey)
                if step.isAboutRights, step.fate == .delete, !outcome.isSettled { doRightsRemain = true }
            }
            tell(step.object.id, step.fate, outcome)
        }
    }

    private func remove(_ change: PreventionChange) async throws -> Outcome {
        guard let before = change.before else { return .passedOver }
        let intent = intent(.delete, on: before, patch: nil, desired: nil)
        let id = try await journal.begin(intent)
        do throws(ClusterError) { _ = try await cluster.make(change) } catch {
            return try await settleFailure(error, id, intent)
        }
        try await settle(id, intent, .succeeded, after: nil, owned: .unchanged)
        try await journal.remember(.keptPrevention, "")
        return .done
    }

    private func perform(_ first: UninstallStep, _ survey: Survey) async throws -> Outcome {
        var step = first
        let intent = intent(of: step)
        let id = try await journal.begin(intent)
        for round in 1... {
            let after: LiveObject?
            do throws(ClusterError) { after = try await request(step) } catch {
                guard [.conflict, .notFound].contains(error.kind) || error.leavesOutcomeUnknown,
                    round < Self.maximumRounds
                else { return try await settleFailure(error, id, intent) }
                switch try await lookAgain(at: first, survey, id, intent) {
                case .again(let next): step = next
                case .over(let outcome): return outcome
                }
                continue
            }
            guard step.fate == .delete, let after else {
                try await settle(id, intent, .succeeded, after: after, owned: .released(step.object.id))
                return .done
            }
            let finalizers = (after.metadata["finalizers"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
            try await settle(
                id, intent, .succeeded, after: after, owned: .unchanged,
                note: "marked for deletion; finalizers \(finalizers) hold it")
            return .pending(finalizers)
        }
        return .passedOver
    }

    private enum SecondLook {
        case again(UninstallStep)
        case over(Outcome)
    }

    /// Judges anew what stands there now: it may be another one, or marked no more.
    private func lookAgain(
        at first: UninstallStep, _ survey: Survey, _ id: IntentID, _ intent: Intent
    ) async throws -> SecondLook {
        let name = first.object.id
        guard let object = try await cluster.read(name), object.uid == first.object.uid else {
            let isDone = first.fate == .delete
            try await settle(
                id, intent, isDone ? .succeeded : .abandoned, after: nil, owned: .released(name),
                note: "it was gone by then")
            return .over(isDone ? .done : .passedOver)
        }
        if first.fate == .delete, object.isTerminating {
            try await settle(id, intent, .succeeded, after: object, owned: .unchanged, note: "it is on its way")
            return .over(.left(.terminating))
        }
        let next = planUninstall(
            of: [object], ownership: ownership, proof: survey.proof, access: survey.access,
            protection: survey.protection, wish: wish
        ).first
        if let next, next.fate == first.fate { return .again(next) }
        if first.fate == .unmark, next == nil || ownership.claim(of: object) == .unmarked {
            try await settle(id, intent, .succeeded, after: object, owned: .released(name))
            return .over(.done)
        }
        try await settle(
            id, intent, .abandoned, after: object, owned: .unchanged, note: "somebody changed it meanwhile")
        if case .leave(let reason)? = next?.fate { return .over(.left(reason)) }
        return .over(.passedOver)
    }

    /// - Returns: The object afterwards; nil where it is gone.
    private func request(_ step: UninstallStep) async throws(ClusterError) -> LiveObject? {
        guard step.fate == .delete else {
            return try await cluster.mergePatch(unmarkingPatch, to: step.object.id, expecting: step.object).live
        }
        switch try await cluster.delete(step.object.id, expecting: step.object) {
        case .gone: return nil
        case .pending(let object, _): return object
        }
    }

    // MARK: The record

    private func intent(of step: UninstallStep) -> Intent {
        guard step.fate == .delete else {
            var desired = step.object.content
            desired.set(["metadata", "labels", Ownership.instanceLabel], to: nil)
            desired.set(["metadata", "annotations", Ownership.identityAnnotation], to: nil)
            return intent(.update, on: step.object, patch: .array([["mergePatch": unmarkingPatch]]), desired: desired)
        }
        return intent(.delete, on: step.object, patch: nil, desired: nil)
    }

    private func intent(_ action: ActionKind, on object: LiveObject, patch: Tree?, desired: Tree?) -> Intent {
        let what = action == .delete ? "delete \(object.id)" : "take the marker off \(object.id), which stays"
        return Intent(
            at: surroundings.now(), action: action, reason: .uninstalled, object: object.id, uid: object.uid,
            resourceVersion: object.resourceVersion, before: object.content, desired: desired, patch: patch,
            revision: nil, actor: nil, message: "\(what): instance \(instance) is uninstalled")
    }

    private func settle(
        _ id: IntentID, _ intent: Intent, _ outcome: EntryOutcome, after: LiveObject?, owned: OwnershipChange,
        note: String? = nil
    ) async throws(JournalError) {
        try await journal.settle(
            id,
            as: EntryDraft(
                at: surroundings.now(), kind: .action, reason: .uninstalled, outcome: outcome, action: intent.action,
                object: intent.object, uid: intent.uid,
                resourceVersion: after?.resourceVersion ?? intent.resourceVersion,
                before: intent.before, after: after?.content, patch: intent.patch,
                message: intent.message + (note.map { "; \($0)" } ?? "")),
            owned: owned)
    }

    /// - Throws: The error, where nobody knows what became of the request; then the intent stays open.
    private func settleFailure(_ error: ClusterError, _ id: IntentID, _ intent: Intent) async throws -> Outcome {
        guard !error.leavesOutcomeUnknown, error.kind != .cancelled else { throw error }
        try await settle(id, intent, .failed, after: nil, owned: .unchanged, note: error.message)
        return .failed(error.message, hint: error.hint)
    }

    /// Learns what became of the requests of an uninstall that was cut short.
    ///
    /// What an earlier `run` left open is left to the next one: what it may have made is not known as ours.
    private func settleInterrupted() async throws {
        for (id, intent) in try await journal.unsettledIntents() where intent.reason == .uninstalled {
            guard intent.object.resource != nil else {
                try await settle(id, intent, .abandoned, after: nil, owned: .unchanged, note: "it was cut short")
                continue
            }
            let live = try await cluster.read(intent.object)
            let isGone = live?.uid != intent.uid
            let isDone =
                intent.action == .delete
                ? isGone || live?.isTerminating == true : live.map { ownership.claim(of: $0) } == .unmarked
            try await settle(
                id, intent, isDone ? .succeeded : .abandoned, after: live,
                owned: isGone || intent.action != .delete && isDone ? .released(intent.object) : .unchanged,
                note: isDone ? "found done after it was cut short" : "found not done after it was cut short")
        }
    }
}

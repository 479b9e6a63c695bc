import Arguments
import Foundation
import GitSource
import JSON
import Journal
import KubeClient
import Manifest
import Planning
import Policy
import Reconciler
import Guardrails

let planCommand = Command(
    description: CommandDescription(
        name: "plan", summary: "what a pass would change; writes nothing",
        details:
            "Fetches the newest revision, reads the cluster, and shows in order what a sync would do and what a rule "
            + "would hold back. Undeclared objects in scopes that only report are listed, and are no difference.",
        flags: Flags.repository + Flags.connection + [
            Flags.cluster, Flags.instance, Flags.journal, Flags.holdConfigMap, Flags.output, Flags.config,
        ],
        examples: ["bylaw plan --repo https://git.example.com/policies --path production"],
        exitStatuses: [(0, "nothing to change"), (1, "differences, or the revision is not valid"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    // A clone of its own, since a controller may hold the other one.
    let source = try wiring.source(cacheFolder: "plan")
    let pass = try PlannedPass(invocation, from: source)
    let subject = try await pass.subject(try await source.fetchNewest(), trust: wiring.trust)
    let revision = subject.revision
    let isJSON = invocation.arguments.text("output") == "json"
    func write(_ text: @autoclosure () -> String, _ answer: @autoclosure () -> Tree) {
        guard isJSON else { return invocation.terminal.write(subject.render(on: invocation.terminal) + text()) }
        var answer = answer()
        answer.set(["emergencyHold"], to: subject.tree)
        invocation.terminal.write(answer.indentedJSON() + "\n")
    }
    // What a hold keeps was examined already.
    switch try await pass.plan(revision, trust: subject.hold == nil ? wiring.trust : .off, hold: subject.hold) {
    case .refused(let refusal):
        write(
            renderRefusal(refusal, of: revision, on: invocation.terminal),
            refusedPlanAnswer(refusal, revision: revision))
        return ExitStatus.findings
    case .planned(let plan, let holds):
        write(
            renderPlan(plan, guarded: holds, revision: revision, on: invocation.terminal),
            planAnswer(plan, guarded: holds, revision: revision))
        return plan.isConverged && holds.isEmpty ? ExitStatus.success : ExitStatus.findings
    }
}

/// What a pass would do with a revision, by the cluster and the journal as they are now.
struct PlannedPass {
    enum Answer {
        case refused(RevisionRefusal)
        case planned(Plan, holds: [GuardrailHold])
    }

    let wiring: Wiring
    let source: GitRevisionSource
    let instance: String
    let endpoint: ClusterEndpoint
    private let isJournalOptional: Bool
    let complain: (String, String) -> Void
    private let note: (String) -> Void

    /// Finds the cluster; nothing is asked of it yet.
    ///
    /// - Parameters:
    ///   - isJournalOptional: Plans without what the journal knows where that cannot be read.
    ///   - complain: Is told what is wrong and what to do about it where the pass goes on without; nil for the terminal.
    init(
        _ invocation: Invocation, from source: GitRevisionSource, isJournalOptional: Bool = false,
        complain: ((String, String) -> Void)? = nil
    ) throws {
        self.source = source
        self.isJournalOptional = isJournalOptional
        let terminal = invocation.terminal
        note = complain == nil ? { terminal.writeError("note: \($0)\n") } : { _ in }
        self.complain =
            complain ?? { message, hint in
                terminal.writeError("warning: \(printable(message))\n    \(printable(hint))\n")
            }
        wiring = Wiring(invocation)
        instance = try wiring.instance()
        endpoint = try wiring.endpoint()
    }

    private func knowledge() async throws -> JournalKnowledge {
        do {
            return try await journalKnowledge(wiring, instance, endpoint)
        } catch let error as JournalError where isJournalOptional {
            complain(error.message, error.hint)
            return JournalKnowledge()
        }
    }

    /// Plans a pass; writes nothing.
    ///
    /// - Parameters:
    ///   - trust: Which commits must be signed for the revision to be taken at all.
    ///   - hold: What it would be enforced by, where that is not its being the newest one.
    func plan(_ revision: Revision, trust: TrustMode, hold: EmergencyHold? = nil) async throws -> Answer {
        let cluster = wiring.cluster(endpoint, instance: instance)
        let known = try await knowledge()
        let inForce: EnforcedState?
        do throws(SourceError) {
            inForce = try await loadRememberedState(
                enforced: known.enforcedRevision, guarded: known.guardedState, from: source, canonical: wiring.canonical
            )
        } catch {
            // The history may have been rewritten: then the cluster is what the revision is compared with.
            complain(error.explanation.message, error.explanation.hint)
            inForce = nil
        }
        let before = await beforeHold(known)
        let loaded: LoadedRevision
        switch try await examine(
            revision, trust: trust, after: known.trustedRevision, from: source, cluster: { inForce?.cluster })
        {
        case .sound(let sound): loaded = sound
        case .refused(let refusal): return .refused(refusal)
        }
        let gathered = try await gatherLiveState(from: cluster) { try await Task.sleep(for: $0) }
        if let (resource, error) = gathered.unreadable.first {
            throw CommandFailure(message: "\(resource.qualifiedPlural): \(error.message)", hint: error.hint)
        }
        let user = OwnAccess.User(answered: try await cluster.whoWeAre())
        var judgement = RevisionJudgement(
            enforced: inForce, before: before,
            configurationInForce: rememberedConfiguration(known.guardedState, canonical: wiring.canonical),
            live: gathered.state, ownership: wiring.ownership(instance: instance),
            owned: Set(known.owned.keys), user: user,
            trust: wiring.trust, source: source,
            states: DeclaredStates(known.declaredStates.flatMap(wiring.canonical.tree)), canonical: wiring.canonical,
            takesApprovals: hold == nil)
        let enforced: EnforcedState
        if let inForce, inForce.revision == revision, before == nil || hold != nil, !judgement.mayBeOtherwise {
            enforced = inForce
        } else {
            let (verdict, basis) = try await judgement.verdict(on: loaded, complain: complain)
            if let lockout = await findLockout(
                by: verdict, user: user, instance: instance, live: gathered.state, cluster: cluster, complain: complain)
            {
                return .refused(.lockout(lockout))
            }
            let guarded = GuardedState(
                verdict, basis: basis, on: revision.commit, after: judgement.inForce)
            enforced = EnforcedState(loaded, guarded: guarded, canonical: wiring.canonical)
        }
        let prevention = PreventionOutlook(
            enforced, user: user, ownership: judgement.ownership, kept: known.keptPrevention, at: systemNow(),
            canonical: wiring.canonical)
        var input = PlanInput(
            declared: enforced.objects, live: gathered.state.all,
            record: known.owned,
            readKinds: gathered.state.knownKinds,
            context: enforced.context(
                live: gathered.state, ownership: judgement.ownership,
                fieldManager: ControllerConfiguration(instance: instance).fieldManager,
                user: user,
                settledDigests: known.digests,
                breakGlass: prevention.breakGlass))
        let unproven = objectsOfUnprovenOwnership(input)
        if !known.isSettled, !unproven.isEmpty {
            input.context.declaredEarlier = try await source.declaredEarlier(unproven, before: revision.commit)
        }
        let plan = Planning.plan(input)
        if prevention.isDue {
            note(
                "a sync puts the admission policies in force that \(RepositoryConfiguration.fileName) asks for, "
                    + "where the server has them")
        }
        return .planned(plan, holds: enforced.holds)
    }
}

/// Why a sync would not take the revision, as a JSON answer of kind `Plan`.
func refusedPlanAnswer(_ refusal: RevisionRefusal, revision: Revision) -> Tree {
    answerTree(
        kind: "Plan",
        [
            ("revision", .string(revision.commit)), ("isRevisionValid", false),
            ("refusal", refusalTree(refusal)), ("findings", findingTrees(refusal.findings)),
        ])
}

/// What the journal knows; nothing where there is no journal yet.
struct JournalKnowledge {
    var owned: [ObjectID: OwnershipRecord] = [:]
    var digests: [ObjectID: String] = [:]
    /// Whether it knows everything that is ours.
    var isSettled = false
    var enforcedRevision: String?
    var guardedState: String?
    var trustedRevision: String?
    var keptPrevention: String?
    var emergencyHold: String?
    var declaredStates: String?
}

func journalKnowledge(
    _ wiring: Wiring, _ instance: String, _ endpoint: ClusterEndpoint
) async throws -> JournalKnowledge {
    guard FileManager.default.fileExists(atPath: wiring.journalPath) else { return JournalKnowledge() }
    let reader = try await JournalReader.open(wiring.journalPath)
    let scope = JournalReader.Scope(instance: instance, cluster: wiring.clusterName(endpoint))
    let owned = try await reader.ownedObjects(scope)
    let knowledge = JournalKnowledge(
        owned: owned.mapValues { OwnershipRecord(uid: $0.uid) }, digests: owned.mapValues(\.declarationDigest),
        isSettled: try await reader.remembered(.ownershipSettled, scope) == "true",
        enforcedRevision: try await reader.remembered(.enforcedRevision, scope),
        guardedState: try await reader.remembered(.guardedState, scope),
        trustedRevision: try await reader.remembered(.trustedRevision, scope),
        keptPrevention: try await reader.remembered(.keptPrevention, scope),
        emergencyHold: try await reader.remembered(.emergencyHold, scope),
        declaredStates: try await reader.remembered(.declaredStates, scope))
    await reader.close()
    return knowledge
}

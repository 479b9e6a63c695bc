import Guardrails
package import Manifest
package import Planning
import Policy

/// What a journal says before an uninstall.
package struct UninstallKnowledge: Sendable {
    package var proof: UninstallProof
    /// What it remembers under ``MemoryKey/guardedState``.
    package var guardedState: String?
    /// What it remembers under ``MemoryKey/keptPrevention``.
    package var keptPrevention: String?
    /// What it remembers under ``MemoryKey/ownNamespace``.
    package var ownNamespace: String?

    package init(proof: UninstallProof, guardedState: String?, keptPrevention: String?, ownNamespace: String?) {
        self.proof = proof
        self.guardedState = guardedState
        self.keptPrevention = keptPrevention
        self.ownNamespace = ownNamespace
    }
}

/// An admission policy, or the binding of one, that stays as it is.
package struct PolicyLeft: Sendable, Equatable {
    package var id: ObjectID
    package var reason: UninstallStep.Reason
}

/// What there is to do in order to uninstall an instance.
package struct UninstallSurvey: Sendable {
    /// Admission policies and their bindings; they go first, since they refuse what others do with the rest.
    package var policies: [PreventionChange]
    /// Those of them that stay as they are.
    package var policiesLeft: [PolicyLeft]
    package var steps: [UninstallStep]
    /// Who does it; nil where the server has no way to tell.
    package var user: UserIdentity?
    /// Where Bylaw itself runs; nil where neither the journal nor whoever does this tells.
    package var ownNamespace: String?
    /// The revision of which the journal knows what `bylaw.yaml` protects; nil where none was ever enforced.
    package var protectedAsOf: String?
    var knowledge: UninstallKnowledge
    var access: Set<ObjectID>
    var protection: Protection
}

/// Looks at everything that an instance made in a cluster, and changes nothing.
package struct UninstallSurveyor: Sendable {
    package let instance: String
    package let wish: UninstallWish
    let cluster: any ClusterAPI
    let ownership: Ownership
    let surroundings: Surroundings
    private let canonical: Canonical

    package init(
        instance: String, cluster: any ClusterAPI, ownership: Ownership, wish: UninstallWish, canonical: Canonical,
        surroundings: Surroundings
    ) {
        self.instance = instance
        self.cluster = cluster
        self.ownership = ownership
        self.wish = wish
        self.canonical = canonical
        self.surroundings = surroundings
    }

    /// Looks at everything.
    ///
    /// - Throws: ``ClusterError`` where a kind cannot be read, and where the journal's memory of what is protected cannot:
    ///   what is there, or may go, is not known then.
    package func survey(_ knowledge: UninstallKnowledge) async throws(ClusterError) -> UninstallSurvey {
        let policies = try await policies(knowledge)
        let live = try await liveState().all
        let user = try await cluster.whoWeAre()
        let access = user.map { ownAccess(of: $0, in: live) } ?? []
        let guarded = knowledge.guardedState.flatMap(canonical.tree)
        let configuration = guarded.flatMap(GuardedState.init)?.configuration
        guard configuration != nil || knowledge.guardedState == nil || wish.keepsObjects else {
            throw ClusterError(
                kind: .invalid, status: 0,
                message: "uninstall \(instance): what bylaw.yaml protects cannot be read from the journal's memory",
                hint: "Run the version of Bylaw that wrote the journal last, or say --keep-objects.")
        }
        // Whoever does it may be somebody else, from elsewhere.
        let ownNamespace = knowledge.ownNamespace ?? user?.serviceAccount?.namespace
        let protection = Protection(patterns: configuration?.protected ?? [], ownNamespace: ownNamespace)
        let steps = planUninstall(
            of: Array(live.values), ownership: ownership, proof: knowledge.proof, access: access,
            protection: protection, wish: wish)
        return UninstallSurvey(
            policies: policies.changes, policiesLeft: policies.left, steps: steps, user: user,
            ownNamespace: ownNamespace, protectedAsOf: guarded.flatMap(GuardedState.revision), knowledge: knowledge,
            access: access, protection: protection)
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
    package func revived(
        after done: Set<ObjectID>, _ survey: UninstallSurvey
    ) async throws(ClusterError) -> [ObjectID] {
        let policies = Set(try await policies(survey.knowledge).changes.map(\.id))
        let live = try await liveState()
        return done.filter { id in
            policies.contains(id) || live[id].map { ownership.claim(of: $0) == .ours && !$0.isTerminating } ?? false
        }.sorted()
    }

    private func liveState() async throws(ClusterError) -> LiveState {
        let gathered = try await gatherLiveState(from: cluster, sleep: surroundings.sleep)
        if let (_, error) = gathered.unreadable.first { throw error }
        return gathered.state
    }

    private func policies(
        _ knowledge: UninstallKnowledge
    ) async throws(ClusterError) -> (changes: [PreventionChange], left: [PolicyLeft]) {
        let names = PreventionPolicyNames(of: instance)
        var found: [PreventionChange] = []
        var left: [PolicyLeft] = []
        // The bindings first, so that nothing is judged by half.
        for name in [names.undeclared, names.managed] {
            for resource in [Resource.admissionPolicyBinding, .admissionPolicy] {
                do throws(ClusterError) {
                    let id = ObjectID(resource, name: name)
                    switch try await cluster.preventionFinding(of: id, wanted: nil, instance: instance) {
                    case .asWanted: break
                    case .differs(let change): found.append(change)
                    case .leaving: left.append(PolicyLeft(id: id, reason: .terminating))
                    case .leftAlone: left.append(PolicyLeft(id: id, reason: .unlabelled))
                    }
                } catch {
                    // A server without them has none, and without the right Bylaw has never made any.
                    let hasNone =
                        error.kind == .resourceNotServed
                        || error.kind == .forbidden && KeptPrevention.areNone(knowledge.keptPrevention ?? "")
                    guard hasNone else { throw error }
                }
            }
        }
        return (found, left)
    }
}

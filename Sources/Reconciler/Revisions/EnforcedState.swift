package import Guardrails
package import Manifest
package import Planning
package import Policy

/// How trees become text and digests; given from outside, since this module does neither.
package struct Canonical: Sendable {
    /// The canonical JSON of a tree.
    package var text: @Sendable (Tree) -> String
    /// A digest of that text.
    package var digest: @Sendable (Tree) -> String
    /// Reads what ``text`` wrote; nil where it is not that.
    package var tree: @Sendable (String) -> Tree?

    package init(
        text: @escaping @Sendable (Tree) -> String, digest: @escaping @Sendable (Tree) -> String,
        tree: @escaping @Sendable (String) -> Tree?
    ) {
        self.text = text
        self.digest = digest
        self.tree = tree
    }
}

/// The declared state that is enforced now, with what is derived from it once.
package struct EnforcedState: Sendable {
    package var revision: Revision
    /// What the revision declares, and what an earlier one declared of objects whose change is held.
    package var objects: [ObjectID: DeclaredObject]
    package var configuration: RepositoryConfiguration
    /// The one of many clusters that the revision was read for; nil where the repository was for one.
    package var cluster: String?
    /// What waits for an approval.
    package var holds: [GuardrailHold]
    /// Held objects of which no earlier declaration is known: they are left as they are.
    package var frozen: Set<ObjectID>
    package var deletableNamespaces: Set<ObjectID>
    /// See ``GuardedState/heldSince``.
    var heldSince: [ObjectID: HeldSince]
    /// The last commit that declared what another replica has left behind; not remembered.
    var leftSince: [ObjectID: HeldSince] = [:]
    /// Who let through what of this revision.
    package var approvers: [ObjectID: String]
    /// See ``GuardedState/basis``.
    var basis: JudgementBasis?
    /// What it undoes; nil where it is no revert.
    var undoing: Undoing?
    /// Of each declaration, with all that decides whether an object is as declared.
    package var digests: [ObjectID: String]
    package var closedLabels: ClosedLabels
    /// Without a live state.
    var isolation: Isolation

    /// - Parameter guarded: What the guardrails let through of it; nil: all.
    package init(_ loaded: LoadedRevision, guarded: GuardedState? = nil, canonical: Canonical) {
        revision = loaded.revision
        let guarded = guarded ?? GuardedState(state: loaded.declared)
        let objects = guarded.objects(of: loaded.declared)
        self.objects = objects
        configuration = guarded.configuration
        cluster = loaded.declared.cluster
        holds = guarded.holds
        frozen = guarded.frozen
        deletableNamespaces = guarded.deletableNamespaces
        heldSince = guarded.heldSince
        approvers = guarded.approvers
        basis = guarded.basis
        isolation = Isolation(of: objects) { _ in nil }
        let closedLabels = ClosedLabels(
            readBy: objects.values.lazy.map(\.tree), scopeKeys: configuration.scopes.namespaceLabelKeys)
        self.closedLabels = closedLabels
        // What is declared of an object includes which of its labels must be declared: a selector elsewhere decides that.
        let closedKeys = Dictionary(
            uniqueKeysWithValues: [Resource.namespace, .clusterRole].map { ($0, closedLabels.keys(of: $0)) })
        digests = objects.mapValues { object in
            guard let keys = object.id.resource.flatMap({ closedKeys[$0] }), !keys.isEmpty else {
                return canonical.digest(object.tree)
            }
            return canonical.digest(["object": object.tree, "closedLabels": .array(keys.map(Tree.string))])
        }
    }

    /// Since when a change of an object that a newest revision makes has been waiting; nil where that is not known.
    func waitingSince(_ id: ObjectID) -> HeldSince? {
        if holds.contains(where: { $0.id == id }) { return heldSince[id] }
        if let since = leftSince[id] { return since }
        if objects[id] == nil, let basis, let since = basis.unseenSince,
            id.resource.map(basis.unseenKinds.contains) == true
        {
            return HeldSince(commit: since, isFirstRevision: true, shownAfter: revision.commit)
        }
        return HeldSince(commit: revision.commit, isFirstRevision: false)
    }

    /// What is in force, as the next revision is compared with it.
    var inForce: DeclaredState { DeclaredState(objects: objects, configuration: configuration) }
}

extension EnforcedState {
    /// Whether a difference of this object is somebody's doing: it was as this state declares it before.
    ///
    /// - Parameter settledDigests: The digest of the declaration that each object was last found equal to.
    func isDrift(_ id: ObjectID, settledDigests: [ObjectID: String]) -> Bool {
        guard let settled = settledDigests[id] else { return false }
        return settled == digests[id]
    }

    /// A namespace as scopes look at it: what is declared counts, whatever its labels are in the cluster.
    package func scopedNamespace(_ name: String, live: LiveState) -> ScopedNamespace {
        let id = ObjectID(.namespace, name: name)
        return ScopedNamespace(name: name, declared: objects[id], live: live[id])
    }

    /// What deciding by this state needs besides the object itself.
    ///
    /// - Parameter memory: Spares working out for each object again what gives us our rights.
    package func context(
        live: LiveState, ownership: Ownership, fieldManager: String, declaredEarlier: Set<ObjectID> = [],
        user: OwnAccess.User = .unknowable, settledDigests: [ObjectID: String] = [:],
        breakGlass: BreakGlass? = nil, memory: OwnRightsMemory = OwnRightsMemory()
    ) -> DecisionContext {
        let closedWorld = ClosedWorld(configuration.scopes) { scopedNamespace($0, live: live) }
        return DecisionContext(
            ownership: ownership, fieldManager: fieldManager, closedLabels: closedLabels,
            declaredEarlier: declaredEarlier, isolation: isolation.beside { live[$0] },
            ownAccess: OwnAccess(
                of: user, isDrift: { isDrift($0, settledDigests: settledDigests) },
                losesRights: { action, user in
                    losesOwnRights(by: action, of: user, live: live, instance: ownership.instance) {
                        memory.rights(
                            of: user, live: live, by: self, ownership: ownership, closedWorld: closedWorld)
                    }
                }, beneficiary: live.beneficiary),
            closedWorld: closedWorld,
            protection: Protection(patterns: configuration.protected, ownNamespace: user.namespace),
            managedKinds: configuration.managedKinds, frozen: frozen,
            unseenKinds: basis?.unseenKinds ?? [], deletableNamespaces: deletableNamespaces,
            breakGlass: breakGlass)
    }
}

extension OwnAccess.User {
    /// The namespace of the service account that we are; nil where we are none, or that is not known.
    var namespace: String? {
        guard case .known(let identity) = self else { return nil }
        return identity.serviceAccount?.namespace
    }
}

package import Manifest
package import Policy

/// Everything that is asked before a revision is enforced.
package struct GuardQuestion: Sendable {
    /// What is enforced so far; nil where nothing is, as at the first start.
    package var inForce: DeclaredState?
    /// The settings that were in force before, also where their revision is no longer known; nil at the first start.
    package var configurationInForce: RepositoryConfiguration?
    /// What the new revision declares.
    package var head: DeclaredState
    /// Every live object, as far as it is known.
    package var live: [ObjectID: LiveObject]
    /// Live objects of ours of which nobody knows any more what was declared.
    ///
    /// What an earlier run made where nothing is known to be in force, and what an earlier verdict left as it is for that
    /// reason. They count as what holds, or the next revision would delete them whatever it says.
    package var leftBehind: Set<ObjectID>
    /// What the journal knows as ours.
    package var owned: Set<ObjectID>
    package var approvals: [ApprovalSource]
    /// Namespaces where rights weigh as much as in the whole cluster.
    package var privilegedNamespaces: Set<String>
    /// Kinds that cannot be read now.
    package var unreadKinds: Set<Resource>
    /// Whether the new revision brings back the whole declared state of an earlier one, all of which was in the cluster
    /// once, with nothing of it held.
    package var isRestoration: Bool
    /// Whether an emergency hold brings it: then the settings of the revision count as well, where they are stricter.
    package var isByHold: Bool
    /// What of what is in force is gone already, by a hold that is over: its deletion is not counted again.
    package var alreadyGone: Set<ObjectID>
    /// The name of this instance, by which the marker of another one is told.
    package var instance: String

    package init(
        inForce: DeclaredState?, configurationInForce: RepositoryConfiguration? = nil, head: DeclaredState,
        live: [ObjectID: LiveObject] = [:], leftBehind: Set<ObjectID> = [],
        owned: Set<ObjectID> = [], approvals: [ApprovalSource] = [],
        privilegedNamespaces: Set<String> = ["kube-system"], unreadKinds: Set<Resource> = [],
        isRestoration: Bool = false, isByHold: Bool = false,
        alreadyGone: Set<ObjectID> = [], instance: String = ""
    ) {
        self.inForce = inForce
        self.configurationInForce = inForce?.configuration ?? configurationInForce
        self.head = head
        self.live = live
        self.leftBehind = leftBehind
        self.owned = owned
        self.approvals = approvals
        self.privilegedNamespaces = privilegedNamespaces
        self.unreadKinds = unreadKinds
        self.isRestoration = isRestoration
        self.isByHold = isByHold
        self.alreadyGone = alreadyGone
        self.instance = instance
    }
}

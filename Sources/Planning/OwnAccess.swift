package import Manifest

/// What gives this instance its own rights.
///
/// Deleting it is not checked by the server, but making it again would be, with rights that are gone by then (rule F4):
/// whoever deletes the binding that lets it write can only be helped by a person.
///
/// What Git takes away is held where it may be ours at all. What nobody declared is held only where a right would be lost
/// by it: whoever makes a binding could name us beside themselves, to have it spared.
package struct OwnAccess: Sendable {
    /// Who the server takes us for.
    package enum User: Sendable, Equatable {
        case known(UserIdentity)
        /// The server has no way to tell.
        case unknowable
        /// It was not asked yet, or did not answer: then everything that might be ours is held back.
        case notAsked

        /// What the server answered; nil where it cannot tell.
        package init(answered identity: UserIdentity?) { self = identity.map(User.known) ?? .unknowable }
    }

    private let user: User
    private let bindings: @Sendable () -> [LiveObject]?
    private let isDrift: @Sendable (ObjectID) -> Bool
    private let losesRights: @Sendable (Action, UserIdentity) -> Bool

    /// Nothing is known, and nothing held back.
    package static let none = OwnAccess(
        of: .unknowable, bindings: { [] }, isDrift: { _ in false }, losesRights: { _, _ in false })

    /// Groups that everybody, or every workload, belongs to: a binding of theirs is no more ours than anybody's.
    private static let commonGroups: Set<String> = [
        "system:authenticated", "system:unauthenticated", "system:serviceaccounts",
    ]

    /// - Parameters:
    ///   - bindings: All live ClusterRoleBindings; nil while they are not known.
    ///   - isDrift: Whether an object was as the same declaration wants it before: then what differs is somebody's doing,
    ///     and gave us nothing.
    ///   - losesRights: Whether somebody would lose rights that we need by an action.
    package init(
        of user: User, bindings: @escaping @Sendable () -> [LiveObject]?,
        isDrift: @escaping @Sendable (ObjectID) -> Bool,
        losesRights: @escaping @Sendable (Action, UserIdentity) -> Bool
    ) {
        self.user = user
        self.bindings = bindings
        self.isDrift = isDrift
        self.losesRights = losesRights
    }

    /// The reason to hold an action back, or nil where it leaves our own rights alone.
    func hold(_ action: Action) -> Hold? {
        guard user != .unknowable, let live = action.before, !isDrift(action.id), takesAway(action, from: live) else {
            return nil
        }
        let why =
            user == .notAsked
            ? "it may give Bylaw its own rights, and the server did not tell yet who Bylaw is"
            : "it gives Bylaw its own rights, and without them it could not be made again"
        return Hold(
            id: action.id, reason: .ownAccess, message: "\(action.kind.rawValue) \(action.id) is held: \(why)")
    }

    private func takesAway(_ action: Action, from live: LiveObject) -> Bool {
        if action.isOfStranger, case .known(let identity) = user { return losesRights(action, identity) }
        let isRemoved = action.kind == .delete || action.kind == .replace
        switch action.id.resource {
        case .clusterRoleBinding:
            guard mayNameUs(live.tree) else { return false }
            guard !isRemoved, let desired = action.desired else { return true }
            guard user == .notAsked else { return !mayNameUs(desired) }
            // Any subject that is taken off may be us.
            let kept = Set(desired["subjects"]?.array ?? [])
            return !(live.tree["subjects"]?.array ?? []).allSatisfy(kept.contains)
        case .clusterRole:
            // Bound or not, an aggregated role of ours may have its rules from it.
            guard isRemoved || losesRules(action, from: live) || isGatheredOtherwise(action) else { return false }
            if mayLoseRights(action) { return true }
            guard isRemoved else { return false }
            guard let bindings = bindings() else { return true }
            return bindings.contains { $0.tree["roleRef"]?["name"]?.string == live.id.name && mayNameUs($0.tree) }
        case .serviceAccount:
            guard isRemoved else { return false }
            guard case .known(let identity) = user else { return true }
            return identity.serviceAccount == live.id
        case .namespace: return isRemoved && user == .notAsked
        case .role:
            guard isRemoved || losesRules(action, from: live), case .known(let identity) = user else { return false }
            return losesRights(action, identity)
        case .roleBinding:
            guard case .known(let identity) = user else { return false }
            return losesRights(action, identity)
        default: return false
        }
    }

    private func mayLoseRights(_ action: Action) -> Bool {
        guard case .known(let identity) = user else { return true }
        return losesRights(action, identity)
    }

    /// Whether other roles gather its rules, or it gathers others' rules, in another way than before.
    private func isGatheredOtherwise(_ action: Action) -> Bool {
        action.differences.contains { difference in
            difference.path.first == "aggregationRule" || difference.path.starts(with: ["metadata", "labels"])
        }
    }

    private func losesRules(_ action: Action, from live: LiveObject) -> Bool {
        let kept = Set(action.desired?["rules"]?.array ?? [])
        return !(live.tree["rules"]?.array ?? []).allSatisfy(kept.contains)
    }

    /// Whether a binding names us; any may, as long as we do not know who we are.
    private func mayNameUs(_ binding: Tree) -> Bool {
        guard case .known(var identity) = user else { return true }
        identity.groups.subtract(Self.commonGroups)
        return identity.isNamed(by: binding, in: "")
    }
}

package import Manifest

/// What gives this instance its own rights.
///
/// Deleting it is not checked by the server, but making it again would be, with rights that are gone by then (rule F4):
/// whoever deletes the binding that lets it write can only be helped by a person.
///
/// What names us is held only where a right would be lost by it: whoever makes or changes a binding could name us beside
/// themselves, to have it spared. As long as we do not know who we are, everything that may be ours is held.
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

    /// Whom a role or binding gives anything by the bindings and roles that are there.
    package enum Beneficiary: Sendable, Equatable {
        case nobody
        /// Our service account, and nobody else.
        case us
        case others
    }

    /// How an object stands that nobody declares and that is Bylaw's own: named like its service account, and for that alone.
    enum OwnStanding: Equatable {
        /// It gives what is needed; or nothing yet, since the parts of a ceiling come one after the other.
        case inOrder
        /// It gives what nothing declared takes now. It is told, and stays: the revert of a commit may take it again.
        case surplus
    }

    private let user: User
    private let isDrift: @Sendable (ObjectID) -> Bool
    private let losesRights: @Sendable (Action, UserIdentity) -> Bool
    private let beneficiary: @Sendable (LiveObject, ObjectID) -> Beneficiary

    /// Nothing is known, and nothing held back.
    package static let none = OwnAccess(
        of: .unknowable, isDrift: { _ in false }, losesRights: { _, _ in false }, beneficiary: { _, _ in .others })

    /// - Parameters:
    ///   - isDrift: Whether an object was as the same declaration wants it before: then what differs is somebody's doing,
    ///     and gave us nothing.
    ///   - losesRights: Whether somebody would lose rights that we need by an action.
    ///   - beneficiary: Whom a role or binding gives anything, told from a service account.
    package init(
        of user: User, isDrift: @escaping @Sendable (ObjectID) -> Bool,
        losesRights: @escaping @Sendable (Action, UserIdentity) -> Bool,
        beneficiary: @escaping @Sendable (LiveObject, ObjectID) -> Beneficiary
    ) {
        self.user = user
        self.isDrift = isDrift
        self.losesRights = losesRights
        self.beneficiary = beneficiary
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

    /// How an object stands that nobody declares; nil where it is not Bylaw's own.
    ///
    /// So the ceiling may stand in a namespace where nothing undeclared does. Whoever adds a subject to it, or binds its role
    /// to others, ends that: a role has to be looked at again when that may have happened (``ownNames(of:)``). Under another
    /// name that begins like the service account's only what is needed stays.
    func standing(of live: LiveObject) -> OwnStanding? {
        guard case .known(let identity) = user, let account = identity.serviceAccount,
            live.id.resource.map(Resource.ofAccess.contains) == true,
            live.id.name.hasSameBytes(as: account.name) || live.id.name.hasPrefix(account.name + "-")
        else { return nil }
        var action = Action(
            id: live.id, kind: .delete, steps: [.delete], before: live, desired: nil, differences: [],
            stage: stageOfDelete(live, isolation: .unknown), origin: nil)
        action.isOfStranger = true
        let isNeeded = losesRights(action, identity)
        guard isNeeded || Self.ownNames(of: account).contains(where: live.id.name.hasSameBytes) else { return nil }
        switch beneficiary(live, account) {
        case .others: return nil
        case .nobody: return .inOrder
        case .us: return isNeeded ? .inOrder : .surplus
        }
    }

    /// The names of what gives a service account what Bylaw needs, and of the ceiling beside it.
    package static func ownNames(of account: ObjectID) -> [String] { [account.name, account.name + "-ceiling"] }

    private func takesAway(_ action: Action, from live: LiveObject) -> Bool {
        let isRemoved = action.kind == .delete || action.kind == .replace
        let isLessened =
            switch action.id.resource {
            case .clusterRoleBinding, .roleBinding: isRemoved || loses("subjects", action, from: live)
            // Bound or not, an aggregated role of ours may have its rules from it.
            case .clusterRole: isRemoved || loses("rules", action, from: live) || isGatheredOtherwise(action)
            case .role: isRemoved || loses("rules", action, from: live)
            case .serviceAccount: isRemoved
            case .namespace: isRemoved && user == .notAsked
            default: false
            }
        guard isLessened else { return false }
        if case .known(let identity) = user { return losesRights(action, identity) }
        // Most of our rights hold for the whole cluster: but for a ceiling that nobody declares, nobody holds something back by a binding in a namespace of their own.
        return action.isOfStranger || action.id.resource != .role && action.id.resource != .roleBinding
    }

    /// Whether other roles gather its rules, or it gathers others' rules, in another way than before.
    private func isGatheredOtherwise(_ action: Action) -> Bool {
        action.differences.contains { difference in
            difference.path.first == "aggregationRule" || difference.path.starts(with: ["metadata", "labels"])
        }
    }

    private func loses(_ list: String, _ action: Action, from live: LiveObject) -> Bool {
        let kept = Set(action.desired?[list]?.array ?? [])
        return !(live.tree[list]?.array ?? []).allSatisfy(kept.contains)
    }
}

package import Manifest

/// What gives this instance its own rights.
///
/// Deleting it is not checked by the server, but making it again would be, with rights that are gone by then (rule F4):
/// whoever deletes the binding that lets it write can only be helped by a person.
package struct OwnAccess: Sendable {
    private let user: UserIdentity?
    private let bindings: @Sendable () -> [LiveObject]

    /// Nothing is known, and so nothing held back.
    package static let unknown = OwnAccess(of: nil) { [] }

    /// Groups that everybody, or every workload, belongs to: a binding of theirs is no more ours than anybody's.
    private static let commonGroups: Set<String> = [
        "system:authenticated", "system:unauthenticated", "system:serviceaccounts",
    ]

    /// - Parameters:
    ///   - user: Who we are; nil where the server does not tell.
    ///   - bindings: All live bindings, of both kinds, as far as they are known.
    package init(of user: UserIdentity?, bindings: @escaping @Sendable () -> [LiveObject]) {
        self.user = user
        self.bindings = bindings
    }

    /// The reason to hold an action back, or nil where it leaves our own rights alone.
    func hold(_ action: Action) -> Hold? {
        guard user != nil, let live = action.before, takesAway(action, from: live) else { return nil }
        return Hold(
            id: action.id, reason: .ownAccess,
            message:
                "\(action.kind.rawValue) \(action.id) is held: it gives Bylaw its own rights, and without them it could"
                + " not be made again")
    }

    private func takesAway(_ action: Action, from live: LiveObject) -> Bool {
        let isRemoved = action.kind == .delete || action.kind == .replace
        switch action.id.resource {
        case .roleBinding, .clusterRoleBinding:
            guard namesUs(live.tree, in: live.id.namespace) else { return false }
            return isRemoved || action.desired.map { !namesUs($0, in: live.id.namespace) } ?? true
        case .role, .clusterRole:
            return isRemoved && bindings().contains { refers($0, to: live.id) && namesUs($0.tree, in: $0.id.namespace) }
        case .serviceAccount:
            return isRemoved && user?.name == "system:serviceaccount:\(live.id.namespace):\(live.id.name)"
        default: return false
        }
    }

    private func namesUs(_ binding: Tree, in namespace: String) -> Bool {
        guard let user else { return false }
        return (binding["subjects"]?.array ?? []).contains { subject in
            let name = subject["name"]?.string ?? ""
            switch subject["kind"]?.string {
            case "User": return name == user.name
            case "Group": return user.groups.contains(name) && !Self.commonGroups.contains(name)
            case "ServiceAccount":
                return user.name == "system:serviceaccount:\(subject["namespace"]?.string ?? namespace):\(name)"
            default: return false
            }
        }
    }

    private func refers(_ binding: LiveObject, to role: ObjectID) -> Bool {
        let reference = binding.tree["roleRef"]
        guard reference?["kind"]?.string == role.kind, reference?["name"]?.string == role.name else { return false }
        return role.namespace.isEmpty || role.namespace == binding.id.namespace
    }
}

package import Manifest

/// What becomes of one object when its instance goes.
package struct UninstallStep: Sendable, Equatable {
    package enum Fate: Sendable, Equatable {
        case delete
        /// It stays, without our marker.
        case unmark
        case leave(Reason)
    }

    /// Why an object stays as it is.
    package enum Reason: String, Sendable, CaseIterable {
        /// Our label, and the identity of another object.
        case copied
        /// Our whole marker, which anybody can forge, and nothing else that says that we made it (rule H4).
        case unproven
        /// We made it, and somebody has taken the marker off.
        case unmarked
        /// It gives whoever does this their rights, or is what they are (rule F4).
        case ownAccess
        /// Somebody has asked for its deletion already.
        case terminating
    }

    package var object: LiveObject
    package var fate: Fate

    package init(object: LiveObject, fate: Fate) {
        self.object = object
        self.fate = fate
    }

    /// Whether more is possible without it: what it isolates or limits is so no more.
    package var opens: Bool {
        guard fate == .delete else { return false }
        return [.networkPolicy, .resourceQuota, .limitRange].contains(object.id.resource)
    }
}

/// What an uninstall is to do with the objects of the instance.
package struct UninstallWish: Sendable, Equatable {
    /// Nothing is deleted; only the marker is taken off.
    package var keepsObjects: Bool
    /// Also namespaces, with all that is in them.
    package var deletesNamespaces: Bool

    package init(keepsObjects: Bool = false, deletesNamespaces: Bool = false) {
        self.keepsObjects = keepsObjects
        self.deletesNamespaces = deletesNamespaces
    }
}

/// Decides what becomes of every object that carries an instance's marker, or that the journal knows as its own.
///
/// Only what carries the marker and is known by its uid is ever deleted. In order: rights go first, bindings before the
/// roles that they name; what isolates and limits goes last, policies that select every pod after the others; then
/// namespaces. Equal input gives an equal list.
///
/// - Parameters:
///   - live: Every object of the managed kinds.
///   - owned: The uids that the journal knows as ours.
///   - user: Who does it; nil where the server has no way to tell.
package func planUninstall(
    of live: [LiveObject], ownership: Ownership, owned: [ObjectID: String], user: UserIdentity?, wish: UninstallWish
) -> [UninstallStep] {
    let access = user.map { ownAccess(of: $0, in: live) } ?? []
    return live.compactMap { object in
        fate(of: object, ownership: ownership, owned: owned, access: access, wish: wish).map {
            UninstallStep(object: object, fate: $0)
        }
    }.sorted { left, right in
        let (first, second) = (rank(left.object), rank(right.object))
        return first == second ? left.object.id < right.object.id : first < second
    }
}

/// What is to be done to one object as it is now; nil where it is none of ours.
private func fate(
    of object: LiveObject, ownership: Ownership, owned: [ObjectID: String], access: Set<ObjectID>, wish: UninstallWish
) -> UninstallStep.Fate? {
    let isKnown = owned[object.id] == object.uid
    switch ownership.claim(of: object) {
    case .ours where wish.keepsObjects, .copied where wish.keepsObjects: return .unmark
    case .copied: return .leave(.copied)
    case .unmarked, .another: return isKnown && !wish.keepsObjects ? .leave(.unmarked) : nil
    case .ours: break
    }
    if object.isTerminating { return .leave(.terminating) }
    if object.id.resource == .namespace, !wish.deletesNamespaces { return .unmark }
    guard isKnown else { return .leave(.unproven) }
    return access.contains(object.id) ? .leave(.ownAccess) : .delete
}

/// What somebody is, where they live and what gives them rights by name.
///
/// What a group of everybody has is not counted: it would keep every such binding.
private func ownAccess(of user: UserIdentity, in live: [LiveObject]) -> Set<ObjectID> {
    var access: Set<ObjectID> = []
    if let account = user.serviceAccount {
        access = [account, ObjectID(.namespace, name: account.namespace)]
    }
    let alone = UserIdentity(name: user.name, groups: user.groups.filter { !$0.hasPrefix("system:") })
    for binding in live where [.roleBinding, .clusterRoleBinding].contains(binding.id.resource) {
        guard alone.isNamed(by: binding.tree, in: binding.id.namespace) else { continue }
        access.insert(binding.id)
        guard let name = binding.tree["roleRef"]?["name"]?.string else { continue }
        access.insert(
            binding.tree["roleRef"]?["kind"] == "Role"
                ? ObjectID(.role, namespace: binding.id.namespace, name: name) : ObjectID(.clusterRole, name: name))
    }
    return access
}

private func rank(_ object: LiveObject) -> Int {
    switch object.id.resource {
    case .clusterRoleBinding, .roleBinding: 0
    case .clusterRole, .role: 1
    case .serviceAccount: 2
    case .networkPolicy: selectsEveryPod(object.tree) ? 4 : 3
    case .namespace: 6
    default: 5
    }
}

/// The merge patch that takes our marker off an object.
package let unmarkingPatch: Tree = [
    "metadata": [
        "labels": [Ownership.instanceLabel: .null], "annotations": [Ownership.identityAnnotation: .null],
    ]
]

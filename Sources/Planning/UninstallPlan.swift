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
        /// Our whole marker, which anybody can forge, and nothing else that says that we made it or took it over (rule H4).
        case unproven
        /// We made it, and somebody has taken the marker off.
        case unmarked
        /// It gives whoever does this their rights, or is what they are (rule F4).
        case ownAccess
        /// Somebody has asked for its deletion already.
        case terminating
        /// It is never deleted, as what Bylaw itself runs in or what the repository protects. Where nothing is deleted, the
        /// marker comes off it all the same.
        case protected
        /// An admission policy by the name of one of ours, without our label.
        case unlabelled
        /// It isolates or limits, itself or by what is in it, and rights that were to go first are still there.
        case rightsRemain
    }

    package var object: LiveObject
    package var fate: Fate

    package init(object: LiveObject, fate: Fate) {
        self.object = object
        self.fate = fate
    }

    /// Whether somebody has a right by it.
    package var isAboutRights: Bool { rank(object) <= 1 }

    /// Whether rights stay by it that may be ours and were to go: in doubt nothing opens before.
    ///
    /// Held by finalizers, it grants as before (rule F7).
    package var keepsRights: Bool {
        guard isAboutRights, case .leave(let reason) = fate else { return false }
        return [.terminating, .unproven, .unmarked].contains(reason)
    }

    /// Whether more is possible without it: what it isolates or limits is so no more; a namespace takes all of that along.
    package var opens: Bool {
        guard fate == .delete else { return false }
        return [.networkPolicy, .resourceQuota, .limitRange, .namespace].contains(object.id.resource)
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

/// What a journal says of the objects of an instance.
package struct UninstallProof: Sendable {
    /// The uids that it knows as ours.
    package var owned: [ObjectID: String]
    /// The uids of what was made, and not found and taken over.
    package var made: Set<String>
    /// The uids of what was found and taken over.
    package var takenOver: Set<String>

    package init(owned: [ObjectID: String], made: Set<String>, takenOver: Set<String>) {
        self.owned = owned
        self.made = made
        self.takenOver = takenOver
    }
}

/// Decides what becomes of every object that carries an instance's marker, or that the journal knows as its own.
///
/// Only what carries the marker, is known by its uid and was made by the instance is ever deleted: what was there before and
/// was taken over stays, without the marker, and what neither is known of stays as it is. In order: rights go first,
/// bindings before the roles that they name; what isolates and limits goes last, policies that select every pod after the
/// others, and not while rights stay that may be ours; then namespaces, but for those that hold what must stay. Equal input
/// gives an equal list.
///
/// - Parameters:
///   - live: Every object of the managed kinds.
///   - proof: What the journal says of them.
///   - access: What gives whoever does it their rights, and what they are.
///   - protection: What is never written.
package func planUninstall(
    of live: [LiveObject], ownership: Ownership, proof: UninstallProof, access: Set<ObjectID>, protection: Protection,
    wish: UninstallWish
) -> [UninstallStep] {
    var steps = live.compactMap { object in
        fate(
            of: object, ownership: ownership, proof: proof, access: access, protection: protection, wish: wish
        ).map {
            UninstallStep(object: object, fate: $0)
        }
    }.sorted { left, right in
        let (first, second) = (rank(left.object), rank(right.object))
        return first == second ? left.object.id < right.object.id : first < second
    }
    let reasons = reasonsToStay(of: live, steps, protection: protection)
    let doRightsRemain = steps.contains { $0.keepsRights }
    for index in steps.indices where steps[index].opens {
        if steps[index].object.id.resource == .namespace, let reason = reasons[steps[index].object.id.name] {
            steps[index].fate = .leave(reason)
        } else if doRightsRemain {
            steps[index].fate = .leave(.rightsRemain)
        }
    }
    return steps
}

/// Why what a namespace would take along has to stay, by namespace; also what is protected and none of ours.
private func reasonsToStay(
    of live: [LiveObject], _ steps: [UninstallStep], protection: Protection
) -> [String: UninstallStep.Reason] {
    var reasons: [String: UninstallStep.Reason] = [:]
    for id in live.map(\.id) where !id.namespace.isEmpty && !isNeverWritten(id) && protection.reason(for: id) != nil {
        reasons[id.namespace] = .protected
    }
    for step in steps where step.fate == .leave(.ownAccess) { reasons[step.object.id.namespace] = .ownAccess }
    return reasons
}

/// What is to be done to one object as it is now; nil where it is none of ours.
private func fate(
    of object: LiveObject, ownership: Ownership, proof: UninstallProof, access: Set<ObjectID>, protection: Protection,
    wish: UninstallWish
) -> UninstallStep.Fate? {
    let isKnown = proof.owned[object.id] == object.uid
    let (isMade, isTakenOver) = (proof.made.contains(object.uid), proof.takenOver.contains(object.uid))
    switch ownership.claim(of: object) {
    case .ours where wish.keepsObjects, .copied where wish.keepsObjects: return .unmark
    case .copied: return .leave(.copied)
    // Of what it did not make the marker is all that was ever to come off: another replica may have taken it off.
    case .unmarked, .another: return isKnown && isMade && !wish.keepsObjects ? .leave(.unmarked) : nil
    case .ours: break
    }
    if object.isTerminating { return .leave(.terminating) }
    // Nothing of it goes, so neither its protection nor whose rights it holds stands against that.
    if object.id.resource == .namespace, !wish.deletesNamespaces {
        return isMade || isTakenOver ? .unmark : .leave(.unproven)
    }
    guard isKnown else { return .leave(.unproven) }
    if access.contains(object.id) { return .leave(.ownAccess) }
    if protection.reason(for: object.id) != nil { return .leave(.protected) }
    if isMade { return .delete }
    return isTakenOver ? .unmark : .leave(.unproven)
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

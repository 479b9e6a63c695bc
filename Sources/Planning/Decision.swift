package import Manifest
package import Policy

/// What is known of one object that this instance owns or owned.
package struct OwnershipRecord: Sendable, Equatable {
    package var uid: String

    package init(uid: String) { self.uid = uid }
}

/// What deciding needs besides the object itself.
package struct DecisionContext: Sendable {
    package var ownership: Ownership
    package var fieldManager: String
    package var closedLabels: ClosedLabels
    /// Objects that an earlier revision declared, as far as that was asked for; it proves ownership where the journal
    /// was lost (design, section 5.6).
    package var declaredEarlier: Set<ObjectID>
    /// What stays cut off when a NetworkPolicy is deleted.
    package var isolation: Isolation
    /// What must not be taken away from ourselves.
    package var ownAccess: OwnAccess
    /// What becomes of what nobody declares.
    package var closedWorld: ClosedWorld
    /// What is never written.
    package var protection: Protection
    package var managedKinds: Set<Resource>
    /// Objects that are left as they are until somebody approves what is to become of them.
    package var frozen: Set<ObjectID>
    /// Kinds of which nobody knows yet what an earlier run left: what is not declared of them stays.
    package var unseenKinds: Set<Resource>
    /// Namespaces whose deletion is approved.
    package var deletableNamespaces: Set<ObjectID>
    /// Which objects somebody may keep from us for a time; nil where the API server lets anybody say so.
    package var breakGlass: BreakGlass?

    package init(
        ownership: Ownership, fieldManager: String, closedLabels: ClosedLabels = ClosedLabels(),
        declaredEarlier: Set<ObjectID> = [], isolation: Isolation = .unknown, ownAccess: OwnAccess = .none,
        closedWorld: ClosedWorld = .open, protection: Protection = .standard,
        managedKinds: Set<Resource> = Set(Resource.managed), frozen: Set<ObjectID> = [],
        unseenKinds: Set<Resource> = [], deletableNamespaces: Set<ObjectID> = [], breakGlass: BreakGlass? = nil
    ) {
        self.ownership = ownership
        self.fieldManager = fieldManager
        self.closedLabels = closedLabels
        self.declaredEarlier = declaredEarlier
        self.isolation = isolation
        self.ownAccess = ownAccess
        self.closedWorld = closedWorld
        self.protection = protection
        self.managedKinds = managedKinds
        self.frozen = frozen
        self.unseenKinds = unseenKinds
        self.deletableNamespaces = deletableNamespaces
        self.breakGlass = breakGlass
    }
}

/// What has to happen to one object.
package enum Decision: Sendable {
    /// Nothing: it is as declared and known, or none of our business.
    case leave
    /// It is as declared and carries our marker, but the record does not know it yet.
    case recognise(LiveObject)
    case act(Action)
    /// Something ought to happen, and a rule holds it back until a person acts.
    case hold(Hold)
    /// Nobody declares it, in a scope where that is an incident.
    case stranger(LiveObject)
    /// Somebody of the break-glass group wrote it, and it is left like that until this moment.
    case leaveUntil(LiveObject, Timestamp)
    /// The object, or its namespace, is being deleted: nothing can be done until it is gone (rule F9).
    case waitForDeletion(LiveObject)
    /// It is gone or handed over, so the record of owning it ends.
    case release
}

/// Why an action is held back.
package struct Hold: Sendable, Equatable {
    package enum Reason: String, Sendable, Equatable, CaseIterable {
        case namespaceDeletion
        case ownershipConflict
        case pruneUnproven
        case ownAccess
        case protectedObject
    }

    package var id: ObjectID
    package var reason: Reason
    package var message: String

    package init(id: ObjectID, reason: Reason, message: String) {
        self.id = id
        self.reason = reason
        self.message = message
    }
}

/// One change to one object, with everything that is needed to make it and to explain it.
package struct Action: Sendable {
    package var id: ObjectID
    package var kind: ActionKind
    package var steps: [Step]
    package var before: LiveObject?
    /// What is applied: canonical, with our marker; nil for a delete.
    package var desired: Tree?
    package var differences: [Difference]
    /// What it does to rights and reachability, which decides its place in the order.
    package var stage: Stage
    /// Where it is declared; nil for a delete.
    package var origin: Origin?
    /// It removes what nobody ever declared, in a scope that is authoritative.
    package var isOfStranger = false

    /// One request, or two that belong together.
    package enum Step: Sendable, Equatable {
        /// A JSON patch that makes us the owner of what earlier tools applied (rule D15).
        case takeOver(Tree)
        /// A merge patch that removes what was never declared (rule D11).
        case removeUndeclared(Tree)
        case apply
        /// Dry-run create, delete, create (rule F3).
        case recreate
        case delete
    }
}

/// Decides what has to happen to one object.
///
/// Pure and total: the same input gives the same answer, whatever happened before.
///
/// - Parameters:
///   - declared: The object as the enforced revision declares it, or nil where it does not.
///   - live: The object as the server holds it, or nil where it is known to be absent.
///   - record: What the journal knows of owning it.
package func decide(
    id: ObjectID, declared: DeclaredObject?, live: LiveObject?, record: OwnershipRecord?, in context: DecisionContext
) -> Decision {
    guard let resource = id.resource, context.managedKinds.contains(resource) else {
        // Were it known as ours for ever, it would be deleted once its kind is managed again.
        return record == nil ? .leave : .release
    }
    let decision: Decision
    if context.frozen.contains(id) || declared == nil && context.unseenKinds.contains(resource) {
        decision = decideFrozen(live, record: record, in: context)
    } else if let declared {
        decision = decideDeclared(declared, resource: resource, live: live, record: record, in: context)
    } else if let live {
        decision = decideUndeclared(live, record: record, in: context)
    } else {
        decision = record == nil ? .leave : .release
    }
    if let live, let spared = sparing(live, from: decision, in: context) { return spared }
    switch decision {
    case .act, .stranger:
        if let live, let end = context.breakGlass?.end(of: live, instance: context.ownership.instance) {
            return .leaveUntil(live, end)
        }
    case .leave, .recognise, .hold, .leaveUntil, .waitForDeletion, .release: break
    }
    guard case .act(let action) = decision,
        let hold = context.protection.hold(action) ?? context.ownAccess.hold(action)
    else { return decision }
    return .hold(hold)
}

/// What becomes of Bylaw's own object where a stranger would be removed or told; nil where it is not its own.
private func sparing(_ live: LiveObject, from decision: Decision, in context: DecisionContext) -> Decision? {
    switch decision {
    case .act(let action) where action.isOfStranger:
        context.ownAccess.standing(of: live).map { $0 == .inOrder ? .leave : .stranger(live) }
    // Where nothing is removed it is not weighed what would be missing.
    case .stranger: context.ownAccess.standing(of: live).map { _ in .leave }
    case .act, .leave, .recognise, .hold, .leaveUntil, .waitForDeletion, .release: nil
    }
}

private func decideDeclared(
    _ declared: DeclaredObject, resource: Resource, live: LiveObject?, record: OwnershipRecord?,
    in context: DecisionContext
) -> Decision {
    let desired = context.ownership.marked(declared.tree, id: declared.id)
    guard let live else {
        return .act(
            Action(
                id: declared.id, kind: .create, steps: [.apply], before: nil, desired: desired, differences: [],
                stage: stageOfCreate(desired, resource: resource), origin: declared.origin))
    }
    // Whatever is written to a namespace on its way out is lost.
    if live.isTerminating, resource == .namespace { return .waitForDeletion(live) }

    let isKnown = record?.uid == live.uid
    let claim = context.ownership.claim(of: live)
    // A foreign marker on an object that the journal knows as ours is drift, or anybody could stop us by a label.
    if case .another(let instance) = claim, record == nil {
        return .hold(
            Hold(
                id: live.id, reason: .ownershipConflict,
                message: "\(live.id) carries the marker of instance \"\(instance)\", and is declared here as well"))
    }

    let found = canonicalLive(live.tree, of: resource)
    let differences = compare(desired: desired, live: found, of: resource, closedLabels: context.closedLabels)
    let mustBeMadeAnew = differences.contains { isImmutable($0.path, of: resource) }
    // Until its finalizers let go, an object grants and allows as before: it is kept as declared, and then waited for
    // (rules F7 and D28).
    if live.isTerminating, differences.isEmpty || mustBeMadeAnew { return .waitForDeletion(live) }
    guard !differences.isEmpty else { return isKnown ? .leave : .recognise(live) }

    let isAdoption = !isKnown && claim != .ours
    let steps: [Action.Step]
    var kind: ActionKind = isAdoption ? .adopt : .update
    if mustBeMadeAnew {
        kind = .replace
        steps = [.recreate]
    } else {
        var list: [Action.Step] = []
        if isAdoption, let patch = planTakeover(of: live, fieldManager: context.fieldManager) {
            list.append(.takeOver(patch))
        }
        if let patch = removalPatch(differences) { list.append(.removeUndeclared(patch)) }
        // Taking over needs an apply behind it, to let go of what is not declared.
        if isAdoption || differences.contains(where: { $0.kind != .undeclared }) { list.append(.apply) }
        steps = list
    }
    return .act(
        Action(
            id: live.id, kind: kind, steps: steps, before: live, desired: desired, differences: differences,
            stage: stageOfUpdate(
                differences, of: live.id, resource: resource, desired: desired, live: found,
                isolation: context.isolation),
            origin: declared.origin))
}

private func decideUndeclared(
    _ live: LiveObject, record: OwnershipRecord?, in context: DecisionContext
) -> Decision {
    let isKnown = record?.uid == live.uid
    let claim = context.ownership.claim(of: live)
    if !isKnown, let decision = decideStranger(live, claim: claim, in: context) { return decision }
    switch claim {
    // On an object that the journal knows as ours a foreign marker is somebody's way to escape its removal.
    case .another where !isKnown, .unmarked where !isKnown:
        return record == nil ? .leave : .release
    case .copied where !isKnown:
        return .hold(
            Hold(
                id: live.id, reason: .ownershipConflict,
                message: "\(live.id) carries our marker with the identity of another object: a copy, left alone"))
    case .ours where !isKnown && !context.declaredEarlier.contains(live.id):
        return .hold(
            Hold(
                id: live.id, reason: .pruneUnproven,
                message: "\(live.id) carries our marker and is not declared, but neither the journal nor the "
                    + "repository's history shows that Bylaw made it; it is left alone"))
    case .unmarked, .copied, .ours, .another:
        break
    }
    if live.isTerminating { return live.id.resource == .namespace ? .leave : .waitForDeletion(live) }
    if live.id.resource == .namespace, !context.deletableNamespaces.contains(live.id) {
        return .hold(
            Hold(
                id: live.id, reason: .namespaceDeletion,
                message: "\(live.id) is no longer declared; deleting it would delete everything in it, so it is held"))
    }
    if let resource = live.id.resource, Resource.ofAccess.contains(resource), isMadeByKubernetes(live) {
        return .hold(
            Hold(
                id: live.id, reason: .pruneUnproven,
                message:
                    "\(live.id) is no longer declared, but it belongs to Kubernetes, which others rely on; it is left"
                    + " as it is"))
    }
    // What the journal knows as ours goes, whatever owner somebody wrote onto it: a revoked right must not stay by that,
    // and a controller that wants the object makes it again.
    if !isKnown, isOwned(live) {
        return .hold(
            Hold(
                id: live.id, reason: .pruneUnproven,
                message:
                    "\(live.id) is no longer declared, but another object owns it, and the journal does not know it "
                    + "as ours; it is left to that owner"))
    }
    return .act(
        Action(
            id: live.id, kind: .delete, steps: [.delete], before: live, desired: nil, differences: [],
            stage: stageOfDelete(live, isolation: context.isolation), origin: nil))
}

/// What becomes of an object whose declaration is held and that nothing declared before.
///
/// What is ours stays as it is. Anything else is a stranger as it was before the revision: a name that waits for its approval
/// must not shelter what somebody puts there.
private func decideFrozen(
    _ live: LiveObject?, record: OwnershipRecord?, in context: DecisionContext
) -> Decision {
    guard let live, record?.uid != live.uid else { return .leave }
    let claim = context.ownership.claim(of: live)
    // A marker alone could be anybody's.
    if claim == .ours, context.declaredEarlier.contains(live.id) { return .leave }
    return decideStranger(live, claim: claim, in: context) ?? .leave
}

/// What becomes of an object that is not declared and not known to be ours; nil where it is left to the rules of
/// ownership.
private func decideStranger(
    _ live: LiveObject, claim: Ownership.Claim, in context: DecisionContext
) -> Decision? {
    let mode = context.closedWorld.mode(of: live)
    // Until its finalizers let go it grants and allows as before (rule F7).
    if live.isTerminating { return mode == .declared ? nil : .waitForDeletion(live) }
    switch (mode, claim) {
    // Our own marker is dealt with in any case where nothing may be removed.
    case (.declared, _), (.report, .ours), (.report, .copied): return nil
    case (.report, _): return .stranger(live)
    // Two instances whose scopes overlap must not fight.
    case (.enforce, .another(let instance)) where context.closedWorld.isOtherInstance(instance): return .stranger(live)
    case (.enforce, .ours) where context.declaredEarlier.contains(live.id): return nil
    case (.enforce, _):
        var action = Action(
            id: live.id, kind: .delete, steps: [.delete], before: live, desired: nil, differences: [],
            stage: stageOfDelete(live, isolation: context.isolation), origin: nil)
        action.isOfStranger = true
        return .act(action)
    }
}

/// Fields that the server refuses to change: the object has to be made anew (rules F1 and F5).
private func isImmutable(_ path: [String], of resource: Resource) -> Bool {
    switch resource {
    case .roleBinding, .clusterRoleBinding: path.first == "roleRef"
    case .resourceQuota: path == ["spec", "scopes"]
    default: false
    }
}

/// The merge patch that sets each undeclared place to null, or nil where there is none.
private func removalPatch(_ differences: [Difference]) -> Tree? {
    let undeclared = differences.filter { $0.kind == .undeclared }
    guard !undeclared.isEmpty else { return nil }
    return undeclared.reduce(into: Tree.object(Members())) { patch, difference in
        patch.set(difference.path, to: .null)
    }
}

package import Manifest
package import Policy

/// Everything that a pass would do, in the order in which it would start.
package struct Plan: Sendable {
    package var actions: [Action]
    package var holds: [Hold]
    /// Objects that are as declared, but which the record does not know yet.
    package var recognised: [LiveObject]
    /// Objects that nobody declares, in scopes where that is an incident.
    package var strangers: [LiveObject] = []
    /// Objects that differ and are left like that for a time, since somebody broke the glass.
    package var leftForNow: [LiveObject] = []
    /// Objects that wait until something is deleted.
    package var waiting: [LiveObject]
    /// Records of objects that are gone or handed over.
    package var released: [ObjectID]
    /// How many declared objects are as declared.
    package var unchangedCount: Int

    /// Whether a pass would find the cluster as declared: what is only told changes nothing.
    package var isConverged: Bool { actions.isEmpty && holds.isEmpty && waiting.isEmpty && leftForNow.isEmpty }
}

/// Everything a plan is made from.
package struct PlanInput: Sendable {
    package var declared: [ObjectID: DeclaredObject]
    /// Every live object of the kinds in `readKinds`: complete lists, never a part (rule H9).
    package var live: [ObjectID: LiveObject]
    package var record: [ObjectID: OwnershipRecord]
    /// The kinds whose lists were read.
    ///
    /// Nothing is decided about objects of other kinds.
    package var readKinds: Set<Resource>
    package var context: DecisionContext

    package init(
        declared: [ObjectID: DeclaredObject], live: [ObjectID: LiveObject], record: [ObjectID: OwnershipRecord],
        readKinds: Set<Resource> = Set(Resource.managed), context: DecisionContext
    ) {
        self.declared = declared
        self.live = live
        self.record = record
        self.readKinds = readKinds
        self.context = context
    }
}

/// Makes the plan that would make live equal declared.
///
/// Deterministic: equal input gives an equal plan. A declared state that is empty deletes nothing (rule H8).
package func plan(_ input: PlanInput) -> Plan {
    var plan = Plan(actions: [], holds: [], recognised: [], waiting: [], released: [], unchangedCount: 0)
    var ids = Set(input.declared.keys)
    if !input.declared.isEmpty {
        ids.formUnion(input.live.keys)
        ids.formUnion(input.record.keys)
    }
    for id in ids.sorted() {
        guard let resource = id.resource, input.readKinds.contains(resource) else { continue }
        let declared = input.declared[id]
        switch decide(
            id: id, declared: declared, live: input.live[id], record: input.record[id], in: input.context)
        {
        case .leave: plan.unchangedCount += declared == nil ? 0 : 1
        case .recognise(let live):
            plan.recognised.append(live)
            plan.unchangedCount += 1
        case .act(let action): plan.actions.append(action)
        case .hold(let hold): plan.holds.append(hold)
        case .stranger(let live): plan.strangers.append(live)
        case .leaveUntil(let live, _): plan.leftForNow.append(live)
        case .waitForDeletion(let live): plan.waiting.append(live)
        case .release: plan.released.append(id)
        }
    }
    plan.actions.sort { ($0.stage, $0.id) < ($1.stage, $1.id) }
    return plan
}

/// Objects that carry our marker, are not declared and are not in the record: those about which the repository's
/// history has to be asked before anything can be decided.
package func objectsOfUnprovenOwnership(_ input: PlanInput) -> Set<ObjectID> {
    guard !input.declared.isEmpty else { return [] }
    return Set(
        input.live.values.lazy
            .filter { live in
                input.declared[live.id] == nil && input.record[live.id]?.uid != live.uid
                    && input.context.ownership.claim(of: live) == .ours
            }
            .map(\.id))
}

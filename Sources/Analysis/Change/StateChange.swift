import Manifest
import Policy

/// Two states side by side, and which objects differ between them.
struct StateChange: Sendable {
    let base: SecurityState
    let head: SecurityState
    /// The objects that are not the same on both sides.
    let edits: [ObjectID: FindingCause.Edit]

    init(base: SecurityState, head: SecurityState) {
        self.base = base
        self.head = head
        var edits: [ObjectID: FindingCause.Edit] = [:]
        for (id, object) in head.objects {
            guard let other = base.objects[id] else {
                edits[id] = .added
                continue
            }
            if object.tree != other.tree { edits[id] = .changed }
        }
        for id in base.objects.keys where head.objects[id] == nil { edits[id] = .removed }
        self.edits = edits
    }

    /// A finding about one edited object, in its namespace.
    func finding(
        _ reason: ChangeReason, _ severity: Severity, _ direction: ChangeDirection, _ id: ObjectID, _ message: String,
        before: [String] = [], after: [String] = [], guardrail: Guardrail? = nil
    ) -> ChangeFinding {
        ChangeFinding(
            reason: reason, severity: severity, direction: direction, subject: FindingSubject(id),
            scope: scopeName(id.scopeNamespace), message: message, before: before, after: after,
            causes: causes(among: [id]), guardrail: guardrail)
    }

    /// The edits among some objects as causes, in the order of the objects, each once.
    func causes(among ids: some Sequence<ObjectID>) -> [FindingCause] {
        Set(ids).sorted().compactMap { id in edits[id].map { cause(id, $0) } }
    }

    func cause(_ id: ObjectID, _ edit: FindingCause.Edit) -> FindingCause {
        FindingCause(object: id, edit: edit, origin: (head[id] ?? base[id])?.origin)
    }

    /// The edited objects of some kinds, in order.
    func edited(_ resources: Resource...) -> [ObjectID] {
        edits.keys.filter { id in resources.contains { $0.kind == id.kind && $0.group == id.group } }.sorted()
    }
}

import Manifest
import Policy

extension RevisionGuard {
    /// Holds more deletions than the budget has, and those of namespaces.
    mutating func judgeDeletions() {
        let total = before.count
        judgeUnmanaged()
        var unapproved: [ObjectID] = []
        for id in removed where id.resource == .namespace && holds[id] == nil { judgeNamespace(id) }
        var restorable: Set<ObjectID> = []
        let counted = removed.filter { id in
            id.resource != .namespace && holds[id] == nil && !goesWithItsNamespace(id)
                && !question.alreadyGone.contains(id)
        }
        let stricter = restorations(among: counted)
        for id in counted where !isApproved(id, by: Guardrail.deletionBudget.rawValue) {
            if stricter.contains(id) { restorable.insert(id) } else { unapproved.append(id) }
        }
        if !settings.deletions.allows(unapproved.count + restorable.count, of: total) { restored.formUnion(restorable) }
        guard !settings.deletions.allows(unapproved.count, of: total) else { return }
        let meaning =
            "the revision deletes \(unapproved.count) of \(total) objects, more than the \(settings.deletions.maximum) or "
            + "\(settings.deletions.maximumPercent) % that may go at once"
        for id in unapproved { hold(id, .deletionBudget, meaning) }
    }

    /// Whether an object is removed together with its namespace, whose approval covers all that is in it.
    func goesWithItsNamespace(_ id: ObjectID) -> Bool {
        question.head.objects[id] == nil && deletableNamespaces.contains(ObjectID(.namespace, name: id.namespace))
    }

    /// What depends on which kinds are managed waits with a change of those: what is no longer declared since its kind is no
    /// longer to be managed, and stays then, and what is of a kind that is not managed yet.
    private mutating func judgeUnmanaged() {
        guard holds[RepositoryConfiguration.id] != nil else { return }
        let wanted = question.head.configuration.managedKinds
        let unwanted = removed.filter { $0.resource.map(wanted.contains) != true }
        let early = question.head.objects.keys.filter { $0.resource.map(configuration.managedKinds.contains) != true }
        for id in unwanted + early { hold(id, behind: RepositoryConfiguration.id) }
    }

    private mutating func judgeNamespace(_ id: ObjectID) {
        let rest = question.head.objects.keys.filter { $0.namespace.hasSameBytes(as: id.name) }.min()
        if let rest {
            hold(
                id, .namespaceDeletion,
                "\(id) is no longer declared, but \(rest) in it is: deleting the namespace would delete that too")
        } else if isApproved(id, by: Guardrail.namespaceDeletion.rawValue) {
            deletableNamespaces.insert(id)
        } else {
            hold(
                id, .namespaceDeletion,
                "\(id) is no longer declared; deleting it would delete everything in it, so it is held")
        }
    }
}

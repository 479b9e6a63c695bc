import Manifest
import Policy

/// Finds what else protects a namespace and is lifted: quotas, limits, tokens that are not mounted, the namespace itself.
struct BaselineChange {
    let change: StateChange

    func findings() -> [ChangeFinding] {
        change.edited(.resourceQuota, .limitRange).compactMap(quota)
            + tokenMounts() + change.edited(.namespace).compactMap(removal)
    }

    // MARK: Quotas and limits

    private func quota(_ id: ObjectID) -> ChangeFinding? {
        // A namespace that goes takes its quotas along, which is said of the namespace.
        let namespace = ObjectID(.namespace, name: id.namespace)
        guard let base = change.base[id], change.edits[namespace] != .removed else { return nil }
        guard let head = change.head[id] else {
            return change.finding(
                .quotaLoosened, .medium, .loosens, id, "\(id) is removed and its limits with it",
                before: limits(base.tree).map { "\($0.key): \($0.value)" }.sorted(), guardrail: .quotaLoosened)
        }
        let before = limits(base.tree)
        let after = limits(head.tree)
        var lifted = before.keys.filter { key in isLifted(before[key], to: after[key]) }.sorted()
        // A quota with other scopes counts other pods, so its numbers no longer say the same.
        if ["scopes", "scopeSelector"].contains(where: { base.tree["spec"]?[$0] != head.tree["spec"]?[$0] }) {
            lifted.append("what its scopes leave out")
        }
        guard !lifted.isEmpty else { return nil }
        return change.finding(
            .quotaLoosened, .low, .loosens, id, "\(id) allows more of \(lifted.joined(separator: ", "))",
            before: lifted.compactMap { key in before[key].map { "\(key): \($0)" } },
            after: lifted.map { "\($0): \(after[$0] ?? "not limited")" }, guardrail: .quotaLoosened)
    }

    /// Every upper bound of a quota or limit range, by a name of its own.
    private func limits(_ object: Tree) -> [String: String] {
        var limits: [String: String] = [:]
        for (key, value) in object["spec"]?["hard"]?.members ?? Members() { limits[key] = value.string }
        for item in object["spec"]?["limits"]?.array ?? [] {
            for field in ["max", "default", "maxLimitRequestRatio"] {
                for (key, value) in item[field]?.members ?? Members() {
                    limits["\(item["type"]?.string ?? "") \(field) \(key)"] = value.string
                }
            }
        }
        return limits
    }

    private func isLifted(_ before: String?, to after: String?) -> Bool {
        guard let before else { return false }
        guard let after else { return true }
        guard let old = Quantity(before), let new = Quantity(after) else { return !before.hasSameBytes(as: after) }
        return new > old
    }

    // MARK: Service accounts

    private func tokenMounts() -> [ChangeFinding] {
        let accounts = change.edited(.serviceAccount).filter { id in
            change.base[id]?.tree["automountServiceAccountToken"]?.bool == false
                && change.head[id].map { $0.tree["automountServiceAccountToken"]?.bool != false } == true
        }
        guard !accounts.isEmpty else { return [] }
        let head = AccessModel(change.head)
        return accounts.map { id in
            let subject = AccessSubject(kind: .serviceAccount, namespace: id.namespace, name: id.name)
            let grants = head.grants(of: AccessIdentity(of: subject), in: "").filter { $0.subject == subject }
            let isStrong = grants.contains { $0.rule.isCriticalForCluster }
            return change.finding(
                .tokenMountEnabled, isStrong ? .high : .low, .loosens, id,
                "pods that run as \(id) get its token, unless they say otherwise",
                before: ["automountServiceAccountToken: false"], after: ["automountServiceAccountToken: true"])
        }
    }

    // MARK: Namespaces

    private func removal(_ id: ObjectID) -> ChangeFinding? {
        guard change.edits[id] == .removed else { return nil }
        return change.finding(
            .namespaceRemoved, .high, .breaks, id,
            "namespace \(id.name) is no longer declared: deleting it deletes everything in it")
    }
}

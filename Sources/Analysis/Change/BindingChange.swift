import Manifest
import Policy

/// Finds what is odd about edited bindings and roles whatever they grant today.
struct BindingChange {
    let access: AccessChange
    let options: ChangeOptions

    func findings() -> [ChangeFinding] {
        latentBindings() + defaultAccounts() + masters() + aggregationLabels() + lastAdministrator()
    }

    // MARK: Bindings that wait

    /// A binding to a role that is not there grants nothing now and everything later (section 2.2, point 9).
    private func latentBindings() -> [ChangeFinding] {
        access.head.bindings.compactMap { binding in
            let isNew = access.change.edits[binding.id] != nil || access.change.edits[binding.role] == .removed
            guard isNew else { return nil }
            if access.head.roles[binding.role] == nil, !isOfSystem(binding.role) {
                let was = access.base.binding(binding.id)
                // It was as latent before.
                if let was, was.role == binding.role, access.base.roles[was.role] == nil,
                    was.subjects == binding.subjects
                {
                    return nil
                }
                return finding(
                    binding,
                    "\(binding.id) names \(binding.role), which is not declared"
                        + (options.knowsCluster ? " and not in the cluster" : "")
                        + ": it grants nothing now, and whatever that role says once somebody makes it")
            }
            return missingAccount(of: binding)
        }
    }

    /// Roles that Kubernetes makes for itself; what they say is not known without a cluster.
    private func isOfSystem(_ role: ObjectID) -> Bool { !options.knowsCluster && role.name.hasPrefix("system:") }

    /// Only where the cluster is known: many service accounts are made by installers, not by the repository.
    private func missingAccount(of binding: AccessBinding) -> ChangeFinding? {
        guard options.knowsCluster else { return nil }
        let missing = binding.subjects.filter { subject in
            guard subject.kind == .serviceAccount, subject.name != "default" else { return false }
            let id = ObjectID(.serviceAccount, namespace: subject.namespace, name: subject.name)
            return access.change.head[id] == nil
        }
        guard !missing.isEmpty else { return nil }
        let names = missing.map(\.description).joined(separator: ", ")
        return finding(binding, "\(binding.id) names \(names), which does not exist: whoever makes it gets the rights")
    }

    private func finding(_ binding: AccessBinding, _ message: String) -> ChangeFinding? {
        let causes = access.change.causes(among: [binding.id, binding.role])
        return ChangeFinding(
            reason: .bindingLatent, severity: .medium, direction: .misleads, subject: FindingSubject(binding.id),
            scope: scopeName(binding.scope), message: message, causes: causes)
    }

    // MARK: Default service accounts

    /// Rights of a `default` account belong to every pod of the namespace that names no other.
    private func defaultAccounts() -> [ChangeFinding] {
        access.head.bindings.flatMap { binding -> [ChangeFinding] in
            guard access.change.edits[binding.id] != nil else { return [] }
            let before = Set(access.base.binding(binding.id)?.subjects ?? [])
            return Set(binding.subjects).subtracting(before).sorted()
                .filter { $0.kind == .serviceAccount && $0.name == "default" }
                .map { subject in
                    ChangeFinding(
                        reason: .defaultServiceAccountBound, severity: .medium, direction: .loosens,
                        subject: FindingSubject(subject), scope: scopeName(binding.scope),
                        message: "\(binding.id) gives \(binding.role) to \(subject): every pod of namespace "
                            + "\(subject.namespace) that names no service account has these rights",
                        causes: access.change.causes(among: [binding.id]))
                }
        }
    }

    /// Members of this group skip every check; whoever binds it means to work with it.
    private func masters() -> [ChangeFinding] {
        access.head.bindings.compactMap { binding in
            let isMaster: (AccessSubject) -> Bool = { $0.kind == .group && $0.name == "system:masters" }
            guard access.change.edits[binding.id] != nil, binding.subjects.contains(where: isMaster),
                access.base.binding(binding.id)?.subjects.contains(where: isMaster) != true
            else { return nil }
            return ChangeFinding(
                reason: .clusterAdminGranted, severity: .critical, direction: .loosens,
                subject: FindingSubject(kind: "Group", name: "system:masters"), scope: scopeName(binding.scope),
                message:
                    "\(binding.id) names the group system:masters, whose members may do everything whatever RBAC says, "
                    + "and from whom no binding can take it",
                causes: access.change.causes(among: [binding.id]), guardrail: .riskyGrant)
        }
    }

    // MARK: Aggregation

    /// A label that adds a role's rules to another role, whether or not somebody holds that today.
    private func aggregationLabels() -> [ChangeFinding] {
        let prefix = "rbac.authorization.k8s.io/aggregate-to-"
        return access.change.edited(.clusterRole).flatMap { id -> [ChangeFinding] in
            guard let role = access.change.head[id] else { return [] }
            let before = access.change.base[id]?.labels ?? Labels()
            return role.labels.values.keys.sorted()
                .filter { $0.hasPrefix(prefix) && role.labels[$0] == "true" && before[$0] != "true" }
                .map { label in
                    let target = String(label.dropFirst(prefix.count))
                    return ChangeFinding(
                        reason: .aggregationWidened, severity: .medium, direction: .loosens,
                        subject: FindingSubject(id), scope: scopeName(""),
                        message:
                            "the rules of \(id) become part of ClusterRole \(target) and of everybody who holds it",
                        after: minimalRules(readRules(role)).prefix(20).map(\.description),
                        causes: access.change.causes(among: [id]), guardrail: .riskyGrant)
                }
        }
    }

    // MARK: Lock-out

    /// Removal is information, unless nobody is left who could put it right.
    private func lastAdministrator() -> [ChangeFinding] {
        let before = administrators(access.base)
        guard !before.isEmpty, administrators(access.head).isEmpty else { return [] }
        let bindings = access.base.bindings.filter { binding in
            binding.scope.isEmpty && access.base.roles[binding.role]?.rules.contains(where: \.isClusterAdmin) == true
        }
        let causes = access.change.causes(among: bindings.flatMap { [$0.id, $0.role] })
        guard !causes.isEmpty else { return [] }
        return [
            ChangeFinding(
                reason: .rightRevoked, severity: .high, direction: .breaks,
                subject: FindingSubject(kind: "ClusterRole", name: "cluster-admin"), scope: scopeName(""),
                message: "nobody but the group system:masters is left with every right over the cluster",
                before: before.map(\.description), causes: causes)
        ]
    }

    private func administrators(_ model: AccessModel) -> [AccessSubject] {
        let holders = model.bindings.filter { binding in
            binding.scope.isEmpty && model.roles[binding.role]?.rules.contains(where: \.isClusterAdmin) == true
        }
        return Set(holders.flatMap(\.subjects)).filter { $0.name != "system:masters" }.sorted()
    }
}

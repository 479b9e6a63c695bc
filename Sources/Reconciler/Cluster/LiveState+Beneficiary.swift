import Manifest
import Planning

extension LiveState {
    /// Whom a role or binding gives anything, told from a service account.
    ///
    /// A role without a binding gives nobody anything, and so does a binding whose role is not there. While one of these kinds
    /// cannot be read everything that is not seen to be others' may be ours.
    func beneficiary(of object: LiveObject, besides account: ObjectID) -> OwnAccess.Beneficiary {
        if object.id.isBinding {
            guard object.isFor(account) else { return .others }
            guard isAccessKnown else { return .us }
            let role = ObjectID(roleReferencedBy: object.tree, in: object.id.namespace)
            return role.map { self[$0] == nil } ?? true ? .nobody : .us
        }
        if object.id.resource == .clusterRole, isGathered(object) { return .others }
        var beneficiary = isAccessKnown ? OwnAccess.Beneficiary.nobody : .us
        let kinds: [Resource] = object.id.resource == .role ? [.roleBinding] : [.roleBinding, .clusterRoleBinding]
        for binding in kinds.lazy.flatMap(objects(of:))
        where ObjectID(roleReferencedBy: binding.tree, in: binding.id.namespace) == object.id {
            guard binding.isFor(account) else { return .others }
            beneficiary = .us
        }
        return beneficiary
    }

    private var isAccessKnown: Bool { Resource.ofAccess.allSatisfy(isKnown) }

    /// Whether an aggregated ClusterRole takes in the rules of another.
    private func isGathered(_ role: LiveObject) -> Bool {
        let labels = Labels(role.metadata["labels"])
        return objects(of: .clusterRole).contains { other in
            other.id != role.id
                && (other.tree["aggregationRule"]?["clusterRoleSelectors"]?.array ?? []).contains {
                    LabelSelector($0).matches(labels)
                }
        }
    }
}

extension LiveObject {
    /// Whether a binding has nobody but a service account among its subjects.
    fileprivate func isFor(_ account: ObjectID) -> Bool {
        (tree["subjects"]?.array ?? []).allSatisfy { subject in
            subject["kind"] == "ServiceAccount" && subject["name"] == .string(account.name)
                && subject["namespace"] == .string(account.namespace)
        }
    }
}

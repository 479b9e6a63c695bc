package import Manifest
package import Policy

/// In which directions the pods of a namespace are cut off by policies that stay.
///
/// A policy that selects every pod isolates each of them in the directions of its `policyTypes`; from then on another
/// policy can only allow (NetworkPolicy v1). So where such a policy is declared and live, removing another one takes
/// reachability away.
package struct Isolation: Sendable {
    /// The declared policies that select every pod, by namespace.
    private var declared: [String: [ObjectID: Set<String>]] = [:]
    private let live: @Sendable (ObjectID) -> LiveObject?

    /// Nothing is known to be isolated.
    package static let unknown = Isolation(of: [:]) { _ in nil }

    /// - Parameter live: The live object of a name, as far as it is known.
    package init(of declared: [ObjectID: DeclaredObject], live: @escaping @Sendable (ObjectID) -> LiveObject?) {
        self.live = live
        for (id, object) in declared where id.resource == .networkPolicy {
            let directions = isolatedDirections(by: object.tree)
            if !directions.isEmpty { self.declared[id.namespace, default: [:]][id] = directions }
        }
    }

    /// The same declarations beside another live state.
    package func beside(_ live: @escaping @Sendable (ObjectID) -> LiveObject?) -> Isolation {
        Isolation(declared: declared, live: live)
    }

    private init(declared: [String: [ObjectID: Set<String>]], live: @escaping @Sendable (ObjectID) -> LiveObject?) {
        self.declared = declared
        self.live = live
    }

    /// Whether pods stay cut off in every direction in which a policy isolates them, when that policy goes.
    ///
    /// - Parameter policy: In canonical form.
    package func outlasts(_ policyID: ObjectID, _ policy: Tree) -> Bool {
        let directions = Set(policyTypes(of: policy))
        var kept: Set<String> = []
        for (id, wanted) in declared[policyID.namespace] ?? [:] where id != policyID {
            guard let object = live(id), !object.isTerminating else { continue }
            kept.formUnion(wanted.intersection(isolatedDirections(by: canonicalLive(object.tree, of: .networkPolicy))))
        }
        return directions.isSubset(of: kept)
    }
}

/// The directions in which a policy in canonical form isolates every pod of its namespace.
private func isolatedDirections(by policy: Tree) -> Set<String> {
    selectsEveryPod(policy) ? Set(policyTypes(of: policy)) : []
}

func policyTypes(of policy: Tree) -> [String] {
    policy["spec"]?["policyTypes"]?.array?.compactMap(\.string) ?? []
}

/// Whether a policy selects all pods of its namespace.
func selectsEveryPod(_ policy: Tree) -> Bool {
    guard let selector = policy["spec"]?["podSelector"]?.members else { return true }
    return selector.isEmpty
}

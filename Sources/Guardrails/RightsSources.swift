import Analysis
import Manifest

/// Where somebody's rights come from, told by names alone: the roles and bindings without which none of them would hold.
struct RightsSources {
    private(set) var bindings: Set<ObjectID> = []
    /// What the bindings refer to, whether or not it is there.
    private(set) var roles: Set<ObjectID> = []
    /// The ClusterRoles that aggregated ones gather, also by way of others, whether or not a rule of theirs counts.
    private(set) var gathered: Set<ObjectID> = []
    private var selectors: [LabelSelector] = []

    var all: Set<ObjectID> { bindings.union(roles).union(gathered) }

    init(of user: UserIdentity, among objects: [ObjectID: StateObject]) {
        for (id, object) in objects where id.isBinding && user.isNamed(by: object.tree, in: id.namespace) {
            bindings.insert(id)
            if let role = ObjectID(roleReferencedBy: object.tree, in: id.namespace) { roles.insert(role) }
        }
        var next = Array(roles)
        var seen = roles
        while let id = next.popLast() {
            let written = objects[id]?.tree["aggregationRule"]?["clusterRoleSelectors"]?.array ?? []
            guard id.resource == .clusterRole, !written.isEmpty else { continue }
            let own = written.map(LabelSelector.init)
            selectors += own
            for (other, object) in objects
            where other.resource == .clusterRole && other != id && own.contains(where: { $0.matches(object.labels) }) {
                gathered.insert(other)
                if seen.insert(other).inserted { next.append(other) }
            }
        }
    }

    /// Whether an object that came or changed may be one more of them.
    func mayCome(from live: LiveObject, _ user: UserIdentity) -> Bool {
        if live.id.isBinding { return user.isNamed(by: live.tree, in: live.id.namespace) }
        guard live.id.resource == .clusterRole, !selectors.isEmpty else { return false }
        let labels = Labels(live.metadata["labels"])
        return selectors.contains { $0.matches(labels) }
    }
}

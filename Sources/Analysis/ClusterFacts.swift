package import Manifest

/// What a snapshot says of its cluster besides the objects.
package struct ClusterFacts: Sendable, Equatable {
    /// How people call the cluster.
    package var cluster: String
    /// As the server gives it, such as `v1.31.2`; nil where it did not.
    package var serverVersion: String?
    /// RFC 3339.
    package var takenAt: String

    package init(cluster: String, serverVersion: String?, takenAt: String) {
        self.cluster = cluster
        self.serverVersion = serverVersion
        self.takenAt = takenAt
    }

    /// The facts stand among the objects of a snapshot, so that it is read as any list of objects is.
    package static let id = ObjectID(group: "bylaw.dev", kind: "ClusterFacts", namespace: "", name: "cluster")

    package var tree: Tree {
        var tree: Tree = [
            "apiVersion": "bylaw.dev/v1", "kind": "ClusterFacts", "metadata": ["name": .string(Self.id.name)],
            "cluster": .string(cluster), "takenAt": .string(takenAt),
        ]
        if let serverVersion { tree.set(["serverVersion"], to: .string(serverVersion)) }
        return tree
    }
}

extension SecurityState {
    /// Of the cluster that this is a snapshot of; nil where it is none.
    package var clusterFacts: ClusterFacts? {
        guard let tree = self[ClusterFacts.id]?.tree else { return nil }
        return ClusterFacts(
            cluster: tree["cluster"]?.string ?? "", serverVersion: tree["serverVersion"]?.string,
            takenAt: tree["takenAt"]?.string ?? "")
    }
}

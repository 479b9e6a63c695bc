package import KubeProtocol
package import Manifest
package import Reconciler

/// Writes Kubernetes Events (rules L1 to L3).
///
/// Needs the right to create and patch `events.events.k8s.io`.
package struct EventWriter: Sendable {
    /// Where Events about objects of the whole cluster go.
    ///
    /// Today's servers take `default` alone, old ones, whose check of
    /// Events of this API was another one, `kube-system` (rule L2). The one that was taken last is tried first.
    private static let clusterWide = ["default", "kube-system"]

    package let controller: String
    /// Which of several processes this is.
    package let instance: String
    private let cluster: KubeCluster
    private var preferred = 0

    package init(controller: String, instance: String, on cluster: KubeCluster) {
        self.controller = controller
        self.instance = instance
        self.cluster = cluster
    }

    /// Makes an Event.
    ///
    /// - Parameter name: Its own name, which nothing else has.
    package mutating func make(
        _ content: EventContent, name: String, at time: Timestamp
    ) async throws(ClusterError) -> EventSeries.EventReference {
        let namespace = content.regarding.namespace
        return namespace.isEmpty
            ? try await makeClusterWide(content, name: name, at: time)
            : try await make(content, name: name, in: namespace, at: time)
    }

    private mutating func makeClusterWide(
        _ content: EventContent, name: String, at time: Timestamp
    ) async throws(ClusterError) -> EventSeries.EventReference {
        do throws(ClusterError) {
            return try await make(content, name: name, in: Self.clusterWide[preferred], at: time)
        } catch {
            guard error.kind == .invalid else { throw error }
            let other = 1 - preferred
            let made = try await make(content, name: name, in: Self.clusterWide[other], at: time)
            preferred = other
            return made
        }
    }

    private func make(
        _ content: EventContent, name: String, in namespace: String, at time: Timestamp
    ) async throws(ClusterError) -> EventSeries.EventReference {
        let body = content.body(
            name: name, namespace: namespace, at: time, controller: controller, instance: instance)
        _ = try await cluster.call(
            .create(body, .event, namespace: namespace, fieldManager: cluster.fieldManager, isDryRun: false),
            what: "create an event about \(content.regarding)", resource: .event)
        return EventSeries.EventReference(namespace: namespace, name: name)
    }

    /// Says how often it has happened by now.
    ///
    /// - Throws: ``ClusterError`` of the kind `notFound` where the Event has expired.
    package func setCount(
        of event: EventSeries.EventReference, to count: Int, lastSeen: Timestamp
    ) async throws(ClusterError) {
        let id = ObjectID(.event, namespace: event.namespace, name: event.name)
        let patch: Tree = [
            "series": ["count": .integer(Int64(count)), "lastObservedTime": .string(lastSeen.description)]
        ]
        _ = try await cluster.call(
            .patchAnyVersion(patch, .event, id, fieldManager: cluster.fieldManager), what: "patch \(id)",
            resource: .event)
    }
}

package import Manifest
package import Policy

extension Resource {
    package static let pod = Resource(group: "", kind: "Pod", plural: "pods", isNamespaced: true)
    package static let service = Resource(group: "", kind: "Service", plural: "services", isNamespaced: true)
    package static let deployment = Resource(
        group: "apps", kind: "Deployment", plural: "deployments", isNamespaced: true)
    package static let statefulSet = Resource(
        group: "apps", kind: "StatefulSet", plural: "statefulsets", isNamespaced: true)
    package static let daemonSet = Resource(
        group: "apps", kind: "DaemonSet", plural: "daemonsets", isNamespaced: true)
    package static let replicaSet = Resource(
        group: "apps", kind: "ReplicaSet", plural: "replicasets", isNamespaced: true)
    package static let replicationController = Resource(
        group: "", kind: "ReplicationController", plural: "replicationcontrollers", isNamespaced: true)
    package static let job = Resource(group: "batch", kind: "Job", plural: "jobs", isNamespaced: true)
    package static let cronJob = Resource(group: "batch", kind: "CronJob", plural: "cronjobs", isNamespaced: true)

    /// The kinds that are pods or make them.
    package static let workloads: [Resource] = [
        pod, deployment, statefulSet, daemonSet, replicaSet, replicationController, job, cronJob,
    ]
}

/// A pod, or the template of an object that makes pods.
package struct Workload: Sendable {
    /// The pod, or the object that holds the template.
    package var id: ObjectID
    package var origin: Origin?
    /// The labels that pods made from it carry.
    package var labels: Labels
    /// Of the pod or template; annotations matter to old seccomp and AppArmor settings.
    package var annotations: Labels
    /// The pod specification.
    package var spec: Tree
    /// Where the pod specification stands in the object, such as `spec.template.spec`.
    package var specPath: FieldPath
    /// The addresses of a running pod; empty for templates and for pods that have none yet.
    package var addresses: [String]
    /// The owner that is its controller: a pod's ReplicaSet, a ReplicaSet's Deployment.
    package var controller: ObjectID?
    /// Whether it has run to its end: then it has no traffic and no rights any more.
    package var isFinished: Bool

    package var namespace: String { id.namespace }
    package var usesHostNetwork: Bool { spec["hostNetwork"]?.bool ?? false }
    /// The service account that its containers run as; `default` where none is written.
    package var serviceAccountName: String {
        for field in ["serviceAccountName", "serviceAccount"] {
            if let name = spec[field]?.string, !name.isEmpty { return name }
        }
        return "default"
    }

    /// Reads an object of one of the kinds in ``Resource/workloads``; nil for every other kind.
    package init?(_ object: StateObject) {
        let path: [String]
        switch (object.id.group, object.id.kind) {
        case ("", "Pod"): path = []
        case ("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"),
            ("", "ReplicationController"), ("batch", "Job"):
            path = ["spec", "template"]
        case ("batch", "CronJob"): path = ["spec", "jobTemplate", "spec", "template"]
        default: return nil
        }
        let template = object.tree[path] ?? [:]
        id = object.id
        origin = object.origin
        labels = Labels(template["metadata"]?["labels"])
        annotations = Labels(template["metadata"]?["annotations"])
        spec = template["spec"] ?? [:]
        specPath = FieldPath((path + ["spec"]).map { .field($0) })
        let phase = path.isEmpty ? object.tree["status"]?["phase"]?.string : nil
        isFinished = phase == "Succeeded" || phase == "Failed"
        addresses = []
        if path.isEmpty {
            let status = object.tree["status"]
            addresses = (status?["podIPs"]?.array ?? []).compactMap { $0["ip"]?.string }
            if let address = status?["podIP"]?.string, !addresses.contains(address) {
                addresses.insert(address, at: 0)
            }
        }
        controller = (object.tree["metadata"]?["ownerReferences"]?.array ?? [])
            .first { $0["controller"]?.bool == true }
            .flatMap { owner in
                guard let kind = owner["kind"]?.string, let name = owner["name"]?.string else { return nil }
                let version = owner["apiVersion"]?.string ?? ""
                let group = version.firstIndex(of: "/").map { String(version[..<$0]) } ?? ""
                return ObjectID(group: group, kind: kind, namespace: object.id.namespace, name: name)
            }
    }
}

extension SecurityState {
    /// Every pod and every template, in the order of their kinds and names.
    package var workloads: [Workload] {
        objects.values.compactMap { Workload($0) }.sorted { $0.id < $1.id }
    }
}

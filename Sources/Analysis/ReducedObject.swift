package import Manifest

/// What of an object an analysis may look at; everything else is left out before it is kept or written to a file.
///
/// Never Secrets, and of containers no environment, command or arguments: values in there are often credentials.
package func reduced(_ tree: Tree, of resource: Resource) -> Tree {
    var result: Tree = ["apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind)]
    for field in ["name", "namespace", "labels"] { result.set(["metadata", field], to: tree["metadata"]?[field]) }
    keepAnnotations(of: tree["metadata"], at: ["metadata"], in: &result)
    if let owners = tree["metadata"]?["ownerReferences"] { result.set(["metadata", "ownerReferences"], to: owners) }
    switch resource {
    case .pod:
        result.set(["spec"], to: tree["spec"].map(reducedPodSpec))
        for field in ["phase", "podIP", "podIPs", "hostIP"] {
            result.set(["status", field], to: tree["status"]?[field])
        }
    case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job:
        keepTemplate(of: tree, at: ["spec", "template"], in: &result)
    case _ where resource.kind == Resource.cronJob.kind:
        keepTemplate(of: tree, at: ["spec", "jobTemplate", "spec", "template"], in: &result)
    case .service:
        for field in ["selector", "ports", "type", "clusterIP", "externalIPs"] {
            result.set(["spec", field], to: tree["spec"]?[field])
        }
    case .serviceAccount:
        result.set(["automountServiceAccountToken"], to: tree["automountServiceAccountToken"])
    default:
        for field in ["spec", "rules", "aggregationRule", "roleRef", "subjects"] {
            result.set([field], to: tree[field])
        }
    }
    return result
}

/// Only those that Pod Security reads; others may hold anything.
private func keepAnnotations(of metadata: Tree?, at path: [String], in result: inout Tree) {
    let kept = (metadata?["annotations"]?.members ?? Members()).filter { key, _ in
        key.hasPrefix("seccomp.security.alpha.kubernetes.io/") || key.hasPrefix("container.seccomp.security.alpha")
            || key.hasPrefix("container.apparmor.security.beta.kubernetes.io/")
    }
    if !kept.isEmpty {
        result.set(path + ["annotations"], to: .object(Members(kept.map { ($0.key, $0.value) })))
    }
}

private func keepTemplate(of tree: Tree, at path: [String], in result: inout Tree) {
    let template = tree[path]
    result.set(path + ["metadata", "labels"], to: template?["metadata"]?["labels"])
    keepAnnotations(of: template?["metadata"], at: path + ["metadata"], in: &result)
    result.set(path + ["spec"], to: template?["spec"].map(reducedPodSpec))
}

/// Named one by one, so that a field that nobody thought of stays behind.
private let podFields = [
    "serviceAccountName", "serviceAccount", "automountServiceAccountToken", "hostNetwork", "hostPID", "hostIPC",
    "hostUsers", "os", "securityContext", "runtimeClassName", "nodeName",
]
private let containerFields = ["name", "image", "ports", "securityContext", "restartPolicy"]

private func reducedPodSpec(_ spec: Tree) -> Tree {
    var result = picked(podFields, from: spec)
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        if let containers = spec[list]?.array { result.set([list], to: .array(containers.map(reducedContainer))) }
    }
    if let volumes = spec["volumes"]?.array { result.set(["volumes"], to: .array(volumes.map(reducedVolume))) }
    return result
}

private func picked(_ fields: [String], from tree: Tree) -> Tree {
    var result = Tree.object(Members())
    for field in fields { result.set([field], to: tree[field]) }
    return result
}

/// Of probes and hooks Pod Security looks at the host alone.
private func reducedContainer(_ container: Tree) -> Tree {
    var result = picked(containerFields, from: container)
    for handler in [
        ["livenessProbe"], ["readinessProbe"], ["startupProbe"], ["lifecycle", "postStart"], ["lifecycle", "preStop"],
    ] {
        for action in ["httpGet", "tcpSocket"] {
            guard let host = container[handler + [action, "host"]] else { continue }
            result.set(handler + [action, "host"], to: host)
        }
    }
    return result
}

/// Which type a volume has counts, and a path on the node; what else configures it may hold credentials.
private func reducedVolume(_ volume: Tree) -> Tree {
    guard let members = volume.members else { return volume }
    return .object(
        Members(
            members.map { key, value in
                switch key {
                case "name": (key, value)
                case "hostPath": (key, Tree.object(Members([("path", value["path"] ?? "")])))
                default: (key, value.isNull ? .null : Tree.object(Members()))
                }
            }))
}

import Guardrails
import Manifest
import Policy
import PolicyFiles
import Testing

/// What a repository with one file of this text declares, and its configuration where one is given.
func declared(_ yaml: String, configuration: String = "") throws -> DeclaredState {
    var verdicts = [readManifestFile(path: "policy.yaml", bytes: Array(yaml.utf8))]
    if !configuration.isEmpty {
        let text = "apiVersion: bylaw.dev/v1\nkind: Configuration\n" + configuration
        verdicts.append(readManifestFile(path: RepositoryConfiguration.fileName, bytes: Array(text.utf8)))
    }
    let (state, findings) = assembleDeclaredState(verdicts)
    try #require(findings.filter { $0.severity == .error }.map { "\($0.path): \($0.message)" } == [])
    return state
}

/// The objects of a file as a server would hold them, without Bylaw's marker.
func live(_ yaml: String) throws -> [ObjectID: LiveObject] {
    var objects: [ObjectID: LiveObject] = [:]
    for (id, object) in try declared(yaml).objects {
        var tree = object.tree
        tree.set(["metadata", "uid"], to: .string("uid of \(id)"))
        tree.set(["metadata", "resourceVersion"], to: "1")
        let resource = try #require(id.resource)
        let object: LiveObject = try #require(LiveObject(tree, of: resource))
        objects[id] = object
    }
    return objects
}

/// The verdict on a change from one text to another, with the approvals of the newest commit.
func verdict(
    from base: DeclaredState?, to head: DeclaredState, approvals: [String] = [], live: [ObjectID: LiveObject] = [:],
    leftBehind: Set<ObjectID> = []
) -> GuardVerdict {
    let sources =
        approvals.isEmpty
        ? [] : [ApprovalSource(commit: "c", approvals: approvals.compactMap(Approval.init(trailer:)), declared: head)]
    return guardRevision(
        GuardQuestion(inForce: base, head: head, live: live, leftBehind: leftBehind, approvals: sources))
}

extension GuardVerdict {
    var held: [String] { holds.map(\.id.description) }
    var guardrails: Set<Guardrail> { holds.reduce(into: []) { $0.formUnion($1.guardrails) } }
}

/// Manifests in few words.
enum Text {
    static func role(_ name: String = "r", in namespace: String = "a", _ rules: String...) -> String {
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: \(name), namespace: \(namespace)}, "
            + "rules: [\(rules.joined(separator: ", "))]}\n"
    }

    static func clusterRole(_ name: String = "r", labels: String = "", _ rules: String...) -> String {
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: \(name), labels: {\(labels)}}, "
            + "rules: [\(rules.joined(separator: ", "))]}\n"
    }

    static func rule(_ group: String, _ resources: String, _ verbs: String) -> String {
        "{apiGroups: [\"\(group)\"], resources: [\(resources)], verbs: [\(verbs)]}"
    }

    static func binding(
        _ name: String = "b", in namespace: String = "", to role: String = "r", kind: String = "ClusterRole",
        subject: String = "{kind: Group, apiGroup: rbac.authorization.k8s.io, name: team}"
    ) -> String {
        let place = namespace.isEmpty ? "" : ", namespace: \(namespace)"
        return
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: \(namespace.isEmpty ? "Cluster" : "")RoleBinding, "
            + "metadata: {name: \(name)\(place)}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: \(kind), "
            + "name: \"\(role)\"}, subjects: [\(subject)]}\n"
    }

    static func group(_ name: String) -> String {
        "{kind: Group, apiGroup: rbac.authorization.k8s.io, name: \"\(name)\"}"
    }

    static func namespace(_ name: String = "a", _ level: String = "restricted") -> String {
        "---\n{apiVersion: v1, kind: Namespace, metadata: {name: \(name), labels: "
            + "{pod-security.kubernetes.io/enforce: \(level)}}}\n"
    }

    static func policy(_ name: String, in namespace: String = "a", _ spec: String) -> String {
        "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: \(name), "
            + "namespace: \(namespace)}, spec: {\(spec)}}\n"
    }

    static let denyAll = policy("deny", "podSelector: {}, policyTypes: [Ingress, Egress]")

    static func quota(_ cpu: String) -> String {
        "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: a}, spec: {hard: {cpu: \"\(cpu)\"}}}\n"
    }
}

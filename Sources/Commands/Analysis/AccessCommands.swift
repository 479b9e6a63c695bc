import Analysis
import Arguments
import Manifest

/// What the rights of a cluster follow from.
private let accessResources: [Resource] = [.clusterRole, .role, .clusterRoleBinding, .roleBinding]
/// What tells who can become whom besides.
private let accountResources: [Resource] = [.serviceAccount] + Resource.workloads

let whoCanCommand = Command(
    description: CommandDescription(
        name: "who-can", summary: "who may do something, and by which binding and role",
        details:
            "Answers with the subjects of bindings, exactly as the API server's RBAC authorizer decides. RESOURCE is "
            + "plural[.group][/subresource], such as pods/exec or deployments.apps, or a URL path such as /metrics. "
            + "Without -n the question is about the whole cluster, which RoleBindings never answer. "
            + "Reads the cluster, or with -f manifests only.",
        positionals: [
            PositionalDescription(name: "VERB", isRequired: true),
            PositionalDescription(name: "RESOURCE", isRequired: true),
        ],
        flags: [Flags.namespace, Flags.objectName] + Flags.past + Flags.analysed,
        examples: [
            "bylaw who-can get secrets -n payments", "bylaw who-can create pods/exec -n payments -o json",
            "bylaw who-can get secrets -n payments --at 2026-03-01",
            "bylaw who-can get /metrics", "bylaw who-can update deployments.apps -n web --name api -f manifests/",
        ],
        exitStatuses: [(0, "answered"), (2, "an error")])
) { invocation in
    let request = try accessRequest(invocation)
    let answer = try await SecurityStateSource(invocation: invocation).read(accessResources)
    let permitted = AccessModel(completed(answer)).whoCan(request)
    invocation.terminal.write(
        invocation.arguments.text("output") == "json"
            ? whoCanAnswer(request, permitted) : renderWhoCan(request, permitted, on: invocation.terminal))
    return ExitStatus.success
}

let canCommand = Command(
    description: CommandDescription(
        name: "can", summary: "everything a subject may do, and whom it can become",
        details:
            "SUBJECT is User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME; a name alone is a user. The rules are "
            + "shown in their shortest form, for the whole cluster and, with -n, for that namespace. Groups that "
            + "everybody or every service account belongs to are counted; other groups of a user are not known.",
        positionals: [PositionalDescription(name: "SUBJECT", isRequired: true)],
        flags: [Flags.namespace] + Flags.past + Flags.analysed,
        examples: [
            "bylaw can ServiceAccount:payments/api -n payments", "bylaw can Group:developers -f manifests/ -o json",
        ],
        exitStatuses: [(0, "answered"), (2, "an error")])
) { invocation in
    let subject = try accessSubject(invocation.arguments.positionals[0])
    let answer = try await SecurityStateSource(invocation: invocation).read(accessResources + accountResources)
    let state = completed(answer)
    let model = AccessModel(state)
    let rights = SubjectRights(
        subject: subject, model: model, namespace: invocation.arguments.text("namespace") ?? "",
        path: EscalationGraph(model, state: state).path(from: subject))
    invocation.terminal.write(
        invocation.arguments.text("output") == "json"
            ? canAnswer(rights) : renderCan(rights, on: invocation.terminal))
    return ExitStatus.success
}

/// A cluster has Kubernetes' own roles; manifests of a repository only refer to them.
private func completed(_ answer: SecurityStateSource.Answer) -> SecurityState {
    answer.isCluster ? answer.state : answer.state.withKubernetesDefaults
}

private func accessRequest(_ invocation: Invocation) throws(CommandFailure) -> AccessRequest {
    let verb = invocation.arguments.positionals[0]
    let resource = invocation.arguments.positionals[1]
    guard !resource.hasPrefix("/") else { return AccessRequest(verb, path: resource) }
    let parts = resource.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let names = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard !names[0].isEmpty, parts.allSatisfy({ !$0.isEmpty }) else {
        throw CommandFailure(
            message: "\"\(resource)\" names no resource",
            hint: "Write plural[.group][/subresource], such as deployments.apps/scale, or a path that begins with /.")
    }
    let group = names.count > 1 ? names[1] : ""
    if group.isEmpty, let likely = likelyName(of: names[0]) {
        invocation.terminal.writeError(
            "bylaw who-can: \(printable(names[0])) of the core group is asked for; you may mean \(likely)\n")
    }
    return AccessRequest(
        verb, names[0], group: group, subresource: parts.count > 1 ? parts[1] : "",
        name: invocation.arguments.text("name") ?? "", namespace: invocation.arguments.text("namespace") ?? "")
}

/// What people mean who write a kind of another group, or in the singular, as they may to kubectl.
private func likelyName(of plural: String) -> String? {
    let others: [String: [String]] = [
        "apps": ["deployments", "statefulsets", "daemonsets", "replicasets"], "batch": ["jobs", "cronjobs"],
        "networking.k8s.io": ["networkpolicies", "ingresses"],
        "rbac.authorization.k8s.io": ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    ]
    for (group, plurals) in others where plurals.contains(plural) { return "\(plural).\(group)" }
    let singulars = [
        "pod": "pods", "secret": "secrets", "configmap": "configmaps", "namespace": "namespaces", "node": "nodes",
        "service": "services", "serviceaccount": "serviceaccounts", "deployment": "deployments.apps",
    ]
    return singulars[plural.lowercased()]
}

private func accessSubject(_ text: String) throws(CommandFailure) -> AccessSubject {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2 {
        switch parts[0].lowercased() {
        case "user": return AccessSubject.user(parts[1])
        case "group": return AccessSubject(kind: .group, name: parts[1])
        case "serviceaccount", "sa":
            let names = parts[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard names.count == 2, names.allSatisfy({ !$0.isEmpty }) else {
                throw CommandFailure(
                    message: "\"\(text)\" names no service account", hint: "Write ServiceAccount:NAMESPACE/NAME.")
            }
            return AccessSubject(kind: .serviceAccount, namespace: names[0], name: names[1])
        default: break
        }
    }
    return AccessSubject.user(text)
}

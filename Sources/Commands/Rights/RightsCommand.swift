import Analysis
import Arguments
import Guardrails
import Manifest
import Planning
import Policy
import PolicyFiles

let rightsCommand = Command(
    description: CommandDescription(
        name: "rights", summary: "the least that Bylaw must hold to grant what a repository declares",
        details:
            "Prints the roles and bindings, for kubectl apply, that let Bylaw write the roles and bindings below --for, "
            + "and nothing beyond: Kubernetes lets a writer grant what it holds. It holds what does no harm in its own hands. "
            + "The rest goes by names: a Role by escalate in its namespace, a ClusterRole by bind alone, so that an "
            + "administrator has to write it; --roles prints those for that. No wildcard is ever printed. "
            + "Apply it again when the repository grants more, and once the namespaces in it are there. "
            + "--check compares it with what the cluster's roles and bindings give, or with -f those of manifests.",
        flags: [
            FlagDescription(
                "for", .text, valueName: "PATH", "the policy repository, a folder of it or a file", default: "."),
            Flags.clusterOfMany, Flags.instance,
            FlagDescription(
                "service-account", .text, valueName: "NAMESPACE/NAME", "who Bylaw is", default: "bylaw-system/bylaw"),
            FlagDescription(
                "escalate", .choice(Ceiling.Escalation.allCases.map(\.rawValue)), valueName: "WHERE",
                "for which roles escalate may be given, where Bylaw should not hold what they grant: whoever has its token "
                    + "can write any rule into them, which is worth the namespace, and with all the cluster",
                default: Ceiling.Escalation.namespaces.rawValue),
            FlagDescription(
                "new-namespaces", .isSet,
                "hold harmless rules of Roles for the whole cluster, so that new namespaces take no new ceiling"),
            FlagDescription("roles", .isSet, "print the roles that an administrator has to write, in their place"),
            FlagDescription("check", .isSet, "compare with what is held, and say what is missing or too much"),
            Flags.manifests,
        ] + Flags.connection + [Flags.output, Flags.config],
        examples: [
            "bylaw rights --for policies/production >ceiling.yaml",
            "bylaw rights --for policies/production --roles | kubectl apply -f -",
            "bylaw rights --for policies/production --check",
        ],
        exitStatuses: [
            (0, "printed; with --check: as it should be"),
            (1, "something is never given by names; with --check: something is missing or too much"), (2, "an error"),
        ])
) { invocation in
    let state = try declaredState(invocation)
    let account = try serviceAccount(invocation)
    guard let escalation = Ceiling.Escalation(rawValue: invocation.arguments.text("escalate") ?? "namespaces") else {
        throw CommandFailure(message: "--escalate names no place", hint: "Say none, namespaces or all.")
    }
    let ceiling = Ceiling(
        for: state, account: account, escalation: escalation,
        isForNewNamespaces: invocation.arguments.isSet("new-namespaces"))
    if invocation.arguments.isSet("check") {
        return try await checkRights(ceiling, of: account, for: state, invocation)
    }
    let isJSON = invocation.arguments.text("output") == "json"
    if invocation.arguments.isSet("roles") {
        let wiring = Wiring(invocation)
        let ownership = wiring.ownership(instance: try wiring.instance())
        let roles = ceiling.administered.compactMap { exception in
            state.objects[exception.need.id].map { ownership.marked($0.tree, id: $0.id) }
        }
        invocation.terminal.write(renderList(roles))
    } else {
        invocation.terminal.write(
            isJSON ? renderList(ceilingObjects(ceiling, of: account).map(\.tree)) : renderCeiling(ceiling, of: account))
    }
    for exception in ceiling.refused {
        invocation.terminal.writeError(
            printable("bylaw rights: \(exception.need.described): nothing is given for it, since \(exception.why)")
                + "\n")
    }
    return ceiling.refused.isEmpty ? ExitStatus.success : ExitStatus.findings
}

private func declaredState(_ invocation: Invocation) throws -> DeclaredState {
    let path = invocation.arguments.text("for") ?? "."
    let load: DirectoryLoad
    do throws(DirectoryError) {
        load = try loadDirectory(at: path, cluster: invocation.arguments.text("cluster"))
    } catch {
        throw CommandFailure(message: "\(path): \(error.message)", hint: error.hint)
    }
    guard load.clusters.count <= 1 else {
        let names = load.clusters.map(\.name).joined(separator: ", ")
        throw CommandFailure(
            message: "\(path): the repository is for \(load.clusters.count) clusters",
            hint: "Name one with --cluster: \(names).")
    }
    let errors = load.findings.filter { $0.severity == .error }
    guard errors.isEmpty else {
        invocation.terminal.writeError(renderFindings(errors, on: invocation.terminal))
        throw CommandFailure(
            message: "\(path): the repository is not valid",
            hint: "Correct it first: the rights for a part of it would be wrong.")
    }
    return load.state
}

private func serviceAccount(_ invocation: Invocation) throws(CommandFailure) -> ObjectID {
    let text = invocation.arguments.text("service-account") ?? ""
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
        throw CommandFailure(message: "\"\(text)\" names no service account", hint: "Write NAMESPACE/NAME.")
    }
    return ObjectID(.serviceAccount, namespace: parts[0], name: parts[1])
}

import Analysis
import Arguments
import Foundation
import JSON
import KubeClient
import Manifest

/// Every kind that some analysis looks at; never Secrets or ConfigMaps.
let analysedResources: [Resource] =
    Resource.managed + Resource.workloads + [.service]

let snapshotCommand = Command(
    description: CommandDescription(
        name: "snapshot", summary: "what the analyses need of a cluster, in one file",
        details:
            "Writes namespaces, RBAC, network policies, quotas, limits, service accounts, services, pods and workloads "
            + "to FILE, for bylaw diff, who-can, can, reach and pods check without access to the cluster (-f FILE). "
            + "It holds no Secret and no ConfigMap, and of containers no environment, command or arguments. "
            + "FILE is replaced as a whole or not at all; - writes to standard output.",
        positionals: [PositionalDescription(name: "FILE", isRequired: true)],
        flags: Flags.connection + [Flags.cluster, Flags.config],
        examples: ["bylaw snapshot production.json", "bylaw who-can get secrets -f production.json"],
        exitStatuses: [(0, "written"), (2, "an error")])
) { invocation in
    let source = SecurityStateSource(invocation: invocation)
    let cluster = try source.cluster()
    let version = try await cluster.serverVersion()
    var objects: [Tree] = []
    for resource in analysedResources {
        objects += try await SecurityStateSource.objects(of: resource, in: cluster).map(\.tree)
    }
    let facts = ClusterFacts(
        cluster: invocation.arguments.text("cluster") ?? cluster.endpoint.name,
        serverVersion: version.isEmpty ? nil : version, takenAt: systemNow().description)
    let snapshot = Tree.object(
        Members([
            ("apiVersion", "bylaw.dev/v1"), ("kind", "ClusterSnapshot"), ("items", .array([facts.tree] + objects)),
        ]))
    let path = invocation.arguments.positionals[0]
    let bytes = snapshot.jsonBytes() + [UInt8(ascii: "\n")]
    guard path != "-" else {
        invocation.terminal.write(String(decoding: bytes, as: UTF8.self))
        return ExitStatus.success
    }
    do {
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw CommandFailure(
            message: "write the snapshot \(path): \((error as NSError).localizedDescription)",
            hint: "Choose a folder that exists and may be written.")
    }
    invocation.terminal.writeError("\(objects.count) objects of \(facts.cluster) written to \(printable(path))\n")
    return ExitStatus.success
}

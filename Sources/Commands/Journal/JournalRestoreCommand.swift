import Arguments
import Foundation
import JSON
import Journal
import KubeClient
import KubeProtocol
import Manifest
import Planning
import Policy
import Reconciler

let journalRestoreCommand = Command(
    description: CommandDescription(
        name: "journal restore", summary: "bring back an object as an entry found it",
        details:
            "Makes the object again that an entry of the journal removed or changed, as it was before, with the rights of "
            + "whoever runs the command. It is refused while the configuration in force would remove it again: exclude it "
            + "in bylaw.yaml and let that be approved, or declare it, for which --print gives the manifest.",
        positionals: [PositionalDescription(name: "SEQ", isRequired: true)],
        flags: [FlagDescription("print", .isSet, "write the manifest, and make nothing"), Flags.journal]
            + Flags.connection + [Flags.config],
        examples: ["bylaw journal restore 42", "bylaw journal restore 42 --print > restored.json"],
        exitStatuses: [(0, "it is back"), (1, "it would be removed again, or is there already"), (2, "an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let reader = try await JournalReader.open(wiring.journalPath)
    let entry = try await reader.entry(named: invocation.arguments.positionals.first ?? "")
    guard let id = entry.object, let resource = id.resource, let before = try entry.content().before,
        let lost = LiveObject(before, of: resource)
    else {
        throw CommandFailure(
            message: "entry \(entry.sequence) holds no object as it was before",
            hint: "Take one from bylaw journal list --reason \(IncidentReason.undeclaredRemoved.rawValue).")
    }
    let manifest = withoutMarker(canonicalLive(before, of: resource))
    let terminal = invocation.terminal
    guard !invocation.arguments.isSet("print") else {
        await reader.close()
        terminal.write(manifest.indentedJSON() + "\n")
        return ExitStatus.success
    }
    let scope = JournalReader.Scope(instance: entry.instance, cluster: entry.cluster)
    let memory = try await reader.remembered(.guardedState, scope)
    await reader.close()
    let cluster = KubeCluster(
        endpoint: try wiring.endpoint(), fieldManager: "bylaw-restore", userAgent: "bylaw/\(bylawVersion)",
        concurrentCalls: 2)
    let configuration = try configurationInForce(memory, canonical: wiring.canonical)
    let place = id.namespace.isEmpty ? nil : try await cluster.read(ObjectID(.namespace, name: id.namespace))
    // Its marker tells whether the namespace is declared, which decides whether its labels count.
    let isDeclared = place.map { wiring.ownership(instance: entry.instance).claim(of: $0) == .ours } ?? false
    let closedWorld = ClosedWorld(configuration.scopes) { name in
        ScopedNamespace(name: name, labels: place.map { Labels($0.metadata["labels"]) }, isDeclared: isDeclared)
    }
    // What it will be: without an owner, for one.
    var restored = manifest
    restored.set(["metadata", "uid"], to: .string(lost.uid))
    restored.set(["metadata", "resourceVersion"], to: .string(lost.resourceVersion))
    guard closedWorld.mode(of: LiveObject(restored, of: resource) ?? lost) != .enforce else {
        terminal.writeError(
            "\(printable(id.description)) would be removed again: no revision declares it, in a scope that is enforced\n"
                + "    Exclude it in \(RepositoryConfiguration.fileName), with an approval of configuration-loosened, or "
                + "declare it: bylaw journal restore \(entry.sequence) --print\n")
        return ExitStatus.findings
    }
    guard try await cluster.read(id) == nil else {
        terminal.writeError("\(printable(id.description)) is there already; nothing was done\n")
        return ExitStatus.findings
    }
    _ = try await cluster.send(
        .create(manifest, resource, namespace: id.namespace, fieldManager: "bylaw-restore", isDryRun: false),
        what: "restore \(id)")
    terminal.write("\(printable(id.description)) is back, as entry \(entry.sequence) found it\n")
    return ExitStatus.success
}

/// The configuration that the journal remembers to be in force; the standard one where it remembers none.
private func configurationInForce(
    _ memory: String?, canonical: Canonical
) throws(CommandFailure) -> RepositoryConfiguration {
    guard let memory else { return .standard }
    guard let configuration = rememberedConfiguration(memory, canonical: canonical) else {
        throw CommandFailure(
            message: "the journal's memory of the configuration in force is damaged",
            hint: "Let bylaw run or bylaw sync write it anew.")
    }
    return configuration
}

/// Whoever restores an object does not make it Bylaw's.
private func withoutMarker(_ tree: Tree) -> Tree {
    var tree = tree
    tree.set(["metadata", "labels", Ownership.instanceLabel], to: nil)
    tree.set(["metadata", "annotations", Ownership.identityAnnotation], to: nil)
    return tree
}

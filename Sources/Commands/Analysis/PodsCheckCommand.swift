import Analysis
import Arguments
import JSON
import Manifest
import Policy

let podsCheckCommand = Command(
    description: CommandDescription(
        name: "pods check", summary: "which pods and templates violate a Pod Security level",
        details:
            "Holds pods and the templates of workloads against a level of the Pod Security Standards, with the reasons "
            + "and details that the API server gives. Without -n every namespace is looked at. latest is the cluster's "
            + "version where a cluster or a snapshot is looked at, and the newest known here else. "
            + "A namespace enforces its level on pods only: templates are shown because their pods will be refused.",
        flags: [
            FlagDescription(
                "level", .choice(["baseline", "restricted"]), valueName: "L", "the level to hold them against",
                default: "restricted"),
            FlagDescription("version", .text, valueName: "V", "latest, or v1.N", default: "latest"), Flags.namespace,
        ] + Flags.analysed,
        examples: [
            "bylaw pods check --level restricted -n payments",
            "bylaw pods check --level baseline --version v1.29 -f app.yaml",
        ],
        exitStatuses: [(0, "no violation"), (1, "violations"), (2, "an error")])
) { invocation in
    let text = invocation.arguments.text("version") ?? "latest"
    guard let version = PodSecurityVersion(text) else {
        throw CommandFailure(
            message: "--version: \"\(text)\" is no version of the Pod Security Standards",
            hint: "Write latest, or v1.N such as v1.29.")
    }
    let level = invocation.arguments.text("level").flatMap(PodSecurityLevel.init) ?? .restricted
    let answer = try await SecurityStateSource(invocation: invocation).read(Resource.workloads)
    let effective =
        version == .latest ? answer.serverMinorVersion.map { PodSecurityVersion(minor: $0) } ?? .latest : version
    let namespace = invocation.arguments.text("namespace")
    let workloads = answer.state.workloads.filter { namespace == nil || $0.namespace == namespace }
    let violations = checkWorkloads(workloads, level: level, version: effective)
    let setting = PodSecuritySetting(level, effective)
    invocation.terminal.write(
        invocation.arguments.text("output") == "json"
            ? podsAnswer(violations, setting, count: workloads.count)
            : renderPods(violations, setting, count: workloads.count, on: invocation.terminal))
    return violations.isEmpty ? ExitStatus.success : ExitStatus.findings
}

private func podsAnswer(_ violations: [WorkloadViolation], _ setting: PodSecuritySetting, count: Int) -> String {
    let trees = violations.flatMap { violation -> [Tree] in
        let fields = violation.fields.isEmpty ? [FieldPath.root] : violation.fields
        return fields.map { field in
            var tree: Tree = [
                "object": objectTree(violation.workload), "control": .string(violation.violation.control),
                "field": .string(field.description), "reason": .string(violation.violation.reason),
                "message": .string(message(violation.violation)),
            ]
            if let origin = violation.origin {
                tree.set(["file"], to: .string(origin.file))
                tree.set(["line"], to: .integer(Int64(origin.line)))
            }
            return tree
        }
    }
    return renderAnswer(
        kind: "PodSecurityReport",
        [
            ("level", .string(setting.level.rawValue)), ("version", .string(setting.version.description)),
            ("workloads", .integer(Int64(count))), ("violations", .array(trees)),
        ])
}

private func message(_ violation: PodSecurityViolation) -> String {
    violation.detail.isEmpty ? violation.reason : "\(violation.reason) (\(violation.detail))"
}

private func renderPods(
    _ violations: [WorkloadViolation], _ setting: PodSecuritySetting, count: Int, on terminal: Terminal
) -> String {
    var text = ""
    var last: ObjectID?
    for violation in violations {
        if violation.workload != last {
            text += terminal.styled(placed(violation.workload, violation.origin), .bold) + "\n"
            last = violation.workload
        }
        text +=
            "    \(terminal.styled(violation.violation.control, .red)): \(printable(message(violation.violation)))\n"
        for field in violation.fields { text += "        \(printable(field.description))\n" }
    }
    let bad = Set(violations.map(\.workload)).count
    return text + "\(bad) of \(count) pods and workloads violate \(setting)\n"
}

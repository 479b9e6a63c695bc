import Analysis
import Arguments
import Manifest
import Policy

let reachCommand = Command(
    description: CommandDescription(
        name: "reach", summary: "which connections the network policies allow",
        details:
            "FROM and TO are NAMESPACE/NAME, KIND/NAMESPACE/NAME, NAMESPACE/ for all of a namespace, an address or a "
            + "block such as 10.0.0.0/8, or external; a name alone is of the namespace of -n. TO may be a Service: then its "
            + "pods and their ports are meant. With -n alone, what begins or ends in that namespace is shown. It says what "
            + "is allowed by policy: whether the network plugin enforces policies is not known here. "
            + "Reads the cluster, or with -f manifests only.",
        positionals: [
            PositionalDescription(name: "FROM", isRequired: false),
            PositionalDescription(name: "TO", isRequired: false),
        ],
        flags: [
            Flags.namespace, Flags.manifests,
            FlagDescription(
                "output", short: "o", .choice(["text", "json", "dot", "svg"]), valueName: "FORMAT",
                "how the answer is written", default: "text"),
        ] + Flags.past + Flags.connection + [Flags.config],
        examples: [
            "bylaw reach", "bylaw reach web/frontend payments/api", "bylaw reach 0.0.0.0/0 payments/ -f manifests/",
            "bylaw reach -n payments -o svg > payments.svg",
        ],
        exitStatuses: [(0, "answered"), (2, "an error")])
) { invocation in
    let answer = try await SecurityStateSource(invocation: invocation).read(
        [.namespace, .networkPolicy, .service] + Resource.workloads)
    let question = try ReachQuestion(invocation, answer.state)
    switch invocation.arguments.text("output") {
    case "json": writeReachAnswer(question, to: invocation.terminal)
    case "dot": invocation.terminal.write(try ReachGraph(question).dot())
    case "svg": invocation.terminal.write(try ReachGraph(question).svg())
    default: invocation.terminal.write(renderReach(question, on: invocation.terminal))
    }
    return ExitStatus.success
}

/// What `bylaw reach` was asked, and the model that knows.
struct ReachQuestion {
    let model: ReachabilityModel
    /// Each pair of filters stands for itself; no connection is in two of them.
    let filters: [(from: ReachabilityFilter, to: ReachabilityFilter)]
    /// The ports that a Service leads to, where TO is one.
    private let ports: [ReachabilityEnd: PortSet]?

    init(_ invocation: Invocation, _ state: SecurityState) throws(CommandFailure) {
        let model = ReachabilityModel(state)
        if let problem = model.problems.first {
            throw CommandFailure(
                message: "\(placed(problem.object, problem.origin)): \(problem.path): \(problem.message)",
                hint: "Correct it: the API server would refuse this policy, so nothing can be said of its effect.")
        }
        self.model = model
        let namespace = invocation.arguments.text("namespace")
        let reader = EndReader(state: state, model: model, namespace: namespace ?? "default")
        let names = invocation.arguments.positionals
        if names.isEmpty, let namespace {
            let inside = ReachabilityFilter.workloads(try reader.members(of: namespace))
            let outside = reader.others(than: namespace)
            filters = [(inside, .everything), (.workloads(outside), inside), (.external, inside)]
            ports = nil
            return
        }
        let from = try names.first.map { name throws(CommandFailure) in try reader.filter(name) } ?? .everything
        guard names.count > 1 else {
            filters = [(from, .everything)]
            ports = nil
            return
        }
        if let service = reader.service(names[1]) {
            let backends = model.backends(of: service)
            ports = Dictionary(
                backends.map { backend in
                    (
                        backend.end,
                        backend.ports.reduce(PortSet.none) {
                            $0.union(PortSet($1.transport, $1.targetPort...$1.targetPort))
                        }
                    )
                }, uniquingKeysWith: { $0.union($1) })
            let ids = backends.compactMap { backend in
                if case .workload(let id) = backend.end { id } else { nil }
            }
            filters = [(from, .workloads(Set(ids)))]
        } else {
            filters = [(from, try reader.filter(names[1]))]
            ports = nil
        }
    }

    /// Calls with every allowed connection, in a fixed order.
    func forEachConnection(_ body: (ReachabilityEnd, ReachabilityEnd, PortSet) -> Void) {
        for (from, to) in filters {
            model.forEachConnection(from: from, to: to) { source, destination, allowed in
                let wanted = ports.map { allowed.intersection($0[destination] ?? .none) } ?? allowed
                if !wanted.isEmpty { body(source, destination, wanted) }
            }
        }
    }

    /// Rows of ends that are alike; for a Service, only what it leads to.
    var rows: [(sources: [ReachabilityEnd], destinations: [ReachabilityEnd], ports: PortSet)] {
        filters.flatMap { from, to in model.connections(from: from, to: to) }.flatMap { row in
            let sources = row.sources.all
            guard let ports else { return [(sources, row.destinations.all, row.ports)] }
            let byPorts = Dictionary(grouping: row.destinations.all) {
                row.ports.intersection(ports[$0] ?? .none)
            }
            return byPorts.filter { !$0.key.isEmpty }.map { (sources, $0.value, $0.key) }
        }
    }
}

/// Reads what people call ends.
private struct EndReader {
    let state: SecurityState
    let model: ReachabilityModel
    let namespace: String

    func members(of namespace: String) throws(CommandFailure) -> Set<ObjectID> {
        let ids = workloadIDs.filter { $0.namespace == namespace }
        guard !ids.isEmpty else {
            throw CommandFailure(
                message: "no pod or workload is in namespace \(namespace)", hint: "Check the name of the namespace.")
        }
        return ids
    }

    func others(than namespace: String) -> Set<ObjectID> { workloadIDs.filter { $0.namespace != namespace } }

    private var workloadIDs: Set<ObjectID> {
        Set(model.pods.compactMap { end in if case .workload(let id) = end { id } else { nil } })
    }

    func filter(_ text: String) throws(CommandFailure) -> ReachabilityFilter {
        if text == "external" { return .external }
        if let block = AddressBlock(text) ?? AddressBlock(text + (text.contains(":") ? "/128" : "/32")) {
            return .addresses(block)
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, parts[1].isEmpty { return .workloads(try members(of: parts[0])) }
        let name = parts.last ?? ""
        let place = parts.count >= 2 ? parts[parts.count - 2] : namespace
        let kind = parts.count == 3 ? parts[0].lowercased() : nil
        let found = state.workloads.filter { workload in
            workload.id.name == name && workload.namespace == place
                && (kind == nil || workload.id.kind.lowercased() == kind)
        }
        guard parts.count <= 3, !name.isEmpty, !found.isEmpty else {
            throw CommandFailure(
                message: "no pod or workload is called \"\(text)\"",
                hint:
                    "Write NAMESPACE/NAME, KIND/NAMESPACE/NAME, NAMESPACE/ for all of a namespace, or a block of addresses."
            )
        }
        guard found.contains(where: { !$0.isFinished }) else {
            throw CommandFailure(
                message: "\"\(text)\" has run to its end: it has no traffic any more", hint: "Name a pod that runs.")
        }
        return .workloads(Set(found.map(\.id)))
    }

    /// A Service of that name, unless a workload has it too and the kind is not written.
    func service(_ text: String) -> StateObject? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.last, parts.count <= 3 else { return nil }
        let place = parts.count >= 2 ? parts[parts.count - 2] : namespace
        if parts.count == 3 {
            guard ["service", "svc"].contains(parts[0].lowercased()) else { return nil }
        } else if state.workloads.contains(where: { $0.id.name == name && $0.namespace == place }) {
            return nil
        }
        return state[ObjectID(.service, namespace: place, name: name)]
    }
}

import Analysis
import JSON
import Manifest
import Policy

/// How an end is named in JSON answers: a workload, or addresses.
func endTree(_ end: ReachabilityEnd) -> Tree {
    switch end {
    case .workload(let id):
        ["kind": .string(id.kind), "namespace": .string(id.namespace), "name": .string(id.name)]
    case .external(let block): ["cidr": .string(block.description)]
    case .unknownPods(let pods): ["pods": .string(pods.description)]
    }
}

/// Writes every connection as it comes: there may be many millions.
func writeReachAnswer(_ question: ReachQuestion, to terminal: Terminal) {
    var ends: [ReachabilityEnd: String] = [:]
    var ports: [PortSet: String] = [:]
    func text(_ end: ReachabilityEnd) -> String {
        if let known = ends[end] { return known }
        let text = endTree(end).jsonText()
        ends[end] = text
        return text
    }
    func text(_ set: PortSet) -> String {
        if let known = ports[set] { return known }
        let text = set.tree.map { ",\"ports\":\($0.jsonText())" } ?? ""
        ports[set] = text
        return text
    }
    var buffer = "{\"apiVersion\":\"bylaw.dev/v1\",\"kind\":\"ReachAnswer\",\"connections\":["
    var isFirst = true
    question.forEachConnection { source, destination, allowed in
        buffer += isFirst ? "\n" : ",\n"
        isFirst = false
        buffer += "{\"from\":"
        buffer += text(source)
        buffer += ",\"to\":"
        buffer += text(destination)
        buffer += text(allowed)
        buffer += "}"
        if buffer.utf8.count > 1 << 20 {
            terminal.write(buffer)
            buffer = ""
        }
    }
    terminal.write(buffer + "\n]}\n")
}

/// Ends that are alike stand in one line: pairs would be too many to read.
func renderReach(_ question: ReachQuestion, on terminal: Terminal) -> String {
    var text = ""
    var pairs = 0
    for row in question.rows {
        pairs += row.sources.count * row.destinations.count
        text += "\(names(row.sources, question.model)) -> \(names(row.destinations, question.model)): "
        text += terminal.styled(row.ports.description, .bold) + "\n"
    }
    if text.isEmpty { text = "nothing is allowed\n" }
    let hosts = question.model.pods.count { question.model.usesHostNetwork($0) }
    if hosts > 0 {
        text +=
            "\(hosts) \(hosts == 1 ? "workload is" : "workloads are") in the network of their node [node]: no policy "
            + "selects them, and blocks that hold the addresses of nodes are what allows them\n"
    }
    return text
        + "\(pairs) allowed pairs; what flows already may go on after a change, and the network plugin must enforce policies\n"
}

private func names(_ ends: [ReachabilityEnd], _ model: ReachabilityModel) -> String {
    let shown = ends.prefix(4).map { end -> String in
        let name = printable(shortName(end))
        return model.usesHostNetwork(end) ? name + " [node]" : name
    }
    return shown.joined(separator: ", ") + (ends.count > 4 ? " and \(ends.count - 4) more" : "")
}

/// `payments/api (Deployment)`, or the addresses.
func shortName(_ end: ReachabilityEnd) -> String {
    if case .workload(let id) = end { "\(id.namespace)/\(id.name) (\(id.kind))" } else { end.description }
}

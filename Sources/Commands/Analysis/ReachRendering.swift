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

/// Writes every connection as it comes: there may be many millions, so the text of an end is made once.
func writeReachAnswer(_ question: ReachQuestion, to terminal: Terminal) {
    var ends: [ReachabilityEnd: [UInt8]] = [:]
    func bytes(_ end: ReachabilityEnd) -> [UInt8] {
        if let known = ends[end] { return known }
        let bytes = endTree(end).jsonBytes()
        ends[end] = bytes
        return bytes
    }
    var buffer = Array("{\"apiVersion\":\"bylaw.dev/v1\",\"kind\":\"ReachAnswer\",\"connections\":[".utf8)
    var separator = Array("\n".utf8)
    for row in question.rows {
        let ports = row.ports.tree.map { Array(",\"ports\":".utf8) + $0.jsonBytes() } ?? []
        let destinations = row.destinations.map { Array(",\"to\":".utf8) + bytes($0) + ports + Array("}".utf8) }
        let places = Dictionary(
            row.destinations.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let addresses = row.destinations.firstIndex(where: \.isExternal) ?? row.destinations.count
        for source in row.sources {
            let from = Array("{\"from\":".utf8) + bytes(source)
            let itself = source.isOnePod ? places[source] : nil
            for index in 0..<(source.isExternal ? addresses : destinations.count) where index != itself {
                buffer += separator
                buffer += from
                buffer += destinations[index]
                if separator.count == 1 { separator = Array(",\n".utf8) }
                if buffer.count > 1 << 20 {
                    terminal.write(bytes: buffer)
                    buffer.removeAll(keepingCapacity: true)
                }
            }
        }
    }
    terminal.write(bytes: buffer + Array("\n]}\n".utf8))
}

extension ReachabilityEnd {
    fileprivate var isExternal: Bool { if case .external = self { true } else { false } }

    /// Whether it is one running pod, of whose traffic to itself nothing is said.
    fileprivate var isOnePod: Bool { if case .workload(let id) = self { id.kind == "Pod" } else { false } }
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
    if question.model.pods.isEmpty { return "there is no pod or workload\n" }
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

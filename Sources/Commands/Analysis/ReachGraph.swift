import Analysis

/// Allowed connections as a picture: sources to the left, destinations to the right.
struct ReachGraph {
    private struct Edge {
        var source: Int
        var destination: Int
        var ports: String
    }

    /// More than these nobody can read, and no layout can draw.
    private static let maximumEdges = 2_000

    private var sources: [String] = []
    private var destinations: [String] = []
    private var edges: [Edge] = []

    init(_ question: ReachQuestion) throws(CommandFailure) {
        var sourcePlaces: [String: Int] = [:]
        var destinationPlaces: [String: Int] = [:]
        var edges: [Edge] = []
        var count = 0
        func place(_ name: String, _ places: inout [String: Int], _ names: inout [String]) -> Int {
            if let known = places[name] { return known }
            places[name] = names.count
            names.append(name)
            return names.count - 1
        }
        var left: [String] = []
        var right: [String] = []
        question.forEachConnection { source, destination, ports in
            count += 1
            guard count <= Self.maximumEdges else { return }
            edges.append(
                Edge(
                    source: place(shortName(source), &sourcePlaces, &left),
                    destination: place(shortName(destination), &destinationPlaces, &right),
                    ports: ports.description))
        }
        guard count <= Self.maximumEdges else {
            throw CommandFailure(
                message: "\(count) connections are too many for a picture, which shows up to \(Self.maximumEdges)",
                hint: "Name FROM or TO, or a namespace with -n; -o text puts together what is alike.")
        }
        sources = left
        destinations = right
        self.edges = edges
    }

    // MARK: DOT

    /// For Graphviz.
    func dot() -> String {
        var text = "digraph reach {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n"
        for edge in edges {
            text += "  \(quoted(sources[edge.source])) -> \(quoted(destinations[edge.destination])) "
            text += "[label=\(quoted(edge.ports))];\n"
        }
        return text + "}\n"
    }

    private func quoted(_ text: String) -> String {
        let escaped = printable(text).map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
        return "\"\(escaped)\""
    }

    // MARK: SVG

    private static let rowHeight = 28
    private static let boxWidth = 300
    private static let gap = 320
    private static let margin = 16

    /// Two columns with a curve for each connection; its ports stand in a tool tip and, where there is room, on the curve.
    func svg() -> String {
        let rows = max(sources.count, destinations.count, 1)
        let width = 2 * Self.margin + 2 * Self.boxWidth + Self.gap
        let height = 2 * Self.margin + rows * Self.rowHeight
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="sans-serif" font-size="12">
            <title>Allowed connections</title>
            <rect width="100%" height="100%" fill="white"/>

            """
        let start = Self.margin + Self.boxWidth
        let end = start + Self.gap
        for (index, edge) in edges.enumerated() {
            let (from, to) = (middle(edge.source), middle(edge.destination))
            text += "<path d=\"M\(start) \(from) C\(start + 120) \(from) \(end - 120) \(to) \(end) \(to)\" "
            text +=
                "fill=\"none\" stroke=\"#3572b0\" stroke-opacity=\"0.6\"><title>\(escaped(sources[edge.source])) to "
            text += "\(escaped(destinations[edge.destination])): \(escaped(edge.ports))</title></path>\n"
            if edges.count <= 60 {
                // Along the curve by turns, so that labels of one source do not cover each other.
                let part = 30 + 20 * (index % 3)
                let x = start + Self.gap * part / 100
                let y = from + (to - from) * part / 100
                text += "<text x=\"\(x)\" y=\"\(y - 3)\" text-anchor=\"middle\" font-size=\"10\" fill=\"#444\">"
                text += "\(escaped(edge.ports))</text>\n"
            }
        }
        for (index, name) in sources.enumerated() { text += box(name, x: Self.margin, index: index) }
        for (index, name) in destinations.enumerated() { text += box(name, x: end, index: index) }
        return text + "</svg>\n"
    }

    private func middle(_ index: Int) -> Int { Self.margin + index * Self.rowHeight + Self.rowHeight / 2 }

    private func box(_ name: String, x: Int, index: Int) -> String {
        let y = Self.margin + index * Self.rowHeight + 2
        // Longer names would leave their box.
        let shown = name.count > 44 ? String(name.prefix(43)) + "…" : name
        return "<g><title>\(escaped(name))</title><rect x=\"\(x)\" y=\"\(y)\" width=\"\(Self.boxWidth)\" "
            + "height=\"\(Self.rowHeight - 6)\" rx=\"4\" fill=\"#eef4fb\" stroke=\"#3572b0\"/>"
            + "<text x=\"\(x + 8)\" y=\"\(y + 15)\">\(escaped(shown))</text></g>\n"
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for character in printable(text) {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}

/// The two texts in which metrics are told, by what the client asks for.
package enum ExpositionFormat: Sendable, CaseIterable {
    /// Prometheus' text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0: names of counters end with their samples only, and the text has an end.
    case openMetrics

    /// - Parameter accept: The request's `Accept` header; whoever does not ask for OpenMetrics gets the older form.
    package init(accept: String?) {
        let isAccepted = (accept ?? "").lowercased().split(separator: ",").contains { range in
            let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            // A weight of nothing rules it out (RFC 9110, section 12.4.2).
            let isRuledOut = parts.dropFirst().contains { part in
                part.hasPrefix("q=") && part.dropFirst(2).allSatisfy { $0 == "0" || $0 == "." }
            }
            return parts.first == "application/openmetrics-text" && !isRuledOut
        }
        self = isAccepted ? .openMetrics : .prometheus
    }

    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    var ending: String { self == .openMetrics ? "# EOF\n" : "" }

    func render(_ family: MetricFamily, _ series: [(labels: [String], sample: MetricSample)]) -> String {
        let name = family.name + family.kind.ending
        let described = self == .openMetrics ? family.name : name
        let kind = self == .prometheus && family.kind == .info ? MetricFamily.Kind.gauge : family.kind
        var text =
            "# HELP \(described) \(escaped(family.help, quotes: self == .openMetrics))\n# TYPE \(described) \(kind.rawValue)\n"
        for (values, sample) in series {
            let labels = zip(family.labels, values).map { "\($0)=\"\(escaped($1))\"" }
            if family.kind == .histogram {
                text += renderHistogram(family, labels, sample)
            } else {
                text += line(name, labels, number(sample.value))
            }
        }
        return text
    }

    /// Buckets are told with all that is in the smaller ones.
    private func renderHistogram(_ family: MetricFamily, _ labels: [String], _ sample: MetricSample) -> String {
        var text = ""
        var count: UInt64 = 0
        for (bound, inside) in zip(family.bounds, sample.buckets) {
            count += inside
            text += line(family.name + "_bucket", labels + ["le=\"\(boundText(bound))\""], String(count))
        }
        return text + line(family.name + "_bucket", labels + ["le=\"+Inf\""], String(sample.count))
            + line(family.name + "_sum", labels, number(sample.value))
            + line(family.name + "_count", labels, String(sample.count))
    }

    private func line(_ name: String, _ labels: [String], _ value: String) -> String {
        name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(value)\n"
    }

    /// OpenMetrics wants a number that is whole to be written as `1.0` here.
    private func boundText(_ bound: Double) -> String { self == .openMetrics ? "\(bound)" : number(bound) }
}

extension MetricFamily.Kind {
    fileprivate var ending: String {
        switch self {
        case .counter: "_total"
        case .gauge, .histogram: ""
        case .info: "_info"
        }
    }
}

private func escaped(_ text: String, quotes: Bool = true) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\"" where quotes: result += "\\\""
        case "\n": result += "\\n"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return String(whole) }
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return String(value)
}

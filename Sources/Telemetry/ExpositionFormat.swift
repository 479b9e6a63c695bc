/// The two texts in which metrics are told, by what the client asks for.
package enum ExpositionFormat: Sendable, CaseIterable {
    /// Prometheus' text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0: names of counters end with their samples only, and the text has an end.
    case openMetrics

    /// - Parameter accept: The request's `Accept` header; whoever does not ask for OpenMetrics gets the older form.
    package init(accept: String?) {
        self = (accept ?? "").contains("application/openmetrics-text") ? .openMetrics : .prometheus
    }

    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    var ending: String { self == .openMetrics ? "# EOF\n" : "" }

    func render(_ family: MetricFamily, _ series: [(labels: [String], value: Double)]) -> String {
        let sample = family.name + family.kind.ending
        let described = self == .openMetrics ? family.name : sample
        let kind = self == .prometheus && family.kind == .info ? MetricFamily.Kind.gauge : family.kind
        var text =
            "# HELP \(described) \(escaped(family.help, quotes: self == .openMetrics))\n# TYPE \(described) \(kind.rawValue)\n"
        for (values, value) in series {
            let labels = zip(family.labels, values).map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
            text += sample + (labels.isEmpty ? "" : "{\(labels)}") + " \(number(value))\n"
        }
        return text
    }
}

extension MetricFamily.Kind {
    fileprivate var ending: String {
        switch self {
        case .counter: "_total"
        case .gauge: ""
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

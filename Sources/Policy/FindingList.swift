import Manifest

/// Findings up to a bound, errors before warnings; those beyond it are only counted.
struct FindingList {
    private let limit: Int
    private var kept: [Finding.Severity: [Finding]] = [:]
    private var omitted: [Finding.Severity: Int] = [:]

    init(limit: Int) { self.limit = limit }

    var hasErrors: Bool { kept[.error]?.isEmpty == false }

    mutating func append(_ finding: Finding) {
        if kept[finding.severity, default: []].count < limit {
            kept[finding.severity, default: []].append(finding)
        } else {
            omit(1, finding.severity)
        }
    }

    /// Counts findings that somebody else left out.
    mutating func omit(_ count: Int, _ severity: Finding.Severity) { omitted[severity, default: 0] += count }

    /// Everything in order; where something was left out one more finding says how much.
    ///
    /// - Parameters:
    ///   - file: Where that finding stands.
    ///   - place: What was counted, such as `file`.
    func sorted(file: String, place: String) -> [Finding] {
        let errors = kept[.error] ?? []
        let warnings = kept[.warning] ?? []
        let shown = (errors + warnings.prefix(limit - errors.count)).sorted()
        let omittedErrors = omitted[.error, default: 0]
        let left = errors.count + warnings.count - shown.count + omitted.values.reduce(0, +)
        guard left > 0 else { return shown }
        let rest = Finding(
            severity: omittedErrors > 0 ? .error : .warning, file: file,
            position: shown.last?.position ?? SourcePosition(line: 1, column: 1), object: nil, path: .root,
            message: "\(left) more findings in this \(place) are not shown",
            hint: "Correct those that are shown and check again.")
        return shown + [rest]
    }
}

import Analysis
import Manifest
import Policy

/// The rules of a SARIF log: the reasons that occur, in byte order.
///
/// A severity belongs to a finding, but GitHub reads it from the rule: a rule has the gravest of its findings.
struct SARIFRules {
    let trees: [Tree]
    private let indices: [ChangeReason: Int]

    init(_ findings: [ChangeFinding], runbookBaseURL: String?) {
        var gravest: [ChangeReason: Severity] = [:]
        for finding in findings { gravest[finding.reason] = max(gravest[finding.reason] ?? .info, finding.severity) }
        let rules = gravest.sorted { $0.key.rawValue.precedesByBytes($1.key.rawValue) }
        trees = rules.map { ruleTree($0.key, $0.value, runbookBaseURL: runbookBaseURL) }
        indices = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($1.key, $0) })
    }

    func index(of reason: ChangeReason) -> Int? { indices[reason] }
}

private func ruleTree(_ reason: ChangeReason, _ severity: Severity, runbookBaseURL: String?) -> Tree {
    let address = reason.runbookAddress(below: runbookBaseURL)
    let runbook = "Runbooks/\(reason.rawValue).md"
    let advice = "`bylaw runbook show \(reason.rawValue)` says what it means, how to check it and how to undo it"
    let link = address.map { "[\(runbook)](\($0))" } ?? "`\(runbook)`"
    var tree: Tree = [
        "id": .string(reason.rawValue), "name": .string(reason.words),
        "shortDescription": ["text": .string(reason.summary + ".")],
        "fullDescription": [
            "text": .string(
                "\(reason.summary). Found by comparing what two revisions of the policy repository mean for a cluster, "
                    + "not by their text; the severity depends on how far the change reaches.")
        ],
        "help": [
            "text": .string("\(advice); the same text is in \(runbook)."),
            "markdown": .string("\(advice); the same text is in \(link)."),
        ],
        "defaultConfiguration": ["level": .string(severity.sarifLevel)],
    ]
    var properties: Tree = ["tags": ["security", "kubernetes", .string(reason.area.rawValue)]]
    if let score = severity.securityScore { properties.set(["security-severity"], to: .string(score)) }
    tree.set(["properties"], to: properties)
    if let address { tree.set(["helpUri"], to: .string(address)) }
    return tree
}

extension Severity {
    /// The middle of the range that GitHub calls by the same word; nil for what is no weakness.
    fileprivate var securityScore: String? {
        switch self {
        case .critical: "9.5"
        case .high: "8.0"
        case .medium: "5.5"
        case .low: "2.0"
        case .info: nil
        }
    }
}

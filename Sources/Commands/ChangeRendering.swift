import Analysis
import JSON
import Manifest
import Policy

/// A comparison in the form that was asked for.
func renderChange(_ comparison: RevisionComparison.Outcome, _ invocation: Invocation) throws -> String {
    var text = ""
    for f in comparison.report.findings {
        text +=
            "\(f.severity.rawValue) \(f.reason.rawValue): \(printable(f.message)) [\(f.causes.map { "\($0.object) \($0.edit.rawValue) \($0.origin?.description ?? "") \($0.commit?.prefix(7) ?? "")" }.joined(separator: "; "))] \(f.guardrail?.rawValue ?? "")\n"
        for l in f.before { text += "   - \(l)\n" }
        for l in f.after { text += "   + \(l)\n" }
    }
    return text
}

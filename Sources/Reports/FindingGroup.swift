import Analysis
import Policy

/// Findings that one edit made: one kind of right that a role newly gives to many subjects, say.
///
/// Shown once at length and then by name, so that one line of YAML does not fill a page.
struct FindingGroup {
    /// What is shown at length.
    var lead: ChangeFinding
    /// What differs from it in the subject, the scope and what follows from these.
    var others: [ChangeFinding]

    var count: Int { 1 + others.count }
}

/// What findings of one group have in common.
private struct GroupKey: Hashable {
    var reason: ChangeReason
    var severity: Severity
    var direction: ChangeDirection
    var guardrail: Guardrail?
    var causes: [FindingCause]

    init(_ finding: ChangeFinding) {
        reason = finding.reason
        severity = finding.severity
        direction = finding.direction
        guardrail = finding.guardrail
        causes = finding.causes
    }
}

/// Groups findings where more than three have one cause, and keeps the order of the first of each.
func grouped(_ findings: [ChangeFinding]) -> [FindingGroup] {
    var members: [GroupKey: [ChangeFinding]] = [:]
    for finding in findings { members[GroupKey(finding), default: []].append(finding) }
    var groups: [FindingGroup] = []
    for finding in findings {
        let key = GroupKey(finding)
        guard let group = members[key] else { continue }
        if group.count > 3 {
            groups.append(FindingGroup(lead: finding, others: Array(group.dropFirst())))
            members[key] = nil
        } else {
            groups.append(FindingGroup(lead: finding, others: []))
        }
    }
    return groups
}

package import Policy

extension PolicyRule {
    /// Whether it covers what does not exist yet: a wildcard among verbs, groups, resources or URLs, also as a prefix.
    package var isOpenEnded: Bool { hasWildcard || nonResourceURLs.contains { $0.hasSuffix("*") } }
}

/// The dangerous rights among some rules that a program should not hold only so that it may grant them.
///
/// For the whole cluster that is every kind of the table of security semantics, section 4.1. In one namespace it is what
/// makes its holder somebody else there, shows it Secrets or lets it run code; what only disturbs there is less than what
/// holding nothing would take, which is the right to write any rule under the role's name.
///
/// - Parameter namespace: Where the rules would be held; empty for the whole cluster.
package func rightsBetterNotHeld(_ rules: [PolicyRule], in namespace: String) -> [ChangeReason] {
    let isClusterWide = namespace.isEmpty
    let isOfSystem = isClusterWide || namespace == "kube-system"
    var reasons: [ChangeReason] = []
    for danger in DangerousRight.all where isOfSystem || !danger.isOnlyForSystem {
        let isGrave = isClusterWide || danger.severityInNamespace >= .high || danger.reason == .podExecutionGranted
        let isExtra = danger.reason == .impersonationGranted && rules.contains(where: \.impersonatesExtra)
        guard isGrave, isExtra || danger.isGiven(by: rules), !reasons.contains(danger.reason) else { continue }
        reasons.append(danger.reason)
    }
    return reasons
}

import Manifest

/// The parts of some rules that other rules do not give, as Kubernetes' escalation check finds them.
package struct UncoveredRights: Sendable {
    /// Each names one verb on one resource of one group, with at most one name, or one verb on one URL.
    package var parts: [PolicyRule]
    /// Whole rules with too many combinations to be taken apart, which no single rule covers.
    package var wholeRules: [PolicyRule]

    package var isEmpty: Bool { parts.isEmpty && wholeRules.isEmpty }
}

/// How many parts rules may have together before the others are only compared as wholes.
///
/// A manifest of a megabyte could name a hundred million combinations.
private let maximumParts = 20_000

/// Finds what `wanted` gives that no rule of `held` gives.
///
/// A part must be covered by one single rule: rules that together enumerate every verb do not make `*` (as
/// `validation.Covers` of the API server; unit tables `covers` of the conformance data).
package func uncoveredRights(of wanted: [PolicyRule], by held: [PolicyRule]) -> UncoveredRights {
    var uncovered = UncoveredRights(parts: [], wholeRules: [])
    var seen: Set<PolicyRule> = []
    for rule in wanted where seen.insert(rule).inserted && !held.contains(where: { $0.covers(rule) }) {
        guard rule.countOfParts <= maximumParts - uncovered.parts.count else {
            uncovered.wholeRules.append(rule)
            continue
        }
        uncovered.parts += rule.parts.filter { part in !held.contains { $0.covers(part) } }
    }
    return uncovered
}

extension PolicyRule {
    /// Whether everything that another rule gives is given by this one alone.
    func covers(_ other: PolicyRule) -> Bool {
        includesAll(other.verbs, in: verbs) && includesAll(other.apiGroups, in: apiGroups)
            && other.resources.allSatisfy(coversResource)
            && other.nonResourceURLs.allSatisfy { path in nonResourceURLs.contains { urlCovers($0, path) } }
            && (resourceNames.isEmpty
                || (!other.resourceNames.isEmpty && other.resourceNames.allSatisfy(resourceNames.holds)))
    }

    private func includesAll(_ wanted: [String], in held: [String]) -> Bool {
        held.holds("*") || wanted.allSatisfy(held.holds)
    }

    private func coversResource(_ resource: String) -> Bool {
        if resources.holds("*") || resources.holds(resource) { return true }
        guard let slash = resource.utf8.firstIndex(of: UInt8(ascii: "/")) else { return false }
        return resources.holds("*" + resource[slash...])
    }

    /// How many parts it has; `Int.max` where that is beyond counting.
    var countOfParts: Int {
        let counts = [verbs.count, apiGroups.count, resources.count, max(1, resourceNames.count)]
        let ofResources = counts.reduce(1) { multiply($0, $1) }
        let (sum, overflow) = ofResources.addingReportingOverflow(multiply(verbs.count, nonResourceURLs.count))
        return overflow ? .max : sum
    }

    private func multiply(_ left: Int, _ right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    /// The rule taken apart into single verbs on single resources or URLs.
    var parts: [PolicyRule] {
        var parts: [PolicyRule] = []
        for group in apiGroups {
            for resource in resources {
                for verb in verbs {
                    for names in resourceNames.isEmpty ? [[]] : resourceNames.map({ [$0] }) {
                        parts.append(
                            PolicyRule(verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: names))
                    }
                }
            }
        }
        for url in nonResourceURLs {
            for verb in verbs { parts.append(PolicyRule(verbs: [verb], nonResourceURLs: [url])) }
        }
        return parts
    }
}

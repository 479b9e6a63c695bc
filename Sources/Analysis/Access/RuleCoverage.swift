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
private let maximumParts = 100_000

/// Finds what `wanted` gives that no rule of `held` gives.
///
/// A part must be covered by one single rule: rules that together enumerate every verb do not make `*` (as
/// `validation.Covers` of the API server; unit tables `covers` of the conformance data).
package func uncoveredRights(of wanted: [PolicyRule], by held: [PolicyRule]) -> UncoveredRights {
    let coverage = RuleCoverage(held)
    var uncovered = UncoveredRights(parts: [], wholeRules: [])
    var seenRules: Set<PolicyRule> = []
    var seenParts: Set<PolicyRule> = []
    var count = 0
    for rule in wanted where seenRules.insert(rule).inserted && !coverage.has(rule) {
        guard rule.countOfParts <= maximumParts - count else {
            uncovered.wholeRules.append(rule)
            continue
        }
        count += rule.countOfParts
        uncovered.parts += rule.parts.filter { seenParts.insert($0).inserted && !coverage.covers($0) }
    }
    return uncovered
}

/// What some rules give, ready to be asked for many parts: comparing each with each would take large roles minutes.
struct RuleCoverage {
    private var rules: Set<PolicyRule> = []
    private var parts: Set<PolicyRule> = []
    /// Rules with too many parts.
    private var wide: [PolicyRule] = []

    init(_ held: [PolicyRule]) {
        var count = 0
        for rule in held where rules.insert(rule).inserted {
            if rule.countOfParts <= maximumParts - count {
                count += rule.countOfParts
                parts.formUnion(rule.parts.map(\.withPlainPrefix))
            } else {
                wide.append(rule)
            }
        }
    }

    /// Whether a rule is held as it stands.
    func has(_ rule: PolicyRule) -> Bool { rules.contains(rule) || wide.contains { $0.covers(rule) } }

    func covers(_ part: PolicyRule) -> Bool {
        part.generalizations.contains(where: parts.contains) || wide.contains { $0.covers(part) }
    }
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

extension PolicyRule {
    /// Every part that covers this one, which has one element at most in each list; itself among them.
    var generalizations: [PolicyRule] {
        let verbs = self.verbs == ["*"] ? [self.verbs] : [self.verbs, ["*"]]
        if let url = nonResourceURLs.first {
            let bytes = Array(url.utf8)
            let prefixes = (0...bytes.count).map { String(decoding: bytes[..<$0], as: UTF8.self) + "*" }
            return verbs.flatMap { verbs in
                ([url] + prefixes).map { PolicyRule(verbs: verbs, nonResourceURLs: [$0]) }
            }
        }
        var resources = [self.resources, ["*"]]
        if let resource = self.resources.first, let slash = resource.firstIndex(of: "/") {
            resources.append(["*" + resource[slash...]])
        }
        var found: [PolicyRule] = []
        for verbs in verbs {
            for groups in [apiGroups, ["*"]] {
                for resources in resources {
                    for names in resourceNames.isEmpty ? [[]] : [resourceNames, []] {
                        found.append(
                            PolicyRule(verbs: verbs, apiGroups: groups, resources: resources, resourceNames: names))
                    }
                }
            }
        }
        return found
    }

    /// With one asterisk at the end of a URL, where the server takes several for one.
    var withPlainPrefix: PolicyRule {
        guard let url = nonResourceURLs.first, url.hasSuffix("**") else { return self }
        var plain = self
        var prefix = url[...]
        while prefix.hasSuffix("*") { prefix.removeLast() }
        plain.nonResourceURLs = [prefix + "*"]
        return plain
    }
}

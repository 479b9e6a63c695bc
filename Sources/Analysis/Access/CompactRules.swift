import Manifest

/// Merges rules that differ in their verbs only and name one resource of one group and at most one name.
///
/// As the API server does before it answers a SelfSubjectRulesReview; other rules stay as they are and keep their order.
package func mergeSimpleRules(_ rules: [PolicyRule]) -> [PolicyRule] {
    var merged: [PolicyRule] = []
    var places: [PolicyRule: Int] = [:]
    for rule in rules {
        guard rule.isSimple else {
            merged.append(rule)
            continue
        }
        var key = rule
        key.verbs = []
        if let place = places[key] {
            merged[place].verbs += rule.verbs
        } else {
            places[key] = merged.count
            merged.append(rule)
        }
    }
    return merged
}

extension PolicyRule {
    fileprivate var isSimple: Bool {
        apiGroups.count == 1 && resources.count == 1 && resourceNames.count <= 1 && nonResourceURLs.isEmpty
    }
}

/// The fewest and shortest rules that give what some rules give.
///
/// Rights that another rule gives already are left out; what differs in one direction only, such as verbs or resources,
/// is put into one rule. Lists are in byte order, and so are the rules. Rules with too many combinations to be taken
/// apart stay whole.
package func minimalRules(_ rules: [PolicyRule]) -> [PolicyRule] {
    var parts: [PolicyRule] = []
    var seen: Set<PolicyRule> = []
    var wide: [PolicyRule] = []
    for rule in mergeSimpleRules(rules) {
        if rule.countOfParts > 2_000 || parts.count > 20_000 {
            if seen.insert(rule).inserted { wide.append(rule) }
        } else {
            for part in rule.parts where seen.insert(part).inserted { parts.append(part) }
        }
    }
    // Each part looks for the few that could cover it; comparing all with all would take a large role minutes.
    let all = Set(parts)
    let widest = wide.prefix(50)
    parts.removeAll { part in
        part.generalizations.contains { $0 != part && all.contains($0) } || widest.contains { $0.covers(part) }
    }
    var result = parts
    result = merge(result, \.verbs)
    result = merge(result, \.resources)
    result = merge(result, \.apiGroups)
    result = merge(result, \.resourceNames)
    result = merge(result, \.nonResourceURLs)
    return (result + wide).sorted { $0.precedes($1) }
}

/// Puts rules that are equal but for one list into one.
private func merge(_ rules: [PolicyRule], _ list: WritableKeyPath<PolicyRule, [String]>) -> [PolicyRule] {
    var merged: [PolicyRule] = []
    var places: [PolicyRule: Int] = [:]
    for rule in rules {
        // An empty list means something else than a list, so the two are never put together.
        guard !rule[keyPath: list].isEmpty else {
            merged.append(rule)
            continue
        }
        var key = rule
        key[keyPath: list] = []
        if let place = places[key] {
            merged[place][keyPath: list] += rule[keyPath: list]
        } else {
            places[key] = merged.count
            merged.append(rule)
        }
    }
    for index in merged.indices { merged[index][keyPath: list] = merged[index][keyPath: list].sortedOnce }
    return merged
}

extension [String] {
    /// In byte order, each once.
    fileprivate var sortedOnce: [String] {
        var result: [String] = []
        for element in sorted(by: { $0.precedesByBytes($1) }) {
            if result.last?.hasSameBytes(as: element) != true { result.append(element) }
        }
        return result
    }
}

extension PolicyRule {
    /// The order of rules in answers: resources before URLs, then by group, resource, name and verb.
    func precedes(_ other: PolicyRule) -> Bool {
        if nonResourceURLs.isEmpty != other.nonResourceURLs.isEmpty { return nonResourceURLs.isEmpty }
        for (left, right) in [
            (apiGroups, other.apiGroups), (resources, other.resources), (resourceNames, other.resourceNames),
            (nonResourceURLs, other.nonResourceURLs), (verbs, other.verbs),
        ] where left != right {
            return left.lexicographicallyPrecedes(right) { $0.precedesByBytes($1) }
        }
        return false
    }
}

extension PolicyRule: CustomStringConvertible {
    /// As people read it: `get,list pods,services.example.com "name"`.
    package var description: String {
        let verbs = verbs.joined(separator: ",")
        guard nonResourceURLs.isEmpty else { return "\(verbs) \(nonResourceURLs.joined(separator: ","))" }
        let groups = apiGroups.count == 1 ? apiGroups[0] : "{\(apiGroups.joined(separator: ","))}"
        let names = resourceNames.isEmpty ? "" : " named " + resourceNames.map { "\"\($0)\"" }.joined(separator: ",")
        let resources = resources.joined(separator: ",")
        return "\(verbs) \(resources)\(groups.isEmpty ? "" : ".\(groups)")\(names)"
    }
}

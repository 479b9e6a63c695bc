package import Manifest

/// Finds where a live object is not what is declared.
///
/// What a policy means is compared whole, so that undeclared content is found, which server-side apply would leave
/// standing (rules D9 and E1); other labels and annotations only where they are declared (rule E3). Lists count as
/// sets: a mere reordering means the same (rule E10).
///
/// - Parameters:
///   - desired: The declared object in canonical form, with our marker.
///   - live: The live object's content in the same canonical form.
/// - Returns: The differences in a stable order; empty where nothing has to be written.
package func compare(
    desired: Tree, live: Tree, of resource: Resource, closedLabels: ClosedLabels
) -> [Difference] {
    var differences: [Difference] = []
    let desiredLabels = desired["metadata"]?["labels"]?.members ?? Members()
    let liveLabels = live["metadata"]?["labels"]?.members ?? Members()
    compareMap(["metadata", "labels"], desired: desiredLabels, live: liveLabels, into: &differences) { key in
        // Selectors trust that a namespace carries its own name there, and no other's.
        if resource == .namespace, key == ClosedLabels.namespaceNameKey {
            return liveLabels[key] != desired["metadata"]?["name"]
        }
        return closedLabels.contains(key, of: resource)
    }
    compareMap(
        ["metadata", "annotations"], desired: desired["metadata"]?["annotations"]?.members ?? Members(),
        live: live["metadata"]?["annotations"]?.members ?? Members(), into: &differences
    ) { _ in false }
    for field in comparedFields(of: resource, desired: desired) {
        field.compare(desired: desired, live: live, into: &differences)
    }
    return differences
}

/// How one field of a kind is compared.
private struct ComparedField {
    enum Rule {
        /// Whatever stands there must be declared.
        case whole
        /// Only a declared value counts.
        case whereDeclared
        /// Each declared element must be there; others are somebody else's.
        case contains
        /// A map whose members are compared one by one, whole.
        case members
    }

    var path: [String]
    var rule: Rule

    func compare(desired: Tree, live: Tree, into differences: inout [Difference]) {
        let declared = desired[path]
        let found = live[path]
        switch rule {
        case .whole:
            appendDifference(path, declared: declared, live: found, into: &differences)
        case .whereDeclared:
            guard let declared else { return }
            appendDifference(path, declared: declared, live: found, into: &differences)
        case .contains:
            guard let declared, let wanted = declared.array else { return }
            let present = Set(found?.array ?? [])
            if !wanted.allSatisfy(present.contains) {
                differences.append(Difference(kind: .changed, path: path, declared: declared, live: found))
            }
        case .members:
            let declaredMembers = declared?.members ?? Members()
            let liveMembers = found?.members ?? Members()
            compareMap(path, desired: declaredMembers, live: liveMembers, into: &differences) { _ in true }
        }
    }
}

private func comparedFields(of resource: Resource, desired: Tree) -> [ComparedField] {
    switch resource {
    case .role:
        return [ComparedField(path: ["rules"], rule: .whole)]
    case .clusterRole:
        // The rules of an aggregated role are the aggregation controller's to write (rule E12).
        let aggregation = ComparedField(path: ["aggregationRule"], rule: .whole)
        return desired["aggregationRule"] == nil
            ? [aggregation, ComparedField(path: ["rules"], rule: .whole)] : [aggregation]
    case .roleBinding, .clusterRoleBinding:
        return [ComparedField(path: ["roleRef"], rule: .whole), ComparedField(path: ["subjects"], rule: .whole)]
    case .networkPolicy, .limitRange:
        return [ComparedField(path: ["spec"], rule: .members)]
    case .resourceQuota:
        return [
            ComparedField(path: ["spec", "hard"], rule: .members),
            ComparedField(path: ["spec", "scopes"], rule: .whole),
            ComparedField(path: ["spec", "scopeSelector"], rule: .whole),
        ]
    case .serviceAccount:
        return [
            ComparedField(path: ["automountServiceAccountToken"], rule: .whereDeclared),
            ComparedField(path: ["imagePullSecrets"], rule: .whereDeclared),
            ComparedField(path: ["secrets"], rule: .contains),
        ]
    default:
        return []
    }
}

private func compareMap(
    _ path: [String], desired: Members, live: Members, into differences: inout [Difference],
    mustBeDeclared: (String) -> Bool
) {
    for (key, value) in desired {
        appendDifference(path + [key], declared: value, live: live[key], into: &differences)
    }
    for (key, value) in live where desired[key] == nil && mustBeDeclared(key) {
        appendDifference(path + [key], declared: nil, live: value, into: &differences)
    }
}

private func appendDifference(_ path: [String], declared: Tree?, live: Tree?, into differences: inout [Difference]) {
    // Absent, null and the empty list are one thing at this level (rule E4), an empty map inside a list is not (rule E5).
    let declaredIsEmpty = isAbsent(declared)
    let liveIsEmpty = isAbsent(live)
    if declaredIsEmpty && liveIsEmpty { return }
    if !declaredIsEmpty && !liveIsEmpty, let declared, let live {
        if declared == live || meaning(of: declared) == meaning(of: live) { return }
        differences.append(Difference(kind: .changed, path: path, declared: declared, live: live))
    } else if declaredIsEmpty {
        // What was declared as an empty list claims the field, so an apply clears it; what was not declared it leaves.
        let kind: Difference.Kind = declared == nil ? .undeclared : .changed
        differences.append(Difference(kind: kind, path: path, declared: declared, live: live))
    } else {
        differences.append(Difference(kind: .missing, path: path, declared: declared, live: nil))
    }
}

private func isAbsent(_ value: Tree?) -> Bool {
    switch value {
    case nil, .null?: true
    case .array(let elements)?: elements.isEmpty
    default: false
    }
}

/// A value with its lists in one order and without repetitions: two values with one meaning become equal.
private func meaning(of value: Tree) -> Tree {
    switch value {
    case .array(let elements):
        var unique: [Tree] = []
        for element in elements.map(meaning(of:)).sorted(by: precedes) where unique.last != element {
            unique.append(element)
        }
        return .array(unique)
    case .object(let members):
        return .object(Members(members.map { ($0.key, meaning(of: $0.value)) }))
    default:
        return value
    }
}

/// Some total order of values; which one does not matter.
private func precedes(_ left: Tree, _ right: Tree) -> Bool { order(left, right) < 0 }

private func order(_ left: Tree, _ right: Tree) -> Int {
    func rank(_ value: Tree) -> Int {
        switch value {
        case .null: 0
        case .bool: 1
        case .integer: 2
        case .unsigned: 3
        case .double: 4
        case .string: 5
        case .array: 6
        case .object: 7
        }
    }
    func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left > right ? 1 : 0 }
    switch (left, right) {
    case (.bool(let left), .bool(let right)): return compare(left ? 1 : 0, right ? 1 : 0)
    case (.integer(let left), .integer(let right)): return compare(left, right)
    case (.unsigned(let left), .unsigned(let right)): return compare(left, right)
    case (.double(let left), .double(let right)): return compare(left, right)
    case (.string(let left), .string(let right)):
        return left.hasSameBytes(as: right) ? 0 : left.precedesByBytes(right) ? -1 : 1
    case (.array(let left), .array(let right)):
        for (left, right) in zip(left, right) {
            let result = order(left, right)
            if result != 0 { return result }
        }
        return compare(left.count, right.count)
    case (.object(let left), .object(let right)):
        for (left, right) in zip(left, right) {
            if !left.key.hasSameBytes(as: right.key) { return left.key.precedesByBytes(right.key) ? -1 : 1 }
            let result = order(left.value, right.value)
            if result != 0 { return result }
        }
        return compare(left.count, right.count)
    default: return compare(rank(left), rank(right))
    }
}

/// The labels of an object or of a pod template.
package struct Labels: Hashable, Sendable {
    package private(set) var values: [String: String]

    package init(_ values: [String: String] = [:]) { self.values = values }

    /// Reads a map of strings; whatever in it is no string is no label.
    package init(_ tree: Tree?) {
        values = [:]
        for (key, value) in tree?.members ?? Members() {
            if let text = value.string { values[key] = text }
        }
    }

    package subscript(key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }
}

/// A label selector: all of its requirements must hold, and one without requirements selects everything.
///
/// Semantics of `metav1.LabelSelectorAsSelector`: `NotIn` and `DoesNotExist` hold where the key is absent, `In` needs it
/// (security semantics, section 2.1, points 5 and 6).
package struct LabelSelector: Hashable, Sendable {
    package enum Requirement: Hashable, Sendable {
        case isIn(key: String, values: Set<String>)
        case notIn(key: String, values: Set<String>)
        case exists(key: String)
        case doesNotExist(key: String)
        /// An operator that Kubernetes does not know: the server would refuse it, so nothing is selected.
        case never

        package var key: String? {
            switch self {
            case .isIn(let key, _), .notIn(let key, _), .exists(let key), .doesNotExist(let key): key
            case .never: nil
            }
        }
    }

    package var requirements: [Requirement]

    /// Selects everything.
    package static let everything = LabelSelector(requirements: [])

    package init(requirements: [Requirement]) { self.requirements = requirements }

    /// Reads a selector that is there; an empty map, or null for one of its parts, selects everything.
    package init(_ tree: Tree) {
        requirements = []
        for (key, value) in tree["matchLabels"]?.members ?? Members() {
            requirements.append(value.string.map { .isIn(key: key, values: [$0]) } ?? .never)
        }
        for expression in tree["matchExpressions"]?.array ?? [] {
            let key = expression["key"]?.string ?? ""
            let values = Set((expression["values"]?.array ?? []).compactMap(\.string))
            switch expression["operator"]?.string {
            case "In": requirements.append(.isIn(key: key, values: values))
            case "NotIn": requirements.append(.notIn(key: key, values: values))
            case "Exists": requirements.append(.exists(key: key))
            case "DoesNotExist": requirements.append(.doesNotExist(key: key))
            default: requirements.append(.never)
            }
        }
    }

    package func matches(_ labels: Labels) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .isIn(let key, let values): labels[key].map(values.contains) ?? false
            case .notIn(let key, let values): !(labels[key].map(values.contains) ?? false)
            case .exists(let key): labels[key] != nil
            case .doesNotExist(let key): labels[key] == nil
            case .never: false
            }
        }
    }
}

extension LabelSelector: CustomStringConvertible {
    /// As `kubectl` prints selectors: `app=web,tier in (a,b),!debug`.
    package var description: String {
        guard !requirements.isEmpty else { return "<all>" }
        return requirements.map { requirement in
            switch requirement {
            case .isIn(let key, let values) where values.count == 1: "\(key)=\(values.first ?? "")"
            case .isIn(let key, let values): "\(key) in (\(values.sorted().joined(separator: ",")))"
            case .notIn(let key, let values): "\(key) notin (\(values.sorted().joined(separator: ",")))"
            case .exists(let key): key
            case .doesNotExist(let key): "!\(key)"
            case .never: "<nothing>"
            }
        }.joined(separator: ",")
    }
}

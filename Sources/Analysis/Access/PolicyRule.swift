package import Manifest

/// One rule of a Role or ClusterRole.
package struct PolicyRule: Hashable, Sendable {
    package var verbs: [String]
    package var apiGroups: [String]
    package var resources: [String]
    /// Empty: every name.
    package var resourceNames: [String]
    package var nonResourceURLs: [String]

    package init(
        verbs: [String], apiGroups: [String] = [], resources: [String] = [], resourceNames: [String] = [],
        nonResourceURLs: [String] = []
    ) {
        self.verbs = verbs
        self.apiGroups = apiGroups
        self.resources = resources
        self.resourceNames = resourceNames
        self.nonResourceURLs = nonResourceURLs
    }

    /// Reads a rule as the server holds it; what is no string in its lists names nothing.
    package init(_ tree: Tree) {
        func strings(_ field: String) -> [String] { (tree[field]?.array ?? []).compactMap(\.string) }
        self.init(
            verbs: strings("verbs"), apiGroups: strings("apiGroups"), resources: strings("resources"),
            resourceNames: strings("resourceNames"), nonResourceURLs: strings("nonResourceURLs"))
    }

    /// Whether the rule by itself allows a request (security semantics, section 2.2, points 3 to 5).
    package func allows(_ request: AccessRequest) -> Bool {
        guard verbs.holds("*") || verbs.holds(request.verb) else { return false }
        switch request.target {
        case .path(let path):
            return nonResourceURLs.contains { urlCovers($0, path) }
        case .resource(let group, let resource, let subresource, let name, _):
            return (apiGroups.holds("*") || apiGroups.holds(group)) && matches(resource, subresource)
                && (resourceNames.isEmpty || resourceNames.holds(name))
        }
    }

    private func matches(_ resource: String, _ subresource: String) -> Bool {
        let wanted = subresource.isEmpty ? resource : "\(resource)/\(subresource)"
        return resources.contains { written in
            written == "*" || written.hasSameBytes(as: wanted)
                || (!subresource.isEmpty && written.hasSameBytes(as: "*/\(subresource)"))
        }
    }

    /// Whether what the rule names is unlimited in some direction, so that it covers what does not exist yet.
    package var hasWildcard: Bool {
        verbs.holds("*") || apiGroups.holds("*") || resources.contains { $0 == "*" || $0.hasPrefix("*/") }
            || nonResourceURLs.holds("*")
    }
}

extension PolicyRule {
    /// By bytes: two spellings of one letter are two names to RBAC.
    package static func == (left: PolicyRule, right: PolicyRule) -> Bool {
        left.verbs.hasSameBytes(as: right.verbs) && left.apiGroups.hasSameBytes(as: right.apiGroups)
            && left.resources.hasSameBytes(as: right.resources)
            && left.resourceNames.hasSameBytes(as: right.resourceNames)
            && left.nonResourceURLs.hasSameBytes(as: right.nonResourceURLs)
    }
}

/// Whether a URL of a rule covers a path, or another URL of a rule: all, the same, or by a prefix that ends in `*`.
///
/// The server takes all asterisks at its end off, and not only one.
func urlCovers(_ url: String, _ path: String) -> Bool {
    if url == "*" || url.hasSameBytes(as: path) { return true }
    guard url.utf8.last == UInt8(ascii: "*") else { return false }
    var prefix = url.utf8[...]
    while prefix.last == UInt8(ascii: "*") { prefix.removeLast() }
    return path.utf8.starts(with: prefix)
}

extension [String] {
    /// Whether a name is among these, byte by byte, as RBAC compares names.
    func holds(_ name: String) -> Bool { contains { $0.hasSameBytes(as: name) } }

    func hasSameBytes(as other: [String]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.hasSameBytes(as: $1) }
    }
}

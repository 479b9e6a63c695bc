package import Manifest

/// Whom a binding names.
package struct AccessSubject: Hashable, Sendable, Comparable, CustomStringConvertible {
    package enum Kind: String, Sendable, Comparable {
        case group = "Group"
        case serviceAccount = "ServiceAccount"
        case user = "User"

        package static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    package var kind: Kind
    /// Only of a service account.
    package var namespace: String
    package var name: String

    package init(kind: Kind, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = kind == .serviceAccount ? namespace : ""
        self.name = name
    }

    /// Reads a subject of a binding; nil for what names nobody, such as a service account without a namespace.
    ///
    /// - Parameter namespace: The binding's own, which a ServiceAccount without one means; empty for a ClusterRoleBinding.
    package init?(_ tree: Tree, in namespace: String) {
        guard let kind = tree["kind"]?.string.flatMap(Kind.init), let name = tree["name"]?.string else { return nil }
        let written = tree["namespace"]?.string ?? ""
        self.init(kind: kind, namespace: written.isEmpty ? namespace : written, name: name)
        if kind == .serviceAccount, self.namespace.isEmpty { return nil }
    }

    /// By bytes: names that only look alike are different people.
    package static func == (left: AccessSubject, right: AccessSubject) -> Bool {
        left.kind == right.kind && left.name.hasSameBytes(as: right.name)
            && left.namespace.hasSameBytes(as: right.namespace)
    }

    package static func < (left: AccessSubject, right: AccessSubject) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        if !left.namespace.hasSameBytes(as: right.namespace) { return left.namespace.precedesByBytes(right.namespace) }
        return left.name.precedesByBytes(right.name)
    }

    package var description: String {
        if kind == .serviceAccount { return "ServiceAccount \(namespace)/\(name)" }
        // A name with a space at its end looks like another one's.
        return name.contains(where: \.isWhitespace) ? "\(kind.rawValue) \"\(name)\"" : "\(kind.rawValue) \(name)"
    }

    /// As a service account's requests carry it; nil for everybody else.
    private static let serviceAccountPrefix = "system:serviceaccount:"

    /// The same bearer in one form: a service account may be named as one, or as the user that it is.
    package var canonical: AccessSubject { kind == .user ? .user(name) : self }

    /// The service account that a user name stands for, or the user itself.
    package static func user(_ name: String) -> AccessSubject {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, name.hasPrefix(serviceAccountPrefix), !parts[2].isEmpty, !parts[3].isEmpty else {
            return AccessSubject(kind: .user, name: name)
        }
        return AccessSubject(kind: .serviceAccount, namespace: String(parts[2]), name: String(parts[3]))
    }
}

/// Everything that a request's bearer can be named by: a user name and groups.
package struct AccessIdentity: Sendable {
    /// Nil where only a membership is known: any member of a group.
    package var user: String?
    package var groups: [String]

    /// - Parameter groups: All of them, as the server would know them; nothing is added.
    package init(user: String?, groups: [String]) {
        self.user = user
        self.groups = groups
    }

    /// A subject with the groups that it has in any case (security semantics, section 2.2, points 6 and 7).
    package init(of subject: AccessSubject) {
        switch subject.kind {
        case .user:
            user = subject.name
            groups = subject.name == "system:anonymous" ? ["system:unauthenticated"] : ["system:authenticated"]
        case .serviceAccount:
            user = "system:serviceaccount:\(subject.namespace):\(subject.name)"
            groups = [
                "system:serviceaccounts", "system:serviceaccounts:\(subject.namespace)", "system:authenticated",
            ]
        case .group:
            user = nil
            groups = [subject.name]
            if subject.name.hasPrefix("system:serviceaccounts:") { groups.append("system:serviceaccounts") }
            if !["system:unauthenticated", "system:authenticated"].contains(subject.name) {
                groups.append("system:authenticated")
            }
        }
    }

    /// Members of this group skip every check.
    package var isMaster: Bool { groups.holds("system:masters") }

    /// Whether a subject of a binding is this bearer.
    package func isNamed(by subject: AccessSubject) -> Bool { names.contains(subject) }

    /// Every subject that names this bearer, for looking bindings up.
    var names: [AccessSubject] {
        var names = groups.map { AccessSubject(kind: .group, name: $0) }
        if let user {
            names.append(AccessSubject(kind: .user, name: user))
            let account = AccessSubject.user(user)
            if account.kind == .serviceAccount { names.append(account) }
        }
        return names
    }
}

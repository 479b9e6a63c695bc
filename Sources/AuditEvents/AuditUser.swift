import Manifest

/// Somebody as the API server knows them, in an audit event.
package struct AuditUser: Sendable, Equatable {
    package var name: String
    package var uid: String
    package var groups: [String]
    /// What the authenticator adds, such as the pod and node of a service account on new servers (rule M6).
    package var extra: [String: [String]]

    package init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// Compares names by bytes, as RBAC does: two spellings of "é" are two users.
    package func isSameUser(as other: AuditUser) -> Bool { name.hasSameBytes(as: other.name) }
}

extension AuditUser {
    /// Reads a user; nil where it has no name.
    init?(_ tree: Tree, limits: AuditLimits) {
        guard let name = tree["username"]?.string, !name.isEmpty else { return nil }
        self.name = name.bounded(toBytes: limits.maximumNameBytes)
        uid = (tree["uid"]?.string ?? "").bounded(toBytes: limits.maximumTextBytes)
        groups = Self.texts(tree["groups"], limits: limits)
        extra = [:]
        for (key, values) in (tree["extra"]?.members ?? Members()).prefix(limits.maximumListLength) {
            extra[key.bounded(toBytes: limits.maximumTextBytes)] = Self.texts(values, limits: limits)
        }
    }

    private static func texts(_ tree: Tree?, limits: AuditLimits) -> [String] {
        (tree?.array ?? []).lazy.compactMap(\.string).prefix(limits.maximumListLength).map {
            $0.bounded(toBytes: limits.maximumTextBytes)
        }
    }
}

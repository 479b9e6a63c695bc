import Manifest

/// Somebody as the API server knows them, in an audit event.
package struct AuditUser: Sendable, Equatable {
    package var name: String
    package var uid: String
    package var groups: [String]

    package init(name: String, uid: String = "", groups: [String] = []) {
        self.name = name
        self.uid = uid
        self.groups = groups
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
    }

    private static func texts(_ tree: Tree?, limits: AuditLimits) -> [String] {
        (tree?.array ?? []).lazy.compactMap(\.string).prefix(limits.maximumListLength).map {
            $0.bounded(toBytes: limits.maximumTextBytes)
        }
    }
}

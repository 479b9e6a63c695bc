extension Tree {
    /// This value as an RFC 7386 merge patch leaves it: maps are merged, null removes, everything else replaces.
    ///
    /// Lists are replaced whole, and what stands in them is taken as it is.
    package func mergePatched(with patch: Tree) -> Tree {
        guard case .object(let changes) = patch else { return patch }
        var members = self.members ?? Members()
        for (key, change) in changes {
            members[key] = change.isNull ? nil : (members[key] ?? .object(Members())).mergePatched(with: change)
        }
        return .object(members)
    }
}

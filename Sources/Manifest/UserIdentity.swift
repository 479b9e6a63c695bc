/// Who an API server takes somebody for: a user name, and groups.
package struct UserIdentity: Sendable, Equatable {
    package var name: String
    package var groups: Set<String>

    package init(name: String, groups: Set<String>) {
        self.name = name
        self.groups = groups
    }
}

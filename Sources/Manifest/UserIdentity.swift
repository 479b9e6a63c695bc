/// Who an API server takes somebody for: a user name, and groups.
package struct UserIdentity: Sendable, Equatable {
    package var name: String
    package var groups: Set<String>

    package init(name: String, groups: Set<String>) {
        self.name = name
        self.groups = groups
    }

    /// The service account that the user is; nil for any other user.
    package var serviceAccount: ObjectID? {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts.starts(with: ["system", "serviceaccount"]), !parts[2].isEmpty, !parts[3].isEmpty
        else { return nil }
        return ObjectID(.serviceAccount, namespace: parts[2], name: parts[3])
    }

    /// Whether a binding of a namespace, or a cluster-wide one with an empty name, has the user among its subjects.
    package func isNamed(by binding: Tree, in namespace: String) -> Bool {
        (binding["subjects"]?.array ?? []).contains { subject in
            let subjectName = subject["name"]?.string ?? ""
            switch subject["kind"]?.string {
            case "User": return subjectName == name
            case "Group": return groups.contains(subjectName)
            case "ServiceAccount":
                return name == "system:serviceaccount:\(subject["namespace"]?.string ?? namespace):\(subjectName)"
            default: return false
            }
        }
    }
}

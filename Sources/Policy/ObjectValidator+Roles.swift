import Manifest

extension ObjectValidator {
    private static let rbacGroup = "rbac.authorization.k8s.io"

    mutating func validateRole() {
        for (rule, path) in Self.elements(tree["rules"], at: .root.field("rules")) { validateRule(rule, at: path) }
        guard let aggregation = tree["aggregationRule"] else { return }
        let path = FieldPath.root.field("aggregationRule").field("clusterRoleSelectors")
        let selectors = Self.elements(aggregation["clusterRoleSelectors"], at: path)
        if selectors.isEmpty {
            problems.required(
                path, "at least one clusterRoleSelector required if aggregationRule is non-nil",
                hint: "Name the labels of the roles to gather, or delete aggregationRule.")
        }
        for (selector, path) in selectors { validateSelector(selector, at: path) }
    }

    private mutating func validateRule(_ rule: Tree, at path: FieldPath) {
        func isGiven(_ name: String) -> Bool { rule[name]?.array?.isEmpty == false }
        if !isGiven("verbs") {
            problems.required(
                path.field("verbs"), "verbs must contain at least one value", hint: "List the verbs, as in [get, list]."
            )
        }
        guard !isGiven("nonResourceURLs") else {
            let urls = rule["nonResourceURLs"]?.strings.joined(separator: ", ") ?? ""
            let path = path.field("nonResourceURLs")
            if resource.isNamespaced {
                problems.invalid(
                    path, urls, "namespaced rules cannot apply to non-resource URLs",
                    hint: "Move the rule to a ClusterRole that a ClusterRoleBinding binds.")
            }
            if ["apiGroups", "resources", "resourceNames"].contains(where: isGiven) {
                problems.invalid(
                    path, urls, "rules cannot apply to both regular resources and non-resource URLs",
                    hint: "Split it into two rules.")
            }
            return
        }
        if !isGiven("apiGroups") {
            problems.required(
                path.field("apiGroups"), "resource rules must supply at least one api group",
                hint: "Name the group; the core group is the empty string, as in apiGroups: [\"\"].")
        }
        if !isGiven("resources") {
            problems.required(
                path.field("resources"), "resource rules must supply at least one resource",
                hint: "List the resources in the plural, as in [pods].")
        }
    }

    mutating func validateBinding() {
        let path = FieldPath.root.field("roleRef")
        let reference = tree["roleRef"] ?? [:]
        // A missing reference has no group either, but the server fills that in.
        let group = reference["apiGroup"]?.string ?? Self.rbacGroup
        if group != Self.rbacGroup {
            problems.unsupported(path.field("apiGroup"), group, supported: [Self.rbacGroup])
        }
        let kinds = resource.isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]
        let kind = reference["kind"]?.string ?? ""
        if !kinds.contains(kind) {
            let hint = kind == "Role" ? "Bind a ClusterRole, or use a RoleBinding in the role's namespace." : nil
            problems.unsupported(path.field("kind"), kind, supported: kinds, hint: hint)
        }
        let name = reference["name"]?.string ?? ""
        if name.isEmpty { problems.required(path.field("name"), hint: "Name the role to bind.") }
        for detail in Names.pathSegmentProblems(name) {
            problems.invalid(path.field("name"), name, detail, hint: "Write the role's name as it is declared.")
        }
        for (subject, path) in Self.elements(tree["subjects"], at: .root.field("subjects")) {
            validateSubject(subject, at: path)
        }
    }

    private mutating func validateSubject(_ subject: Tree, at path: FieldPath) {
        let name = subject["name"]?.string ?? ""
        if name.isEmpty { problems.required(path.field("name"), hint: "Name the subject.") }
        let group = subject["apiGroup"]?.string ?? ""
        switch subject["kind"]?.string ?? "" {
        case "ServiceAccount":
            validateServiceAccountSubject(subject, name: name, at: path)
        case "User", "Group":
            if !group.isEmpty, group != Self.rbacGroup {
                problems.unsupported(path.field("apiGroup"), group, supported: [Self.rbacGroup])
            }
        case let other:
            problems.unsupported(path.field("kind"), other, supported: ["ServiceAccount", "User", "Group"])
        }
    }

    private mutating func validateServiceAccountSubject(_ subject: Tree, name: String, at path: FieldPath) {
        if !name.isEmpty {
            for detail in Names.subdomainProblems(name) {
                let hint =
                    name.hasPrefix("system:serviceaccount:")
                    ? "Write the account's bare name, and its namespace in the field namespace."
                    : "Write the account's name as it is declared."
                problems.invalid(path.field("name"), name, detail, hint: templateHint(for: name) ?? hint)
            }
        }
        if let group = subject["apiGroup"]?.string, !group.isEmpty {
            problems.unsupported(
                path.field("apiGroup"), group, supported: [""],
                hint: "Delete apiGroup: service accounts have none.")
        }
        if !resource.isNamespaced, (subject["namespace"]?.string ?? "").isEmpty {
            problems.required(
                path.field("namespace"),
                hint: "Write the account's namespace; where kustomize sets it, commit what kustomize build makes of it."
            )
        }
    }
}

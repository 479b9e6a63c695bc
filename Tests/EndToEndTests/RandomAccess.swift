import Analysis
import Manifest
import TestSupport

extension SplitMix64 {
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(next() % UInt64(elements.count))] }

    mutating func some(_ elements: [String], atMost count: Int) -> [String] {
        (0..<(1 + Int(next() % UInt64(count)))).map { _ in pick(elements) }
    }

    mutating func chance(_ oneIn: UInt64) -> Bool { next() % oneIn == 0 }
}

/// Roles and bindings of every kind, and questions about them.
struct RandomAccess {
    let namespaces: [String]
    private(set) var objects: [StateObject] = []
    private let prefix: String
    private let subjects: [AccessSubject]

    private static let verbs = [
        "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind",
        "escalate", "use", "approve", "*", "GET",
    ]
    private static let groups = [
        "", "apps", "batch", "rbac.authorization.k8s.io", "networking.k8s.io", "example.com", "*",
    ]
    private static let resources = [
        "pods", "pods/exec", "pods/log", "pods/*", "secrets", "configmaps", "serviceaccounts", "serviceaccounts/token",
        "nodes/proxy", "deployments", "deployments/scale", "*/scale", "jobs", "roles", "clusterroles", "widgets", "*",
        "*/status",
    ]
    private static let names = ["", "one", "two", "*", "three"]
    private static let urls = ["/metrics", "/metrics/*", "/healthz", "/logs*", "/api/*", "/*", "*", "/"]

    init(prefix: String, random: inout SplitMix64) {
        self.prefix = prefix
        namespaces = ["\(prefix)-a", "\(prefix)-b"]
        subjects = [
            AccessSubject(kind: .user, name: "\(prefix)-ann"), AccessSubject(kind: .user, name: "\(prefix)-bob"),
            AccessSubject(kind: .group, name: "\(prefix)-team"), AccessSubject(kind: .group, name: "\(prefix)-ops"),
            AccessSubject(kind: .serviceAccount, namespace: "\(prefix)-a", name: "robot"),
            AccessSubject(kind: .serviceAccount, namespace: "\(prefix)-b", name: "default"),
            AccessSubject(kind: .group, name: "system:serviceaccounts:\(prefix)-a"),
            AccessSubject(kind: .user, name: "system:serviceaccount:\(prefix)-b:robot"),
        ]
        for namespace in namespaces { add(.namespace, "", namespace, [:]) }
        for index in 0..<24 {
            let isCluster = index % 2 == 0
            let labels: Tree = index % 6 == 0 ? ["\(prefix)/part": "yes"] : [:]
            var role: Tree = ["rules": .array((0..<3).map { _ in Self.rule(isCluster: isCluster, &random) })]
            role.set(["metadata", "labels"], to: labels)
            add(isCluster ? .clusterRole : .role, isCluster ? "" : random.pick(namespaces), "\(prefix)-\(index)", role)
        }
        add(
            .clusterRole, "", "\(prefix)-gathered",
            [
                "aggregationRule": [
                    "clusterRoleSelectors": [
                        ["matchLabels": .object(Members([("\(prefix)/part", .string("yes"))]))]
                    ]
                ]
            ])
        let clusterRoles =
            objects.map(\.id).filter { $0.resource == .clusterRole }.map(\.name) + ["view", "edit", "admin"]
        for index in 0..<30 {
            let isCluster = index % 3 == 0
            let namespace = isCluster ? "" : random.pick(namespaces)
            let localRoles = objects.map(\.id).filter { $0.resource == .role && $0.namespace == namespace }.map(\.name)
            let isLocal = !isCluster && !localRoles.isEmpty && random.chance(2)
            let named = (0..<2).map { _ in Self.tree(random.pick(subjects)) }
            add(
                isCluster ? .clusterRoleBinding : .roleBinding, namespace, "\(prefix)-\(index)",
                [
                    "roleRef": [
                        "apiGroup": "rbac.authorization.k8s.io", "kind": isLocal ? "Role" : "ClusterRole",
                        "name": .string(isLocal ? random.pick(localRoles) : random.pick(clusterRoles)),
                    ], "subjects": .array(named),
                ])
        }
    }

    private mutating func add(_ resource: Resource, _ namespace: String, _ name: String, _ content: Tree) {
        var tree = content
        tree.set(["apiVersion"], to: .string(resource.apiVersion))
        tree.set(["kind"], to: .string(resource.kind))
        tree.set(["metadata", "name"], to: .string(name))
        if !namespace.isEmpty { tree.set(["metadata", "namespace"], to: .string(namespace)) }
        objects.append(StateObject(id: ObjectID(resource, namespace: namespace, name: name), tree: tree))
    }

    private static func tree(_ subject: AccessSubject) -> Tree {
        var tree: Tree = ["kind": .string(subject.kind.rawValue), "name": .string(subject.name)]
        if subject.kind == .serviceAccount { tree.set(["namespace"], to: .string(subject.namespace)) }
        return tree
    }

    private static func rule(isCluster: Bool, _ random: inout SplitMix64) -> Tree {
        func list(_ values: [String]) -> Tree { .array(values.map { .string($0) }) }
        let verbs = list(random.some(self.verbs, atMost: 3))
        if isCluster, random.chance(5) {
            return ["verbs": verbs, "nonResourceURLs": list(random.some(urls, atMost: 2))]
        }
        var rule: Tree = [
            "verbs": verbs, "apiGroups": list(random.some(groups, atMost: 2)),
            "resources": list(random.some(resources, atMost: 3)),
        ]
        if random.chance(3) { rule.set(["resourceNames"], to: list(random.some(["one", "two", "*"], atMost: 2))) }
        return rule
    }

    /// A question that some rule of the bearer's may answer, were it asked in the right place.
    private static func near(
        _ identity: AccessIdentity, _ model: AccessModel, _ namespaces: [String], _ random: inout SplitMix64
    ) -> Question? {
        let bindings = model.bindings(naming: identity)
        guard !bindings.isEmpty, case let binding = random.pick(bindings), let role = model.roles[binding.role],
            !role.rules.isEmpty
        else { return nil }
        let rule = random.pick(role.rules)
        let verb = rule.verbs.isEmpty ? "get" : random.pick(rule.verbs)
        if !rule.nonResourceURLs.isEmpty {
            return Question(identity: identity, request: AccessRequest(verb, path: random.pick(rule.nonResourceURLs)))
        }
        guard !rule.resources.isEmpty, !rule.apiGroups.isEmpty else { return nil }
        let parts = random.pick(rule.resources).split(separator: "/").map(String.init)
        let request = AccessRequest(
            verb, parts.first ?? "", group: random.pick(rule.apiGroups), subresource: parts.count > 1 ? parts[1] : "",
            name: random.chance(2) ? "" : random.pick(rule.resourceNames + ["other"]),
            namespace: random.chance(4) ? random.pick(namespaces + [""]) : binding.scope)
        return Question(identity: identity, request: request)
    }

    /// A question about somebody that the cluster's bindings name, or one of ours.
    func question(about model: AccessModel, random: inout SplitMix64) -> Question {
        let lasting = model.subjects.filter { $0.name.hasPrefix("system:") || $0.namespace == "kube-system" }
        let subject = random.chance(3) ? random.pick(lasting) : random.pick(subjects)
        var identity = AccessIdentity(of: subject)
        if identity.user == nil { identity.user = "\(prefix)-member" }
        if subject.kind == .user, case let account = AccessSubject.user(subject.name), account.kind == .serviceAccount {
            identity = AccessIdentity(of: account)
        }
        if random.chance(2), let question = Self.near(identity, model, namespaces, &random) { return question }
        let verb = random.pick(Self.verbs)
        if random.chance(8) {
            let path = random.pick(["/metrics", "/metrics/x", "/healthz", "/logs", "/logsx", "/api/v1", "/api", "/"])
            return Question(identity: identity, request: AccessRequest(verb, path: path))
        }
        let parts = random.pick(Self.resources).split(separator: "/").map(String.init)
        let request = AccessRequest(
            verb, parts[0], group: random.pick(Self.groups), subresource: parts.count > 1 ? parts[1] : "",
            name: random.pick(Self.names),
            namespace: random.chance(3) ? "" : random.pick(namespaces + ["kube-system"]))
        return Question(identity: identity, request: request)
    }
}

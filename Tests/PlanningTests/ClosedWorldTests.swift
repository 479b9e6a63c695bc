import Manifest
import Planning
import Policy
import Testing

@Suite struct ClosedWorldTests {
    private static let group = "rbac.authorization.k8s.io"

    private func world(
        _ mode: ScopeMode, exclusions: [ObjectPattern] = [], otherInstances: Set<String> = []
    ) -> ClosedWorld {
        let scopes = ScopeRules(standardMode: mode, exclusions: exclusions, otherInstances: otherInstances)
        return ClosedWorld(scopes) { ScopedNamespace(name: $0, labels: Labels(), isDeclared: true) }
    }

    private func object(
        _ kind: String, _ name: String, in namespace: String = "", _ more: [String: Tree] = [:]
    ) throws -> LiveObject {
        let resource = try #require(Resource.managed.first { $0.kind == kind })
        var metadata: Tree = ["name": .string(name), "uid": "u", "resourceVersion": "1"]
        if !namespace.isEmpty { metadata.set(["namespace"], to: .string(namespace)) }
        var tree: Tree = ["apiVersion": .string(resource.apiVersion), "kind": .string(kind), "metadata": metadata]
        for (key, value) in more {
            if key == "ownerReferences" || key == "labels" {
                tree.set(["metadata", key], to: value)
            } else {
                tree.set([key], to: value)
            }
        }
        return try #require(LiveObject(tree, of: resource))
    }

    private func binding(_ role: String, _ kind: String, _ name: String, namespace: String? = nil) -> [String: Tree] {
        var subject: Tree = ["kind": .string(kind), "name": .string(name)]
        if let namespace { subject.set(["namespace"], to: .string(namespace)) }
        return [
            "roleRef": ["apiGroup": .string(Self.group), "kind": "ClusterRole", "name": .string(role)],
            "subjects": [subject],
        ]
    }

    /// What Kubernetes makes by itself is nobody's declaration.
    @Test func whatKubernetesMakesIsLeftAlone() throws {
        let objects = [
            try object("ServiceAccount", "default", in: "a"), try object("ServiceAccount", "x", in: "kube-system"),
            try object("ClusterRole", "cluster-admin"), try object("ClusterRole", "view"),
            try object("ClusterRole", "system:node"),
            try object("ClusterRoleBinding", "cluster-admin", binding("cluster-admin", "Group", "system:masters")),
            try object(
                "ClusterRoleBinding", "system:controller:job-controller",
                binding(
                    "system:controller:job-controller", "ServiceAccount", "job-controller", namespace: "kube-system")),
            try object(
                "ClusterRoleBinding", "system:discovery", binding("system:discovery", "Group", "system:authenticated")),
            try object("Role", "system::leader-locking-kube-scheduler", in: "kube-system"),
        ]
        for object in objects { #expect(world(.enforce).mode(of: object) == .declared, "\(object.id)") }
    }

    /// An owner can be made up: where Git is to be the whole truth what has one is told, and not removed.
    @Test(arguments: ["Role", "RoleBinding", "NetworkPolicy", "ServiceAccount"])
    func whatAControllerKeepsIsNotRemoved(_ kind: String) throws {
        let operated = try object(
            kind, "operated", in: "a",
            ["ownerReferences": [["kind": "Operator", "name": "o", "uid": "x", "controller": true]]])
        #expect(world(.enforce).mode(of: operated) == .report)
        #expect(world(.report).mode(of: operated) == .declared)
        let excluded = ObjectPattern(ownerKinds: ["Operator"])
        #expect(world(.enforce, exclusions: [excluded]).mode(of: operated) == .declared)
    }

    /// Names, labels and owners that somebody chose do not hide what they chose.
    @Test func whatOnlyLooksLikeKubernetesOwnIsNot() throws {
        let reported = [
            try object("ClusterRoleBinding", "system:evil", binding("cluster-admin", "User", "mallory")),
            try object("ClusterRoleBinding", "cluster-admin", binding("cluster-admin", "User", "mallory")),
            try object(
                "ClusterRoleBinding", "system:controller:job-controller",
                binding("system:controller:job-controller", "User", "mallory")),
            try object(
                "ClusterRoleBinding", "system:node", binding("system:node", "Group", "system:authenticated")),
            try object("Role", "backdoor", in: "kube-system"),
            try object(
                "ClusterRoleBinding", "system:node", binding("system:node", "User", "system:serviceaccount:evil:sa")),
            try object(
                "ClusterRoleBinding", "system:node", binding("system:node", "Group", "system:serviceaccounts:evil")),
            try object(
                "ClusterRoleBinding", "system:discovery", binding("admin", "User", "system:kube-scheduler")),
            try object("ClusterRole", "system:evil"),
        ]
        let anything: Tree = [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]]
        let secrets: Tree = [["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]]]
        let named = [
            // Rule E13: the server leaves what somebody adds to its own roles.
            try object("ClusterRole", "system:basic-user", ["rules": secrets]),
            try object("ClusterRole", "system:discovery", ["rules": [["nonResourceURLs": ["*"], "verbs": ["get"]]]]),
            try object("ClusterRole", "system:heapster", ["rules": anything]),
            try object("Role", "kube-proxy", in: "kube-system", ["rules": secrets]),
            try object(
                "RoleBinding", "kubeadm:bootstrap-signer-clusterinfo", in: "kube-system",
                binding("kubeadm:bootstrap-signer-clusterinfo", "User", "system:anonymous")),
            try object(
                "ClusterRoleBinding", "system:kube-dns",
                binding("system:kube-dns", "ServiceAccount", "x", namespace: "kube-evil")),
            try object(
                "ClusterRoleBinding", "system:controller:job-controller",
                binding("system:controller:job-controller", "ServiceAccount", "x", namespace: "kube-system")),
        ]
        for object in reported + named { #expect(world(.enforce).mode(of: object) == .report, "\(object.id)") }
        let removed = [
            try object(
                "ClusterRoleBinding", "kubeadm:get-nodes", binding("admin", "User", "system:serviceaccount:evil:sa")),
            try object(
                "ClusterRole", "kubeadm:get-nodes",
                ["rules": [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]]]),
            try object(
                "ClusterRoleBinding", "rogue",
                binding("cluster-admin", "User", "mallory").merging(
                    ["labels": ["kubernetes.io/bootstrapping": "rbac-defaults"]]) { $1 }),
            try object(
                "ClusterRoleBinding", "owned",
                binding("cluster-admin", "User", "mallory").merging(
                    ["ownerReferences": [["kind": "X", "name": "o", "uid": "x", "controller": true]]]) { $1 }),
            try object("Role", "system-evil", in: "a"),
            try object("Role", "owned", in: "a", ["ownerReferences": [["kind": "X", "name": "o", "uid": "x"]]]),
            try object("NetworkPolicy", "open", in: "a"), try object("ServiceAccount", "app", in: "a"),
        ]
        for object in removed { #expect(world(.enforce).mode(of: object) == .enforce, "\(object.id)") }
    }

    @Test func exclusionsAndNamespacesStandOutside() throws {
        let pattern = ObjectPattern(kinds: [.role], names: [NamePattern("prometheus-*")])
        let world = world(.enforce, exclusions: [pattern])
        #expect(world.mode(of: try object("Role", "prometheus-k8s", in: "a")) == .declared)
        #expect(world.mode(of: try object("Role", "other", in: "a")) == .enforce)
        #expect(world.mode(of: try object("Namespace", "a")) == .declared)
    }

    // MARK: Decisions

    private var enforcing: DecisionContext {
        var context = Build.context
        context.closedWorld = world(.enforce)
        return context
    }

    @Test func aStrangerIsRemovedAsItWas() throws {
        let stranger = try Build.live(Build.denyAll)
        let action = try #require(try Build.decide(nil, stranger, record: nil, context: enforcing).action)
        #expect(action.kind == .delete && action.isOfStranger && action.before?.uid == stranger.uid)
    }

    /// Anybody can write the marker of an instance, so only those that the repository knows count.
    @Test func anotherInstancesObjectsAreOnlyToldWhereItIsKnown() throws {
        var tree = Build.role
        tree.set(["metadata", "labels", Ownership.instanceLabel], to: "other")
        let live = try Build.live(tree)
        #expect(try Build.decide(nil, live, record: nil, context: enforcing).action?.isOfStranger == true)
        var context = enforcing
        context.closedWorld = world(.enforce, otherInstances: ["other"])
        guard case .stranger = try Build.decide(nil, live, record: nil, context: context) else {
            Issue.record("it is not told")
            return
        }
    }

    @Test func whatIsFrozenOrNotManagedIsLeftAlone() throws {
        let stranger = try Build.live(Build.denyAll)
        var context = Build.context
        context.frozen = [stranger.id]
        #expect(try Build.decide(nil, stranger, record: nil, context: context).isLeave)
        // A name that waits for its approval shelters nothing that somebody puts there.
        context = enforcing
        context.frozen = [stranger.id]
        #expect(try Build.decide(nil, stranger, record: nil, context: context).action?.isOfStranger == true)
        #expect(try Build.decide(nil, try Build.applied(Build.denyAll), context: context).isLeave)
        // Our marker could be copied: it counts with a record, or where the history shows that it was declared.
        let applied = try Build.applied(Build.denyAll)
        #expect(try Build.decide(nil, applied, record: nil, context: context).action?.isOfStranger == true)
        context.declaredEarlier = [applied.id]
        #expect(try Build.decide(nil, applied, record: nil, context: context).isLeave)
        context = enforcing
        context.managedKinds = [.role]
        #expect(try Build.decide(nil, stranger, record: nil, context: context).isLeave)
        // Neither is what was ours deleted because its kind is no longer managed: we let go of it.
        guard case .release = try Build.decide(nil, try Build.applied(Build.denyAll), context: context) else {
            Issue.record("it is still known as ours")
            return
        }
    }

    /// Finalizers keep it in force, and that is told (rule F7).
    @Test func aTerminatingStrangerIsWaitedFor() throws {
        var tree = Build.denyAll
        tree.set(["metadata", "deletionTimestamp"], to: "2026-01-01T00:00:00Z")
        let live = try Build.live(tree)
        guard case .waitForDeletion = try Build.decide(nil, live, record: nil, context: enforcing) else {
            Issue.record("it is passed over")
            return
        }
        #expect(try Build.decide(nil, live, record: nil).isLeave, "in an open scope it is nobody's business")
    }

    @Test func protectedObjectsAreHeld() throws {
        var tree = Build.role
        tree.set(["metadata", "namespace"], to: "kube-system")
        #expect(try Build.decide(tree, nil, record: nil).hold?.reason == .protectedObject)
        var context = Build.context
        context.protection = Protection(
            patterns: [ObjectPattern(kinds: [.role], names: [NamePattern("read*")])], ownNamespace: "bylaw-system")
        #expect(try Build.decide(Build.role, nil, record: nil, context: context).hold?.reason == .protectedObject)
        tree.set(["metadata", "namespace"], to: "bylaw-system")
        tree.set(["metadata", "name"], to: "other")
        #expect(try Build.decide(tree, nil, record: nil, context: context).hold?.reason == .protectedObject)
        // What is as declared already needs no write.
        #expect(try Build.decide(Build.role, try Build.applied(Build.role), context: context).isLeave)
    }

    @Test func anApprovedNamespaceIsDeleted() throws {
        let live = try Build.applied(Build.namespace)
        #expect(try Build.decide(nil, live).hold?.reason == .namespaceDeletion)
        var context = Build.context
        context.deletableNamespaces = [live.id]
        #expect(try Build.decide(nil, live, context: context).action?.kind == .delete)
        // A namespace of that name that is not ours is none of our business.
        #expect(try Build.decide(nil, try Build.live(Build.namespace), record: nil, context: context).isLeave)
    }
}

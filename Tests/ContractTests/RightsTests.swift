import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Roles and bindings: what may be written, and by whom.
@Suite(.timeLimit(.minutes(2))) struct RightsTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule F1, in a dry run too.
    @Test(arguments: [true, false]) func aRoleRefCannotBeChanged(_ isDryRun: Bool) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.roleBinding, namespace: namespace, name: "bound")
            let first = ObjectID(.role, namespace: namespace, name: "first")
            let second = ObjectID(.role, namespace: namespace, name: "second")
            _ = try await server.admin.apply(binding(id, to: first), to: id, expecting: nil, isDryRun: false)
            let error = await #expect(throws: ClusterError.self) {
                try await server.admin.apply(binding(id, to: second), to: id, expecting: nil, isDryRun: isDryRun)
            }
            #expect(error?.kind == .roleRefImmutable)
            #expect(error?.status == 422)
            #expect(error?.causes.map(\.field) == ["roleRef"])
            #expect(error?.causes.first?.message.contains("cannot change roleRef") == true)
        }
    }

    /// Rule F5.
    @Test func theScopesOfAQuotaCannotBeChanged() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.resourceQuota, namespace: namespace, name: "quota")
            let quota = { (scope: Tree) in manifest(id, ["spec": ["hard": ["pods": "1"], "scopes": [scope]]]) }
            _ = try await server.bylaw.apply(quota("BestEffort"), to: id, expecting: nil, isDryRun: false)
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(quota("NotBestEffort"), to: id, expecting: nil, isDryRun: false)
            }
            #expect(error?.kind == .fieldImmutable)
            #expect(error?.status == 422)
        }
    }

    /// Rule G4: with `bind` a role may be bound before it is there.
    @Test func whoMayBindMayBindAMissingRole() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.roleBinding, namespace: namespace, name: "early")
            let body = binding(id, to: ObjectID(.role, namespace: namespace, name: "not-yet"))
            let group: Tree = ["rbac.authorization.k8s.io"]
            let binder = try await server.makeUser(
                in: namespace,
                allowed: [
                    ["apiGroups": group, "resources": ["rolebindings"], "verbs": ["create", "patch"]],
                    ["apiGroups": group, "resources": ["roles"], "resourceNames": ["not-yet"], "verbs": ["bind"]],
                ])
            let answer = try await server.send(.apply(body, to: id), as: binder)
            #expect(answer.status == 201, "\(answer)")
        }
    }

    /// Rules I1 and I8: without `escalate` nobody gives what he does not have, not even in a dry run.
    @Test(arguments: [true, false]) func aRoleBeyondTheWritersRightsIsRefused(_ isDryRun: Bool) async throws {
        try await server.withNamespace { namespace in
            let writer = try await makeRoleWriter(in: namespace)
            let id = ObjectID(.role, namespace: namespace, name: "beyond")
            let answer = try await server.send(
                .apply(role(id, verbs: ["get"], resources: ["secrets"]), to: id, isDryRun: isDryRun), as: writer)
            #expect(answer.status == 403, "\(answer)")
            #expect(answer.failure.kind == .forbidden)
            #expect(answer.failure.message.contains("attempting to grant RBAC permissions not currently held"))
            #expect(try await server.bylaw.read(id) == nil)
        }
    }

    /// Rule I1.
    @Test func aRoleWithinTheWritersRightsIsAccepted() async throws {
        try await server.withNamespace { namespace in
            let writer = try await makeRoleWriter(in: namespace)
            let id = ObjectID(.role, namespace: namespace, name: "within")
            let answer = try await server.send(
                .apply(role(id, verbs: ["get"], resources: ["serviceaccounts"]), to: id), as: writer)
            #expect(answer.status == 201, "\(answer)")
        }
    }

    /// Rule I1: a label, or a reduction that is still too much, is checked as if it granted everything anew.
    @Test(arguments: ["label", "reduction"])
    func anyChangeToARoleBeyondTheWritersRightsIsRefused(_ change: String) async throws {
        try await server.withNamespace { namespace in
            let writer = try await makeRoleWriter(in: namespace)
            let id = ObjectID(.role, namespace: namespace, name: "beyond")
            let body = role(id, verbs: ["get", "list"], resources: ["secrets"])
            _ = try await server.admin.apply(body, to: id, expecting: nil, isDryRun: false)
            let patch: Tree =
                change == "label"
                ? ["metadata": ["labels": ["a": "b"]]]
                : ["rules": [["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]]]]
            let answer = try await server.send(.merge(patch, into: id), as: writer)
            #expect(answer.status == 403, "\(answer)")
            #expect(answer.failure.kind == .forbidden)
        }
    }

    /// Rule I2: so a write that passes proves nothing about the right to repair.
    @Test(arguments: ["managedFields", "finalizers"])
    func bookkeepingOfARoleIsNotChecked(_ change: String) async throws {
        try await server.withNamespace { namespace in
            let writer = try await makeRoleWriter(in: namespace)
            let id = ObjectID(.role, namespace: namespace, name: "beyond")
            let body = role(id, verbs: ["get"], resources: ["secrets"])
            let before = try await server.admin.apply(body, to: id, expecting: nil, isDryRun: false)
            let finalizers: Tree = ["metadata": ["finalizers": ["contract.example/hold"]]]
            let request =
                change == "managedFields"
                ? APIRequest.apply(body, to: id, manager: "contract-another")
                : APIRequest.merge(finalizers, into: id)
            let answer = try await server.send(request, as: writer)
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.resourceVersion != before.live?.resourceVersion)
            let release = APIRequest.merge(["metadata": ["finalizers": .null]], into: id)
            _ = try await server.send(release, as: .admin)
        }
    }

    /// Rules I3 and I6: a binding needs the role's rights, its deletion none.
    @Test func bindingARoleBeyondTheWritersRightsIsRefused() async throws {
        try await server.withNamespace { namespace in
            let writer = try await makeRoleWriter(in: namespace)
            let target = ObjectID(.role, namespace: namespace, name: "beyond")
            _ = try await server.admin.apply(
                role(target, verbs: ["get"], resources: ["secrets"]), to: target, expecting: nil, isDryRun: false)
            let id = ObjectID(.roleBinding, namespace: namespace, name: "grant")
            var answer = try await server.send(.apply(binding(id, to: target), to: id), as: writer)
            try await eventually("the new role is known") {
                answer = try await server.send(.apply(binding(id, to: target), to: id), as: writer)
                return answer.failure.kind != .roleNotFound
            }
            #expect(answer.failure.kind == .forbidden, "\(answer)")
            #expect(answer.failure.message.contains("attempting to grant RBAC permissions not currently held"))

            _ = try await server.admin.apply(binding(id, to: target), to: id, expecting: nil, isDryRun: false)
            #expect(try await server.send(.delete(id), as: writer).status == 200)
        }
    }

    /// Rule I9.
    @Test func aServiceAccountWithoutNamespaceCannotBeBoundInTheWholeCluster() async throws {
        let id = ObjectID(.clusterRoleBinding, name: uniqueName())
        let target = ObjectID(.clusterRole, name: id.name)
        let body = binding(id, to: target, subjects: [["kind": "ServiceAccount", "name": "robot"]])
        let answer = try await server.send(.apply(body, to: id), as: .admin)
        #expect(answer.status == 422, "\(answer)")
        #expect(answer.failure.kind == .invalid)
        #expect(answer.failure.causes.contains { $0.field.contains("subjects[0].namespace") }, "\(answer)")
    }

    /// Rule I9: in a namespace it is accepted.
    @Test func aServiceAccountWithoutNamespaceCanBeBoundInANamespace() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.roleBinding, namespace: namespace, name: "robot")
            let body = binding(
                id, to: ObjectID(.role, namespace: namespace, name: "any"),
                subjects: [["kind": "ServiceAccount", "name": "robot"]])
            let answer = try await server.send(.apply(body, to: id), as: .admin)
            #expect(answer.status == 201, "\(answer)")
            #expect(answer.tree["subjects"]?.array?.first?["name"] == "robot")
        }
    }

    /// Rule I9.
    @Test func aServiceAccountWithAGroupCannotBeBound() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.roleBinding, namespace: namespace, name: "robot")
            let subject: Tree = [
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ServiceAccount", "name": "robot",
                "namespace": .string(namespace),
            ]
            let body = binding(id, to: ObjectID(.role, namespace: namespace, name: "any"), subjects: [subject])
            let answer = try await server.send(.apply(body, to: id), as: .admin)
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.failure.causes.contains { $0.field.contains("subjects[0].apiGroup") }, "\(answer)")
        }
    }

    /// Rule I10: each cause counts once, though old servers name it twice.
    @Test(arguments: [
        (rule: ["apiGroups": [""], "resources": ["pods"], "verbs": []] as Tree, field: "rules[0].verbs"),
        (rule: ["resources": ["pods"], "verbs": ["get"]] as Tree, field: "rules[0].apiGroups"),
        (rule: ["nonResourceURLs": ["/version"], "verbs": ["get"]] as Tree, field: "rules[0].nonResourceURLs"),
    ])
    func aRuleThatMakesNoSenseIsInvalid(_ example: (rule: Tree, field: String)) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.role, namespace: namespace, name: "senseless")
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(
                    manifest(id, ["rules": [example.rule]]), to: id, expecting: nil, isDryRun: false)
            }
            #expect(error?.kind == .invalid)
            #expect(error?.status == 422)
            #expect(error?.causes.map(\.field) == [example.field])
        }
    }

    /// Rule I10.
    @Test func theNameOfARoleMayHoldColons() async throws {
        let id = ObjectID(.clusterRole, name: "\(uniqueName()):part:of-it")
        let answer = try await server.bylaw.apply(role(id, verbs: ["get"]), to: id, expecting: nil, isDryRun: false)
        #expect(answer.wasCreated)
        #expect(try await server.bylaw.read(id)?.id == id)
        await server.remove(id)
    }

    /// Rule I10.
    @Test(arguments: ["/", "%"]) func theNameOfARoleMayNotHold(_ character: String) async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.role, namespace: namespace, name: "a\(character)b")
            let answer = try await server.send(.post(role(id, verbs: ["get"]), as: id))
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.failure.causes.contains { $0.field == "metadata.name" }, "\(answer)")
        }
    }

    /// Somebody who may write roles and bindings but holds no other right than to read service accounts.
    private func makeRoleWriter(in namespace: String) async throws -> ServerUnderTest.User {
        let verbs: Tree = ["create", "patch", "delete", "get"]
        return try await server.makeUser(
            in: namespace,
            allowed: [
                ["apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": verbs],
                ["apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": verbs],
                ["apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]],
            ])
    }
}

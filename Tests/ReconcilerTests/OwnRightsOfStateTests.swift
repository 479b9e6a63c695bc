import Guardrails
import Manifest
import Planning
import Policy
import Reconciler
import Testing

/// What gives Bylaw its rights, decided object by object while everything else goes on.
@Suite struct OwnRightsOfStateTests {
    private static let user = UserIdentity(name: "system:serviceaccount:bylaw-system:bylaw", groups: [])
    private static let ownership = Ownership(instance: "test") { $0 }
    private static let namespace = ObjectID(.namespace, name: "a")

    private static func binding(_ name: String, createdAt day: Int, isOurs: Bool = false) -> Tree {
        var tree: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": [
                "name": .string(name), "namespace": "a", "uid": .string(name), "resourceVersion": "1",
                "creationTimestamp": .string("2026-01-0\(day)T00:00:00Z"),
            ],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "bylaw"],
            "subjects": [["kind": "ServiceAccount", "name": "bylaw", "namespace": "bylaw-system"]],
        ]
        if isOurs { tree = ownership.marked(tree, id: ObjectID(.roleBinding, namespace: "a", name: name)) }
        return tree
    }

    private static let role: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": ["name": "bylaw", "uid": "r", "resourceVersion": "1"],
        "rules": [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]],
    ]

    private func live(_ objects: [Resource: [Tree]]) throws -> LiveState {
        var live = LiveState()
        for resource in Resource.managed {
            let list = try (objects[resource] ?? []).map { try #require(LiveObject($0, of: resource)) }
            _ = live.replace(resource, with: ObjectList(objects: list, resourceVersion: "1"))
        }
        return live
    }

    /// A state that declares nothing but the namespace, and removes what else is in it.
    private var state: EnforcedState {
        var configuration = RepositoryConfiguration.standard
        configuration.scopes.standardMode = .enforce
        let nobody = Person(name: "", email: "")
        let revision = Revision(
            commit: "c", author: nobody, committer: nobody, committedAt: Timestamp(microsecondsSinceEpoch: 0),
            subject: "")
        let declared = DeclaredState(
            objects: [
                Self.namespace: DeclaredObject(
                    id: Self.namespace, tree: ["kind": "Namespace"], origin: Origin(file: "", line: 0))
            ], configuration: configuration)
        return EnforcedState(
            LoadedRevision(revision: revision, declared: declared, findings: [], fileCount: 1, parsedFileCount: 1),
            canonical: Canonical(text: { "\($0)" }, digest: { "\($0)" }, tree: { _ in nil }))
    }

    private func decisions(
        _ live: LiveState, of other: EnforcedState? = nil, record: [String] = [],
        memory: OwnRightsMemory = OwnRightsMemory()
    ) -> [String: Decision] {
        let context = (other ?? state).context(
            live: live, ownership: Self.ownership, fieldManager: "bylaw-test", user: .known(Self.user), memory: memory)
        var decisions: [String: Decision] = [:]
        for object in live.objects(of: .roleBinding) {
            decisions[object.id.name] = decide(
                id: object.id, declared: other?.objects[object.id], live: object,
                record: record.contains(object.id.name) ? OwnershipRecord(uid: object.uid) : nil, in: context)
        }
        return decisions
    }

    /// One that left the repository, and one that nobody declared: each would be enough, and not both go at once.
    @Test(arguments: [1, 3]) func ofTwoWaysOneStays(_ day: Int) throws {
        let live = try live([
            .clusterRole: [Self.role],
            .roleBinding: [
                Self.binding("left", createdAt: day, isOurs: true), Self.binding("stranger", createdAt: 2),
            ],
        ])
        let decisions = decisions(live, record: ["left"])
        let deleted = decisions.filter { if case .act = $0.value { true } else { false } }.map(\.key)
        #expect(deleted == (day == 1 ? ["stranger"] : ["left"]))
        // The same where somebody has taken our marker off.
        let unmarked = try self.live([
            .clusterRole: [Self.role],
            .roleBinding: [Self.binding("left", createdAt: day), Self.binding("stranger", createdAt: 2)],
        ])
        let remaining = self.decisions(unmarked, record: ["left"]).values.filter {
            if case .act = $0 { false } else { true }
        }
        #expect(!remaining.isEmpty)
    }

    /// A declared binding that somebody wrote us onto is put back: until then it stands in for nothing.
    @Test func whatIsPutBackGivesNothingThatLasts() throws {
        let name = "declared"
        let id = ObjectID(.roleBinding, namespace: "a", name: name)
        var declared = Self.binding(name, createdAt: 1)
        declared.set(["metadata"], to: ["name": .string(name), "namespace": "a"])
        let live = try live([
            .clusterRole: [Self.role],
            .roleBinding: [Self.binding(name, createdAt: 1, isOurs: true), Self.binding("own", createdAt: 2)],
        ])
        // As declared it gives us all, so the other one may go.
        var state = state
        state.objects[id] = DeclaredObject(id: id, tree: declared, origin: Origin(file: "", line: 0))
        guard case .act = decisions(live, of: state)["own"] else {
            Issue.record("nothing relies on it")
            return
        }
        declared.set(["subjects"], to: [["kind": "Group", "name": "team"]])
        state.objects[id]?.tree = declared
        #expect(decisions(live, of: state)["own"]?.hold?.reason == .ownAccess)
    }

    /// Rule F4: what a new revision takes from us, or moves elsewhere, waits until something else gives it.
    @Test(arguments: ["roleRef", "subjects"]) func whatARevisionTakesFromUsIsHeld(_ field: String) throws {
        let id = ObjectID(.roleBinding, namespace: "a", name: "own")
        var declared = Self.binding("own", createdAt: 1)
        declared.set(["metadata"], to: ["name": "own", "namespace": "a"])
        if field == "roleRef" {
            declared.set(["roleRef", "name"], to: "bylaw-v2")
        } else {
            declared.set(["subjects"], to: [["kind": "Group", "name": "team"]])
        }
        var state = state
        state.objects[id] = DeclaredObject(id: id, tree: declared, origin: Origin(file: "", line: 0))
        var other = Self.role
        other.set(["metadata", "name"], to: "bylaw-v2")
        var objects: [Resource: [Tree]] = [
            .clusterRole: [Self.role, other], .roleBinding: [Self.binding("own", createdAt: 1, isOurs: true)],
        ]
        #expect(decisions(try live(objects), of: state, record: ["own"])["own"]?.hold?.reason == .ownAccess)
        // Declared, and there already: then nothing is lost.
        let second = ObjectID(.roleBinding, namespace: "a", name: "second")
        var more = Self.binding("second", createdAt: 2)
        more.set(["metadata"], to: ["name": "second", "namespace": "a"])
        state.objects[second] = DeclaredObject(id: second, tree: more, origin: Origin(file: "", line: 0))
        #expect(decisions(try live(objects), of: state, record: ["own"])["own"]?.hold?.reason == .ownAccess)
        objects[.roleBinding]?.append(Self.binding("second", createdAt: 2, isOurs: true))
        #expect(decisions(try live(objects), of: state, record: ["own"])["own"]?.hold == nil)
        // On its way out it lasts for nothing.
        objects[.roleBinding]?[1].set(["metadata", "deletionTimestamp"], to: "2026-01-03T00:00:00Z")
        #expect(decisions(try live(objects), of: state, record: ["own"])["own"]?.hold?.reason == .ownAccess)
    }

    // MARK: A ceiling where everything undeclared is removed

    private static let group = "rbac.authorization.k8s.io"
    private static let ceilingRole: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": ["name": "bylaw-ceiling", "namespace": "a", "uid": "cr", "resourceVersion": "1"],
        "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
    ]

    private static func binding(toCeiling name: String, for subjects: [Tree]) -> Tree {
        var tree = binding(name, createdAt: 2)
        tree.set(["roleRef"], to: ["apiGroup": .string(group), "kind": "Role", "name": "bylaw-ceiling"])
        tree.set(["subjects"], to: .array(subjects))
        return tree
    }

    private static let account: Tree = ["kind": "ServiceAccount", "name": "bylaw", "namespace": "bylaw-system"]
    private static let mallory: Tree = ["kind": "User", "apiGroup": .string(group), "name": "mallory"]

    /// - Returns: What becomes of the ceiling's Role and of the bindings.
    private func ceilingDecisions(
        declaresReader: Bool, _ bindings: [Tree], mode: ScopeMode = .enforce
    ) throws -> [String: String] {
        var state = state
        state.configuration.scopes.standardMode = mode
        if declaresReader {
            let id = ObjectID(.role, namespace: "a", name: "reader")
            var tree = Self.ceilingRole
            tree.set(["metadata"], to: ["name": "reader", "namespace": "a"])
            state.objects[id] = DeclaredObject(id: id, tree: tree, origin: Origin(file: "", line: 0))
        }
        let live = try live([
            .role: [Self.ceilingRole], .roleBinding: bindings, .clusterRole: [Self.role],
            .clusterRoleBinding: [],
        ])
        let context = state.context(
            live: live, ownership: Self.ownership, fieldManager: "bylaw-test", user: .known(Self.user))
        var found: [String: String] = [:]
        for object in live.objects(of: .role) + live.objects(of: .roleBinding) {
            let decision = decide(id: object.id, declared: nil, live: object, record: nil, in: context)
            found[object.id.kind + " " + object.id.name] =
                switch decision {
                case .leave: "left"
                case .stranger: "told"
                case .act(let action): action.kind.rawValue
                default: "\(decision)"
                }
        }
        return found
    }

    /// kubectl applies its parts one after the other, and each is seen before the next is there.
    @Test func aPartOfTheCeilingThatGivesNothingYetIsLeft() throws {
        #expect(try ceilingDecisions(declaresReader: true, []) == ["Role bylaw-ceiling": "left"])
        var early = Self.binding(toCeiling: "bylaw", for: [Self.account])
        early.set(["roleRef", "name"], to: "bylaw")
        #expect(try ceilingDecisions(declaresReader: true, [early])["RoleBinding bylaw"] == "left")
        // Other names shelter nothing that is not needed.
        early.set(["metadata", "name"], to: "bylaw-tools")
        #expect(try ceilingDecisions(declaresReader: true, [early])["RoleBinding bylaw-tools"] == "delete")
    }

    /// A revert of the commit that needs it no more takes it again.
    @Test func whatTheCeilingGivesBeyondNeedIsToldAndStays() throws {
        let own = Self.binding(toCeiling: "bylaw-ceiling", for: [Self.account])
        #expect(
            try ceilingDecisions(declaresReader: true, [own])
                == ["Role bylaw-ceiling": "left", "RoleBinding bylaw-ceiling": "left"])
        #expect(
            try ceilingDecisions(declaresReader: false, [own])
                == ["Role bylaw-ceiling": "told", "RoleBinding bylaw-ceiling": "told"])
        #expect(
            try ceilingDecisions(declaresReader: false, [own], mode: .report)
                == ["Role bylaw-ceiling": "left", "RoleBinding bylaw-ceiling": "left"])
    }

    /// A name of ours hides nothing from which others have something.
    @Test func whatOthersHaveByACeilingIsRemoved() throws {
        let shared = Self.binding(toCeiling: "bylaw-ceiling", for: [Self.account, Self.mallory])
        #expect(
            try ceilingDecisions(declaresReader: false, [shared])
                == ["Role bylaw-ceiling": "delete", "RoleBinding bylaw-ceiling": "delete"])
        let theirs = Self.binding(toCeiling: "bylaw-theirs", for: [Self.mallory])
        let own = Self.binding(toCeiling: "bylaw-ceiling", for: [Self.account])
        #expect(
            try ceilingDecisions(declaresReader: false, [own, theirs])
                == [
                    "Role bylaw-ceiling": "delete", "RoleBinding bylaw-ceiling": "told",
                    "RoleBinding bylaw-theirs": "delete",
                ])
    }

    /// What is known is used again only as long as nothing of it has changed.
    @Test func whatChangesIsLookedAtAgain() throws {
        var live = try live([.clusterRole: [Self.role], .roleBinding: [Self.binding("only", createdAt: 1)]])
        let memory = OwnRightsMemory()
        func isDeleted(_ name: String) -> Bool {
            if case .act = decisions(live, memory: memory)[name] { true } else { false }
        }
        #expect(!isDeleted("only"))
        var second = Self.binding("second", createdAt: 2)
        second.set(["metadata", "resourceVersion"], to: "2")
        let isNew = live.store(try #require(LiveObject(second, of: .roleBinding)))
        #expect(isNew && isDeleted("second") && !isDeleted("only"))
        let isGone = live.remove(ObjectID(.roleBinding, namespace: "a", name: "only"), uid: "only")
        #expect(isGone && !isDeleted("second"))
        // More changes than are remembered.
        for number in 0..<1000 {
            var other = Self.binding("other-\(number)", createdAt: 3)
            other.set(["subjects"], to: [])
            _ = live.store(try #require(LiveObject(other, of: .roleBinding)))
        }
        #expect(isDeleted("other-1") && !isDeleted("second"))
    }
}

extension Decision {
    fileprivate var hold: Hold? {
        guard case .hold(let hold) = self else { return nil }
        return hold
    }
}

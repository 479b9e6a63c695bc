import Manifest
import Planning
import Policy
import Testing

/// Rule F4: what gives us our own rights is never deleted.
@Suite struct OwnAccessTests {
    private static let us = UserIdentity(
        name: "system:serviceaccount:bylaw-system:bylaw",
        groups: ["system:serviceaccounts", "system:serviceaccounts:bylaw-system", "system:authenticated"])
    private static let account: Tree = ["kind": "ServiceAccount", "name": "bylaw", "namespace": "bylaw-system"]
    private static let role: Tree = [
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "reader"],
        "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]],
    ]

    private func binding(_ subject: Tree, role: Tree = "reader") -> Tree {
        [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": ["name": "readers"],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role],
            "subjects": [subject],
        ]
    }

    private func decide(
        _ declared: Tree?, live: Tree, bindings: [Tree]? = [], user: OwnAccess.User = .known(us), isDrift: Bool = false
    ) throws -> Decision {
        let objects = try bindings?.map { try Build.applied($0, uid: "uid-2") }
        var context = Build.context
        context.ownAccess = OwnAccess(
            of: user, bindings: { objects }, isDrift: { _ in isDrift }, losesRights: { _, _ in false })
        return try Build.decide(declared, Build.applied(live), context: context)
    }

    private static let others: Tree = [
        "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "team-a",
    ]

    @Test(arguments: [
        account, ["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": .string(us.name)],
        ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:bylaw-system"],
    ])
    func aBindingThatNamesUsIsHeld(_ subject: Tree) throws {
        let ours = binding(subject)
        #expect(try decide(nil, live: ours).hold?.reason == .ownAccess)
        #expect(try decide(binding(subject, role: "writer"), live: ours).hold?.reason == .ownAccess)
        let withoutUs = try decide(binding(Self.others), live: ours)
        #expect(withoutUs.hold?.reason == .ownAccess, "nor are we taken off its subjects")
        #expect(try decide(ours, live: ours).isLeave)
        #expect(try decide(nil, live: ours, user: .unknowable).action?.kind == .delete)
    }

    @Test(
        arguments: [
            ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"],
            ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "team-a"],
            ["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bylaw"],
            ["kind": "ServiceAccount", "name": "bylaw", "namespace": "a"],
        ] as [Tree])
    func aBindingOfOthersIsNot(_ subject: Tree) throws {
        #expect(try decide(nil, live: binding(subject)).action?.kind == .delete)
    }

    /// Whoever puts us on a binding by hand must not keep it from being put back.
    @Test func driftIsNeverHeld() throws {
        #expect(try decide(binding(Self.others), live: binding(Self.account), isDrift: true).action?.kind == .update)
        let other = binding(Self.account, role: "cluster-admin")
        #expect(try decide(binding(Self.others), live: other, isDrift: true).action?.kind == .replace)
    }

    /// Our rights hold for the whole cluster: whoever names us in a namespace of his own holds nothing back.
    @Test func aRoleBindingIsNobodysWayToHoldSomething() throws {
        var ours = Build.binding
        ours.set(["subjects"], to: [Self.account])
        #expect(try decide(nil, live: ours).action?.kind == .delete)
        #expect(try decide(nil, live: Build.role, bindings: [ours]).action?.kind == .delete)
    }

    @Test func theRoleOfOurBindingIsHeldWhileItIsBound() throws {
        #expect(try decide(nil, live: Self.role, bindings: [binding(Self.account)]).hold?.reason == .ownAccess)
        #expect(try decide(nil, live: Self.role, bindings: [binding(Self.others)]).action?.kind == .delete)
        #expect(try decide(nil, live: Self.role, bindings: [binding(Self.account, role: "x")]).action?.kind == .delete)
        #expect(try decide(nil, live: Self.role, bindings: nil).hold != nil, "bindings that cannot be read may be ours")
    }

    @Test func ourServiceAccountIsHeld() throws {
        func account(_ name: String) -> Tree {
            [
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": ["name": .string(name), "namespace": "bylaw-system"],
            ]
        }
        #expect(try decide(nil, live: account("bylaw")).hold?.reason == .ownAccess)
        #expect(try decide(nil, live: account("other")).action?.kind == .delete)
    }

    /// Whoever makes a binding could name us beside themselves, to have it spared.
    @Test(arguments: [true, false], [OwnAccess.User.known(us), .notAsked])
    func whatNobodyDeclaredIsHeldOnlyWhereARightWouldBeLost(_ losesRights: Bool, _ user: OwnAccess.User) throws {
        var context = Build.context
        context.closedWorld = ClosedWorld(ScopeRules(standardMode: .enforce)) { name in
            ScopedNamespace(name: name, labels: Labels(), isDeclared: true)
        }
        context.ownAccess = OwnAccess(
            of: user, bindings: { [] }, isDrift: { _ in false }, losesRights: { _, _ in losesRights })
        let decision = try Build.decide(nil, Build.live(binding(Self.account)), record: nil, context: context)
        #expect((decision.hold?.reason == .ownAccess) == (losesRights || user == .notAsked))
    }

    /// The last line, whatever was found when the revision was judged.
    @Test(arguments: [true, false]) func aRevisionTakesNoRightThatWeNeed(_ losesRights: Bool) throws {
        var context = Build.context
        context.ownAccess = OwnAccess(
            of: .known(Self.us), bindings: { [] }, isDrift: { _ in false }, losesRights: { _, _ in losesRights })
        var narrower = Self.role
        narrower.set(["rules"], to: [])
        func isHeld(_ declared: Tree?, _ live: Tree) throws -> Bool {
            try Build.decide(declared, Build.applied(live), context: context).hold?.reason == .ownAccess
        }
        #expect(try isHeld(narrower, Self.role) == losesRights)
        // No binding refers to it, but an aggregated role may gather it.
        #expect(try isHeld(nil, Self.role) == losesRights)
        var gathered = Self.role
        gathered.set(["metadata", "labels"], to: ["rbac.authorization.k8s.io/aggregate-to-bylaw": "true"])
        #expect(try isHeld(Self.role, gathered) == losesRights)
        #expect(try isHeld(nil, Build.role) == losesRights)
        #expect(try isHeld(nil, Build.binding) == losesRights)
    }

    /// Unknown is not absent: before the server has told who we are everything may be ours.
    @Test func untilWeKnowWhoWeAreEverythingThatMayBeOursIsHeld() throws {
        #expect(try decide(nil, live: binding(Self.others), user: .notAsked).hold?.reason == .ownAccess)
        #expect(try decide(nil, live: Self.role, bindings: [binding(Self.others)], user: .notAsked).hold != nil)
        #expect(try decide(binding(Self.account), live: binding(Self.others), user: .notAsked).hold != nil)
        var wider = binding(Self.others)
        wider.set(["subjects"], to: [Self.others, Self.account])
        #expect(try decide(wider, live: binding(Self.others), user: .notAsked).action?.kind == .update)
        var narrower = Self.role
        narrower.set(["rules"], to: [])
        #expect(try decide(narrower, live: Self.role, user: .notAsked).hold?.reason == .ownAccess)
        #expect(try decide(narrower, live: Self.role).action?.kind == .update, "it gives us nothing")
        var gathered = Self.role
        gathered.set(["metadata", "labels"], to: ["rbac.authorization.k8s.io/aggregate-to-bylaw": "true"])
        #expect(try decide(Self.role, live: gathered, user: .notAsked).hold?.reason == .ownAccess)
        #expect(try decide(Self.role, live: gathered).action?.kind == .update)
        #expect(try decide(nil, live: Build.role, user: .notAsked).action?.kind == .delete)
        #expect(try decide(nil, live: Build.binding, user: .notAsked).action?.kind == .delete)
    }
}

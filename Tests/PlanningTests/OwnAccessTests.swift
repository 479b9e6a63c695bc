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
        _ declared: Tree?, live: Tree, user: OwnAccess.User = .known(us), isDrift: Bool = false,
        losesRights: Bool = false
    ) throws -> Decision {
        var context = Build.context
        context.ownAccess = OwnAccess(
            of: user, isDrift: { _ in isDrift }, losesRights: { _, _ in losesRights }, beneficiary: { _, _ in .us })
        return try Build.decide(declared, Build.applied(live), context: context)
    }

    private static let others: Tree = [
        "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "team-a",
    ]

    @Test func whatGivesUsRightsIsHeld() throws {
        let ours = binding(Self.account)
        for (declared, why) in [
            (nil, "it goes"), (binding(Self.account, role: "writer"), "another role"),
            (binding(Self.others), "nor are we taken off its subjects"),
        ] as [(Tree?, String)] {
            #expect(try decide(declared, live: ours, losesRights: true).hold?.reason == .ownAccess, "\(why)")
            // Whoever writes our name onto a binding keeps nothing alive by that.
            #expect(try decide(declared, live: ours).action != nil, "\(why)")
            #expect(try decide(declared, live: ours, user: .unknowable, losesRights: true).action != nil)
        }
        #expect(try decide(ours, live: ours, losesRights: true).isLeave)
        var wider = ours
        wider.set(["subjects"], to: [Self.account, Self.others])
        #expect(try decide(wider, live: ours, losesRights: true).action?.kind == .update, "it takes nothing away")
    }

    /// Whoever puts us on a binding by hand must not keep it from being put back.
    @Test func driftIsNeverHeld() throws {
        #expect(
            try decide(binding(Self.others), live: binding(Self.account), isDrift: true, losesRights: true).action?.kind
                == .update)
        let other = binding(Self.account, role: "cluster-admin")
        #expect(
            try decide(binding(Self.others), live: other, isDrift: true, losesRights: true).action?.kind == .replace)
    }

    @Test func ourServiceAccountIsHeld() throws {
        func account(_ name: String) -> Tree {
            [
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": ["name": .string(name), "namespace": "bylaw-system"],
            ]
        }
        #expect(try decide(nil, live: account("bylaw"), losesRights: true).hold?.reason == .ownAccess)
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
            of: user, isDrift: { _ in false }, losesRights: { _, _ in losesRights }, beneficiary: { _, _ in .us })
        let decision = try Build.decide(nil, Build.live(binding(Self.account)), record: nil, context: context)
        #expect((decision.hold?.reason == .ownAccess) == (losesRights || user == .notAsked))
    }

    /// The last line, whatever was found when the revision was judged.
    @Test(arguments: [true, false]) func aRevisionTakesNoRightThatWeNeed(_ losesRights: Bool) throws {
        var context = Build.context
        context.ownAccess = OwnAccess(
            of: .known(Self.us), isDrift: { _ in false }, losesRights: { _, _ in losesRights },
            beneficiary: { _, _ in .us })
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
        #expect(try decide(nil, live: Self.role, user: .notAsked).hold != nil)
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

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

    private func binding(_ subject: Tree, role: Tree = "reader", namespace: String = "a") -> Tree {
        var tree = Build.binding
        tree.set(["metadata", "namespace"], to: .string(namespace))
        tree.set(["subjects"], to: [subject])
        tree.set(["roleRef", "name"], to: role)
        return tree
    }

    private func decide(
        _ declared: Tree?, live: Tree, bindings: [Tree] = [], user: UserIdentity? = us
    ) throws -> Decision {
        let objects = try bindings.map { try Build.applied($0, uid: "uid-2") }
        var context = Build.context
        context.ownAccess = OwnAccess(of: user) { objects }
        return try Build.decide(declared, Build.applied(live), context: context)
    }

    @Test(arguments: [
        account, ["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": .string(us.name)],
        ["kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:bylaw-system"],
    ])
    func aBindingThatNamesUsIsHeld(_ subject: Tree) throws {
        let ours = binding(subject)
        #expect(try decide(nil, live: ours).hold?.reason == .ownAccess)
        #expect(try decide(binding(subject, role: "writer"), live: ours).hold?.reason == .ownAccess)
        #expect(try decide(Build.binding, live: ours).hold?.reason == .ownAccess, "nor are we taken off its subjects")
        #expect(try decide(ours, live: ours).isLeave)
        #expect(try decide(nil, live: ours, user: nil).action?.kind == .delete, "where nobody tells who we are")
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

    @Test func driftThatLeavesUsInIsPutBack() throws {
        var wider = binding(Self.account)
        wider.set(["subjects"], to: [Self.account, ["kind": "User", "name": "mallory"]])
        #expect(try decide(binding(Self.account), live: wider).action?.kind == .update)
    }

    @Test func theRoleOfOurBindingIsHeldWhileItIsBound() throws {
        #expect(try decide(nil, live: Build.role, bindings: [binding(Self.account)]).hold?.reason == .ownAccess)
        #expect(try decide(nil, live: Build.role, bindings: [Build.binding]).action?.kind == .delete)
        let elsewhere = binding(Self.account, namespace: "b")
        #expect(try decide(nil, live: Build.role, bindings: [elsewhere]).action?.kind == .delete)
        let other = binding(Self.account, role: "other")
        #expect(try decide(nil, live: Build.role, bindings: [other]).action?.kind == .delete)
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
}

import Manifest
import Planning
import Testing

/// What becomes of each object when its instance goes.
@Suite struct UninstallPlanTests {
    private let keep = UninstallWish(keepsObjects: true)

    private func plan(
        _ live: [LiveObject], known: Bool = true, user: UserIdentity? = nil, _ wish: UninstallWish = UninstallWish()
    ) -> [UninstallStep] {
        let owned = known ? Dictionary(uniqueKeysWithValues: live.map { ($0.id, "uid-1") }) : [:]
        return planUninstall(of: live, ownership: Build.ownership, owned: owned, user: user, wish: wish)
    }

    private func fate(_ object: LiveObject, known: Bool = true, _ wish: UninstallWish = UninstallWish())
        -> UninstallStep.Fate?
    {
        plan([object], known: known, wish).first?.fate
    }

    @Test func whatIsProvenIsDeletedAndAMarkerAloneProvesNothing() throws {
        let role = try Build.applied(Build.role)
        #expect(fate(role) == .delete)
        #expect(fate(role, known: false) == .leave(.unproven))
        #expect(fate(try Build.applied(Build.role, uid: "uid-2")) == .leave(.unproven), "another one of that name")
    }

    @Test func whatIsNotMarkedIsNeverTouched() throws {
        let role = try Build.live(Build.role)
        #expect(fate(role, known: false) == nil)
        #expect(fate(role) == .leave(.unmarked), "it is told, since it was ours")
        #expect(fate(role, keep) == nil)
        var other = try Build.applied(Build.role).tree
        other.set(["metadata", "labels", Ownership.instanceLabel], to: "other")
        #expect(fate(try Build.live(other), known: false) == nil)
        #expect(fate(try Build.live(other), known: false, keep) == nil)
    }

    @Test func aCopyStaysAndOnlyLosesTheMarker() throws {
        var copy = try Build.applied(Build.role).tree
        copy.set(["metadata", "name"], to: "copy")
        #expect(fate(try Build.live(copy)) == .leave(.copied))
        #expect(fate(try Build.live(copy), keep) == .unmark)
    }

    @Test func aNamespaceIsDeletedOnlyWhereThatIsAskedFor() throws {
        let namespace = try Build.applied(Build.namespace)
        #expect(fate(namespace) == .unmark)
        #expect(fate(namespace, UninstallWish(deletesNamespaces: true)) == .delete)
        #expect(fate(namespace, known: false, UninstallWish(deletesNamespaces: true)) == .leave(.unproven))
    }

    @Test func keepingObjectsDeletesNothing() throws {
        let all = try [Build.role, Build.binding, Build.denyAll, Build.namespace].map { try Build.applied($0) }
        #expect(plan(all, keep).map(\.fate) == Array(repeating: .unmark, count: 4))
        #expect(plan(all, known: false, keep).map(\.fate) == Array(repeating: .unmark, count: 4))
        #expect(!plan(all, keep).contains { $0.opens })
    }

    @Test func whatIsBeingDeletedIsLeftAlone() throws {
        var tree = try Build.applied(Build.role).tree
        tree.set(["metadata", "deletionTimestamp"], to: "2026-03-01T12:00:00Z")
        #expect(fate(try Build.live(tree)) == .leave(.terminating))
    }

    /// Rights go before what they are about, and what isolates stays until the end.
    @Test func rightsGoFirstAndIsolationLast() throws {
        var allow = Build.denyAll
        allow.set(["metadata", "name"], to: "zz-allow")
        allow.set(["spec", "podSelector"], to: ["matchLabels": ["app": "web"]])
        let all = try [Build.namespace, Build.denyAll, allow, Build.role, Build.binding].map { try Build.applied($0) }
        let wish = UninstallWish(deletesNamespaces: true)
        for order in [all, all.reversed()] {
            let steps = plan(order, wish)
            #expect(
                steps.map(\.object.id.name) == ["readers", "reader", "zz-allow", "default-deny", "a"])
            #expect(steps.map(\.opens) == [false, false, true, true, false])
        }
    }

    @Test func whatGivesWhoeverDoesItTheirRightsStays() throws {
        var own = Build.binding
        own.set(["subjects"], to: [["kind": "ServiceAccount", "name": "bylaw", "namespace": "b"]])
        var account: Tree = ["apiVersion": "v1", "kind": "ServiceAccount"]
        account.set(["metadata"], to: ["name": "bylaw", "namespace": "b"])
        let objects = try [own, Build.role, account].map { try Build.applied($0) }
        let user = UserIdentity(name: "system:serviceaccount:b:bylaw", groups: ["system:authenticated"])
        #expect(plan(objects, user: user).map(\.fate) == Array(repeating: .leave(.ownAccess), count: 3))
        #expect(plan(objects).map(\.fate) == Array(repeating: .delete, count: 3), "the server cannot tell who we are")
        let other = UserIdentity(name: "ann", groups: ["system:authenticated"])
        #expect(plan(objects, user: other).map(\.fate) == Array(repeating: .delete, count: 3))
        var everybody = Build.binding
        everybody.set(["subjects"], to: [["kind": "Group", "name": "system:authenticated"]])
        #expect(plan([try Build.applied(everybody)], user: other).map(\.fate) == [.delete])
    }

    @Test func thePatchTakesTheMarkerOffAndNothingElse() {
        #expect(
            unmarkingPatch == [
                "metadata": ["labels": ["bylaw.dev/instance": .null], "annotations": ["bylaw.dev/id": .null]]
            ])
    }
}

import Manifest
import Planning
import Policy
import Testing

/// What becomes of each object when its instance goes.
@Suite struct UninstallPlanTests {
    private let keep = UninstallWish(keepsObjects: true)

    private func plan(
        _ live: [LiveObject], known: Bool = true, made: Set<String> = ["uid-1"], takenOver: Set<String> = [],
        access: Set<ObjectID> = [],
        protected: [ObjectPattern] = [], _ wish: UninstallWish = UninstallWish()
    ) -> [UninstallStep] {
        let owned =
            known ? Dictionary(uniqueKeysWithValues: live.map { ($0.id, $0.uid == "uid-2" ? "uid-1" : $0.uid) }) : [:]
        return planUninstall(
            of: live, ownership: Build.ownership, proof: UninstallProof(owned: owned, made: made, takenOver: takenOver),
            access: access, protection: Protection(patterns: protected, ownNamespace: "own"), wish: wish)
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

    /// It was there before Bylaw, and whoever relies on it had it before.
    @Test func whatWasTakenOverStaysWithoutTheMarker() throws {
        let all = try [Build.role, Build.binding, Build.denyAll, Build.namespace].map { try Build.applied($0) }
        let steps = plan(all, made: [], takenOver: ["uid-1"], UninstallWish(deletesNamespaces: true))
        #expect(steps.map(\.fate) == Array(repeating: .unmark, count: 4))
    }

    /// Another replica's journal may tell that Bylaw made it: the marker stays, and nothing opens while it grants.
    @Test func whatIsNeitherMadeNorTakenOverKeepsItsMarker() throws {
        let right = try Build.applied(Build.role, uid: "uid-3")
        let deny = try Build.applied(Build.denyAll)
        let namespace = try Build.applied(Build.namespace)
        let wish = UninstallWish(deletesNamespaces: true)
        #expect(
            plan([right, deny, namespace], wish).map(\.fate) == [
                .leave(.unproven), .leave(.rightsRemain), .leave(.rightsRemain),
            ])
        #expect(
            plan([right, deny, namespace], takenOver: ["uid-3"], wish).map(\.fate) == [.unmark, .delete, .delete],
            "what was there before is no right of ours")
        let unmarked = try Build.live(Build.role)
        #expect(plan([unmarked, deny]).map(\.fate) == [.leave(.unmarked), .leave(.rightsRemain)])
        #expect(plan([unmarked, deny], made: []).map(\.fate) == [.leave(.unproven)], "its marker came off elsewhere")
        #expect(plan([namespace], made: []).map(\.fate) == [.leave(.unproven)])
        #expect(plan([right, deny], keep).map(\.fate) == [.unmark, .unmark])
    }

    /// A namespace would take it along.
    @Test func aNamespaceStaysThatHoldsWhatMustStay() throws {
        let all = try [Build.binding, Build.denyAll, Build.namespace].map { try Build.applied($0) }
        let binding = try #require(all.first).id
        let wish = UninstallWish(deletesNamespaces: true)
        #expect(
            plan(all, access: [binding], wish).map(\.fate) == [.leave(.ownAccess), .delete, .leave(.ownAccess)])
        let pattern = ObjectPattern(kinds: [.roleBinding], names: [NamePattern(binding.name)])
        #expect(
            plan(all, protected: [pattern], wish).map(\.fate) == [.leave(.protected), .delete, .leave(.protected)])
        let foreign = try Build.live(Build.binding, uid: "uid-9")
        #expect(
            plan([foreign] + all.dropFirst(), made: ["uid-1"], protected: [pattern], wish).map(\.fate).last
                == .leave(.protected), "also where it is none of ours")
        #expect(plan(all, access: [binding], protected: [pattern]).map(\.fate).last == .unmark)
    }

    @Test func whatIsProtectedStays() throws {
        let role = try Build.applied(Build.role)
        let pattern = ObjectPattern(kinds: [.role], names: [NamePattern(role.id.name)])
        #expect(plan([role], protected: [pattern]).map(\.fate) == [.leave(.protected)])
        var own = Build.namespace
        own.set(["metadata", "name"], to: "own")
        let wish = UninstallWish(deletesNamespaces: true)
        #expect(plan([try Build.applied(own)], wish).map(\.fate) == [.leave(.protected)])
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

    /// That a marker is forged, or that whoever does it is in there, keeps nobody from taking it off.
    @Test func aNamespaceOnlyLosesTheMarkerAndOpensNothing() throws {
        let namespace = try Build.applied(Build.namespace)
        for known in [true, false] {
            let steps = plan([namespace], known: known, access: [namespace.id])
            #expect(steps.map(\.fate) == [.unmark])
            #expect(steps.map(\.opens) == [false])
        }
        let wish = UninstallWish(deletesNamespaces: true)
        #expect(plan([namespace], access: [namespace.id], wish).map(\.fate) == [.leave(.ownAccess)])
        var leaving = namespace.tree
        leaving.set(["metadata", "deletionTimestamp"], to: "2026-03-01T12:00:00Z")
        #expect(fate(try Build.live(leaving)) == .leave(.terminating))
        var other = namespace.tree
        other.set(["metadata", "annotations", Ownership.identityAnnotation], to: "another")
        #expect(fate(try Build.live(other)) == .leave(.copied))
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
            #expect(steps.map(\.opens) == [false, false, true, true, true], "a namespace takes all of it along")
        }
    }

    @Test func whatGivesWhoeverDoesItTheirRightsStays() throws {
        let objects = try [Build.role, Build.binding].map { try Build.applied($0) }
        #expect(
            plan(objects, access: Set(objects.map(\.id))).map(\.fate) == Array(repeating: .leave(.ownAccess), count: 2))
        #expect(plan(objects).map(\.fate) == [.delete, .delete])
    }

    @Test func thePatchTakesTheMarkerOffAndNothingElse() {
        #expect(
            unmarkingPatch == [
                "metadata": ["labels": ["bylaw.dev/instance": .null], "annotations": ["bylaw.dev/id": .null]]
            ])
    }
}

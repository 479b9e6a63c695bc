import Analysis
import Guardrails
import Manifest
import Policy
import Testing

@Suite struct OwnRightsTests {
    private let user = UserIdentity(
        name: "system:serviceaccount:bylaw-system:bylaw",
        groups: ["system:serviceaccounts", "system:serviceaccounts:bylaw-system", "system:authenticated"])
    private static let us = "{kind: ServiceAccount, name: bylaw, namespace: bylaw-system}"
    private static let needed = neededRights(for: RepositoryConfiguration(managedKinds: [.role]))
    private static let enough = Text.clusterRole(
        "bylaw",
        Text.rule("rbac.authorization.k8s.io", "roles", "get, list, watch, create, patch, delete, escalate, bind"))
    private static let everything = Text.clusterRole("all", Text.rule("*", "\"*\"", "\"*\""))

    /// - Parameter created: Names of bindings in the order in which they were made.
    private func rights(
        _ text: String, undeclared: [String], created: [String], wanted: [AccessRequest] = []
    ) throws -> OwnRights {
        var objects = try live(text)
        for (index, name) in created.enumerated() {
            let id = ObjectID(.clusterRoleBinding, name: name)
            var tree = try #require(objects[id]?.tree)
            tree.set(["metadata", "creationTimestamp"], to: .string("2026-01-0\(index + 1)T00:00:00Z"))
            tree.set(["metadata", "uid"], to: "u")
            tree.set(["metadata", "resourceVersion"], to: "1")
            objects[id] = LiveObject(tree, of: .clusterRoleBinding)
        }
        return OwnRights(
            of: user, live: objects, lasting: objects, isDeclared: { !undeclared.contains($0.name) },
            isRemovable: { undeclared.contains($0.id.name) }, needed: Self.needed, wanted: wanted)
    }

    @Test func whatGivesThemAndNobodyDeclaresHasToStay() throws {
        let found = try rights(
            Self.enough + Text.binding("bylaw", to: "bylaw", subject: Self.us), undeclared: ["bylaw"],
            created: ["bylaw"])
        let ids: Set<ObjectID> = [ObjectID(.clusterRole, name: "bylaw"), ObjectID(.clusterRoleBinding, name: "bylaw")]
        #expect(found.indispensable == ids && found.givers == ids)
    }

    /// Whoever makes a binding could name us beside themselves.
    @Test func aLaterBindingThatNamesUsIsNotSparedByThat() throws {
        let text =
            Self.enough + Self.everything + Text.binding("bylaw", to: "bylaw", subject: Self.us)
            + Text.binding("evil", to: "all", subject: Self.us + ", " + Text.group("intruders"))
        let found = try rights(text, undeclared: ["bylaw", "evil"], created: ["bylaw", "evil"])
        #expect(!found.indispensable.contains(ObjectID(.clusterRoleBinding, name: "evil")))
        #expect(found.indispensable.contains(ObjectID(.clusterRoleBinding, name: "bylaw")))
        // Where a declared one gives them, no other has to stay.
        #expect(try rights(text, undeclared: ["evil"], created: ["bylaw", "evil"]).indispensable.isEmpty)
    }

    /// Of two that would do, always the same one stays, so that not both go at once.
    @Test func ofTwoWaysTheOlderStays() throws {
        let text =
            Self.enough + Text.binding("first", to: "bylaw", subject: Self.us)
            + Text.binding("second", to: "bylaw", subject: Self.us)
        let found = try rights(text, undeclared: ["first", "second"], created: ["second", "first"])
        #expect(found.indispensable.map(\.name).sorted() == ["second"])
    }

    /// An old binding of a common group, or one that somebody wrote us onto, does not stand in for the one made for us.
    @Test func theOneThatNamesUsAloneStays() throws {
        for subjects in [Text.group("system:serviceaccounts"), Self.us + ", " + Text.group("intruders")] {
            let text =
                Self.enough + Self.everything + Text.binding("bylaw", to: "bylaw", subject: Self.us)
                + Text.binding("permissive", to: "all", subject: subjects)
            let found = try rights(text, undeclared: ["bylaw", "permissive", "all"], created: ["permissive", "bylaw"])
            #expect(Set(found.indispensable.map(\.name)) == ["bylaw"], "\(subjects)")
            #expect(found.dispensable.map(\.name).sorted() == ["all", "permissive"])
            // Alone it is better than nothing.
            let alone = try rights(text, undeclared: ["permissive", "all"], created: ["permissive"])
            #expect(alone.indispensable.isEmpty)
        }
        let only =
            Self.everything + Text.binding("permissive", to: "all", subject: Text.group("system:serviceaccounts"))
        let found = try rights(only, undeclared: ["permissive", "all"], created: ["permissive"])
        #expect(found.dispensable.isEmpty && found.indispensable.count == 2)
    }

    /// Thousands of bindings that name us are not each weighed against all others.
    @Test func whatAddsNothingIsTakenInByItself() throws {
        let text = Self.enough + Self.everything + Text.binding("bylaw", to: "bylaw", subject: Self.us)
        var found = try rights(text, undeclared: ["bylaw"], created: ["bylaw"])
        let more = try #require(live(Text.binding("more", to: "all", subject: Self.us)).values.first)
        let isTakenIn = found.take(more.id, more, isRemovable: { _ in true })
        #expect(isTakenIn && found.dispensable == [more.id] && found.givers.contains(more.id))
        let isGone = found.take(more.id, nil, isRemovable: { _ in true })
        #expect(isGone && found.dispensable.isEmpty && !found.givers.contains(more.id))
        let own = ObjectID(.clusterRoleBinding, name: "bylaw")
        let isClear = found.take(own, nil, isRemovable: { _ in true })
        #expect(!isClear, "what is needed is gone")
        // Whoever makes it again by hand gives it to us.
        var nothing = try rights(Self.enough, undeclared: [], created: [])
        let again = try #require(
            live(Text.binding("bylaw", to: "bylaw", subject: Self.us)).values.first)
        let isPassedOver = nothing.take(again.id, again, isRemovable: { _ in true })
        #expect(!isPassedOver)
        let isDeclaredClear = found.take(more.id, more, isRemovable: { _ in false })
        #expect(!isDeclaredClear, "what stays may stand in for another")
    }

    /// What is only wanted spares nobody else's binding.
    @Test func aWishSparesOnlyWhatNamesUsAlone() throws {
        var configuration = RepositoryConfiguration.standard
        configuration.prevention = PreventionRequest()
        let wanted = preventionRights(for: configuration, instance: "default")
        #expect(wanted.count == 14)
        let base = Self.enough + Self.everything + Text.binding("bylaw", to: "bylaw", subject: Self.us)
        let alone = base + Text.binding("more", to: "all", subject: Self.us)
        let shared = base + Text.binding("more", to: "all", subject: Self.us + ", " + Text.group("intruders"))
        let more = ObjectID(.clusterRoleBinding, name: "more")
        func indispensable(_ text: String) throws -> Set<ObjectID> {
            try rights(text, undeclared: ["more"], created: ["bylaw", "more"], wanted: wanted).indispensable
        }
        #expect(try indispensable(alone).contains(more))
        #expect(try !indispensable(shared).contains(more))
    }

    /// Whoever makes a role that everybody is bound to does not have it spared by that.
    @Test func aRoleIsSparedOnlyForARightThatWouldBeLost() throws {
        let declared = Text.binding("everybody", to: "all", subject: Text.group("system:authenticated"))
        let own = Self.enough + Text.binding("bylaw", to: "bylaw", subject: Self.us)
        let found = try rights(own + declared + Self.everything, undeclared: ["all"], created: [])
        #expect(found.indispensable.isEmpty)
        #expect(found.dispensable == [ObjectID(.clusterRole, name: "all")])
        let only = try rights(declared + Self.everything, undeclared: ["all"], created: [])
        #expect(only.indispensable == [ObjectID(.clusterRole, name: "all")])
    }

    /// A role that gathers another one, which gathers a third.
    @Test func whatAnAggregatedRoleGathersStaysAsFarAsItIsNeeded() throws {
        func gathering(_ name: String, labels: String, _ selected: String) -> String {
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: \(name), labels: {\(labels)}}, "
                + "aggregationRule: {clusterRoleSelectors: [{matchLabels: {\(selected)}}]}}\n"
        }
        let rule = Text.rule(
            "rbac.authorization.k8s.io", "roles", "get, list, watch, create, patch, delete, escalate, bind")
        let text =
            gathering("bylaw", labels: "", "part-of: bylaw")
            + gathering("middle", labels: "part-of: bylaw", "deep: \"1\"")
            + Text.clusterRole("deep", labels: "deep: \"1\"", rule)
            + Text.clusterRole("extra", labels: "part-of: bylaw", Text.rule("", "secrets", "get"))
            + Text.binding("bylaw", to: "bylaw", subject: Self.us)
        let found = try rights(text, undeclared: ["middle", "deep", "extra"], created: [])
        #expect(Set(found.indispensable.map(\.name)) == ["middle", "deep"])
        #expect(Set(found.dispensable.map(\.name)) == ["extra"])
        #expect(found.givers.count == 5)
        let other = try rights(text, undeclared: ["extra"], created: [])
        #expect(other.indispensable.isEmpty && Set(other.dispensable.map(\.name)) == ["extra"])
    }

    /// Whether everything has to be worked out again.
    private func isAffected(_ rights: OwnRights, by object: LiveObject) -> Bool {
        var rights = rights
        return !rights.take(object.id, object, isRemovable: { _ in false })
    }

    /// Otherwise each removal of one of thousands would have all of them looked at.
    @Test func mostOfWhatComesGivesUsNothing() throws {
        let aggregated =
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bylaw}, aggregationRule: "
            + "{clusterRoleSelectors: [{matchLabels: {part-of: bylaw}}]}}\n"
        let found = try rights(
            aggregated + Text.binding("bylaw", to: "bylaw", subject: Self.us)
                + Text.binding("dangling", to: "not-there", subject: Self.us), undeclared: [], created: [])
        func mayGive(_ text: String) throws -> Bool { isAffected(found, by: try #require(live(text).values.first)) }
        #expect(try mayGive(Text.clusterRole("part", labels: "part-of: bylaw", Text.rule("", "pods", "get"))))
        #expect(try mayGive(Text.clusterRole("not-there", Text.rule("", "pods", "get"))))
        #expect(try mayGive(Text.binding("x", in: "a", to: "y", subject: Self.us)))
        #expect(try mayGive(Text.binding("x", to: "y", subject: Text.group("system:authenticated"))))
        #expect(try !mayGive(Text.binding("x", to: "bylaw", subject: Text.group("others"))))
        #expect(try !mayGive(Text.clusterRole("x", labels: "part-of: other", Text.rule("", "pods", "get"))))
        #expect(try !mayGive(Text.role("bylaw", Text.rule("", "pods", "get"))))
    }
}

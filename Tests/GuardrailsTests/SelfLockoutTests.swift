import Analysis
import Guardrails
import Manifest
import Planning
import Policy
import Testing

@Suite struct SelfLockoutTests {
    private let account = UserIdentity(
        name: "system:serviceaccount:bylaw-system:bylaw",
        groups: ["system:serviceaccounts", "system:serviceaccounts:bylaw-system", "system:authenticated"])
    private static let subject = "{kind: ServiceAccount, name: bylaw, namespace: bylaw-system}"
    private static let all = Text.rule("rbac.authorization.k8s.io", "roles, rolebindings", "get, list, watch, patch")
    private static let binding = Text.binding("bylaw", to: "bylaw", subject: subject)

    private func lockout(
        from before: String, to after: String, removing: [ObjectID] = [], user: UserIdentity? = nil
    ) throws -> SelfLockout {
        let state = try declared(after)
        return SelfLockout(
            of: user ?? account, live: try live(before), enforcing: state,
            closedLabels: ClosedLabels(readBy: state.objects.values.map(\.tree)), removing: removing,
            needed: neededRights(for: RepositoryConfiguration(managedKinds: [.role, .roleBinding])))
    }

    @Test func whatChangesNothingLocksNobodyOut() throws {
        let text = Text.clusterRole("bylaw", Self.all) + Self.binding
        #expect(try lockout(from: text, to: text).isEmpty)
        // Nor does another role.
        #expect(try lockout(from: text, to: Text.namespace() + Text.clusterRole("r", Self.all)).isEmpty)
    }

    @Test func aRuleOfItsRoleThatGoesIsFound() throws {
        let after = Text.clusterRole(
            "bylaw", Text.rule("rbac.authorization.k8s.io", "roles", "get, list, watch, patch"))
        let lost = try lockout(from: Text.clusterRole("bylaw", Self.all) + Self.binding, to: after).lostRights
        #expect(
            lost.map(\.description)
                == ["get", "list", "watch", "patch"].map {
                    "\($0) rolebindings.rbac.authorization.k8s.io"
                })
    }

    /// `bind` and `escalate` may be given for some roles only.
    @Test func aRightForSomeNamesThatGoesIsFound() throws {
        let named =
            "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], resourceNames: [one, two], verbs: [bind]}"
        let before = Text.clusterRole("bylaw", Self.all, named) + Self.binding
        let lost = try lockout(from: before, to: Text.clusterRole("bylaw", Self.all)).lostRights
        #expect(
            lost.map(\.description).sorted() == ["one", "two"].map { "bind roles.rbac.authorization.k8s.io \($0)" })
        #expect(try lockout(from: before, to: before).isEmpty)
    }

    @Test func theBindingThatGoesIsFound() throws {
        let text = Text.clusterRole("bylaw", Self.all) + Self.binding
        let lost = try lockout(
            from: text, to: Text.namespace(), removing: [ObjectID(.clusterRoleBinding, name: "bylaw")])
        #expect(lost.lostRights.count == 8)
        // A subject that goes is the same.
        let other = Text.binding("bylaw", to: "bylaw", subject: Text.group("others"))
        #expect(try lockout(from: text, to: other).lostRights.count == 8)
    }

    @Test func anotherWayToTheSameRightsIsEnough() throws {
        let second = Text.binding("second", to: "bylaw", subject: Text.group("system:serviceaccounts:bylaw-system"))
        let text = Text.clusterRole("bylaw", Self.all) + Self.binding + second
        #expect(
            try lockout(from: text, to: second, removing: [ObjectID(.clusterRoleBinding, name: "bylaw")]).isEmpty)
    }

    @Test func anAggregatedRuleThatGoesIsFound() throws {
        let aggregated =
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bylaw}, aggregationRule: "
            + "{clusterRoleSelectors: [{matchLabels: {part-of: bylaw}}]}}\n"
        let part = Text.clusterRole("part", labels: "part-of: bylaw", Self.all)
        let lost = try lockout(
            from: aggregated + part + Self.binding, to: aggregated,
            removing: [ObjectID(.clusterRole, name: "part")])
        #expect(lost.lostRights.count == 8)
    }

    /// Of a source of its rules that is declared the label that gathers it may be somebody else's, and then it stays.
    @Test func aLabelThatStaysLocksNobodyOut() throws {
        let aggregated =
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: bylaw}, aggregationRule: "
            + "{clusterRoleSelectors: [{matchLabels: {part-of: bylaw}}]}}\n"
        let part = Text.clusterRole("part", labels: "part-of: bylaw", Self.all)
        let before = aggregated + part + Self.binding
        let after = Text.clusterRole("part", Self.all)
        #expect(try lockout(from: before, to: after).isEmpty)
        // Where a declared selector reads it, it is taken away.
        #expect(try lockout(from: before, to: after + aggregated).lostRights.count == 8)
    }

    @Test func itsServiceAccountAndNamespaceStay() throws {
        let text = Text.clusterRole("bylaw", Self.all) + Self.binding
        let ids = [
            ObjectID(.namespace, name: "bylaw-system"),
            ObjectID(.serviceAccount, namespace: "bylaw-system", name: "bylaw"),
            ObjectID(.serviceAccount, namespace: "other", name: "bylaw"),
        ]
        #expect(try lockout(from: text, to: Text.namespace(), removing: ids).lostObjects == Array(ids.prefix(2)))
    }

    @Test func mastersLoseNothing() throws {
        let text = Text.clusterRole("bylaw", Self.all) + Self.binding
        let master = UserIdentity(name: "admin", groups: ["system:masters"])
        #expect(try lockout(from: text, to: Text.namespace(), user: master).isEmpty)
    }

    @Test func rightsOfOneNamespaceCountToo() throws {
        let text =
            Text.role("bylaw", Self.all)
            + Text.binding("bylaw", in: "a", to: "bylaw", kind: "Role", subject: Self.subject)
        let lost = try lockout(
            from: text, to: Text.namespace(), removing: [ObjectID(.role, namespace: "a", name: "bylaw")])
        #expect(lost.lostRights.count == 8 && lost.lostRights.allSatisfy { $0.namespace == "a" })
    }
}

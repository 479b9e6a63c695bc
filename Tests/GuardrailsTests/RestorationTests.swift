import Guardrails
import Manifest
import Policy
import Testing

/// What needs no approval since it brings a stricter state back, and what waits all the same.
@Suite struct RestorationTests {
    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// What the reverted revision had brought, beside what stays.
        var added: String
        var stays = ""
        /// Live and declared by nobody.
        var strangers = ""
        var unread: Set<Resource> = []
        /// How many of the twelve wait.
        var held: Int

        init(
            _ words: String, _ added: String, stays: String = "", strangers: String = "",
            unread: Set<Resource> = [], held: Int
        ) {
            testDescription = words
            (self.added, self.stays, self.strangers, self.unread, self.held) = (added, stays, strangers, unread, held)
        }
    }

    private static func twelve(_ text: (String) -> String) -> String { (0..<12).map { text("x\($0)") }.joined() }

    private static let pods = Text.rule("", "pods", "get")
    private static let bindings = twelve { Text.binding($0, in: "a") }
    private static let roles = twelve { Text.role($0, pods) }
    private static let clusterRoles = twelve { Text.clusterRole($0, labels: "team: x", pods) }
    private static let allowing = twelve {
        Text.policy($0, "podSelector: {matchLabels: {app: \($0)}}, policyTypes: [Ingress], ingress: [{}]")
    }
    private static let gathering =
        "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: all}, aggregationRule: "
        + "{clusterRoleSelectors: [{matchLabels: {team: x}}]}}\n"

    @Test(arguments: [
        Example("bindings", bindings, held: 0),
        Example("bindings in the whole cluster", twelve { Text.binding($0) }, held: 0),
        Example("bindings, whatever cannot be read", bindings, unread: [.clusterRole, .networkPolicy], held: 0),
        Example("roles that nobody is bound to", roles, held: 0),
        Example(
            "roles that a stranger's binding uses", roles,
            strangers: twelve { Text.binding("s" + $0, in: "a", to: $0, kind: "Role") }, held: 12),
        Example(
            "roles of bindings that stay", roles,
            stays: twelve { Text.binding("s" + $0, in: "a", to: $0, kind: "Role") }, held: 12),
        Example("roles while bindings cannot be read", roles, unread: [.roleBinding], held: 12),
        Example("cluster roles", clusterRoles, held: 0),
        Example("cluster roles that another gathers", clusterRoles, stays: gathering, held: 12),
        Example("cluster roles that a stranger's gathers", clusterRoles, strangers: gathering, held: 12),
        Example("policies that only allow", allowing, stays: Text.denyAll, held: 0),
        Example("policies that isolate as well", allowing, held: 12),
        Example(
            "policies while policies cannot be read", allowing, stays: Text.denyAll,
            unread: [.networkPolicy], held: 12),
        Example(
            "policies that isolate every pod",
            twelve {
                Text.policy($0, "podSelector: {}, policyTypes: [Ingress]")
            }, held: 12),
        Example(
            "service accounts, whose tokens would be lost",
            twelve {
                "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: \($0), namespace: a}}\n"
            }, held: 12),
        Example(
            "quotas",
            twelve {
                "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: \($0), namespace: a}, spec: {hard: {cpu: 1}}}\n"
            }, held: 12),
        Example("namespaces", twelve { Text.namespace($0) }, held: 12),
    ])
    func onlyWhatTakesAwayAndNothingElseGoes(_ example: Example) throws {
        let head = try declared(Text.namespace() + example.stays)
        let base = try declared(Text.namespace() + example.stays + example.added)
        let objects = try live(Text.namespace() + example.stays + example.added + example.strangers)
            .filter { $0.key.resource.map(example.unread.contains) != true }
        func judge(_ isRestoration: Bool) -> GuardVerdict {
            guardRevision(
                GuardQuestion(
                    inForce: base, head: head, live: objects, unreadKinds: example.unread, isRestoration: isRestoration)
            )
        }
        let verdict = judge(true)
        let held = verdict.holds.filter { head.objects[$0.id] == nil }
        #expect(held.count == example.held, "\(verdict.held)")
        #expect(verdict.restored.count == 12 - example.held && verdict.removed.count == 12 - example.held)
        // The same change that restores nothing waits.
        #expect(judge(false).holds.filter { head.objects[$0.id] == nil }.count == 12)
    }

    private func verdict(
        from base: String, to head: DeclaredState, approvals: [String] = []
    ) throws -> GuardVerdict {
        let source = ApprovalSource(
            commit: "c", approvals: approvals.compactMap(Approval.init(trailer:)), declared: head)
        return guardRevision(
            GuardQuestion(
                inForce: try declared(base), head: head, live: try live(base), approvals: [source],
                isRestoration: true))
    }

    @Test func theRestStillHasTheBudget() throws {
        let quotas = (0..<12).map {
            "---\n{apiVersion: v1, kind: ResourceQuota, metadata: {name: q\($0), namespace: a}, spec: {hard: {cpu: 1}}}\n"
        }
        let head = try declared(Text.namespace())
        let mixed = try verdict(
            from: Text.namespace() + Self.bindings + quotas.joined(), to: head)
        #expect(mixed.holds.count == 12 && mixed.holds.allSatisfy { $0.id.resource == .resourceQuota })
        #expect(mixed.restored.count == 12 && mixed.removed.count == 12)
        // What the budget has anyway is not told.
        let few = try verdict(from: Text.namespace() + Text.binding(in: "a"), to: head)
        #expect(few.holds == [] && few.restored == [] && few.removed.count == 1)
        // What was approved is not counted as restored.
        let approved = try verdict(
            from: Text.namespace() + Self.bindings, to: head, approvals: ["deletion-budget by Alice"])
        #expect(approved.holds == [] && approved.restored == [] && approved.approved.count == 12)
    }

    @Test func anEmptyStateRestoresNothing() throws {
        let refused = try verdict(from: Self.bindings, to: DeclaredState())
        #expect(refused.holds.count == 12 && refused.removed == [] && refused.restored == [])
    }

    /// Nobody knows what was declared of it: then it cannot be what the earlier revision took for granted.
    @Test func whatWasLeftBehindIsNotRestored() throws {
        let objects = try live(Text.namespace() + Self.bindings)
        let state = try declared(Text.namespace())
        let verdict = guardRevision(
            GuardQuestion(
                inForce: state, head: state, live: objects,
                leftBehind: Set(objects.keys).subtracting(state.objects.keys), owned: Set(objects.keys),
                isRestoration: true))
        #expect(verdict.holds.count == 12 && verdict.restored == [])
    }

    @Test func whatARestorationLoosensWaits() throws {
        let grant = Text.clusterRole("r", Text.rule("", "secrets", "get")) + Text.binding()
        let head = try declared(Text.namespace("a", "privileged") + grant)
        let refused = try verdict(from: Text.namespace() + Text.denyAll, to: head)
        #expect(
            Set(refused.held) == ["Namespace a", "NetworkPolicy a/deny", "ClusterRole r", "ClusterRoleBinding b"],
            "\(refused.held)")
    }

    /// A scope that closes again removes what came since: that has its own approval.
    @Test func scopesThatWereClosedWaitAll() throws {
        let verdict = try guardRevision(
            GuardQuestion(
                inForce: declared(Text.namespace(), configuration: "scopes: {default: report}\n"),
                head: declared(Text.namespace(), configuration: "scopes: {default: enforce}\n"),
                live: live(Text.namespace() + Self.bindings), isRestoration: true))
        #expect(verdict.guardrails == [.scopeEnforced] && verdict.restored == [])
    }
}

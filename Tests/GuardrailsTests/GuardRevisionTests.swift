import Analysis
import Guardrails
import Manifest
import Policy
import Testing

@Suite struct GuardRevisionTests {
    /// Roles that nobody is bound to: they mean nothing, and only count.
    private func roles(_ range: Range<Int>) -> String {
        range.map { Text.role("r\($0)", Text.rule("", "pods", "get")) }.joined()
    }

    // MARK: Deletions

    @Test func aRevisionThatDeletesMuchDeletesNothing() throws {
        let base = try declared(Text.namespace() + roles(0..<20))
        let head = try declared(Text.namespace() + roles(0..<8) + Text.role("new", Text.rule("", "pods", "get")))
        let refused = verdict(from: base, to: head)
        #expect(refused.holds.count == 12 && refused.guardrails == [.deletionBudget])
        #expect(refused.removed == [])
        #expect(refused.holds.first?.trailers == ["Bylaw-Approved: deletion-budget Role a/r10 by NAME"])
        // Everything else goes on.
        #expect(refused.state.objects.count == 22)
        #expect(refused.state.objects.keys.contains { $0.name == "new" })

        let approved = verdict(from: base, to: head, approvals: ["deletion-budget by Alice"])
        #expect(approved.holds == [] && approved.removed.count == 12)
    }

    @Test func whatIsApprovedByNameLeavesTheBudgetToTheRest() throws {
        let base = try declared(Text.namespace() + roles(0..<12))
        let head = try declared(Text.namespace() + roles(6..<12))
        #expect(verdict(from: base, to: head).holds.count == 6)
        // Five of them may go without an approval.
        #expect(verdict(from: base, to: head, approvals: ["deletion-budget Role a/r0 by Alice"]).holds == [])
    }

    @Test func theBudgetInForceCounts() throws {
        let base = try declared(
            Text.namespace() + roles(0..<10), configuration: "guardrails: {deletions: {maximum: 0}}\n")
        let head = try declared(
            Text.namespace() + roles(1..<10), configuration: "guardrails: {deletions: {maximum: 100}}\n")
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["Configuration bylaw.yaml", "Role a/r0"])
        #expect(refused.state.configuration.guardrails.deletions.maximum == 0)
    }

    @Test func anEmptyRevisionDeletesNothing() throws {
        let base = try declared(Text.namespace() + roles(0..<10))
        let refused = verdict(from: base, to: DeclaredState())
        #expect(refused.removed == [] && refused.state.objects.count == 11)
    }

    @Test func aNamespaceGoesOnlyWhenGitSaysSoTwice() throws {
        let base = try declared(Text.namespace() + Text.namespace("b"))
        let head = try declared(Text.namespace("b"))
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["Namespace a"] && refused.guardrails == [.namespaceDeletion])
        #expect(refused.deletableNamespaces == [])
        let other = verdict(from: base, to: head, approvals: ["namespace-deletion Namespace b by Alice"])
        #expect(other.held == ["Namespace a"])
        let approved = verdict(from: base, to: head, approvals: ["namespace-deletion Namespace a by Alice"])
        #expect(approved.holds == [] && approved.deletableNamespaces.map(\.name) == ["a"])
    }

    @Test func whatGoesWithItsNamespaceNeedsNoApprovalOfItsOwn() throws {
        let base = try declared(Text.namespace() + Text.namespace("b") + Text.denyAll + Text.quota("10"))
        let head = try declared(Text.namespace("b"))
        let approved = verdict(from: base, to: head, approvals: ["namespace-deletion Namespace a by Alice"])
        #expect(approved.held == [] && approved.removed.count == 3)
        // As long as the namespace stays, so does what isolates and limits it.
        #expect(verdict(from: base, to: head).held == ["Namespace a", "ResourceQuota a/q", "NetworkPolicy a/deny"])
    }

    /// What is ours and no longer in force goes, though a later revision wants it back in a way that is held.
    @Test func whatIsOursAndNotInForceIsNotFrozen() throws {
        let base = try declared(Text.namespace())
        let head = try declared(Text.namespace() + Text.binding(to: "cluster-admin"))
        let id = ObjectID(.clusterRoleBinding, name: "b")
        func frozen(_ owned: Set<ObjectID>, _ base: DeclaredState?) -> Set<ObjectID> {
            guardRevision(GuardQuestion(inForce: base, head: head, owned: owned)).frozen
        }
        #expect(frozen([], base) == [id] && frozen([id], base) == [])
        #expect(frozen([id], nil) == [id], "without a state in force nothing is known of it")
    }

    /// What was left as it is since nobody knows what was declared of it is not deleted by the revision after that.
    @Test func whatWasLeftAsItIsStaysSo() throws {
        let state = try declared(Text.namespace())
        let objects = try live(Text.namespace() + Text.denyAll + roles(0..<10))
        let left = Set(objects.keys).subtracting(state.objects.keys)
        func verdict(_ head: DeclaredState, _ approvals: [String] = []) -> GuardVerdict {
            let source = ApprovalSource(
                commit: "c", approvals: approvals.compactMap(Approval.init(trailer:)), declared: head)
            return guardRevision(
                GuardQuestion(
                    inForce: state, head: head, live: objects, leftBehind: left, owned: Set(objects.keys),
                    approvals: [source]))
        }
        let refused = verdict(state)
        #expect(Set(refused.holds.map(\.id)) == left && refused.frozen == left && refused.removed == [])
        // Declared again, but looser than it is: it waits as it is.
        let open = try declared(
            Text.namespace() + Text.policy("deny", "podSelector: {}, ingress: [{}]") + roles(0..<10))
        let loosened = verdict(open)
        #expect(loosened.held == ["NetworkPolicy a/deny"] && loosened.frozen.map(\.name) == ["deny"])
        let approved = verdict(state, ["deletion-budget by Alice", "isolation-removed by Alice"])
        #expect(approved.holds == [] && approved.frozen == [] && Set(approved.removed) == left)
    }

    /// Unknown is not harmless, whichever side of it cannot be read.
    @Test func whatDependsOnWhatCannotBeReadIsHeld() throws {
        let base = try declared(Text.namespace() + Text.role("r", Text.rule("", "pods", "get")))
        func held(_ text: String, unread: Set<Resource>) throws -> [String] {
            let head = try declared(Text.namespace() + text)
            return guardRevision(GuardQuestion(inForce: base, head: head, unreadKinds: unread)).held
        }
        let wider = Text.role("r", Text.rule("", "pods", "get"), Text.rule("", "configmaps", "get"))
        #expect(try held(wider, unread: [.roleBinding]) == ["Role a/r"])
        #expect(try held(wider, unread: [.networkPolicy]) == [])
        #expect(try held(Text.role("r"), unread: [.roleBinding]) == [], "it gives nobody more")
        let fed = Text.clusterRole("c", labels: "rbac.authorization.k8s.io/aggregate-to-view: \"true\"")
        #expect(try held(fed, unread: [.clusterRoleBinding]) == ["ClusterRole c"])
        let open =
            Text.role("r", Text.rule("", "pods", "get"))
            + Text.policy("p", "podSelector: {}, ingress: [{from: [{podSelector: {}}]}]")
        #expect(try held(open, unread: [.networkPolicy]) == ["NetworkPolicy a/p"])
        #expect(try held(open, unread: [.roleBinding]) == [])
        #expect(try held(wider, unread: [.clusterRoleBinding]) == [], "it cannot bind a Role")
        // What stands there already may be stricter.
        let quota = Text.role("r", Text.rule("", "pods", "get")) + Text.quota("100")
        #expect(try held(quota, unread: [.resourceQuota]) == ["ResourceQuota a/q"])
        // A stranger's role may stand under the declared name, and give what it likes.
        let bound =
            Text.role("r", Text.rule("", "pods", "get")) + Text.clusterRole("t", Text.rule("", "pods", "get"))
            + Text.binding(to: "t")
        #expect(try held(bound, unread: [.clusterRole]) == ["ClusterRole t", "ClusterRoleBinding b"])
        // A namespace that cannot be seen is not missing.
        let first = guardRevision(
            GuardQuestion(
                inForce: nil, head: try declared(Text.namespace() + Text.denyAll), unreadKinds: [.namespace]))
        #expect(first.held == ["Namespace a"])
        // Gathered from what nobody declares.
        let aggregated =
            Text.role("r", Text.rule("", "pods", "get"))
            + "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: c}, aggregationRule: "
            + "{clusterRoleSelectors: [{matchLabels: {x: z}}]}}\n" + Text.binding(to: "c")
        #expect(try held(aggregated, unread: [.clusterRole]) == ["ClusterRole c", "ClusterRoleBinding b"])
    }

    @Test func aNamespaceWithDeclaredObjectsStays() throws {
        let base = try declared(Text.namespace() + roles(0..<1))
        let head = try declared(roles(0..<1) + Text.namespace("b"))
        let refused = verdict(from: base, to: head, approvals: ["namespace-deletion by Alice"])
        #expect(refused.held == ["Namespace a"])
    }

    /// What else a wildcard gives may weigh little, and the wildcard is told nevertheless.
    @Test func aWildcardOnHarmlessResourcesIsReported() throws {
        let base = try declared(Text.namespace())
        let grant = Text.role("r", Text.rule("", "configmaps", "\"*\"")) + Text.binding(in: "a", kind: "Role")
        let passed = verdict(from: base, to: try declared(Text.namespace() + grant))
        #expect(passed.holds == [] && passed.reported.contains { $0.reason == .wildcardGranted })
    }

    // MARK: Approvals

    @Test func anApprovalIsBoundToItsRevision() throws {
        let base = try declared(Text.namespace())
        let approvedState = try declared(
            Text.namespace() + Text.clusterRole("r", Text.rule("", "secrets", "get")) + Text.binding())
        let head = try declared(
            Text.namespace() + Text.clusterRole("r", Text.rule("", "secrets, nodes/proxy", "get")) + Text.binding())
        let source = ApprovalSource(
            commit: "1", approvals: [Approval(subject: "risky-grant", approver: "Alice")], declared: approvedState)
        func judge(_ state: DeclaredState) -> GuardVerdict {
            guardRevision(GuardQuestion(inForce: base, head: state, approvals: [source]))
        }
        #expect(judge(approvedState).holds == [])
        // A later commit widened the role: the approval was for another content of it.
        #expect(judge(head).held.contains("ClusterRole r"))
    }

    @Test func aLaterRevisionApprovesWhatIsHeld() throws {
        let base = try declared(Text.namespace())
        let grant = Text.clusterRole("r", Text.rule("", "secrets", "get")) + Text.binding()
        let first = verdict(from: base, to: try declared(Text.namespace() + grant))
        #expect(first.holds.count == 2)
        let second = verdict(
            from: first.state, to: try declared(Text.namespace() + grant), approvals: ["risky-grant by Alice"])
        #expect(second.holds == [] && second.state.objects.count == 3)
        // Approved once, it is in force: the next revision need not say so again.
        let third = verdict(from: second.state, to: try declared(Text.namespace() + Text.denyAll + grant))
        #expect(third.holds == [])
    }

    @Test func whatIsHeldWaitsForTheNextRevisionToo() throws {
        let base = try declared(Text.namespace())
        let grant = Text.clusterRole("r", Text.rule("", "secrets", "get")) + Text.binding()
        let first = verdict(from: base, to: try declared(Text.namespace() + grant))
        let second = verdict(from: first.state, to: try declared(Text.namespace() + Text.denyAll + grant))
        #expect(second.held == first.held)
        #expect(second.state.objects.keys.contains { $0.name == "deny" })
    }

    @Test(
        arguments: [
            ("risky-grant by Alice Example", Approval(subject: "risky-grant", approver: "Alice Example")),
            (
                "risky-grant RoleBinding a/b by A",
                Approval(subject: "risky-grant", object: "RoleBinding a/b", approver: "A")
            ),
            ("SecretAccessGranted by A", Approval(subject: "SecretAccessGranted", approver: "A")),
            (
                "risky-grant ClusterRole stand by me by A",
                Approval(subject: "risky-grant", object: "ClusterRole stand by me", approver: "A")
            ),
            ("risky-grant", nil), ("by Alice", nil), ("risky-grants by Alice", nil), ("risky-grant by", nil),
            ("", nil), ("risky-grant Alice", nil),
        ])
    func readsTrailers(_ text: String, _ expected: Approval?) { #expect(Approval(trailer: text) == expected) }

    // MARK: Revocations

    @Test func whatAHeldRoleLosesGoesAtOnce() throws {
        let base = try declared(
            Text.namespace() + Text.binding()
                + Text.clusterRole(
                    "r", Text.rule("", "pods, configmaps", "get, list"), Text.rule("apps", "deployments", "get")))
        let head = try declared(
            Text.namespace() + Text.binding()
                + Text.clusterRole("r", Text.rule("", "pods", "get"), Text.rule("", "secrets", "get")))
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["ClusterRole r"])
        let role = try #require(refused.state.objects[ObjectID(.clusterRole, name: "r")])
        #expect(role.tree["rules"] == [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]])
        // What really holds then is what the next revision is compared with.
        #expect(verdict(from: refused.state, to: head).held == ["ClusterRole r"])
        #expect(verdict(from: refused.state, to: head, approvals: ["risky-grant by Alice"]).holds == [])
    }

    @Test func whomAHeldBindingLosesGoesAtOnce() throws {
        func binding(_ groups: String...) throws -> DeclaredState {
            try declared(
                Text.namespace()
                    + Text.binding(to: "cluster-admin", subject: groups.map(Text.group).joined(separator: ", ")))
        }
        let refused = verdict(from: try binding("a", "b"), to: try binding("b", "c"))
        #expect(refused.held == ["ClusterRoleBinding b"])
        let kept = refused.state.objects[ObjectID(.clusterRoleBinding, name: "b")]
        #expect(kept?.tree["subjects"]?.array?.compactMap { $0["name"]?.string } == ["b"])
    }

    // MARK: The first revision

    @Test func theFirstRevisionIsComparedWithTheCluster() throws {
        let grant = Text.clusterRole("r", Text.rule("", "secrets", "get")) + Text.binding()
        let head = try declared(Text.namespace() + grant)
        let fresh = verdict(from: nil, to: head)
        #expect(fresh.held == ["ClusterRole r", "ClusterRoleBinding b"])
        #expect(fresh.frozen.count == 2 && fresh.state.objects.count == 1)
        // What the cluster grants already is no news.
        #expect(verdict(from: nil, to: head, live: try live(Text.namespace() + grant)).holds == [])
    }

    @Test func whatLivesBesideCountsAsContext() throws {
        // The binding is nobody's declaration; the role that it names gains a rule.
        let base = try declared(Text.namespace() + Text.clusterRole("r", Text.rule("", "pods", "get")))
        let head = try declared(Text.namespace() + Text.clusterRole("r", Text.rule("", "secrets", "get")))
        #expect(verdict(from: base, to: head).holds == [])
        #expect(verdict(from: base, to: head, live: try live(Text.binding())).held == ["ClusterRole r"])
    }

    @Test func whatAnEarlierRunLeftCountsForTheBudget() throws {
        let objects = try live(Text.namespace() + roles(0..<20))
        let head = try declared(Text.namespace() + roles(0..<8))
        let refused = verdict(from: nil, to: head, live: objects, leftBehind: Set(objects.keys))
        #expect(refused.holds.count == 12 && refused.frozen.count == 12 && refused.removed == [])
    }

    @Test func aDefaultDenyOfAnEarlierRunIsNotLost() throws {
        let objects = try live(Text.namespace() + Text.denyAll)
        let refused = verdict(
            from: nil, to: try declared(Text.namespace()), live: objects, leftBehind: Set(objects.keys))
        #expect(refused.held == ["NetworkPolicy a/deny"] && refused.frozen.map(\.name) == ["deny"])
    }

    @Test func whatBelongsInAHeldNamespaceWaits() throws {
        let head = try declared(
            Text.namespace("b") + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n" + Text.denyAll)
        let refused = verdict(from: try declared(Text.namespace("b")), to: head)
        #expect(refused.held == ["Namespace a", "NetworkPolicy a/deny"])
        #expect(refused.holds.last?.meanings == ["NetworkPolicy a/deny waits for Namespace a, which is held"])
    }

    /// Nothing is in force before it, so nothing is loosened by it; what it would remove is asked for all the same.
    @Test func theFirstConfigurationIsTaken() throws {
        let text =
            "scopes: {default: report, rules: [{namespaces: [a], mode: declared}], exclude: [{names: [x]}]}\n"
            + "guardrails: {risks: {QuotaLoosened: allow}, approvers: [{name: A, signers: [a]}]}\n"
        let head = try declared(Text.namespace(), configuration: text)
        let first = verdict(from: nil, to: head)
        #expect(first.holds == [] && first.state.configuration == head.configuration)
    }

    // MARK: The configuration

    @Test(
        arguments: [
            ("scopes: {default: report}\n", "", true),
            ("scopes: {default: report}\n", "scopes: {default: declared}\n", true),
            ("", "scopes: {default: report}\n", false),
            ("guardrails: {risks: {risky-grant: hold}}\n", "guardrails: {risks: {risky-grant: allow}}\n", true),
            ("", "guardrails: {risks: {SecretAccessGranted: report}}\n", true),
            ("guardrails: {risks: {SecretAccessGranted: report}}\n", "", false),
            // The family's word holds only what the table holds.
            (
                "guardrails: {risks: {RightGranted: hold}}\n", "guardrails: {risks: {risky-grant: hold}}\n", true
            ),
            ("guardrails: {risks: {risky-grant: hold}}\n", "", false),
            // Without anybody who may approve only whoever runs Bylaw can, without a signature.
            ("guardrails: {approvers: [{name: A, signers: [a]}]}\n", "", true),
            (
                "guardrails: {approvers: [{name: A, signers: [a]}, {name: B, signers: [b]}]}\n",
                "guardrails: {approvers: [{name: A, signers: [a]}]}\n", false
            ),
            ("", "guardrails: {deletions: {maximum: 51}}\n", true),
            ("", "guardrails: {deletions: {maximum: 49, always: 5, maximumPercent: 30}}\n", false),
            ("protected: [{names: [x]}]\n", "", true), ("", "protected: [{names: [x]}]\n", true),
            ("", "fights: {yield: [{names: [x]}]}\n", true),
            ("", "managedKinds: [Role, Namespace]\n", true),
            ("prevention: {enabled: true}\n", "prevention: {enabled: false}\n", true),
            ("prevention: {enabled: true}\n", "prevention: {enabled: true, exemptUsers: [x]}\n", true),
            (
                "guardrails: {approvers: [{name: A, signers: [a]}]}\n",
                "guardrails: {approvers: [{name: A, signers: [a, b]}]}\n", true
            ),
            (
                "scopes: {rules: [{clusterWide: true, mode: report}]}\n",
                "scopes: {rules: [{clusterWide: true, kinds: [ClusterRole], mode: report}]}\n", true
            ),
            (
                "scopes: {default: report}\n", "scopes: {default: report, exclude: [{names: [x]}]}\n", true
            ),
            ("clusters: [{name: a}]\n", "clusters: [{name: b}]\n", false),
        ])
    func aLooserConfigurationIsHeld(_ old: String, _ new: String, _ isHeld: Bool) throws {
        let base = try declared(Text.namespace(), configuration: old)
        let head = try declared(Text.namespace(), configuration: new)
        let refused = verdict(from: base, to: head)
        #expect(refused.guardrails.contains(.configurationLoosened) == isHeld)
        if isHeld {
            var kept = base.configuration
            kept.clusters = head.configuration.clusters
            #expect(refused.state.configuration == kept)
        } else {
            #expect(refused.state.configuration == head.configuration)
        }
        let approved = verdict(
            from: base, to: head, approvals: ["configuration-loosened by Alice"])
        #expect(!approved.guardrails.contains(.configurationLoosened))
    }

    @Test(
        arguments: [
            (nil, "scopes: {default: enforce}\n", true),
            ("scopes: {default: report}\n", "scopes: {default: enforce}\n", true),
            ("scopes: {default: enforce}\n", "scopes: {default: enforce}\n", false),
            (
                "scopes: {rules: [{namespaces: [a], mode: enforce}]}\n",
                "scopes: {rules: [{namespaces: [a, b], mode: enforce}]}\n", true
            ),
            (
                "scopes: {default: enforce, exclude: [{names: [x]}]}\n", "scopes: {default: enforce}\n", true
            ),
            ("scopes: {default: declared}\n", "scopes: {default: report}\n", false),
        ])
    func removingMoreIsHeld(_ old: String?, _ new: String, _ isHeld: Bool) throws {
        let base = try old.map { try declared(Text.namespace(), configuration: $0) }
        let head = try declared(Text.namespace(), configuration: new)
        let trailers = ["configuration-loosened by Alice"]
        let refused = verdict(from: base, to: head, approvals: trailers)
        #expect(refused.guardrails.contains(.scopeEnforced) == isHeld)
        if isHeld { #expect(refused.state.configuration.scopes != head.configuration.scopes) }
        let approved = verdict(from: base, to: head, approvals: trailers + ["scope-enforced by Alice"])
        #expect(approved.holds == [] && approved.state.configuration == head.configuration)
    }
}

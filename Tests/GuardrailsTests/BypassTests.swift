import Analysis
import Guardrails
import Manifest
import Policy
import Testing

/// Ways past the guardrails that were found once.
@Suite struct BypassTests {
    private func roles(_ range: Range<Int>) -> String {
        range.map { Text.role("r\($0)", Text.rule("", "pods", "get")) }.joined()
    }

    /// What is protected is not written, so protecting everything would switch correction off.
    @Test func protectingMoreIsLooser() throws {
        let base = try declared(Text.namespace())
        let head = try declared(Text.namespace(), configuration: "protected: [{namespaces: [\"*\"]}]\n")
        #expect(verdict(from: base, to: head).guardrails == [.configurationLoosened])
    }

    @Test func managingMoreKindsInAnEnforcedScopeRemovesMore() throws {
        let narrow = "managedKinds: [Namespace, Role]\nscopes: {default: enforce}\n"
        let base = try declared(Text.namespace(), configuration: narrow)
        let head = try declared(Text.namespace(), configuration: "scopes: {default: enforce}\n")
        let refused = verdict(from: base, to: head)
        #expect(refused.guardrails == [.scopeEnforced])
        // As long as it waits, nothing of the new kinds is looked at.
        #expect(refused.state.configuration.managedKinds == [.namespace, .role])
        let more = try declared(Text.namespace() + Text.denyAll, configuration: "scopes: {default: enforce}\n")
        #expect(Set(verdict(from: base, to: more).held) == ["Configuration bylaw.yaml", "NetworkPolicy a/deny"])
    }

    /// From then on whoever is of the group may keep what they wrote.
    @Test func aNewBreakGlassGroupIsLooser() throws {
        let base = try declared(Text.namespace())
        func guardrails(_ prevention: String) throws -> Set<Guardrail> {
            verdict(from: base, to: try declared(Text.namespace(), configuration: prevention)).guardrails
        }
        #expect(try guardrails("prevention: {enabled: true}\n") == [])
        let group = "prevention: {enabled: true, breakGlass: {group: fire, longest: 4h}}\n"
        #expect(try guardrails(group) == [.configurationLoosened])
    }

    /// What was said before is good for what has been waiting since, and for nothing that came later.
    @Test func anEarlierApprovalIsGoodForWhatWaitsOnly() throws {
        let base = try declared(Text.namespace())
        let head = try declared(Text.namespace() + Text.binding(to: "cluster-admin"))
        func held(_ objects: Set<ObjectID>?) -> Int {
            let source = ApprovalSource(
                commit: "c", approvals: [Approval(subject: "risky-grant", approver: "Alice")], declared: head,
                objects: objects)
            return guardRevision(GuardQuestion(inForce: base, head: head, approvals: [source])).holds.count
        }
        #expect(held(nil) == 0 && held([ObjectID(.clusterRoleBinding, name: "b")]) == 0 && held([]) == 1)
    }

    @Test func aFamilySettingDoesNotHideALowerOne() throws {
        let base = try declared(
            Text.namespace(), configuration: "guardrails: {risks: {risky-grant: allow, ClusterAdminGranted: report}}\n")
        let head = try declared(Text.namespace(), configuration: "guardrails: {risks: {risky-grant: allow}}\n")
        #expect(verdict(from: base, to: head).guardrails == [.configurationLoosened])
    }

    /// Kinds that are taken out together with their manifests stay as they are, whatever the verdict.
    @Test func kindsThatAreNoLongerManagedAreNotDeleted() throws {
        let base = try declared(Text.namespace() + Text.denyAll)
        let head = try declared(Text.namespace(), configuration: "managedKinds: [Namespace, Role]\n")
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["NetworkPolicy a/deny", "Configuration bylaw.yaml"].sorted())
        #expect(refused.guardrails == [.configurationLoosened] && refused.removed == [])
        #expect(refused.state.objects.count == 2)
        let approved = verdict(from: base, to: head, approvals: ["configuration-loosened by Alice"])
        #expect(approved.holds == [] && approved.removed == [])
    }

    @Test func aChangeThatLoosensAndEnforcesNamesBothApprovals() throws {
        let base = try declared(Text.namespace(), configuration: "protected: [{kinds: [Role], names: [x]}]\n")
        let head = try declared(Text.namespace(), configuration: "scopes: {default: enforce}\n")
        #expect(verdict(from: base, to: head).guardrails == [.configurationLoosened, .scopeEnforced])
        let one = verdict(from: base, to: head, approvals: ["scope-enforced by Alice"])
        #expect(one.guardrails == [.configurationLoosened] && one.state.configuration.scopes.standardMode == .declared)
    }

    @Test func sparingAnotherInstanceIsLooserAndNoLongerSparingItRemovesMore() throws {
        let without = try declared(Text.namespace(), configuration: "scopes: {default: enforce}\n")
        let with = try declared(
            Text.namespace(), configuration: "scopes: {default: enforce, otherInstances: [b]}\n")
        #expect(verdict(from: without, to: with).guardrails == [.configurationLoosened])
        #expect(verdict(from: with, to: without).guardrails == [.scopeEnforced])
    }

    /// What tightens does not wait for what loosens beside it.
    @Test func podSecurityModesThatTightenDoNotWait() throws {
        func namespace(_ enforce: String, _ audit: String) -> String {
            "---\n{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: "
                + "{pod-security.kubernetes.io/enforce: \(enforce), pod-security.kubernetes.io/audit: \(audit), "
                + "pod-security.kubernetes.io/audit-version: v1.30}}}\n"
        }
        let refused = verdict(
            from: try declared(namespace("privileged", "restricted")),
            to: try declared(namespace("restricted", "privileged")))
        #expect(refused.held == ["Namespace a"])
        let labels = refused.state.objects[ObjectID(.namespace, name: "a")]?.tree["metadata"]?["labels"]
        #expect(labels?["pod-security.kubernetes.io/enforce"] == "restricted")
        #expect(labels?["pod-security.kubernetes.io/audit"] == "restricted")
        #expect(labels?["pod-security.kubernetes.io/audit-version"] == "v1.30")
    }

    /// Where the record of what was in force is lost, the revision is not judged by what it says itself.
    @Test func aRevisionIsNotJudgedByItsOwnSettings() throws {
        let grant = Text.binding(to: "cluster-admin")
        let lax = "guardrails: {risks: {risky-grant: allow}, deletions: {maximum: 1000, maximumPercent: 100}}\n"
        let head = try declared(Text.namespace() + grant, configuration: lax)
        #expect(verdict(from: nil, to: head).held == ["ClusterRoleBinding b"])
        // With objects of an earlier run the settings themselves wait as well.
        let left = try live(Text.namespace() + roles(0..<40))
        let lost = verdict(from: nil, to: head, live: left, leftBehind: Set(left.keys))
        #expect(lost.guardrails.isSuperset(of: [.configurationLoosened, .riskyGrant, .deletionBudget]))
        #expect(lost.removed == [])
        // The settings are remembered even where their commit is not.
        let strict = try declared(Text.namespace(), configuration: "guardrails: {risks: {RightGranted: hold}}\n")
        let known = guardRevision(
            GuardQuestion(
                inForce: nil, configurationInForce: strict.configuration,
                head: try declared(
                    Text.namespace() + Text.role("r", Text.rule("", "pods", "get"))
                        + Text.binding(in: "a", kind: "Role"),
                    configuration: lax)))
        #expect(known.guardrails == [.configurationLoosened, .riskyGrant])
    }

    /// An approval on a branch that never had an object does not mean its deletion.
    @Test func anOldBranchApprovesNoDeletionThatItNeverSaw() throws {
        let base = try declared(Text.namespace() + Text.denyAll)
        let head = try declared(Text.namespace())
        func held(_ trailer: String) -> [String] {
            let source = ApprovalSource(
                commit: "c", approvals: [trailer].compactMap(Approval.init(trailer:)), declared: head,
                knowsWhatIsInForce: false)
            return guardRevision(GuardQuestion(inForce: base, head: head, approvals: [source])).held
        }
        #expect(held("isolation-removed by Alice") == ["NetworkPolicy a/deny"])
        #expect(held("isolation-removed NetworkPolicy a/deny by Alice") == [])
        // What has been waiting is looked at from when it began to, whatever was pushed since.
        let source = ApprovalSource(
            commit: "c", approvals: ["isolation-removed by Alice"].compactMap(Approval.init(trailer:)), declared: head,
            knowsWhatIsInForce: false, knownWaiting: [ObjectID(.networkPolicy, namespace: "a", name: "deny")])
        #expect(guardRevision(GuardQuestion(inForce: base, head: head, approvals: [source])).held == [])
    }

    @Test func aBindingToARoleThatCannotBeReadIsHeld() throws {
        let base = try declared(Text.namespace())
        let head = try declared(Text.namespace() + Text.binding(to: "platform-admin"))
        func held(_ unread: Set<Resource>) -> [String] {
            guardRevision(GuardQuestion(inForce: base, head: head, unreadKinds: unread)).held
        }
        #expect(held([.clusterRole]) == ["ClusterRoleBinding b"])
        #expect(held([.role]) == [])
    }

    @Test func aBindingThatWaitsForItsRoleCanBeHeld() throws {
        let hold = "guardrails: {risks: {BindingLatent: hold}}\n"
        let base = try declared(Text.namespace(), configuration: hold)
        let head = try declared(Text.namespace() + Text.binding(to: "to-come"), configuration: hold)
        #expect(verdict(from: base, to: head).held == ["ClusterRoleBinding b"])
    }

    /// What tightens does not wait for what opens beside it.
    @Test func whatTightensANamespaceGoesOn() throws {
        let open = Text.policy(
            "open", "podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}], policyTypes: [Egress]")
        let allow = Text.policy("allow", "podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]")
        let isolated = Text.policy("ingress", "podSelector: {}, policyTypes: [Ingress]")
        let base = try declared(
            Text.namespace("a", "baseline") + isolated + allow
                + Text.policy("egress", "podSelector: {}, policyTypes: [Egress]"))
        let head = try declared(
            Text.namespace("a", "restricted") + isolated + open
                + Text.policy("egress", "podSelector: {}, policyTypes: [Egress]")
                + Text.policy("more", "podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress]"))
        let refused = verdict(from: base, to: head)
        #expect(refused.held == ["NetworkPolicy a/open"])
        #expect(refused.removed == [ObjectID(.networkPolicy, namespace: "a", name: "allow")])
    }

    @Test func whomAChangedReferenceLosesGoesAtOnce() throws {
        func binding(_ role: String, _ groups: String...) throws -> DeclaredState {
            try declared(
                Text.namespace() + Text.binding(to: role, subject: groups.map(Text.group).joined(separator: ", ")))
        }
        let refused = verdict(from: try binding("edit", "a", "b"), to: try binding("cluster-admin", "b"))
        let kept = try #require(refused.state.objects[ObjectID(.clusterRoleBinding, name: "b")])
        #expect(refused.held == ["ClusterRoleBinding b"] && kept.tree["roleRef"]?["name"] == "edit")
        #expect(kept.tree["subjects"]?.array?.compactMap { $0["name"]?.string } == ["b"])
    }
}

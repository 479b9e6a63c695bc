import Manifest
import Planning
import Policy
import Testing

private let settings = PreventionSettings(
    instance: "prod", bylawUser: Requester.bylaw.name, breakGlassGroup: "sre-oncall",
    enforcedClusterKinds: [.clusterRole, .clusterRoleBinding, .namespace],
    enforcedNamespaces: [
        NamespaceSelection(names: [NamePattern("kube-*")], kinds: Set(Resource.managed), isEnforced: false),
        NamespaceSelection(
            names: [NamePattern("shop"), NamePattern("pay.*")],
            kinds: [.role, .roleBinding, .networkPolicy, .serviceAccount]),
        NamespaceSelection(
            labels: LabelSelector([
                "matchLabels": ["tier": "closed"],
                "matchExpressions": [
                    ["key": "stage", "operator": "NotIn", "values": ["dev", "test"]],
                    ["key": "open", "operator": "DoesNotExist"], ["key": "team", "operator": "Exists"],
                ],
            ]), kinds: [.roleBinding, .resourceQuota, .limitRange]),
        NamespaceSelection(names: [NamePattern("trailing")], kinds: [.role], isEnforced: false),
    ],
    exclusions: [
        ObjectPattern(kinds: [.role, .roleBinding], names: [NamePattern("leader-*")]),
        ObjectPattern(labels: LabelSelector(["matchLabels": ["by": "helm"]]), ownerKinds: ["Release", "Kafka"]),
        ObjectPattern(kinds: [.networkPolicy], namespaces: [NamePattern("pay.test")]),
    ],
    exemptUsers: [Requester.velero.name], exemptGroups: ["eks:addons"])

private let kept = "is kept by Bylaw, instance \"prod\": change it by pull request in the policy repository"
private let undeclared = "is not declared, in a scope where Bylaw, instance \"prod\", lets nothing else be"
private let annotationGuard = "only members of group \"sre-oncall\" may set, change or remove the annotation"
private let mustSayWhen = "To break the glass, say in the annotation bylaw.dev/break-glass-until until when"
private let malformed = "must hold a time in UTC"
private let soon = "2026-03-01T12:30:00Z"

/// Objects that carry our marker.
private let managedCases: [PreventionCase] = {
    let role = Sample.role.managed
    let wider = Sample.wider.managed
    let account = Sample.account.managed
    let namespace = Sample.namespace.managed
    let collector = Requester.controller("generic-garbage-collector")
    let aggregator = Requester.controller("clusterrole-aggregation-controller")
    let migrated = role.with("metadata", "resourceVersion", to: "2").with("metadata", "managedFields", to: [[:]])
    return [
        update(.bylaw, role, to: wider, .passes, "Bylaw itself changes an object"),
        create(.bylaw, role, .passes, "Bylaw makes an object"),
        delete(.bylaw, role, .passes, "Bylaw deletes an object"),
        update(.bylaw, role.until(soon), to: role, .passes, "Bylaw takes an annotation away that is over"),
        update(.dev, role, to: wider, .isRefused("Role shop/reader " + kept), "a developer widens a role"),
        update(.admin, role, to: wider, .isRefused(kept), "a cluster administrator does"),
        update(.nobody, role, to: wider, .isRefused(kept), "a user without name and groups does"),
        update(
            .controller("bylaw"), role, to: wider, .isRefused(kept), "a namesake of Bylaw in another namespace does"),
        delete(.dev, role, .isRefused("Role shop/reader " + kept), "a developer deletes a role"),
        delete(.admin, Sample.policy.managed, .isRefused(kept), "an administrator deletes a default-deny"),
        delete(.dev, namespace, .isRefused("Namespace shop " + kept), "somebody deletes a managed namespace"),
        delete(.dev, Sample.clusterBinding.managed, .isRefused("ClusterRoleBinding ops "), "a cluster-wide one"),
        create(.dev, role, .isRefused(kept), "somebody else sets the marker on a new object"),
        update(.dev, Sample.quota, to: Sample.quota.managed, .isRefused(kept), "or on one that is there"),
        update(
            .dev, role, to: wider.label("bylaw.dev/instance", nil), .isRefused(kept),
            "strips the marker and widens in one write"),
        update(
            .dev, role, to: role.label("bylaw.dev/instance", "other"), .isRefused(kept),
            "hands an object to another instance"),
        update(
            .dev, role, to: role.annotation("bylaw.dev/id", "ffff"), .isRefused(kept), "forges the identity"),
        update(.dev, role, to: role.annotation("bylaw.dev/id", nil), .isRefused(kept), "removes the identity"),
        update(.dev, role, to: role.annotation("note", "x"), .isRefused(kept), "annotates a role"),
        update(.dev, role, to: role.label("x", "y"), .isRefused(kept), "labels a role"),
        update(.dev, role, to: migrated, .passes, "a write without a change, as storage migration makes"),
        update(
            .dev, role, to: role.with("metadata", "finalizers", to: ["x/y"]), .isRefused(kept),
            "a finalizer that would block the deletion"),
        update(
            .dev, role.with("metadata", "finalizers", to: ["x/y"]), to: role, .passes,
            "whoever set a finalizer takes it away"),
        update(
            .dev, role.with("metadata", "finalizers", to: ["a", "b"]),
            to: role.with("metadata", "finalizers", to: ["b"]), .passes, "or one of two"),
        update(
            .dev, role.with("metadata", "finalizers", to: ["a"]),
            to: role.with("metadata", "finalizers", to: ["b"]), .isRefused(kept), "one finalizer becomes another"),
        update(
            .dev, role, to: role.with("metadata", "ownerReferences", to: [Sample.owner]), .isRefused(kept),
            "an owner whose end would end the object"),
        update(
            .dev, role.with("metadata", "ownerReferences", to: [Sample.owner]), to: role, .passes,
            "an owner is let go"),
        update(
            collector, role.with("metadata", "ownerReferences", to: [Sample.owner]),
            to: role.with(
                "metadata", "ownerReferences", to: [Sample.owner.with("blockOwnerDeletion", to: false)]), .passes,
            "the garbage collector rewrites an owner"),
        update(collector, role, to: wider, .isRefused(kept), "the garbage collector has no business with rules"),
        update(
            collector, role, to: role.until(soon), .isRefused(annotationGuard),
            "nor with the break-glass annotation"),
        delete(collector, role, .passes, "the garbage collector deletes what an owner left behind"),
        delete(.controller("namespace-controller"), role, .passes, "a namespace on its way out is emptied"),
        update(
            .controller("namespace-controller"), role, to: wider, .isRefused(kept),
            "the namespace controller only deletes"),
        delete(.manager, role, .passes, "controllers without accounts of their own"),
        delete(.controller("replicaset-controller"), role, .isRefused(kept), "other controllers have no business here"),
        update(
            aggregator, Sample.aggregated.managed, to: Sample.aggregated.managed.with("rules", to: Sample.rules),
            .passes,
            "an aggregated role is filled"),
        update(
            .dev, Sample.aggregated.managed, to: Sample.aggregated.managed.with("rules", to: Sample.rules),
            .isRefused(kept), "by nobody but its controller"),
        update(
            aggregator, Sample.clusterRole.managed, to: Sample.clusterRole.managed.with("rules", to: Sample.rules),
            .isRefused(kept), "a role without aggregation is not the controller's to fill"),
        update(
            aggregator, Sample.aggregated.managed,
            to: Sample.aggregated.managed.with("aggregationRule", "clusterRoleSelectors", to: [[:]]),
            .isRefused(kept), "nor is what a role is made of"),
        update(.server, Sample.clusterRole.managed, to: Sample.aggregated.managed, .passes, "the server's bootstrap"),
        update(.velero, role, to: wider, .passes, "a user whom the repository exempts"),
        update(.addons, role, to: wider, .passes, "a member of a group that the repository exempts"),
        create(.velero, role, .passes, "an exempt backup brings an object back with its marker"),
        update(.velero, role, to: role.until(soon), .isRefused(annotationGuard), "but may not break the glass"),
        update(
            .dev, account, to: account.with("imagePullSecrets", to: [["name": "pull"]]), .passes,
            "an image-pull controller adds its Secret"),
        update(.manager, account, to: account.with("secrets", to: [["name": "t"]]), .passes, "a token is added"),
        update(
            .dev, account.annotation("kubernetes.io/enforce-mountable-secrets", "true"),
            to: account.annotation("kubernetes.io/enforce-mountable-secrets", "true").with(
                "secrets", to: [["name": "t"]]), .isRefused(kept), "where the Secrets are a limit, nobody adds one"),
        update(
            .manager,
            account.annotation("kubernetes.io/enforce-mountable-secrets", "true").with(
                "secrets", to: [["name": "t"]]),
            to: account.annotation("kubernetes.io/enforce-mountable-secrets", "true"), .passes,
            "but the token controller takes a deleted one out"),
        update(
            .manager, account, to: account.with("automountServiceAccountToken", to: true), .isRefused(kept),
            "and changes nothing else"),
        update(
            .manager, account.annotation("kubernetes.io/enforce-mountable-secrets", "true"),
            to: account.annotation("kubernetes.io/enforce-mountable-secrets", "true").with(
                "imagePullSecrets", to: [["name": "t"]]), .isRefused(kept), "nor the Secrets to pull images with"),
        update(
            .dev, account, to: account.annotation("eks.amazonaws.com/role-arn", "arn"), .isRefused(kept),
            "a cloud role for an account"),
        update(
            .dev, account, to: account.with("automountServiceAccountToken", to: true), .isRefused(kept),
            "tokens for every pod"),
        update(
            .dev, namespace, to: namespace.label("pod-security.kubernetes.io/enforce", "privileged"),
            .isRefused("Namespace shop " + kept), "Pod Security is loosened"),
        update(
            .dev, namespace, to: namespace.label("pod-security.kubernetes.io/enforce", nil), .isRefused(kept),
            "or its label removed"),
        update(
            .dev, namespace, to: namespace.label("team", "x"), .isRefused(kept), "a label joins a namespace to a peer"),
        update(
            .dev, namespace, to: namespace.annotation("openshift.io/sa.scc.uid-range", "1"), .passes,
            "controllers keep notes on a namespace"),
        update(
            .dev, namespace, to: namespace.annotation("bylaw.dev/id", "ffff"), .isRefused(kept),
            "but not in our annotations"),
        update(.dev, Sample.quota.managed, to: Sample.quota, .isRefused(kept), "a quota loses its marker"),
        update(
            .dev, Sample.quota.managed, to: Sample.quota.managed.with("spec", "hard", "pods", to: "500"),
            .isRefused("ResourceQuota shop/quota " + kept), "a quota is raised"),
        update(
            .dev, Sample.quota.managed, to: Sample.quota.managed.with("status", to: ["used": [:]]), .passes,
            "what is in the status means nothing"),
        update(
            .dev, Sample.policy.managed, to: Sample.policy.managed.with("later", to: ["x": 1]), .isRefused(kept),
            "a member that today's servers do not know"),
        update(
            .dev, Sample.object(.clusterRole, "a\nb").managed, to: Sample.clusterRole.managed,
            .isRefused(kept), "a name with a line feed before"),
        update(
            .dev, Sample.object(.clusterRole, "x").managed,
            to: Sample.object(.clusterRole, "a\nb").managed.label("l", ""),
            .isRefused("change it by pull request in the policy repository"),
            "the short message stands in for one that the server does not take"),
        delete(.dev, Sample.limits, .passes, "an unmanaged object is nobody's concern"),
        create(
            .dev, Sample.object(.role, "x", namespace: "free").label("bylaw.dev/instance", "other"), .passes,
            "nor is another instance's"),
        delete(.dev, Sample.role.label("bylaw.dev/instance", "other"), .passes, "wherever it is deleted"),
        create(.dev, Sample.object(.namespace, "new"), .passes, "new namespaces are free"),
    ]
}()

/// The way out in an emergency.
private let breakGlassCases: [PreventionCase] = {
    let role = Sample.role.managed
    let wider = Sample.wider.managed
    return [
        update(.oncall, role, to: wider, .isRefused(mustSayWhen), "a member who does not say until when"),
        update(.oncall, role, to: wider.until(soon), .passes, "a member who does"),
        update(.oncall, role, to: wider.until("2026-12-31T23:59:59.123456Z"), .passes, "to the microsecond"),
        update(.oncall, role, to: wider.until("tomorrow"), .isRefused(malformed), "in other words"),
        update(.oncall, role, to: wider.until("2026-02-30T10:00:00Z"), .isRefused(malformed), "on no day"),
        update(.oncall, role, to: wider.until("2026-03-01T24:00:00Z"), .isRefused(malformed), "at no hour"),
        update(.oncall, role, to: wider.until("2026-03-01T12:30:00+02:00"), .isRefused(malformed), "elsewhere"),
        update(.oncall, role, to: wider.until("2026-03-01"), .isRefused(malformed), "on a day"),
        update(.oncall, role, to: wider.until(soon + "\n"), .isRefused(malformed), "with a line feed"),
        update(.oncall, role, to: wider.until(""), .isRefused(mustSayWhen), "with an empty annotation"),
        update(.oncall, role.until(soon), to: wider.until(soon), .passes, "a second write within the time"),
        update(.oncall, wider.until(soon), to: wider, .passes, "a member ends it early"),
        update(.oncall, role.until(soon), to: wider, .isRefused(mustSayWhen), "but not with a change"),
        update(.oncall, role, to: role.until(soon), .passes, "a member announces it"),
        update(
            .oncall, role, to: wider.until(soon).label("bylaw.dev/instance", "other"), .isRefused(mustSayWhen),
            "an object that is handed away carries no time of ours"),
        delete(.oncall, role, .passes, "a member deletes"),
        delete(.oncall, Sample.namespace.managed, .passes, "even a namespace"),
        create(.oncall, role.until(soon), .passes, "a member brings an object back"),
        create(.oncall, role, .isRefused(mustSayWhen), "or one without a time"),
        create(.oncall, Sample.binding, .isRefused(mustSayWhen), "an undeclared object without a time"),
        create(.oncall, Sample.binding.until(soon), .passes, "an undeclared object with one"),
        create(.oncall, Sample.binding.until("soon"), .isRefused(malformed), "or with rubbish"),
        update(.dev, role, to: role.until(soon), .isRefused(annotationGuard), "somebody else announces it"),
        update(.dev, role.until(soon), to: wider.until(soon), .isRefused(kept), "somebody else uses the time"),
        update(.dev, role.until(soon), to: role, .isRefused(annotationGuard), "somebody else ends it"),
        update(
            .dev, role.until(soon), to: role.until("2099-03-01T12:30:00Z"), .isRefused(annotationGuard),
            "somebody else stretches it"),
        create(
            .dev, Sample.limits.until(soon), .isRefused("LimitRange shop/limits: " + annotationGuard),
            "on an unmanaged object"),
        update(.admin, Sample.limits.until(soon), to: Sample.limits, .isRefused(annotationGuard), "or off one"),
        update(
            .admin, Sample.namespace, to: Sample.namespace.until(soon), .isRefused(annotationGuard),
            "on an unmanaged namespace"),
        create(
            .dev, Sample.limits.until(soon).label("bylaw.dev/instance", "other"), .passes,
            "on another instance's object it means nothing here"),
        update(
            .dev, Sample.limits.until(soon).label("bylaw.dev/instance", "other"), to: Sample.limits.until(soon),
            .isRefused(annotationGuard), "and cannot be brought in that way"),
    ]
}()

/// What is not declared, in enforced scopes.
private let undeclaredCases: [PreventionCase] = {
    let closed = ["tier": "closed", "team": "a", Ownership.instanceLabel: "prod"]
    let elsewhere = { (kind: Resource) in Sample.object(kind, "x", namespace: "elsewhere") }
    return [
        create(.bylaw, Sample.role, .passes, "Bylaw itself"),
        create(.dev, Sample.role, .isRefused("Role shop/reader " + undeclared), "in a namespace by name"),
        create(.admin, Sample.binding, .isRefused(undeclared), "by an administrator"),
        create(.dev, Sample.policy, .isRefused(undeclared), "a network policy"),
        update(.dev, Sample.role, to: Sample.wider, .isRefused(undeclared), "one that is there is changed"),
        update(.dev, Sample.role, to: Sample.role.label("a", "b"), .isRefused(undeclared), "or labelled"),
        update(.dev, Sample.role, to: Sample.role, .passes, "or written as it is"),
        delete(.dev, Sample.role, .passes, "deleting what is undeclared helps"),
        create(
            .dev, Sample.role.label("bylaw.dev/instance", "other"), .isRefused(undeclared),
            "another instance's marker is no way in"),
        create(.dev, Sample.quota, .passes, "a kind that is not enforced there"),
        create(.dev, Sample.object(.role, "x", namespace: "shop-2"), .passes, "a namespace with a longer name"),
        create(.dev, Sample.object(.role, "x", namespace: "pay.eu"), .isRefused(undeclared), "a name by pattern"),
        create(.dev, Sample.object(.role, "x", namespace: "payxeu"), .passes, "whose dot is a dot"),
        create(.dev, elsewhere(.roleBinding), in: closed, .isRefused(undeclared), "a namespace by its labels"),
        create(.dev, elsewhere(.resourceQuota), in: closed, .isRefused(undeclared), "a quota there"),
        create(.dev, elsewhere(.role), in: closed, .passes, "a kind that is not enforced by labels"),
        create(.dev, elsewhere(.roleBinding), .passes, "a namespace without labels"),
        create(
            .dev, elsewhere(.roleBinding), in: ["tier": "closed", Ownership.instanceLabel: "prod"], .passes,
            "In holds, Exists does not"),
        create(
            .dev, elsewhere(.roleBinding), in: ["tier": "closed", "team": "a"], .passes,
            "labels of a namespace that nobody declares"),
        create(
            .dev, elsewhere(.roleBinding), in: closed.merging(["stage": "dev"]) { $1 }, .passes,
            "NotIn does not hold"),
        create(
            .dev, elsewhere(.roleBinding), in: closed.merging(["stage": "live"]) { $1 }, .isRefused(undeclared),
            "NotIn holds for another value"),
        create(
            .dev, elsewhere(.roleBinding), in: closed.merging(["open": ""]) { $1 }, .passes,
            "DoesNotExist does not hold"),
        create(.dev, elsewhere(.roleBinding), in: ["tier": "ope'n", "team": "a"], .passes, "another value"),
        create(
            .dev, Sample.object(.roleBinding, "x", namespace: "kube-public"), in: closed, .passes,
            "an exception before the selection"),
        create(.dev, Sample.clusterRole, .isRefused("ClusterRole ops " + undeclared), "a cluster-wide role"),
        create(.dev, Sample.clusterBinding, .isRefused(undeclared), "a cluster-wide binding"),
        create(.dev, Sample.object(.namespace, "shop"), .passes, "a namespace is never undeclared"),
        create(.server, Sample.clusterRole, .passes, "the server's bootstrap roles"),
        create(
            .controller("service-account-controller"), Sample.object(.serviceAccount, "default"), .passes,
            "the default account of a namespace"),
        create(
            .controller("service-account-controller"), Sample.account, .isRefused(undeclared), "and no other account"),
        create(.dev, Sample.object(.serviceAccount, "default"), .isRefused(undeclared), "made by its controller alone"),
        update(
            .dev, Sample.object(.serviceAccount, "default"),
            to: Sample.object(.serviceAccount, "default").with("imagePullSecrets", to: [["name": "x"]]), .passes,
            "Secrets to pull images with"),
        update(
            .controller("clusterrole-aggregation-controller"), Sample.aggregated,
            to: Sample.aggregated.with("rules", to: Sample.rules), .passes, "an undeclared aggregated role is filled"),
        create(
            .controller("clusterrole-aggregation-controller"), Sample.clusterRole, .isRefused(undeclared),
            "its controller makes none"),
        update(
            .dev, Sample.role.with("metadata", "finalizers", to: ["a"]), to: Sample.role, .passes,
            "a finalizer goes, so that it can be removed"),
        create(.velero, Sample.role, .passes, "an exempt user"),
        create(.addons, Sample.clusterRole, .passes, "a member of an exempt group"),
        create(.dev, Sample.object(.role, "leader-election"), .passes, "an exclusion by name"),
        create(.dev, Sample.object(.networkPolicy, "leader-election"), .isRefused(undeclared), "and kind"),
        create(
            .dev, Sample.role.label("by", "helm").with("metadata", "ownerReferences", to: [["kind": "Kafka"]]), .passes,
            "an exclusion by label and owner"),
        create(.dev, Sample.role.label("by", "helm"), .isRefused(undeclared), "of which one is not enough"),
        create(
            .dev, Sample.role.with("metadata", "ownerReferences", to: [Sample.owner.with("controller", to: true)]),
            .passes, "what a controller keeps is not removed either"),
        create(
            .dev, Sample.role.with("metadata", "ownerReferences", to: [Sample.owner.with("controller", to: false)]),
            .isRefused(undeclared), "another owner is no controller"),
        create(
            .dev,
            Sample.clusterRole.with("metadata", "ownerReferences", to: [Sample.owner.with("controller", to: true)]),
            .isRefused(undeclared), "and nobody owns what is of the whole cluster"),
        create(.dev, Sample.object(.networkPolicy, "x", namespace: "pay.test"), .passes, "an exclusion by namespace"),
        update(
            .dev, Sample.object(.role, "a\nb"), to: Sample.object(.role, "a\nb").label("x", "y"),
            .isRefused("change it by pull request in the policy repository"), "a name with a line feed"),
    ]
}()

/// Requests to the subresources whose metadata the server keeps.
private let subresourceCases: [PreventionCase] = {
    let namespace = Sample.namespace.managed
    let quota = Sample.quota.managed
    let leaving = namespace.with("status", to: ["phase": "Terminating"])
    let counted = quota.with("status", to: ["used": ["pods": "3"]])
    let emptier = Requester.controller("namespace-controller")
    let kubelet = Requester("system:node:a", ["system:nodes"])
    return [
        update("status", of: emptier, namespace, to: leaving, .passes, "the namespace controller writes a phase"),
        update(
            "finalize", of: emptier, leaving.with("spec", to: ["finalizers": ["kubernetes"]]),
            to: leaving.with("spec", to: [:]), .passes, "and lets a namespace go"),
        update("status", of: .manager, namespace, to: leaving, .passes, "also without an account of its own"),
        update("status", of: kubelet, namespace, to: leaving, .passes, "whoever may write a status writes it"),
        update(
            "status", of: .controller("resourcequota-controller"), quota, to: counted, .passes,
            "the quota controller counts"),
        update(
            "status", of: .dev, quota, to: counted.with("spec", "hard", "pods", to: "500"), .passes,
            "the server drops a spec that comes with a status"),
        update(
            "status", of: .dev, namespace, to: namespace.label("pod-security.kubernetes.io/enforce", "privileged"),
            .isRefused("Namespace shop " + kept), "a label of a namespace through its status"),
        update(
            "finalize", of: .admin, namespace, to: namespace.label("pod-security.kubernetes.io/enforce", nil),
            .isRefused(kept), "or through its finalizers"),
        update(
            "status", of: .dev, quota, to: counted.label("x", "y"), .isRefused("ResourceQuota shop/quota " + kept),
            "a label of a quota through its status"),
        update(
            "status", of: .dev, quota, to: quota.annotation("bylaw.dev/id", nil), .isRefused(kept), "the identity"),
        update(
            "status", of: .dev, quota, to: quota.label("bylaw.dev/instance", nil), .isRefused(kept), "the marker"),
        update(
            "status", of: .dev, Sample.quota, to: quota, .isRefused(kept), "the marker on what is not managed"),
        update(
            "status", of: .dev, Sample.quota, to: Sample.quota.until(soon), .isRefused(annotationGuard),
            "the break-glass annotation"),
        update(
            "status", of: .oncall, quota, to: counted.until(soon).label("x", "y"), .passes,
            "the break-glass group breaks it here as well"),
        update("status", of: .bylaw, quota, to: quota.label("x", "y"), .passes, "Bylaw itself"),
        update("status", of: .dev, Sample.quota, to: Sample.quota.label("x", "y"), .passes, "what is not managed"),
        update("scale", of: .dev, quota, to: quota.label("x", "y"), .passes, "other subresources are not asked about"),
    ]
}()

@Suite struct PreventionTests {
    private static func policies(_ settings: PreventionSettings) -> [Tree] {
        preventionObjects(settings).filter { $0["kind"]?.string == Resource.admissionPolicy.kind }
    }

    @Test func namesAreToldApartAndBindingsFollowTheirPolicies() {
        let objects = preventionObjects(settings)
        #expect(
            objects.map { $0["metadata"]?["name"]?.string } == [
                "bylaw-prod", "bylaw-prod", "bylaw-prod.undeclared", "bylaw-prod.undeclared",
            ])
        #expect(
            objects.map { $0["kind"]?.string } == [
                "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
            ])
        for object in objects {
            #expect(object["apiVersion"]?.string == "admissionregistration.k8s.io/v1")
            #expect(object["metadata"]?["labels"] == ["bylaw.dev/instance": "prod"])
        }
        #expect(objects[1]["spec"] == ["policyName": "bylaw-prod", "validationActions": ["Deny", "Audit"]])
    }

    @Test func nothingPassesWhereAPolicyFails() {
        for policy in Self.policies(settings) {
            #expect(policy["spec"]?["failurePolicy"]?.string == "Fail")
            for validation in policy["spec"]?["validations"]?.array ?? [] {
                #expect(validation["reason"]?.string == "Forbidden")
                #expect(validation["message"]?.string?.contains { $0.isNewline } == false)
            }
        }
    }

    @Test func theObjectsThemselvesAreMatchedAndTheSubresourcesThatKeepMetadata() throws {
        let rules = Self.policies(settings).compactMap { $0["spec"]?["matchConstraints"]?["resourceRules"]?.array }
        try #require(rules.count == 2)
        #expect(rules[0].map { $0["apiGroups"] } == [[""], ["networking.k8s.io"], ["rbac.authorization.k8s.io"]])
        #expect(
            rules[0][0]["resources"] == [
                "limitranges", "namespaces", "namespaces/finalize", "namespaces/status", "resourcequotas",
                "resourcequotas/status", "serviceaccounts",
            ])
        #expect(rules[0][1]["resources"] == ["networkpolicies"])
        #expect(rules[0].allSatisfy { $0["operations"] == ["CREATE", "UPDATE", "DELETE"] })
        #expect(rules[1][0]["resources"] == ["limitranges", "resourcequotas", "serviceaccounts"])
        #expect(rules[1].allSatisfy { $0["operations"] == ["CREATE", "UPDATE"] })
    }

    @Test func withoutAnEnforcedScopeOnlyWhatIsManagedIsGuarded() {
        var open = settings
        open.enforcedClusterKinds = [.namespace]
        open.enforcedNamespaces = [NamespaceSelection(kinds: [.role], isEnforced: false)]
        #expect(preventionObjects(open) == Array(preventionObjects(settings).prefix(2)))
    }

    @Test func theOrderOfWhatIsGivenDoesNotMatter() {
        var other = settings
        other.exemptUsers = ["b", "a", "b"]
        var same = settings
        same.exemptUsers = ["a", "b"]
        #expect(preventionObjects(other) == preventionObjects(same))
    }

    @Test(.enabled(PolicyEvaluator.absence) { await PolicyEvaluator.isPresent() }, .timeLimit(.minutes(2)))
    func everyRequestIsAnsweredAsItShouldBe() async throws {
        let cases = managedCases + subresourceCases + breakGlassCases + undeclaredCases
        let answers = try await PolicyEvaluator.answers(of: Self.policies(settings), to: cases.map(\.request))
        try #require(answers.count == cases.count)
        for (item, answer) in zip(cases, answers) {
            switch item.verdict {
            case .passes: #expect(answer.refusals == [], "\(item.name)")
            case .isRefused(let text):
                let first = try #require(answer.refusals.first, "passes: \(item.name)")
                #expect(first.contains(text), "\(item.name)")
            }
        }
    }

    @Test(.enabled(PolicyEvaluator.absence) { await PolicyEvaluator.isPresent() }, .timeLimit(.minutes(2)))
    func breakingTheGlassIsNotedInTheAuditLog() async throws {
        let cases = [
            update(
                .oncall, Sample.role.managed, to: Sample.wider.managed.until(soon), .passes, "with a time"),
            delete(.oncall, Sample.role.managed, .passes, "a deletion"),
            update(.oncall, Sample.role.managed, to: Sample.wider.managed, .passes, "refused"),
            update(.bylaw, Sample.role.managed, to: Sample.wider.managed, .passes, "no break-glass"),
        ]
        let answers = try await PolicyEvaluator.answers(of: Self.policies(settings), to: cases.map(\.request))
        #expect(
            answers.map(\.auditNotes) == [
                ["bylaw-prod/break-glass: oncall broke the glass: UPDATE Role shop/reader until \(soon)"],
                ["bylaw-prod/break-glass: oncall broke the glass: DELETE Role shop/reader"], [], [],
            ])
    }

    @Test(.enabled(PolicyEvaluator.absence) { await PolicyEvaluator.isPresent() }, .timeLimit(.minutes(2)))
    func withoutABreakGlassGroupNobodyBreaksIt() async throws {
        var strict = PreventionSettings(instance: "prod", bylawUser: Requester.bylaw.name)
        strict.enforcedNamespaces = [NamespaceSelection(kinds: [.role])]
        let cases = [
            update(.oncall, Sample.role.managed, to: Sample.wider.managed.until(soon), .passes, ""),
            delete(.oncall, Sample.role.managed, .passes, ""), create(.oncall, Sample.role.until(soon), .passes, ""),
            create(.bylaw, Sample.role, .passes, ""),
        ]
        let answers = try await PolicyEvaluator.answers(of: Self.policies(strict), to: cases.map(\.request))
        #expect(answers.map(\.refusals.isEmpty) == [false, false, false, true])
        #expect(answers[0].refusals.first?.contains("nobody, as no group is named for it, may set") == true)
    }

    /// Whatever a name holds, it stays a name.
    @Test(
        .enabled(PolicyEvaluator.absence) { await PolicyEvaluator.isPresent() }, .timeLimit(.minutes(2)),
        arguments: [
            "x'] || true || '' in ['", "\\", "a\\'b", "\u{1}\n\r\u{85}\u{2028}", "\"", "é", "👍", "{{x}}", "$(id)",
            "' + '",
        ])
    func hostileNamesStayNames(_ name: String) async throws {
        let hostile = PreventionSettings(
            instance: name, bylawUser: "bylaw \(name)", breakGlassGroup: "glass \(name)",
            enforcedNamespaces: [
                NamespaceSelection(names: [NamePattern(name), NamePattern("p\(name)*")], kinds: [.role]),
                NamespaceSelection(
                    labels: LabelSelector(requirements: [.isIn(key: name, values: [name])]), kinds: [.limitRange]),
            ], exclusions: [ObjectPattern(names: [NamePattern(name)])], exemptUsers: ["user \(name)"],
            exemptGroups: ["group \(name)"])
        let marked = Sample.limits.label("bylaw.dev/instance", name)
        let there = Sample.object(.role, "x", namespace: "p\(name)x")
        let cases = [
            delete(.dev, marked, .passes, ""), delete(Requester("bylaw \(name)"), marked, .passes, ""),
            delete(Requester("user \(name)"), marked, .passes, ""),
            delete(Requester("x", ["group \(name)"]), marked, .passes, ""),
            delete(Requester("x", ["glass \(name)"]), marked, .passes, ""), create(.dev, Sample.role, .passes, ""),
            create(.dev, there, .passes, ""), create(.dev, Sample.object(.role, "x", namespace: name), .passes, ""),
            create(.dev, Sample.object(.role, name, namespace: name), .passes, ""),
            create(.dev, Sample.limits, in: [name: name, Ownership.instanceLabel: name], .passes, ""),
            create(.dev, Sample.limits, .passes, ""),
        ]
        let answers = try await PolicyEvaluator.answers(of: Self.policies(hostile), to: cases.map(\.request))
        #expect(
            answers.map(\.refusals.isEmpty) == [
                false, true, true, true, true, true, false, false, true, false, true,
            ])
    }
}

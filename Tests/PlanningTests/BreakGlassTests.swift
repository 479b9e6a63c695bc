import Manifest
import Planning
import Policy
import Testing

/// What the break-glass annotation keeps from being put right, and for how long.
@Suite struct BreakGlassTests {
    private func context(
        at now: String = "2026-03-01T12:00:00Z", mode: ScopeMode = .declared
    ) throws -> DecisionContext {
        var context = Build.context
        context.breakGlass = BreakGlass(now: try #require(Timestamp(now)), longest: 4 * 3600)
        context.closedWorld = ClosedWorld(ScopeRules(standardMode: mode)) {
            ScopedNamespace(name: $0, labels: Labels(), isDeclared: true)
        }
        return context
    }

    /// A binding of ours with another subject.
    private func widened(until moment: String?) throws -> LiveObject {
        var tree = try Build.applied(Build.binding).tree
        tree.set(["subjects"], to: [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "oncall"]])
        if let moment { tree.set(["metadata", "annotations", Ownership.breakGlassAnnotation], to: .string(moment)) }
        return try Build.live(tree)
    }

    private func end(_ decision: Decision) -> String? {
        if case .leaveUntil(_, let end) = decision { end.description } else { nil }
    }

    @Test(arguments: ["2026-03-01T12:00:01Z", "2026-03-01T12:30:00Z", "2026-03-01T12:30:00.5Z", "2026-03-01T16:00:00Z"])
    func anObjectIsLeftUntilThen(_ moment: String) throws {
        let decision = try Build.decide(Build.binding, widened(until: moment), context: context())
        #expect(try end(decision) == #require(Timestamp(moment)).description)
    }

    @Test(arguments: [
        nil, "", "2026-03-01T12:00:00Z", "2026-03-01T11:59:59Z", "2026-03-01T16:00:01Z", "9999-12-31T23:59:59Z",
        "2026-03-01T12:30:00", "2026-03-01T12:30:00+00:00", "2026-03-01T12:30:00z", "2026-03-01 12:30:00Z",
        "2026-13-01T12:30:00Z", "12:30", "tomorrow", "2026-03-01T12:30:00.00000000000000000000000Z",
    ])
    func whatIsOverOrTooFarOrNoTimeMeansNothing(_ moment: String?) throws {
        let decision = try Build.decide(Build.binding, widened(until: moment), context: context())
        #expect(decision.action?.steps == [.apply])
    }

    @Test func whereNothingIsPreventedItMeansNothing() throws {
        let decision = try Build.decide(Build.binding, widened(until: "2026-03-01T12:30:00Z"))
        #expect(decision.action?.steps == [.apply])
    }

    @Test func whatIsAsDeclaredIsAsDeclared() throws {
        var tree = try Build.applied(Build.binding).tree
        tree.set(["metadata", "annotations", Ownership.breakGlassAnnotation], to: "2026-03-01T12:30:00Z")
        #expect(try Build.decide(Build.binding, Build.live(tree), context: context()).isLeave)
    }

    @Test func whatWasDeletedIsMadeAgain() throws {
        #expect(try Build.decide(Build.binding, nil, context: context()).action?.kind == .create)
    }

    @Test func whatIsNoLongerDeclaredStaysUntilThen() throws {
        let live = try widened(until: "2026-03-01T12:30:00Z")
        #expect(try end(Build.decide(nil, live, context: context())) != nil)
        #expect(try Build.decide(nil, live, context: context(at: "2026-03-01T12:30:00Z")).action?.kind == .delete)
    }

    @Test(arguments: [ScopeMode.report, .enforce])
    func aStrangerStaysUntilThen(_ mode: ScopeMode) throws {
        var tree = Build.role
        tree.set(["metadata", "annotations", Ownership.breakGlassAnnotation], to: "2026-03-01T12:30:00Z")
        let live = try Build.live(tree)
        #expect(try end(Build.decide(nil, live, record: nil, context: context(mode: mode))) != nil)
        let later = try Build.decide(nil, live, record: nil, context: context(at: "2026-03-01T13:00:00Z", mode: mode))
        #expect(end(later) == nil && !later.isLeave)
    }

    /// On the objects of another instance nobody guards the annotation for us.
    @Test func anotherInstancesObjectIsNotKept() throws {
        var tree = try widened(until: "2026-03-01T12:30:00Z").tree
        tree.set(["metadata", "labels", Ownership.instanceLabel], to: "other")
        #expect(try Build.decide(Build.binding, Build.live(tree), context: context()).action != nil)
    }

    @Test func aPlanTellsWhatItLeaves() throws {
        let live = try widened(until: "2026-03-01T12:30:00Z")
        let result = try plan(
            PlanInput(
                declared: [live.id: Build.declared(Build.binding)], live: [live.id: live],
                record: [live.id: OwnershipRecord(uid: live.uid)], context: context()))
        #expect(result.leftForNow.map(\.id) == [live.id])
        #expect(result.actions.isEmpty && !result.isConverged)
    }
}

/// What a repository's configuration comes to as admission policies.
@Suite struct PreventionConfigurationTests {
    private static let user = "system:serviceaccount:bylaw-system:bylaw"

    private func settings(_ configuration: RepositoryConfiguration) -> PreventionSettings? {
        PreventionSettings(configuration, instance: "prod", bylawUser: Self.user)
    }

    @Test func whoeverDoesNotAskGetsNone() { #expect(settings(.standard) == nil) }

    @Test func theRequestIsTakenAsItIs() throws {
        let request = PreventionRequest(breakGlassGroup: "oncall", exemptUsers: ["velero"], exemptGroups: ["addons"])
        let result = try #require(settings(RepositoryConfiguration(prevention: request)))
        #expect(result.instance == "prod" && result.bylawUser == Self.user)
        #expect(result.breakGlassGroup == "oncall")
        #expect(result.exemptUsers == ["velero"] && result.exemptGroups == ["addons"])
        #expect(result.enforcedClusterKinds.isEmpty)
        #expect(preventionObjects(result).count == 2, "no scope is enforced")
    }

    @Test func scopesAreAskedInTheirOrder() throws {
        var configuration = RepositoryConfiguration(prevention: PreventionRequest())
        let selector = LabelSelector(["matchLabels": ["tier": "closed"]])
        configuration.scopes = ScopeRules(
            standardMode: .enforce,
            rules: [
                ScopeRule(target: .clusterWide, kinds: [.clusterRole], mode: .report),
                ScopeRule(target: .clusterWide, kinds: [.clusterRole, .clusterRoleBinding], mode: .enforce),
                ScopeRule(
                    target: .namespaces(names: [NamePattern("shop")], labels: selector), kinds: [.role], mode: .report),
                ScopeRule(target: .namespaces(names: nil, labels: selector), kinds: [.role], mode: .enforce),
            ], exclusions: [ObjectPattern(kinds: [.role], names: [NamePattern("leader-*")])])
        configuration.managedKinds.remove(.limitRange)
        let result = try #require(settings(configuration))
        #expect(result.enforcedClusterKinds == [.clusterRoleBinding])
        let selections = result.enforcedNamespaces
        try #require(selections.map(\.isEnforced) == [false, false, true, true])
        #expect(selections[0].names?.map(\.description) == ["kube-*", "bylaw-system"], "never removed")
        #expect(selections[1].names?.map(\.description) == ["shop"])
        #expect(selections[1].labels == selector && selections[2].labels == selector)
        #expect(selections[3].kinds == [.serviceAccount, .resourceQuota, .networkPolicy, .role, .roleBinding])
        #expect(result.exclusions.first == configuration.scopes.exclusions.first)
    }

    /// What the closed world leaves alone is not refused either.
    @Test func whatIsNeverRemovedIsExcluded() throws {
        var configuration = RepositoryConfiguration(prevention: PreventionRequest())
        configuration.scopes.standardMode = .enforce
        configuration.protected = [ObjectPattern(names: [NamePattern("precious")])]
        let excluded = try #require(settings(configuration)).exclusions
        for (resource, name) in [
            (Resource.serviceAccount, "default"), (.role, "system:x"), (.clusterRole, "edit"), (.role, "precious"),
            (.clusterRoleBinding, "cluster-admin"),
        ] {
            let id = ObjectID(resource, namespace: "shop", name: name)
            #expect(excluded.contains { $0.matches(id) }, "\(id)")
        }
        #expect(!excluded.contains { $0.matches(ObjectID(.role, namespace: "shop", name: "edit")) })
    }
}

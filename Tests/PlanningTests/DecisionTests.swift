import Manifest
import Planning
import Policy
import Testing

@Suite struct DriftDecisionTests {
    @Test(arguments: [Build.denyAll, Build.role, Build.binding, Build.namespace])
    func whatWeAppliedIsLeftAlone(_ tree: Tree) throws {
        #expect(try Build.decide(tree, Build.applied(tree)).isLeave)
    }

    @Test func anUndeclaredEgressIsRemovedByAMergePatchAlone() throws {
        var open = try Build.applied(Build.denyAll).tree
        open.set(["spec", "egress"], to: [[:]])
        let action = try #require(try Build.decide(Build.denyAll, Build.live(open)).action)
        #expect(action.kind == .update)
        #expect(action.steps == [.removeUndeclared(["spec": ["egress": .null]])])
        #expect(action.stage == .revoke)
        #expect(action.differences.map(\.pathDescription) == ["spec.egress"])
    }

    @Test func anEmptyEgressListIsTheSameAsNone() throws {
        var same = try Build.applied(Build.denyAll).tree
        same.set(["spec", "egress"], to: [])
        #expect(try Build.decide(Build.denyAll, Build.live(same)).isLeave)
    }

    @Test func aSubjectTooManyIsTakenAwayByApplyingTheWholeList() throws {
        var wider = try Build.applied(Build.binding).tree
        wider.set(
            ["subjects"],
            to: [
                ["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-a"],
                ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"],
            ])
        let action = try #require(try Build.decide(Build.binding, Build.live(wider)).action)
        #expect(action.steps == [.apply])
        #expect(action.stage == .revoke)
    }

    @Test func twoSpellingsOfAUserAreTwoUsers() throws {
        var declared = Build.binding
        declared.set(
            ["subjects"], to: [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ren\u{e9}"]])
        var other = try Build.applied(declared).tree
        other.set(["subjects"], to: [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "rene\u{301}"]])
        #expect(try Build.decide(declared, Build.live(other)).action != nil)
    }

    @Test func aReorderedListMeansTheSame() throws {
        var reordered = try Build.applied(Build.role).tree
        reordered.set(["rules"], to: [["apiGroups": [""], "resources": ["pods"], "verbs": ["list", "get"]]])
        #expect(try Build.decide(Build.role, Build.live(reordered)).isLeave)
    }

    /// Rule E11: old servers keep any value, and selectors trust it.
    @Test func anotherNamespacesNameIsRemovedAndItsOwnIsNot() throws {
        let key = "kubernetes.io/metadata.name"
        var live = try Build.applied(Build.namespace).tree
        live.set(["metadata", "labels", key], to: "a")
        #expect(try Build.decide(Build.namespace, Build.live(live)).isLeave)
        live.set(["metadata", "labels", key], to: "kube-system")
        let action = try #require(try Build.decide(Build.namespace, Build.live(live)).action)
        #expect(action.steps == [.removeUndeclared(["metadata": ["labels": .object(Members([(key, .null)]))]])])
    }

    /// Rule F7: its old form holds until the finalizers let go; to delete it once more changes nothing.
    @Test func aReplacementWaitsForTheFinalizersOfTheOldObject() throws {
        var live = try Build.applied(Build.binding).tree
        live.set(["roleRef", "name"], to: "other")
        #expect(try Build.decide(Build.binding, Build.live(live)).action?.kind == .replace)
        live.set(["metadata", "deletionTimestamp"], to: "2026-03-01T12:30:00Z")
        guard case .waitForDeletion = try Build.decide(Build.binding, Build.live(live)) else {
            Issue.record("it has to be waited for")
            return
        }
    }

    /// Rule E13: adopted by a declaration, it is not deleted with it.
    @Test func whatKubernetesMadeForItselfIsNeverDeleted() throws {
        var view = Build.role
        view.set(["kind"], to: "ClusterRole")
        view.set(["metadata"], to: ["name": "view", "labels": ["kubernetes.io/bootstrapping": "rbac-defaults"]])
        #expect(try Build.decide(nil, Build.applied(view)).hold?.reason == .pruneUnproven)
        view.set(["metadata"], to: ["name": "system:discovery"])
        #expect(try Build.decide(nil, Build.applied(view)).hold?.reason == .protectedObject, "with rules of its own")
        view.set(["metadata"], to: ["name": "system:made-up"])
        #expect(try Build.decide(nil, Build.applied(view)).hold?.reason == .protectedObject)
        // A label that anybody can write is no proof.
        view.set(["metadata"], to: ["name": "viewers", "labels": ["kubernetes.io/bootstrapping": "rbac-defaults"]])
        #expect(try Build.decide(nil, Build.applied(view)).action?.kind == .delete)
    }

    @Test func anUndeclaredPodSecurityLabelIsRemoved() throws {
        var weaker = try Build.applied(Build.namespace).tree
        weaker.set(["metadata", "labels", "pod-security.kubernetes.io/enforce-version"], to: "v1.20")
        let action = try #require(try Build.decide(Build.namespace, Build.live(weaker)).action)
        #expect(
            action.steps
                == [.removeUndeclared(["metadata": ["labels": ["pod-security.kubernetes.io/enforce-version": .null]]])])
    }

    @Test func anotherUndeclaredLabelIsNobodysBusiness() throws {
        var labelled = try Build.applied(Build.namespace).tree
        labelled.set(["metadata", "labels", "cost-centre"], to: "42")
        #expect(try Build.decide(Build.namespace, Build.live(labelled)).isLeave)
    }

    @Test func aLabelThatADeclaredSelectorReadsIsClosed() throws {
        var policy = Build.denyAll
        policy.set(
            ["spec", "ingress"],
            to: [["from": [["namespaceSelector": ["matchLabels": ["purpose": "monitoring"]]]]]])
        var labelled = try Build.applied(Build.namespace).tree
        labelled.set(["metadata", "labels", "purpose"], to: "monitoring")
        var context = Build.context
        context.closedLabels = ClosedLabels(readBy: [policy])
        let action = try Build.decide(Build.namespace, Build.live(labelled), context: context).action
        #expect(action?.steps == [.removeUndeclared(["metadata": ["labels": ["purpose": .null]]])])
    }

    @Test func aChangeWithOurLabelStrippedIsStillOurs() throws {
        var stripped = try Build.applied(Build.role).tree
        stripped.set(["metadata", "labels"], to: nil)
        stripped.set(["rules"], to: [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]])
        let action = try #require(try Build.decide(Build.role, Build.live(stripped)).action)
        #expect(action.kind == .update)
        #expect(action.steps == [.apply])
        #expect(Set(action.differences.map(\.pathDescription)) == ["metadata.labels[bylaw.dev/instance]", "rules"])
    }

    @Test func aForeignMarkerOnAKnownObjectIsDrift() throws {
        var marked = try Build.applied(Build.role).tree
        marked.set(["metadata", "labels", "bylaw.dev/instance"], to: "other")
        #expect(try Build.decide(Build.role, Build.live(marked)).action?.kind == .update)
    }

    @Test func aForeignMarkerOnAnUnknownObjectIsAConflict() throws {
        var marked = try Build.applied(Build.role).tree
        marked.set(["metadata", "labels", "bylaw.dev/instance"], to: "other")
        #expect(try Build.decide(Build.role, Build.live(marked), record: nil).hold?.reason == .ownershipConflict)
    }

    @Test func anAggregationLabelOnAManagedRoleIsRemoved() throws {
        let clusterRole: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "auditor"],
            "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
        ]
        var labelled = try Build.applied(clusterRole).tree
        labelled.set(["metadata", "labels", "rbac.authorization.k8s.io/aggregate-to-view"], to: "true")
        let action = try #require(try Build.decide(clusterRole, Build.live(labelled)).action)
        #expect(
            action.steps
                == [
                    .removeUndeclared(["metadata": ["labels": ["rbac.authorization.k8s.io/aggregate-to-view": .null]]])
                ])
    }

    @Test func theRulesOfAnAggregatedRoleAreTheControllers() throws {
        let aggregated: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "all"],
            "aggregationRule": ["clusterRoleSelectors": [["matchLabels": ["x": "y"]]]],
        ]
        var filled = try Build.applied(aggregated).tree
        filled.set(["rules"], to: [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]])
        #expect(try Build.decide(aggregated, Build.live(filled)).isLeave)
    }

    @Test func anotherRoleRefMeansANewObject() throws {
        var other = try Build.applied(Build.binding).tree
        other.set(["roleRef", "name"], to: "admin")
        let action = try #require(try Build.decide(Build.binding, Build.live(other)).action)
        #expect(action.kind == .replace)
        #expect(action.steps == [.recreate])
    }

    @Test func anObjectThatIsBeingDeletedIsWaitedFor() throws {
        var leaving = try Build.applied(Build.role).tree
        leaving.set(["metadata", "deletionTimestamp"], to: "2026-01-01T00:00:00Z")
        guard case .waitForDeletion = try Build.decide(Build.role, Build.live(leaving)) else {
            Issue.record("expected to wait")
            return
        }
    }
}

@Suite struct OwnershipDecisionTests {
    @Test func anAbsentObjectIsMadeWithOurMarker() throws {
        let action = try #require(try Build.decide(Build.role, nil, record: nil).action)
        #expect(action.kind == .create)
        #expect(action.steps == [.apply])
        #expect(action.desired?["metadata"]?["labels"]?["bylaw.dev/instance"] == "test")
        #expect(action.desired?["metadata"]?["annotations"]?["bylaw.dev/id"]?.string != nil)
    }

    @Test func anObjectMadeByHandIsAdoptedAndItsFieldsTakenOver() throws {
        var manual = Build.role
        manual.set(
            ["metadata", "managedFields"],
            to: [
                [
                    "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
                    "fieldsType": "FieldsV1", "fieldsV1": ["f:metadata": ["f:labels": ["f:stale": [:]]]],
                ],
                [
                    "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                    "fieldsType": "FieldsV1", "fieldsV1": ["f:status": [:]],
                ],
            ])
        let live = try Build.live(manual)
        let action = try #require(try Build.decide(Build.role, live, record: nil).action)
        #expect(action.kind == .adopt)
        guard case .takeOver(let patch)? = action.steps.first else {
            Issue.record("no takeover: \(action.steps)")
            return
        }
        #expect(action.steps.last == .apply)
        let entries = try #require(patch.array?.first?["value"]?.array)
        #expect(entries.compactMap { $0["manager"]?.string } == ["kube-controller-manager", "bylaw-test"])
        #expect(patch.array?.last == ["op": "replace", "path": "/metadata/resourceVersion", "value": "10"])
    }

    @Test func whatLeftTheRepositoryIsDeletedWhereTheJournalKnowsIt() throws {
        let action = try #require(try Build.decide(nil, Build.applied(Build.binding)).action)
        #expect(action.kind == .delete)
        #expect(action.stage == .revoke)
    }

    @Test func aMarkerAloneNeverDeletes() throws {
        let live = try Build.applied(Build.binding)
        #expect(try Build.decide(nil, live, record: nil).hold?.reason == .pruneUnproven)
        #expect(try Build.decide(nil, live, record: "another uid").hold?.reason == .pruneUnproven)
    }

    @Test func theRepositorysHistoryProvesOwnershipToo() throws {
        let live = try Build.applied(Build.binding)
        var context = Build.context
        context.declaredEarlier = [live.id]
        #expect(try Build.decide(nil, live, record: nil, context: context).action?.kind == .delete)
    }

    @Test func aCopiedObjectIsReportedAndNeverDeleted() throws {
        var copy = try Build.applied(Build.role).tree
        copy.set(["metadata", "name"], to: "copy")
        var context = Build.context
        let live = try Build.live(copy, uid: "uid-2")
        context.declaredEarlier = [live.id]
        #expect(try Build.decide(nil, live, record: nil, context: context).hold?.reason == .ownershipConflict)
    }

    @Test func aNamespaceThatLeftTheRepositoryIsHeld() throws {
        #expect(try Build.decide(nil, Build.applied(Build.namespace)).hold?.reason == .namespaceDeletion)
    }

    /// Rule H3, as far as it proves anything: whoever can write an object can write an owner onto it, and the right that it
    /// gives must not outlive its revocation by that.
    @Test(arguments: [true, false])
    func anOwnerSparesNothingThatTheJournalKnowsAsOurs(_ isController: Bool) throws {
        var owned = try Build.applied(Build.role).tree
        owned.set(
            ["metadata", "ownerReferences"],
            to: [["apiVersion": "v1", "kind": "X", "name": "y", "uid": "z", "controller": .bool(isController)]])
        #expect(try Build.decide(nil, Build.live(owned)).action?.kind == .delete)
        // Known by the history alone, it is left to a controller, and to nobody else.
        var context = Build.context
        let live = try Build.live(owned)
        context.declaredEarlier = [live.id]
        let decision = try Build.decide(nil, live, record: nil, context: context)
        #expect((decision.hold?.reason == .pruneUnproven) == isController)
        #expect((decision.action?.kind == .delete) != isController)
    }

    /// Of a kind that could not be read nobody knows what an earlier run left, until the revision was judged by it.
    @Test func whatWasNeverSeenStays() throws {
        var context = Build.context
        context.unseenKinds = [.role]
        #expect(try Build.decide(nil, Build.applied(Build.role), context: context).isLeave)
        #expect(try Build.decide(nil, Build.applied(Build.binding), context: context).action?.kind == .delete)
    }

    @Test func strangersAreLeftAlone() throws {
        #expect(try Build.decide(nil, Build.live(Build.role), record: nil).isLeave)
    }
}

@Suite struct PlanTests {
    @Test func anEmptyDeclarationDeletesNothing() throws {
        let live = try Build.applied(Build.binding)
        let plan = plan(
            PlanInput(
                declared: [:], live: [live.id: live], record: [live.id: OwnershipRecord(uid: live.uid)],
                context: Build.context))
        #expect(plan.actions.isEmpty)
        #expect(plan.isConverged && plan.strangers.isEmpty)
    }

    @Test func revokesFirstAndGrantsLast() throws {
        let objects = try [Build.namespace, Build.role, Build.binding, Build.denyAll].map(Build.declared)
        var extra = Build.binding
        extra.set(["metadata", "name"], to: "gone")
        let gone = try Build.applied(extra, uid: "uid-9")
        let plan = plan(
            PlanInput(
                declared: Dictionary(uniqueKeysWithValues: objects.map { ($0.id, $0) }), live: [gone.id: gone],
                record: [gone.id: OwnershipRecord(uid: "uid-9")], context: Build.context))
        #expect(
            plan.actions.map { "\($0.kind) \($0.id.kind)" }
                == [
                    "delete RoleBinding", "create Namespace", "create NetworkPolicy", "create Role",
                    "create RoleBinding",
                ])
    }

    @Test func nothingIsDecidedAboutAKindThatWasNotRead() throws {
        let object = try Build.declared(Build.role)
        let plan = plan(
            PlanInput(
                declared: [object.id: object], live: [:], record: [:], readKinds: [.namespace], context: Build.context))
        #expect(plan.actions.isEmpty)
    }

    @Test func theWriterOfADifferingFieldIsNamed() throws {
        var open = try Build.applied(Build.denyAll).tree
        open.set(["spec", "egress"], to: [[:]])
        open.set(
            ["metadata", "managedFields"],
            to: [
                ["manager": "bylaw-test", "operation": "Apply", "fieldsV1": ["f:spec": ["f:policyTypes": [:]]]],
                [
                    "manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z",
                    "fieldsV1": ["f:spec": ["f:egress": [:]]],
                ],
                [
                    "manager": "labeller", "operation": "Update", "time": "2026-01-02T00:00:00Z",
                    "fieldsV1": ["f:metadata": ["f:labels": ["f:x": [:]]]],
                ],
            ])
        let live = try Build.live(open)
        let action = try #require(try Build.decide(Build.denyAll, live).action)
        #expect(attribute(action.differences, of: live, ourFieldManager: "bylaw-test")?.manager == "kubectl-edit")
    }
}

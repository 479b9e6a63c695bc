import KubeClient
import KubeProtocol
import Manifest
import Reconciler
import Testing

/// Who owns a field, and what an apply does to the fields of others.
@Suite(.timeLimit(.minutes(2))) struct OwnershipTests {
    let server: ServerUnderTest

    init() async throws { server = try await .shared() }

    /// Rule D3.
    @Test func anApplyThatChangesNothingKeepsTheVersion() async throws {
        try await withPolicy { id in
            let first = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            let second = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            #expect(second.resourceVersion == first.resourceVersion)
            #expect(second.tree == first.tree)
        }
    }

    /// Rule D3: what is there already is shared without conflict, under a new version.
    @Test func applyingWhatIsThereMakesAnotherOwner() async throws {
        try await withPolicy { id in
            let first = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            let other = try await server.send(
                .apply(denyIngress(id, labels: ["a": "b"]), to: id, manager: ServerUnderTest.intruder))
            #expect(other.status == 200, "\(other)")
            #expect(other.resourceVersion != first.resourceVersion)
            let live = try #require(try await server.bylaw.read(id))
            #expect(Set(live.fieldManagers.map(\.manager)) == [ServerUnderTest.owner, ServerUnderTest.intruder])
            #expect(live.fieldManagers.allSatisfy { owns($0, "f:metadata", "f:labels", "f:a") })
        }
    }

    /// Rules D4 and D5.
    @Test func aFieldOfAnotherManagerIsAConflictThatNamesIt() async throws {
        try await withPolicy { id in
            let label = "contract.example/team"
            _ = try await apply(denyIngress(id, labels: [(label): "a"]), to: id)
            let answer = try await server.send(
                .apply(denyIngress(id, labels: [(label): "b"]), to: id, manager: ServerUnderTest.intruder))
            #expect(answer.status == 409, "\(answer)")
            #expect(answer.reason == "Conflict")
            #expect(answer.details["name"] == nil)
            #expect(answer.failure.kind == .fieldConflict)
            let cause = try #require(answer.failure.causes.first)
            #expect(answer.failure.causes.count == 1)
            #expect(cause.reason == "FieldManagerConflict")
            #expect(cause.field == ".metadata.labels.contract.example/team")
            #expect(cause.message.contains("\"\(ServerUnderTest.owner)\""), "\(cause)")
        }
    }

    /// Rule D4.
    @Test func anotherVersionThanExpectedIsAConflictWithoutCauses() async throws {
        try await withPolicy { id in
            let old = try await apply(denyIngress(id), to: id)
            _ = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.apply(denyIngress(id), to: id, expecting: old, isDryRun: false)
            }
            #expect(error?.kind == .conflict)
            #expect(error?.status == 409)
            #expect(error?.causes == [])
            let raw = try await server.send(
                APIRequest.apply(
                    denyIngress(id), .networkPolicy, id, fieldManager: ServerUnderTest.owner, expecting: old,
                    isDryRun: false))
            #expect(raw.details["name"] == .string(id.name), "\(raw)")
        }
    }

    /// Rule D4.
    @Test func creatingWhatIsThereIsAlreadyExists() async throws {
        try await withPolicy { id in
            _ = try await apply(denyIngress(id), to: id)
            let answer = try await server.send(.post(denyIngress(id), as: id))
            #expect(answer.status == 409)
            #expect(answer.reason == "AlreadyExists")
            #expect(answer.details["name"] == .string(id.name))
            #expect(answer.failure.kind == .alreadyExists)
        }
    }

    /// Rule D7: no conflict does not mean no drift.
    @Test func whatAnIntruderDeletesIsNobodys() async throws {
        try await withPolicy { id in
            _ = try await apply(denyIngress(id, labels: ["a": "b"]), to: id)
            try await intrude(id, ["metadata": ["labels": ["a": .null]]])
            let between = try #require(try await server.bylaw.read(id))
            #expect(between.label("a") == nil)
            #expect(!between.fieldManagers.contains { owns($0, "f:metadata", "f:labels", "f:a") })
            let unforced = try await server.send(.apply(denyIngress(id, labels: ["a": "b"]), to: id))
            #expect(unforced.status == 200, "\(unforced)")
            #expect(unforced.tree["metadata"]?["labels"] == ["a": "b"])
        }
    }

    /// Rule D8.
    @Test func aFieldLeftOutGoesWhereNobodyElseOwnsIt() async throws {
        try await withPolicy { id in
            _ = try await apply(denyIngress(id, labels: ["a": "1", "b": "2"]), to: id)
            let shared = try await server.send(
                .apply(manifest(id, ["metadata": ["labels": ["b": "2"]]]), to: id, manager: ServerUnderTest.intruder))
            #expect(shared.status == 200, "\(shared)")
            let after = try await apply(denyIngress(id), to: id)
            #expect(after.metadata["labels"] == ["b": "2"])
        }
    }

    /// Rule D8: what somebody else wrote survives its omission.
    @Test func aFieldThatAnUpdateOwnsSurvivesItsOmission() async throws {
        try await withPolicy { id in
            let created = try await server.send(.post(denyIngress(id, labels: ["a": "1"]), as: id), as: .admin)
            #expect(created.status == 201, "\(created)")
            _ = try await apply(denyIngress(id, labels: ["a": "1"]), to: id)
            let after = try await apply(denyIngress(id), to: id)
            #expect(after.label("a") == "1")
        }
    }

    /// Rule D9: an apply, even by force, never removes what its manager never owned.
    @Test func aForcedApplyLeavesAnUndeclaredHole() async throws {
        try await withPolicy { id in
            _ = try await apply(denyAll(id), to: id)
            try await intrude(id, ["spec": ["egress": [[:]]]])
            let drifted = try #require(try await server.bylaw.read(id))
            let after = try await apply(denyAll(id), to: id)
            #expect(after.tree["spec"]?["egress"] == [[:]])
            #expect(after.resourceVersion == drifted.resourceVersion)
        }
    }

    /// Rule D9: a list that is declared is restored as a whole.
    @Test func aForcedApplyRestoresADeclaredList() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.role, namespace: namespace, name: "reader")
            let declared = role(id, verbs: ["get"])
            _ = try await apply(declared, to: id)
            try await intrude(
                id,
                [
                    "rules": [
                        ["apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]],
                        ["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]],
                    ]
                ])
            let after = try await apply(declared, to: id)
            #expect(after.tree["rules"] == declared["rules"])
        }
    }

    /// Rule D10: an empty list removes the entry, but is never stored: each such apply is a change.
    @Test func anEmptyListClosesTheHoleAndChurns() async throws {
        try await withPolicy { id in
            _ = try await apply(denyAll(id), to: id)
            try await intrude(id, ["spec": ["egress": [[:]]]])
            var body = denyAll(id)
            body.set(["spec", "egress"], to: [])
            let first = try await apply(body, to: id)
            #expect(first.tree["spec"]?["egress"] == nil)
            let second = try await apply(body, to: id)
            #expect(second.resourceVersion != first.resourceVersion)
            let generations = try [first, second].map { try #require($0.metadata["generation"]?.integer) }
            #expect(generations[1] == generations[0] + 1)
        }
    }

    /// Rule D10: this list does not churn.
    ///
    /// But 1.20 stores null in its place, and so each apply of a later second renews the owner's time (rule D19).
    @Test func anEmptyListOfRulesIsNoChange() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.role, namespace: namespace, name: "nothing")
            let first = try await apply(manifest(id, ["rules": []]), to: id)
            let second = try await apply(manifest(id, ["rules": []]), to: id)
            guard second.resourceVersion != first.resourceVersion else { return }
            let times = [first, second].map { $0.fieldManagers.map(\.time) }
            #expect(ServerUnderTest.isReal && times[0] != times[1])
            #expect(first.fieldManagers.map(\.fields) == second.fieldManagers.map(\.fields))
            #expect(first.tree["rules"] == second.tree["rules"])
        }
    }

    /// Rule D11: the way that Bylaw closes a hole.
    @Test func aMergePatchOfNullClosesTheHoleWithoutChurn() async throws {
        try await withPolicy { id in
            _ = try await apply(denyAll(id), to: id)
            try await intrude(id, ["spec": ["egress": [[:]]]])
            let drifted = try #require(try await server.bylaw.read(id))
            let cleaning: Tree = ["spec": ["egress": .null]]
            let clean = try await server.bylaw.mergePatch(cleaning, to: id, expecting: drifted)
            #expect(clean.object["spec"]?["egress"] == nil)
            let first = try await apply(denyAll(id), to: id)
            let second = try await apply(denyAll(id), to: id)
            #expect(first.tree["spec"] == denyAll(id)["spec"])
            #expect(second.resourceVersion == first.resourceVersion)
            // The patch was for one version only.
            let late = await #expect(throws: ClusterError.self) {
                try await server.bylaw.mergePatch(cleaning, to: id, expecting: drifted)
            }
            #expect(late?.kind == .conflict)
        }
    }

    /// Rule D13.
    @Test func anApplyOfNothingButANameLeavesNoOwner() async throws {
        try await server.withNamespace { namespace in
            let id = ObjectID(.serviceAccount, namespace: namespace, name: "bare")
            let live = try await apply(manifest(id), to: id)
            #expect(!live.fieldManagers.contains { $0.manager == ServerUnderTest.owner })
        }
    }

    /// Rule D15: a takeover makes the fields of others ours, so that leaving them out removes them.
    @Test func aTakeoverMakesOmissionsCount() async throws {
        try await withPolicy { id in
            let request = APIRequest.post(denyIngress(id, labels: ["a": "1"]), as: id, manager: "kubectl-create")
            #expect(try await server.send(request, as: .admin).status == 201)
            let live = try #require(try await server.bylaw.read(id))
            #expect(live.fieldManagers.map(\.manager) == ["kubectl-create"])
            let old = try #require(live.metadata["managedFields"]?.array?.first)
            let taken: Tree = [
                "manager": .string(ServerUnderTest.owner), "operation": "Apply",
                "apiVersion": old["apiVersion"] ?? .null,
                "time": old["time"] ?? .null, "fieldsType": "FieldsV1", "fieldsV1": old["fieldsV1"] ?? .null,
            ]
            let takeover: Tree = [
                ["op": "replace", "path": "/metadata/managedFields", "value": [taken]],
                ["op": "replace", "path": "/metadata/resourceVersion", "value": .string(live.resourceVersion)],
            ]
            let after = try await server.bylaw.jsonPatch(takeover, to: id)
            #expect(after.live?.fieldManagers.map(\.manager) == [ServerUnderTest.owner])
            #expect(after.live?.fieldManagers.map(\.operation) == [.apply])
            #expect(after.live?.tree["spec"] == live.tree["spec"])
            #expect(try await apply(denyIngress(id), to: id).label("a") == nil)

            let late = await #expect(throws: ClusterError.self) {
                try await server.bylaw.jsonPatch(takeover, to: id)
            }
            #expect(late?.kind == .conflict)
            #expect(late?.status == 409)
        }
    }

    /// Rule D15.
    @Test func aFailedTestOfAJSONPatchIsInvalid() async throws {
        try await withPolicy { id in
            _ = try await apply(denyIngress(id), to: id)
            let error = await #expect(throws: ClusterError.self) {
                try await server.bylaw.jsonPatch(
                    [["op": "test", "path": "/metadata/name", "value": "another"]], to: id)
            }
            #expect(error?.kind == .invalid)
            #expect(error?.status == 422)
            #expect(error?.causes == [])
        }
    }

    // MARK: Steps

    private func withPolicy(_ test: (ObjectID) async throws -> Void) async throws {
        try await server.withNamespace { namespace in
            try await test(ObjectID(.networkPolicy, namespace: namespace, name: "policy"))
        }
    }

    /// Applies by force, as Bylaw does.
    private func apply(_ body: Tree, to id: ObjectID) async throws -> LiveObject {
        let answer = try await server.bylaw.apply(body, to: id, expecting: nil, isDryRun: false)
        return try #require(answer.live)
    }

    private func intrude(_ id: ObjectID, _ patch: Tree) async throws {
        let answer = try await server.send(.merge(patch, into: id), as: .admin)
        try #require(answer.status == 200, "\(answer)")
    }

    private func owns(_ entry: FieldManagerEntry, _ path: String...) -> Bool { entry.fields[path] != nil }
}

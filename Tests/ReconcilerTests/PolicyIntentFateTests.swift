import Manifest
import Planning
import Reconciler
import Testing

/// What becomes of a change of an admission policy that has no outcome yet.
@Suite struct PolicyIntentFateTests {
    private static let id = ObjectID(.admissionPolicy, name: "bylaw-default")
    private static let wanted: Tree = ["kind": "ValidatingAdmissionPolicy", "spec": ["failurePolicy": "Fail"]]
    private static let other: Tree = ["kind": "ValidatingAdmissionPolicy", "spec": ["failurePolicy": "Ignore"]]

    private func live(_ uid: String) throws -> LiveObject {
        try #require(
            LiveObject(
                [
                    "apiVersion": .string(Resource.admissionPolicy.apiVersion), "kind": "ValidatingAdmissionPolicy",
                    "metadata": ["name": "bylaw-default", "uid": .string(uid), "resourceVersion": "7"],
                ], of: .admissionPolicy))
    }

    private func fate(
        _ action: ActionKind, _ desired: Tree?, of uid: String? = nil, wanted: Tree?, _ found: PreventionFinding
    ) -> PolicyIntentFate {
        PolicyIntentFate(
            of: Intent(
                at: .earliest, action: action, reason: .revisionChanged, object: Self.id, uid: uid,
                resourceVersion: nil, before: nil, desired: desired, patch: nil, revision: nil, actor: nil,
                message: ""), wanted: wanted, found: found)
    }

    private func isLeft(_ fate: PolicyIntentFate) -> Bool { if case .isLeft = fate { true } else { false } }

    @Test func itWasDoneOnlyWhereTheSameIsWantedNow() throws {
        #expect(fate(.create, Self.wanted, wanted: Self.wanted, .asWanted) == .wasDone)
        #expect(isLeft(fate(.create, Self.wanted, wanted: nil, .asWanted)), "never made, and not wanted any more")
        #expect(isLeft(fate(.update, Self.wanted, of: "u", wanted: Self.other, .asWanted)), "reverted")
        #expect(isLeft(fate(.delete, nil, of: "u", wanted: Self.wanted, .asWanted)))
    }

    @Test func theSameChangeGoesOn() throws {
        let made = PreventionFinding.differs(PreventionChange(id: Self.id, kind: .made, wanted: Self.wanted))
        #expect(fate(.create, Self.wanted, wanted: Self.wanted, made) == .goesOn)
        #expect(isLeft(fate(.create, Self.other, wanted: Self.wanted, made)), "another is wanted")
        let putBack = PreventionFinding.differs(
            PreventionChange(id: Self.id, kind: .putBack, before: try live("u"), wanted: Self.wanted))
        #expect(fate(.update, Self.wanted, of: "u", wanted: Self.wanted, putBack) == .goesOn)
        #expect(isLeft(fate(.update, Self.wanted, of: "earlier", wanted: Self.wanted, putBack)))
        #expect(isLeft(fate(.create, Self.wanted, wanted: Self.wanted, putBack)), "it was made, or somebody made it")
    }

    @Test func aRemovalWasDoneWhereTheObjectIsGone() throws {
        #expect(fate(.delete, nil, of: "u", wanted: nil, .asWanted) == .wasDone)
        #expect(fate(.delete, nil, of: "u", wanted: nil, .leaving(try live("u"))) == .wasDone)
        #expect(isLeft(fate(.delete, nil, of: "u", wanted: Self.wanted, .leaving(try live("u")))))
        #expect(isLeft(fate(.delete, nil, of: "u", wanted: nil, .leftAlone(try live("u")))), "without our label")
        #expect(fate(.delete, nil, of: "u", wanted: nil, .leftAlone(try live("new"))) == .wasDone)
        let there = PreventionChange(id: Self.id, kind: .removed, before: try live("u"))
        #expect(fate(.delete, nil, of: "u", wanted: nil, .differs(there)) == .goesOn)
        #expect(fate(.delete, nil, of: "earlier", wanted: nil, .differs(there)) == .wasDone)
        let made = PreventionChange(id: Self.id, kind: .made, wanted: Self.wanted)
        #expect(fate(.delete, nil, of: "u", wanted: Self.wanted, .differs(made)) == .wasDone)
        let putBack = PreventionChange(id: Self.id, kind: .putBack, before: try live("u"), wanted: Self.wanted)
        #expect(isLeft(fate(.delete, nil, of: "u", wanted: Self.wanted, .differs(putBack))))
    }
}

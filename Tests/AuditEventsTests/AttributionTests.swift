import AuditEvents
import Manifest
import Testing

@Suite struct AttributionTests {
    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var samples: [Sample]
        var change: ObservedChange = AuditEventsTests.change()
        var certainty: Attribution.Certainty?
        var name = "alice"
        var evidence: Attribution.Evidence?
        var candidates = 1
        var contributors: [String] = []
    }

    static let claim = ObservedChange.Claim(manager: "kubectl-edit", time: moment(0))

    @Test(arguments: [
        Example(testDescription: "nothing", samples: []),
        Example(
            testDescription: "a field manager only", samples: [], change: change(claims: [claim]), certainty: .claimed,
            name: "kubectl-edit", evidence: .manager, candidates: 0),
        Example(
            testDescription: "an update of the version before, answered with the one after",
            samples: [Sample(verb: "update", condition: "100", version: "105")], change: change(claims: [claim]),
            certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a patch that names the version before",
            samples: [Sample(request: ["metadata": ["resourceVersion": "100"]], version: "105")], certainty: .proven,
            evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "an innocent who wrote after somebody else had changed it",
            samples: [Sample(verb: "update", condition: "104", version: "105")],
            change: change(claims: [.init(manager: "kubectl-edit", time: moment(-30))]), certainty: .likely,
            evidence: .answer, contributors: ["alice"]),
        Example(
            testDescription: "a patch, and the object says that what differs is its field manager's",
            samples: [Sample(query: "?fieldManager=kubectl-edit", version: "105")], change: change(claims: [claim]),
            certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a patch by another field manager than the object names",
            samples: [Sample(query: "?fieldManager=kubectl-label", version: "105")], change: change(claims: [claim]),
            certainty: .likely, evidence: .answer, contributors: ["alice"]),
        Example(
            testDescription: "two users of one field manager within a second: the mark is the later one's in any case",
            samples: [
                Sample(user: "bob", query: "?fieldManager=kubectl-edit", at: -0.6, version: "104"),
                Sample(query: "?fieldManager=kubectl-edit", version: "105"),
            ], change: change(claims: [claim]), certainty: .likely, evidence: .answer, candidates: 2,
            contributors: ["bob", "alice"]),
        Example(
            testDescription: "the same where nothing but the time is known of the earlier one",
            samples: [
                Sample(level: "Metadata", user: "bob", query: "?fieldManager=kubectl-edit", at: -40),
                Sample(query: "?fieldManager=kubectl-edit", version: "105"),
            ], change: change(claims: [claim]), certainty: .likely, evidence: .answer, candidates: 2,
            contributors: ["bob", "alice"]),
        Example(
            testDescription: "one user twice, and another who used another field manager",
            samples: [
                Sample(query: "?fieldManager=kubectl-edit", at: -0.9, version: "103"),
                Sample(user: "bob", query: "?fieldManager=kubectl-label", at: -0.6, version: "104"),
                Sample(query: "?fieldManager=kubectl-edit", version: "105"),
            ], change: change(claims: [claim]), certainty: .proven, evidence: .write,
            contributors: ["alice", "bob", "alice"]),
        Example(
            testDescription: "who replaced exactly the version before needs no mark",
            samples: [
                Sample(level: "Metadata", user: "bob", query: "?fieldManager=kubectl-edit", at: -40),
                Sample(verb: "update", condition: "100", query: "?fieldManager=kubectl-edit", version: "105"),
            ], change: change(claims: [claim]), certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a creation", samples: [Sample(verb: "create", code: 201, version: "105")],
            change: change(.created, before: nil), certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a creation by apply", samples: [Sample(code: 201, version: "105")],
            change: change(.created, before: nil), certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a patch: it may have changed nothing, and the event of the one that did be lost",
            samples: [Sample(version: "105")], certainty: .likely, evidence: .answer, contributors: ["alice"]),
        Example(
            testDescription: "the one who wrote, and one who changed nothing after",
            samples: [
                Sample(user: "bob", at: 0.5, version: "105"), Sample(verb: "update", condition: "100", version: "105"),
            ], certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "two patches with one answer: the first wrote",
            samples: [Sample(user: "bob", at: 0.5, version: "105"), Sample(version: "105")], certainty: .likely,
            evidence: .answer, candidates: 2, contributors: ["alice"]),
        Example(
            testDescription: "a patch that began after the change was seen", samples: [Sample(at: 20, version: "105")]),
        Example(
            testDescription: "an odd dry run",
            samples: [Sample(verb: "update", condition: "100", query: "?dryRun=x", version: "105")],
            certainty: .likely, evidence: .answer, contributors: ["alice"]),
        Example(
            testDescription: "another object of the same name",
            samples: [Sample(verb: "update", condition: "100", version: "105", uid: "u0")]),
        Example(
            testDescription: "an unknown uid", samples: [Sample(verb: "update", condition: "100", version: "105")],
            change: change(uid: nil), certainty: .likely, evidence: .answer, contributors: ["alice"]),
        Example(
            testDescription: "Metadata only", samples: [Sample(level: "Metadata")], certainty: .likely,
            evidence: .window,
            contributors: ["alice"]),
        Example(
            testDescription: "Metadata of an update of the very version before: it may have changed nothing",
            samples: [Sample(level: "Metadata", verb: "update", condition: "100")], certainty: .likely,
            evidence: .window, contributors: ["alice"]),
        Example(
            testDescription: "Metadata of an update of an older version",
            samples: [Sample(level: "Metadata", verb: "update", condition: "99")]),
        Example(
            testDescription: "Metadata of an update of the version after",
            samples: [Sample(level: "Metadata", verb: "update", condition: "105")]),
        Example(
            testDescription: "two in the window",
            samples: [Sample(level: "Metadata", user: "bob", at: -3), Sample(level: "Metadata")], certainty: .likely,
            evidence: .window, candidates: 2, contributors: ["bob", "alice"]),
        Example(testDescription: "too early", samples: [Sample(level: "Metadata", at: -200)]),
        Example(testDescription: "too late", samples: [Sample(level: "Metadata", at: 10)]),
        Example(
            testDescription: "a clock that is ahead", samples: [Sample(level: "Metadata", at: 4)], certainty: .likely,
            evidence: .window, contributors: ["alice"]),
        Example(
            testDescription: "coalesced edits",
            samples: [
                Sample(verb: "update", user: "carol", condition: "103", at: -1, version: "105"),
                Sample(user: "bob", at: -5, version: "103"), Sample(user: "dave", at: -20, version: "100"),
                Sample(user: "erin", at: 0.9, version: "106"), Sample(user: "alice", at: -9, version: "101"),
            ], certainty: .likely, name: "carol", evidence: .answer, contributors: ["alice", "bob", "carol"]),
        Example(
            testDescription: "coalesced edits, with clocks that differ and the last one not yet there",
            samples: [Sample(user: "bob", at: -5, version: "103"), Sample(user: "alice", at: -3, version: "101")],
            certainty: .likely, name: "bob", evidence: .interval, candidates: 2, contributors: ["alice", "bob"]),
        Example(
            testDescription: "an update of the version before leaves nobody between",
            samples: [
                Sample(verb: "update", condition: "100", version: "105"),
                Sample(level: "Metadata", user: "bob", at: -1),
            ], certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "another object",
            samples: [Sample(name: "writer", version: "105"), Sample(namespace: "team-b")]),
        Example(
            testDescription: "impersonation",
            samples: [Sample(verb: "update", user: "mallory", impersonated: "alice", condition: "100", version: "105")],
            certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a name that the server chose, in the answer",
            samples: [Sample(verb: "create", name: "", code: 201, version: "105")],
            change: change(.created, before: nil),
            certainty: .proven, evidence: .write, contributors: ["alice"]),
        Example(
            testDescription: "a name that the server chose, with no answer",
            samples: [Sample(level: "Metadata", verb: "create", name: "", code: 201)],
            change: change(.created, before: nil), certainty: .likely, evidence: .scope, contributors: ["alice"]),
        Example(
            testDescription: "a creation does not change what was there",
            samples: [Sample(level: "Metadata", verb: "create", code: 201)]),
        Example(
            testDescription: "metadata of many kinds",
            samples: [
                Sample(
                    verb: "update", condition: "100",
                    response: ["kind": "Table", "metadata": ["resourceVersion": "105"]])
            ],
            certainty: .likely, evidence: .window, contributors: ["alice"]),
    ])
    func namesWhoMadeTheChange(_ example: Example) {
        let attribution = memory(example.samples).attribute(example.change)
        #expect(attribution?.certainty == example.certainty)
        guard let attribution, example.certainty != nil else { return }
        #expect(attribution.name == example.name)
        #expect(attribution.evidence == example.evidence)
        #expect(attribution.candidates == example.candidates)
        #expect(attribution.contributors.map(\.actor.name) == example.contributors)
        #expect((attribution.certainty == .proven) == (attribution.evidence == .write))
    }

    @Test func severalAreNamed() throws {
        let samples = ["bob", "carol", "bob", "alice"].enumerated().map { index, user in
            Sample(level: "Metadata", user: user, at: Double(index) / 10)
        }
        let attribution = try #require(memory(samples).attribute(change()))
        #expect(attribution.rivals == ["bob", "carol"])
        #expect(attribution.summary == "likely alice, one of 4 requests that fit (also bob, carol)")
    }

    @Test func theControlPlaneIsMarked() throws {
        let sample = Sample(
            verb: "update", user: "system:serviceaccount:kube-system:clusterrole-aggregation-controller",
            groups: Sample.controllerGroups, condition: "100", version: "105")
        let attribution = try #require(memory([sample]).attribute(change()))
        #expect(attribution.certainty == .proven)
        #expect(attribution.isControlPlane)
    }

    @Test func twoProofsDisproveEachOther() throws {
        let samples = ["alice", "bob"].map { Sample(verb: "update", user: $0, condition: "100", version: "105") }
        let attribution = try #require(memory(samples).attribute(change()))
        #expect(attribution.certainty == .likely)
        #expect(attribution.rivals.count == 1)
    }

    @Test func nothingEarlierThanWhatWasStillAsBefore() {
        var seen = change()
        seen.unchangedAt = moment(-10)
        #expect(memory([Sample(level: "Metadata", at: -20)]).attribute(seen) == nil)
        #expect(memory([Sample(level: "Metadata", at: -12)]).attribute(seen)?.certainty == .likely)
    }

    @Test func theLatestClaimCounts() {
        let claims = [
            ObservedChange.Claim(manager: "a", time: nil), ObservedChange.Claim(manager: "b", time: moment(-5)),
            ObservedChange.Claim(manager: "c", time: moment(-9)),
        ]
        #expect(memory([]).attribute(change(claims: claims))?.name == "b")
        #expect(memory([]).attribute(change(.deleted, claims: claims)) == nil)
    }
}

import AuditEvents
import Manifest
import Testing

@Suite struct DeletionTests {
    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var samples: [Sample]
        var certainty: Attribution.Certainty?
        var name = "alice"
        var contributors = ["alice"]
        var uid: String? = "u1"
    }

    static func namespaceDeletion(by user: String, at: Double) -> Sample {
        Sample(
            level: "Metadata", verb: "delete", user: user, resource: .namespace, namespace: "team-a", name: "team-a",
            at: at)
    }

    static func collection(
        by user: String, groups: [String] = ["system:authenticated"], uids: [String]? = nil, at: Double = 0
    ) -> Sample {
        Sample(
            level: uids == nil ? "Metadata" : "RequestResponse", verb: "deletecollection", user: user, groups: groups,
            name: "", at: at,
            response: uids.map { uids in
                ["kind": "RoleList", "metadata": [:], "items": .array(uids.map { ["metadata": ["uid": .string($0)]] })]
            })
    }

    static let byController = collection(by: Sample.namespaceController, groups: Sample.controllerGroups)

    @Test(arguments: [
        Example(testDescription: "by uid", samples: [.deletion(by: "alice")], certainty: .proven),
        Example(testDescription: "another uid", samples: [.deletion(by: "alice", of: "u0")]),
        Example(testDescription: "an unknown uid", samples: [.deletion(by: "alice")], certainty: .likely, uid: nil),
        Example(
            testDescription: "by uid, with another that fits the time",
            samples: [Sample(level: "Metadata", verb: "delete", user: "bob", at: 0.5), .deletion(by: "alice")],
            certainty: .proven),
        Example(
            testDescription: "answered with the object that is gone",
            samples: [Sample(verb: "delete", version: "104")], certainty: .proven),
        Example(
            testDescription: "answered with an object that waits for finalizers",
            samples: [Sample(verb: "delete", at: -600, version: "104", isTerminating: true)], certainty: .likely),
        Example(testDescription: "Metadata", samples: [Sample(level: "Metadata", verb: "delete")], certainty: .likely),
        Example(testDescription: "a patch deletes nothing", samples: [Sample(level: "Metadata")]),
        Example(
            testDescription: "two",
            samples: [
                Sample(level: "Metadata", verb: "delete", user: "bob", at: -1),
                Sample(level: "Metadata", verb: "delete"),
            ], certainty: .likely, contributors: ["bob", "alice"]),
        Example(testDescription: "of many", samples: [collection(by: "alice")], certainty: .likely),
        Example(
            testDescription: "of many, this among them", samples: [collection(by: "alice", uids: ["u0", "u1"])],
            certainty: .likely),
        Example(testDescription: "of many others", samples: [collection(by: "alice", uids: ["u0"])]),
        Example(
            testDescription: "the namespace goes", samples: [namespaceDeletion(by: "alice", at: -90), byController],
            certainty: .likely, contributors: ["alice", Sample.namespaceController]),
        Example(
            testDescription: "the namespace goes slowly", samples: [namespaceDeletion(by: "alice", at: -900)],
            certainty: .likely),
        Example(
            testDescription: "the namespace goes, object by object",
            samples: [
                namespaceDeletion(by: "alice", at: -90),
                Sample(
                    verb: "delete", user: Sample.namespaceController, groups: Sample.controllerGroups, version: "104"),
            ], certainty: .likely, contributors: ["alice", Sample.namespaceController]),
        Example(
            testDescription: "only the controller's event has come", samples: [byController], certainty: .likely,
            name: Sample.namespaceController, contributors: [Sample.namespaceController]),
        Example(
            testDescription: "somebody in the controller's name",
            samples: [
                namespaceDeletion(by: "bob", at: -90),
                Sample(
                    level: "Metadata", verb: "delete", user: "mallory", impersonated: Sample.namespaceController),
            ], certainty: .likely, name: Sample.namespaceController,
            contributors: ["bob", Sample.namespaceController]),
        Example(
            testDescription: "another namespace goes",
            samples: [Sample(verb: "delete", resource: .namespace, namespace: "team-b", name: "team-b", at: -9)]),
    ])
    func namesWhoDeleted(_ example: Example) {
        let attribution = memory(example.samples).attribute(change(.deleted, uid: example.uid, after: nil))
        #expect(attribution?.certainty == example.certainty)
        guard let attribution, example.certainty != nil else { return }
        #expect(attribution.name == example.name)
        #expect(attribution.contributors.map(\.actor.name) == example.contributors)
    }

    @Test func oneDeletionOfManyExplainsAllOfThem() {
        let memory = memory([Self.collection(by: "alice")])
        for name in ["a", "b", "c"] {
            var gone = change(.deleted, after: nil)
            gone.object.name = name
            #expect(memory.attribute(gone)?.name == "alice")
        }
    }

    @Test func aNamespaceThatIsGoneWasDeletedLongBefore() {
        let gone = ObservedChange(
            object: ObjectID(.namespace, name: "team-a"), uid: "n", kind: .deleted, versionAfter: nil,
            observedAt: moment(1))
        #expect(memory([Self.namespaceDeletion(by: "alice", at: -900)]).attribute(gone)?.name == "alice")
    }
}

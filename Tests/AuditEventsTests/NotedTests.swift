import AuditEvents
import Manifest
import Testing

/// What is written down anew of an entry from before a start.
@Suite struct NotedTests {
    private static let query = "?fieldManager=kubectl-edit"
    private static let bob = Sample(auditID: "b", user: "bob", query: query, version: "105")
    private static let alice = Sample(auditID: "a", query: query, at: -0.5, version: "104")

    private func attribution(_ samples: [Sample]) throws -> Attribution {
        try #require(memory(samples).attribute(change(claims: [AttributionTests.claim])))
    }

    private func noted(_ certainty: Attribution.Certainty, _ auditID: String, _ restsOnMark: Bool) -> NotedAttribution {
        NotedAttribution(certainty: certainty, auditID: auditID, restsOnMark: restsOnMark)
    }

    @Test func aProofByAMarkIsTakenBackAfterARestart() throws {
        let proof = try attribution([Self.bob])
        #expect(proof.certainty == .proven && proof.restsOnMark)
        let takenBack = try attribution([Self.bob, Self.alice])
        #expect(takenBack.event?.auditID == "b" && takenBack.rivals == ["alice"])
        let byMark = noted(.proven, "b", true)
        #expect(!byMark.isFinal && !byMark.isOutdone(by: proof) && byMark.isOutdone(by: takenBack))
        let proven = noted(.proven, "b", false)
        #expect(proven.isFinal && !proven.isOutdone(by: takenBack))
    }

    /// The file of events may be gone: what is known afterwards is less, and says nothing against a proof.
    @Test func aGuessAloneTakesNoProofBack() throws {
        let guess = try attribution([Sample(auditID: "c", level: "Metadata", user: "carol")])
        #expect(guess.certainty == .likely)
        #expect(!noted(.proven, "b", true).isOutdone(by: guess))
        #expect(noted(.likely, "b", false).isOutdone(by: guess) && !noted(.likely, "c", false).isOutdone(by: guess))
        #expect(noted(.likely, "b", false).isOutdone(by: try attribution([Self.bob])))
    }
}

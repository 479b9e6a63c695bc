import AuditEvents
import Manifest
import Testing

/// Proofs by the mark of a field manager, and those who want another blamed.
@Suite struct MarkTests {
    /// The innocent one, whose write came after what somebody else had done.
    private static let innocent = Sample(query: "?fieldManager=kubectl-edit", version: "105")

    private func attribution(
        _ samples: [Sample], manager: String = "kubectl-edit"
    ) throws -> Attribution {
        let claim = ObservedChange.Claim(manager: manager, time: moment(0))
        return try #require(memory(samples).attribute(change(claims: [claim])))
    }

    @Test(arguments: [
        "?fieldManager=kubectl-edit&;d", "?fieldManager=kubectl-edit&d%zz", "?fieldManager=kubectl-edit&dryRun=x",
        "?field%4Danager=kubectl-edit", "?fieldManager=x;y&fieldManager=kubectl-edit",
        "?fieldManager=x%zz&fieldManager=kubectl-edit", "?a+b&fieldManager=x", "?fieldManager=kubectl%2Dedit",
        "?pad=\(String(repeating: "x", count: 600))&fieldManager=kubectl-edit",
    ])
    func whoMayHaveLeftTheMarkIsARival(_ query: String) throws {
        for version in ["104", nil] {
            let found = try attribution([
                Sample(user: "mallory", query: query, at: -0.6, version: version), Self.innocent,
            ])
            #expect(found.certainty == .likely && found.candidates == 2)
        }
    }

    @Test(arguments: [
        "?fieldManager=other", "?fieldManager=other&fieldManager=kubectl-edit", "?dryRun=&fieldManager=",
        "?fieldManager=kubectl-edit&dryRun=All", "",
    ])
    func whoCannotHaveLeftItIsNone(_ query: String) throws {
        let other = Sample(user: "bob", query: query, at: -0.6, version: "104")
        #expect(try attribution([other, Self.innocent]).certainty == .proven)
    }

    @Test(arguments: [
        "kubectl-edit", "kubectl-edit/v1.31 (linux/amd64)", "kubectl\u{200b}-edit", "kubectl\u{7}-edit/1", "é", "",
    ])
    func theProgramIsTheNameWhereNoneIsGiven(_ userAgent: String) throws {
        for query in ["", "?fieldManager=", "?fieldManager=&fieldManager=other"] {
            let rival = Sample(user: "mallory", query: query, userAgent: userAgent, at: -0.6, version: "104")
            #expect(try attribution([rival, Self.innocent]).certainty == .likely)
        }
    }

    @Test func aLongProgramIsCutAsTheServerDoes() throws {
        let long = String(repeating: "k", count: 128)
        let event = Sample(userAgent: long + "kk/1", version: "105")
        #expect(try attribution([event], manager: long).certainty == .proven)
    }

    /// Two names that only look alike are two.
    @Test func theMarkIsComparedByItsBytes() throws {
        let event = Sample(query: "?fieldManager=caf%C3%A9", version: "105")
        #expect(try attribution([event], manager: "caf\u{e9}").certainty == .proven)
        #expect(try attribution([event], manager: "cafe\u{301}").certainty == .likely)
    }

    /// What a client writes so that it can be read in two ways proves nothing against it, nor for it.
    @Test func anUnclearNameIsNoProof() throws {
        let event = Sample(query: "?fieldManager=kubectl-edit&a;b", version: "105")
        #expect(try attribution([event]).certainty == .likely)
    }
}

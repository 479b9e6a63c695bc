import Manifest
import Reconciler
import Testing

@Suite struct DeclaredStatesTests {
    @Test func aRevisionThatBringsAnEarlierStateBackSaysWhichOne() {
        var states = DeclaredStates()
        #expect(states.accept("a", digest: "1").restores == nil)
        #expect(states.accept("b", digest: "2").restores == nil)
        #expect(states.accept("c", digest: "3").restores == nil)
        #expect(states.accept("revert", digest: "1").restores == "a")
        #expect(states.accept("revert of the revert", digest: "3").restores == "c")
        #expect(states.accept("again", digest: "1").restores == "revert")
    }

    @Test func aRevisionWithoutAChangeRestoresNothing() {
        var states = DeclaredStates()
        states.accept("a", digest: "1")
        #expect(states.accept("a comment", digest: "1").restores == nil)
        #expect(states.accept("a comment", digest: "1").restores == nil)
        #expect(states.records.count == 2)
    }

    /// As when something of it was approved later: its time began with the first entry.
    @Test func theFirstEntryOfARevisionCounts() {
        var states = DeclaredStates()
        states.noteEntry(1)
        states.accept("a", digest: "1", takesBack: ["x", "y"])
        states.noteEntry(7)
        states.accept("a", digest: "1")
        states.noteEntry(9)
        #expect(states.records.map(\.entry) == [7])
        #expect(DeclaredStates(states.tree) == states)
    }

    /// What a guardrail held back was accepted, and never in force.
    @Test func onlyWhatWasInForceCanBeRestoredAsThat() {
        var states = DeclaredStates()
        func noteInForce(_ commit: String) -> Bool { states.noteInForce(commit) }
        states.accept("a", digest: "1")
        #expect(noteInForce("a"))
        #expect(!noteInForce("a"))
        states.accept("held", digest: "2")
        states.accept("c", digest: "3")
        #expect(!noteInForce("held"), "another revision was accepted meanwhile")
        #expect(states.inForce("1")?.commit == "a")
        #expect(states.inForce("2") == nil && states.inForce("3") == nil)
        #expect(noteInForce("c"))
        #expect(states.inForce("3")?.commit == "c")
        states.accept("revert", digest: "1")
        #expect(states.inForce("1")?.commit == "a")
        #expect(DeclaredStates(states.tree) == states)
        // The journal of an earlier version does not tell, or tells what nobody asks for any more.
        #expect(DeclaredStates([["commit": "a", "digest": "1"]]).inForce("1") == nil)
        let older = DeclaredStates([["commit": "a", "digest": "1", "configuration": "x", "wasInForce": true]])
        #expect(older.inForce("1")?.commit == "a")
    }

    @Test func whatIsRememberedSurvivesItsTextAndIsBounded() {
        var states = DeclaredStates()
        for number in 0..<700 { states.accept("\(number)", digest: "\(number % 7)") }
        #expect(states.records.count == DeclaredStates.capacity)
        #expect(DeclaredStates(states.tree) == states)
        #expect(DeclaredStates("rubbish").records.isEmpty)
        #expect(DeclaredStates(nil).records.isEmpty)
    }
}

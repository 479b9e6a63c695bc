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

    @Test func whatIsRememberedSurvivesItsTextAndIsBounded() {
        var states = DeclaredStates()
        for number in 0..<700 { states.accept("\(number)", digest: "\(number % 7)") }
        #expect(states.records.count == DeclaredStates.capacity)
        #expect(DeclaredStates(states.tree) == states)
        #expect(DeclaredStates("rubbish").records.isEmpty)
        #expect(DeclaredStates(nil).records.isEmpty)
    }
}

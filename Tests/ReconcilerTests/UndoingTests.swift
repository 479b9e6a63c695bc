import Manifest
import Reconciler
import Testing

/// Which revisions a revert undoes, and which entry a change of it points to.
@Suite struct UndoingTests {
    private func states(_ accepted: [(commit: String, digest: String)]) -> DeclaredStates {
        var states = DeclaredStates()
        for (index, revision) in accepted.enumerated() {
            states.accept(revision.commit, digest: revision.digest)
            states.noteEntry(Int64(10 * (index + 1)))
        }
        return states
    }

    @Test func aRestoredStateUndoesWhatCameAfterIt() throws {
        var states = states([("a", "1"), ("b", "2"), ("c", "3")])
        states.accept("revert", digest: "1")
        let undoing = try #require(Undoing(by: "revert", among: states))
        #expect(undoing.revisions == ["b", "c"] && undoing.firstEntry == 20 && undoing.acceptance == 30)

        states.noteEntry(40)
        states.accept("revert of the revert", digest: "3")
        let again = try #require(Undoing(by: "revert of the revert", among: states))
        #expect(again.revisions == ["revert"] && again.firstEntry == 40 && again.acceptance == 40)
    }

    @Test func whatIsTakenBackInPartIsUndone() throws {
        var states = states([("a", "1"), ("b", "2"), ("c", "3")])
        states.accept("revert", digest: "4", takesBack: ["b"])
        let undoing = try #require(Undoing(by: "revert", among: states))
        #expect(undoing.revisions == ["b"] && undoing.firstEntry == 20 && undoing.acceptance == 20)
    }

    @Test func whatIsNoRevertUndoesNothing() {
        let states = states([("a", "1"), ("b", "2")])
        #expect(Undoing(by: "b", among: states) == nil)
        #expect(Undoing(by: "a", among: states) == nil)
        #expect(Undoing(by: "unknown", among: states) == nil)
        var more = states
        more.accept("c", digest: "2", takesBack: ["not among them"])
        #expect(Undoing(by: "c", among: more) == nil)
    }

    /// Part of a revert may have waited for its approval, which comes with a commit of its own.
    @Test func aCommitWithoutAChangeGoesOnWithTheRevert() throws {
        var states = states([("a", "1"), ("b", "2"), ("revert", "1"), ("approval", "1")])
        let undoing = try #require(Undoing(by: "approval", among: states))
        #expect(undoing.revisions == ["b"] && undoing.firstEntry == 20 && undoing.acceptance == nil)
        states.accept("c", digest: "3")
        #expect(Undoing(by: "c", among: states) == nil)
    }

    /// An earlier version did not note the entries: then the revision alone decides.
    @Test func entriesThatAreNotKnownLeaveNothingOut() throws {
        var states = DeclaredStates()
        states.accept("a", digest: "1")
        states.accept("b", digest: "2")
        states.accept("c", digest: "3")
        states.noteEntry(30)
        states.accept("revert", digest: "1")
        let undoing = try #require(Undoing(by: "revert", among: states))
        #expect(undoing.firstEntry == 0 && undoing.acceptance == 30)
    }

    /// A branch that went back and forth: the commit was in force before, and that time is not undone.
    @Test func anEarlierTimeOfACommitIsNotUndone() throws {
        var states = states([("b", "2"), ("a", "1"), ("b", "2")])
        states.accept("revert", digest: "1")
        let undoing = try #require(Undoing(by: "revert", among: states))
        #expect(undoing.revisions == ["b"] && undoing.firstEntry == 30)
    }

    @Test func aChangeUndoesWhatDeclaredSomethingElse() {
        var states = states([("a", "1"), ("b", "2")])
        states.accept("revert", digest: "1")
        let undoing = Undoing(by: "revert", among: states)
        let made = PastChange(sequence: 7, patch: [["mergePatch": ["x": .null]], ["apply": ["spec": "wide"]]])
        let deleted = PastChange(sequence: 8, patch: [["delete": [:]]])
        #expect(made.declared == ["spec": "wide"] && deleted.declared == nil)
        #expect(PastChange(sequence: 9, patch: [["recreate": ["spec": "wide"]]]).declared == ["spec": "wide"])
        #expect(undoing?.entry(undoneBy: ["spec": "narrow"], latest: made) == 7)
        #expect(undoing?.entry(undoneBy: nil, latest: made) == 7)
        #expect(undoing?.entry(undoneBy: ["spec": "narrow"], latest: deleted) == 8)
        // The same once more puts right what failed or was lost.
        #expect(undoing?.entry(undoneBy: ["spec": "wide"], latest: made) == nil)
        #expect(undoing?.entry(undoneBy: nil, latest: deleted) == nil)
        #expect(undoing?.entry(undoneBy: nil, latest: nil) == nil)
    }
}

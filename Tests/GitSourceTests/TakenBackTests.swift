import GitSource
import Reconciler
import TestSupport
import Testing

/// Which earlier revisions a new one says it takes back.
@Suite(.timeLimit(.minutes(2))) struct TakenBackTests {
    let remote: PolicyRemote

    init() async throws { remote = try await PolicyRemote() }

    @discardableResult
    private func change(_ name: String) async throws -> String {
        try remote.write(clusterRole(name), to: name + ".yaml")
        return try await remote.commit("Add " + name)
    }

    @Test func everyCommitThatCameIsRead() async throws {
        try await change("a")
        let one = try await change("b")
        let two = try await change("c")
        let pushed = try await change("d")
        try await remote.git("revert", "--no-edit", two)
        try await remote.git("revert", "--no-edit", one)
        // A commit and its revert that came together undo nothing that was in force.
        let both = try await change("e")
        try await remote.git("revert", "--no-edit", both)
        let source = try remote.source()
        let newest = try await source.fetchNewest()
        #expect(try await source.commitsTakenBack(by: newest, after: pushed).sorted() == [one, two].sorted())
        #expect(try await source.commitsTakenBack(by: newest, after: newest.commit) == [])
    }

    /// What was pushed together was carried out by the newest of it.
    @Test func aCommitLeadsToTheRevisionThatCarriedItOut() async throws {
        let first = try await change("a")
        let inside = try await change("b")
        let second = try await change("c")
        let third = try await change("d")
        var states = DeclaredStates()
        for (commit, digest) in [(first, "1"), (second, "2"), (third, "3")] { states.accept(commit, digest: digest) }
        try await remote.git("revert", "--no-edit", inside)
        let source = try remote.source()
        let newest = try await source.fetchNewest()
        #expect(try await RevertSearch(among: states, in: source).revisions(takenBackBy: newest) == [second])
        // Once it was accepted, that is remembered.
        states.accept(newest.commit, digest: "4", takesBack: [second])
        #expect(try await RevertSearch(among: states, in: source).revisions(takenBackBy: newest) == [second])

        try await remote.git("revert", "--no-edit", newest.commit)
        let again = try await source.fetchNewest()
        #expect(try await RevertSearch(among: states, in: source).revisions(takenBackBy: again) == [newest.commit])
        #expect(try await RevertSearch(among: DeclaredStates(), in: source).revisions(takenBackBy: again) == [])
    }

    @Test func wordsAboutUnknownCommitsAreNothing() async throws {
        let first = try await change("a")
        var states = DeclaredStates()
        states.accept(first, digest: "1")
        try await remote.commit("Revert\n\nThis reverts commit \(String(repeating: "1", count: 40)).")
        let source = try remote.source()
        let newest = try await source.fetchNewest()
        #expect(try await RevertSearch(among: states, in: source).revisions(takenBackBy: newest) == [])
        // What was in force may be gone from the clone after a force-push.
        var lost = DeclaredStates()
        lost.accept(String(repeating: "2", count: 40), digest: "1")
        #expect(try await RevertSearch(among: lost, in: source).revisions(takenBackBy: newest) == [])
    }
}

import Manifest
import Policy
import Reconciler
import Testing

/// What a commit changed itself: whoever made it is its author.
@Suite struct CommitContentTests {
    private let id = ObjectID(.role, namespace: "a", name: "r")

    /// - Parameter value: Nil where the object is not declared.
    private func state(_ value: String?) -> DeclaredState {
        guard let value else { return DeclaredState() }
        let object = DeclaredObject(id: id, tree: ["value": .string(value)], origin: Origin(file: "", line: 0))
        return DeclaredState(objects: [id: object])
    }

    @Test(arguments: [("x", "x", false), ("x", "y", true), (nil, "x", true), ("x", nil, true), (nil, nil, false)])
    func ofACommitIsWhatDiffersFromItsParent(_ before: String?, _ after: String?, _ isChanged: Bool) {
        #expect(contentOfCommit(state(after), parents: [state(before)], base: nil).contains(id) == isChanged)
    }

    @Test func ofTheFirstCommitIsEverything() {
        #expect(contentOfCommit(state("x"), parents: [], base: nil) == [id])
    }

    /// Base, the two parents, and what the merge has.
    @Test(
        arguments: [
            ("x", "x", "x", "x", false), ("x", "y", "x", "y", false), ("x", "x", "y", "y", false),
            ("x", "y", "y", "y", false),
            // What one has withdrawn or changed comes back, as the other still has it.
            ("x", nil, "x", "x", true), ("x", "y", "x", "x", true), (nil, "x", nil, nil, true),
            // Both have changed it: whoever merges chooses.
            ("x", "y", "z", "y", true), ("x", nil, "z", "z", true), ("x", "y", "z", "w", true),
        ] as [(String?, String?, String?, String?, Bool)])
    func ofAMergeIsWhatMergingWouldNotMake(
        _ base: String?, _ one: String?, _ other: String?, _ merged: String?, _ isChanged: Bool
    ) {
        for parents in [[state(one), state(other)], [state(other), state(one)]] {
            #expect(
                contentOfCommit(state(merged), parents: parents, base: state(base)).contains(id) == isChanged,
                "\(base ?? "-") \(one ?? "-") \(other ?? "-") \(merged ?? "-")")
        }
    }

    @Test func withoutACommonBeginningWhateverDiffersCounts() {
        #expect(contentOfCommit(state("x"), parents: [state("x"), state(nil)], base: nil) == [id])
        #expect(contentOfCommit(state("x"), parents: [state("x"), state("x")], base: nil) == [])
    }

    @Test func theConfigurationIsLookedAtToo() {
        var head = state("x")
        head.configuration.scopes.standardMode = .report
        #expect(contentOfCommit(head, parents: [state("x")], base: nil) == [RepositoryConfiguration.id])
    }
}

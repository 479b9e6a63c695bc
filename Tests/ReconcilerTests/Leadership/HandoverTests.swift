import Reconciler
import Testing

/// What a leader leaves to the next one, as it stands on the Lease, which others may have written.
@Suite struct HandoverTests {
    private static let commit = String(repeating: "0a", count: 20)
    private static let other = String(repeating: "1b", count: 20)

    @Test(arguments: ["north\nproduction", "\n", "a place with spaces", "-"])
    func whatWasLeftIsFound(_ place: String) throws {
        for (revision, held) in [(Self.commit, nil), (Self.commit, Self.other), (nil, Self.other)] {
            let handover = try #require(Handover(revision: revision, heldRevision: held, place: place))
            #expect(Handover(handover.text) == handover)
        }
    }

    @Test func whereNothingIsKnownNothingIsLeft() { #expect(Handover(revision: nil, place: "\n") == nil) }

    @Test(arguments: [
        "", "x", " \n", "main - \n", "0a0a - \n", String(repeating: "0A", count: 20) + " - \n", commit,
        commit + " \n", "- - \n", commit + " main \n", "- 0a0a \n", commit + " " + other, commit + "0 - \n",
    ])
    func whatAreNoCommitsAndAPlaceIsNothing(_ text: String) { #expect(Handover(text) == nil) }
}

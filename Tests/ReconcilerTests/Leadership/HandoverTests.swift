import Reconciler
import Testing

/// What a leader leaves to the next one, as it stands on the Lease, which others may have written.
@Suite struct HandoverTests {
    private static let commit = String(repeating: "0a", count: 20)

    @Test(arguments: ["north\nproduction", "\n", "a place with spaces"]) func whatWasLeftIsFound(_ place: String) {
        let handover = Handover(revision: Self.commit, place: place)
        #expect(Handover(handover.text) == handover)
    }

    @Test(arguments: ["", "x", " \n", "main \n", "0a0a \n", String(repeating: "0A", count: 20) + " \n", commit])
    func whatIsNoCommitAndPlaceIsNothing(_ text: String) { #expect(Handover(text) == nil) }
}

import Analysis
import Guardrails
import Manifest
import Policy
import Testing

/// By which settings a revision is judged that an emergency hold brings.
@Suite struct HeldSettingsTests {
    private static let pods = Text.rule("", "pods", "get")
    private static let grant =
        Text.role("r", in: "a", Text.rule("", "secrets", "get")) + Text.binding(in: "a", kind: "Role")

    private func verdict(
        from base: DeclaredState, to head: DeclaredState, isByHold: Bool
    ) -> GuardVerdict {
        guardRevision(GuardQuestion(inForce: base, head: head, isByHold: isByHold))
    }

    @Test(arguments: [
        ("risks: {risky-grant: allow}", "{}", 2, 0), ("{}", "risks: {risky-grant: allow}", 2, 0),
        ("risks: {risky-grant: allow}", "risks: {SecretAccessGranted: hold}", 2, 0),
        ("risks: {risky-grant: allow}", "risks: {risky-grant: report}", 0, 1),
        ("risks: {risky-grant: report}", "risks: {risky-grant: allow}", 0, 1),
        ("risks: {risky-grant: allow}", "risks: {risky-grant: allow}", 0, 0),
    ])
    func theStricterOnesCount(_ before: String, _ held: String, _ waiting: Int, _ reported: Int) throws {
        func state(_ text: String, _ guardrails: String) throws -> DeclaredState {
            let braced = guardrails.hasPrefix("{") ? guardrails : "{\(guardrails)}"
            return try declared(Text.namespace() + text, configuration: "guardrails: \(braced)\n")
        }
        let verdict = verdict(from: try state("", before), to: try state(Self.grant, held), isByHold: true)
        #expect(verdict.holds.count { $0.id != RepositoryConfiguration.id } == waiting, "\(verdict.held)")
        #expect(Set(verdict.reported.map(\.reason)).count == reported, "\(verdict.reported)")
    }

    @Test func soDoesTheSmallerBudget() throws {
        func state(_ count: Int, _ maximum: Int) throws -> DeclaredState {
            try declared(
                Text.namespace() + (0..<count).map { Text.role("x\($0)", Self.pods) }.joined(),
                configuration: "guardrails: {deletions: {maximum: \(maximum), always: \(min(maximum, 5))}}\n")
        }
        #expect(verdict(from: try state(3, 50), to: try state(0, 2), isByHold: false).holds.isEmpty)
        #expect(verdict(from: try state(3, 50), to: try state(0, 2), isByHold: true).held.count == 3)
    }
}

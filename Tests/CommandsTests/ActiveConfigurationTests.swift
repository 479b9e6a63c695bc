import Arguments
import HTTPClient
import KubeClient
import StatusServer
import Telemetry
import Testing

@testable import Commands

/// What is in force, what the metrics say of it, and what can be gone back to.
@Suite struct ActiveConfigurationTests {
    private let first: Run
    private let active: ActiveConfiguration

    init() throws {
        let invocation = Invocation(
            arguments: try Self.arguments(), environment: [:], terminal: Terminal(environment: [:]))
        let endpoint = ClusterEndpoint(
            server: "http://127.0.0.1:1", name: "none", proxy: .none, credentials: CredentialSource(.none))
        first = try Run(invocation, of: RunProcess(invocation), on: endpoint)
        active = ActiveConfiguration(first)
    }

    private static func arguments(
        _ more: [String] = [], journal: String = "/a/journal.sqlite"
    ) throws -> ParsedArguments {
        try parseArguments(
            ["--repo", "https://git.example.com/policies", "--cache", "/a/cache", "--journal", journal] + more,
            for: runCommand.description, environment: [:])
    }

    private func change(_ run: Run, _ arguments: ParsedArguments) throws -> Run {
        let change = ConfigurationChange(from: run.wiring.arguments, to: arguments, effect: Flags.effect(of:))
        return try run.changed(to: arguments, by: change)
    }

    private var isTaken: Bool {
        first.process.metrics.registry.exposition(.prometheus).contains("\nbylaw_config_last_reload_successful 1\n")
    }

    @Test func theMetricsSayWhatIsInForce() throws {
        #expect(isTaken)
        let second = try change(first, Self.arguments(["--path", "two"]))
        #expect(active.replace(first, by: second, isBegunAnew: true) {})
        active.noteRefused()
        #expect(!isTaken)
        let third = try change(second, Self.arguments(["--path", "three"]))
        #expect(active.replace(second, by: third, isBegunAnew: true) {})
        // The second one fails only now.
        #expect(active.goBack(from: second))
        #expect(isTaken)
        #expect(active.run.number == third.number)
        #expect(active.goBack(from: third))
        #expect(!isTaken)
        #expect(active.run.wiring.arguments.text("path") == nil)
    }

    @Test func whatWasJudgedAgainstAnotherOneIsNotPutIntoForce() throws {
        let second = try change(first, Self.arguments(["--path", "two"]))
        #expect(active.replace(first, by: second, isBegunAnew: true) {})
        let third = try change(second, Self.arguments(["--path", "two", "--log-level", "error"]))
        #expect(active.goBack(from: second))
        #expect(!active.replace(second, by: third, isBegunAnew: false) { Issue.record("it is told") })
        #expect(!isTaken)
        #expect(active.run.wiring.arguments.text("path") == nil)
    }

    @Test(arguments: [
        (["--path", "two"], "a", false), ([], "b", true), (["--journal-key", "/a/key"], "a", true),
        (["--journal-key", "/a/journal.sqlite.key", "--path", "two"], "a", false),
    ])
    func onlyAnotherJournalIsReasonToGoBackForTheJournal(
        _ flags: [String], _ folder: String, _ isReason: Bool
    ) throws {
        #expect(!active.canGoBackToAnotherJournal(from: first))
        let second = try change(first, Self.arguments(flags, journal: "/\(folder)/journal.sqlite"))
        #expect(active.replace(first, by: second, isBegunAnew: true) {})
        #expect(active.canGoBackToAnotherJournal(from: second) == isReason)
        active.noteBegun(second)
        #expect(!active.canGoBackToAnotherJournal(from: second))
    }
}

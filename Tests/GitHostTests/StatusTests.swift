import GitHost
import Manifest
import Testing

@Suite struct StatusTests {
    static let commit = "0123456789abcdef0123456789abcdef01234567"

    private func status(
        _ state: CommitStatus.State, _ description: String = "2 objects in sync", target: String? = nil
    ) -> CommitStatus {
        CommitStatus(
            commit: Self.commit, context: "bylaw/production", state: state, description: description, targetURL: target)
    }

    @Test(arguments: GitHostKind.allCases, CommitStatus.State.allCases)
    func recordsEveryStateOnEveryHost(kind: GitHostKind, state: CommitStatus.State) async throws {
        let repository = try HostedRepository(kind)
        let outcome = try await repository.client().record(status(state, target: "https://bylaw.test/runs/7"))
        #expect(outcome == .recorded)
        let recorded = try #require(try await repository.state()["statuses"]?.array)
        let wanted = kind == .gitlab && (state == .failure || state == .error) ? "failed" : state.rawValue
        #expect(recorded.count == 1)
        #expect(recorded.first?["state"]?.string == wanted)
        #expect(recorded.first?["sha"]?.string == Self.commit)
        #expect(recorded.first?[kind == .gitlab ? "name" : "context"]?.string == "bylaw/production")
        #expect(recorded.first?["description"]?.string == "2 objects in sync")
        #expect(recorded.first?["target_url"]?.string == "https://bylaw.test/runs/7")
        #expect(try await repository.state()["violations"]?.array == [])
    }

    @Test(arguments: GitHostKind.allCases) func cutsADescriptionToWhatTheHostTakes(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        let long = "held:\n\tdeletes \u{202E}everything " + String(repeating: "é", count: 400)
        try await repository.client().record(status(.failure, long))
        let recorded = try await repository.state()["statuses"]?.array?.first?["description"]?.string ?? ""
        #expect(recorded.unicodeScalars.count == (kind == .github ? 140 : 255))
        #expect(recorded.hasPrefix("held: deletes everything éé"))
        #expect(recorded.hasSuffix("é…"))
    }

    @Test func takesGitLabsRefusalToStayInAStateForDone() async throws {
        let repository = try HostedRepository(.gitlab)
        let client = try repository.client()
        #expect(try await client.record(status(.pending)) == .recorded)
        #expect(try await client.record(status(.pending)) == .unchanged)
        #expect(try await client.record(status(.success)) == .recorded)
        #expect(try await client.record(status(.success)) == .recorded)
    }

    @Test func doesNotTakeGitLabsRefusalOfAnotherStateForDone() async throws {
        let repository = try HostedRepository(.gitlab)
        try await repository.seed(
            statuses: [["sha": .string(Self.commit), "name": "bylaw/production", "state": "running"]])
        await #expect {
            try await repository.client().record(status(.pending))
        } throws: { error in
            guard case GitHostError.rejected(let refusal) = error else { return false }
            return refusal.said.hasPrefix("Cannot transition status via :enqueue from :running")
        }
    }

    @Test func leavesOutAnAddressThatGitLabWouldRefuse() async throws {
        let repository = try HostedRepository(.gitlab)
        try await repository.client().record(
            status(.success, target: "https://bylaw.test/" + String(repeating: "x", count: 300)))
        #expect(try await repository.state()["statuses"]?.array?.first?["target_url"] == nil)
    }

    @Test(arguments: [
        (GitHostKind.github, 422, "No commit found for SHA"), (.gitlab, 404, "404 Commit Not Found"),
        (.gitea, 404, "404 Commit Not Found"),
    ])
    func saysThatTheHostDoesNotHaveACommit(kind: GitHostKind, status: Int, said: String) async throws {
        let repository = try HostedRepository(kind)
        let unknown = CommitStatus(
            commit: String(repeating: "dead", count: 10), context: "bylaw/production", state: .success, description: "")
        await #expect {
            try await repository.client().record(unknown)
        } throws: { error in
            switch error as? GitHostError {
            case .rejected(let refusal), .notFound(let refusal):
                refusal.status == status && refusal.said.hasPrefix(said) && refusal.hint.contains("commit")
                    && refusal.operation == "record the status bylaw/production of deaddeaddead in \(repository.name)"
            default: false
            }
        }
    }

    @Test(arguments: ["main", "0123456", "", String(repeating: "g", count: 40), "../../user"])
    func sendsNothingForWhatIsNoCommit(commit: String) async throws {
        let repository = try HostedRepository(.github)
        let wrong = CommitStatus(commit: commit, context: "bylaw", state: .success, description: "")
        await #expect(throws: GitHostError.self) { try await repository.client().record(wrong) }
        #expect(try await repository.state()["writes"]?.integer == 0)
    }

    @Test(arguments: ["", "two\nlines", String(repeating: "x", count: 256)])
    func refusesAContextThatTheHostWouldNotKeep(context: String) async throws {
        let wrong = CommitStatus(commit: Self.commit, context: context, state: .success, description: "")
        await #expect(throws: GitHostError.self) { try await HostedRepository(.gitea).client().record(wrong) }
    }

    @Test func refusesAnAddressThatIsNotOfTheWeb() async throws {
        await #expect(throws: GitHostError.self) {
            try await HostedRepository(.gitea).client().record(status(.success, target: "javascript:alert(1)"))
        }
    }
}

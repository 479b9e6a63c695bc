import GitHost
import HTTPClient
import Testing

@Suite struct FailureTests {
    private func fail(
        _ repository: HostedRepository, token: String = "good-secret-token", onRequest number: Int = 12,
        total: Duration = .seconds(30), maximumPages: Int = 50
    ) async throws -> GitHostError {
        let client = try repository.client(token: token, total: total, maximumPages: maximumPages)
        do throws(GitHostError) {
            try await client.put(try RequestComment(name: "production", text: "x"), onRequest: number)
        } catch {
            #expect(!error.hint.isEmpty)
            #expect(error.message.contains(repository.name) || error.message.contains("whose token"))
            #expect(!"\(error) \(error.message) \(error.hint)".contains("secret-token"))
            #expect(error.message.unicodeScalars.count < 700)
            return error
        }
        throw HostServer.Failure(description: "it did not fail")
    }

    @Test(arguments: GitHostKind.allCases) func saysThatTheTokenIsWrong(kind: GitHostKind) async throws {
        let error = try await fail(HostedRepository(kind), token: "wrong-secret-token")
        guard case .unauthenticated(let refusal) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refusal.status == 401)
        #expect(!refusal.said.isEmpty)
        #expect(refusal.hint.contains("expired"))
        #expect(!error.mayPass)
    }

    @Test(arguments: [
        (GitHostKind.github, "Pull requests: write", "Resource not accessible by personal access token"),
        (.gitlab, "scope api", "insufficient_scope; The request requires higher privileges"),
        (.gitea, "write:issue", "token does not have at least one of required scope(s)"),
    ])
    func saysWhichRightIsMissing(kind: GitHostKind, hint: String, said: String) async throws {
        let error = try await fail(HostedRepository(kind), token: "readonly-secret-token")
        guard case .forbidden(let refusal) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refusal.hint.contains(hint))
        #expect(refusal.said.hasPrefix(said))
    }

    @Test(arguments: [
        (GitHostKind.github, "Commit statuses: write"), (.gitlab, "role Developer"), (.gitea, "write:repository"),
    ])
    func saysWhichRightAStatusNeeds(kind: GitHostKind, hint: String) async throws {
        let repository = try HostedRepository(kind)
        await #expect {
            try await repository.client(token: "readonly-secret-token").record(
                CommitStatus(commit: StatusTests.commit, context: "bylaw", state: .success, description: ""))
        } throws: { error in
            guard case GitHostError.forbidden(let refusal) = error else { return false }
            return refusal.hint.contains(hint)
        }
    }

    @Test(arguments: GitHostKind.allCases) func saysThatSomethingIsNotThere(kind: GitHostKind) async throws {
        let error = try await fail(HostedRepository(kind), onRequest: 404)
        guard case .notFound(let refusal) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refusal.hint.contains("may not see"))
        #expect(refusal.operation.contains("request \(kind == .gitlab ? "!" : "#")404"))
    }

    @Test(
        arguments: [
            ("primary", nil, "Try again after 2026-01-01T00:00:00.000000Z"), ("secondary", 30, "Try again in 30 s"),
            ("busy", 7, "Try again in 7 s"),
        ] as [(String, Int?, String)])
    func tellsALimitFromAMissingRight(mode: String, seconds: Int?, hint: String) async throws {
        let error = try await fail(HostedRepository(.github, mode: mode))
        guard case .rateLimited(let refusal, let retryAfter) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(retryAfter == seconds.map { .seconds($0) })
        #expect(refusal.hint.hasPrefix(hint))
        #expect(error.mayPass)
    }

    @Test func doesNotFollowToAnotherPlace() async throws {
        let error = try await fail(HostedRepository(.github, mode: "elsewhere"))
        guard case .redirected(let refusal) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refusal.said == "it is at https://other.test/api/v3/repos/new now")
    }

    @Test(arguments: ["broken", "echo"]) func keepsAHostsTroubleShort(mode: String) async throws {
        for kind in GitHostKind.allCases {
            let error = try await fail(HostedRepository(kind, mode: mode))
            guard case .broken(let refusal) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.mayPass)
            #expect(refusal.said.unicodeScalars.count <= 300)
            #expect(!refusal.said.contains("<html>"))
            #expect(mode == "broken" || refusal.said.contains("(redacted) of many lines yyy"))
        }
    }

    @Test(arguments: [("page", "not JSON"), ("object", "no list"), ("circle", "same page again")])
    func doesNotTakeAnotherPageForAnAnswer(mode: String, detail: String) async throws {
        for kind in GitHostKind.allCases where mode != "circle" || kind != .gitea {
            let error = try await fail(HostedRepository(kind, mode: mode))
            guard case .unexpectedAnswer(_, let said, _) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(said.contains(detail))
        }
    }

    @Test func looksAtNoMorePagesThanAllowed() async throws {
        let error = try await fail(HostedRepository(.github, mode: "endless"), maximumPages: 20)
        guard case .unexpectedAnswer(_, let said, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(said.hasPrefix("there are more than 20 pages"))
    }

    @Test(arguments: [
        ("huge", HTTPError.Kind.tooLarge, false), ("hang", .timedOut, true), ("vanish", .closedEarly, true),
    ])
    func boundsSizeAndTime(mode: String, kind: HTTPError.Kind, mayPass: Bool) async throws {
        let error = try await fail(
            HostedRepository(.gitea, mode: mode), total: mode == "hang" ? .milliseconds(300) : .seconds(30))
        guard case .unreachable(_, let found, _, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(found == kind)
        #expect(error.mayPass == mayPass)
    }
}

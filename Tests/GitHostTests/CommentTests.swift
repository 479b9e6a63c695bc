import GitHost
import Manifest
import Testing

@Suite struct CommentTests {
    private func comment(_ text: String, name: String = "production") throws -> RequestComment {
        try RequestComment(name: name, text: text)
    }

    @Test(arguments: GitHostKind.allCases)
    func keepsOneCommentUpToDateAmongMany(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        try await repository.seed((0..<10).map { (.stranger, "remark \($0)") })
        #expect(try await repository.client().put(try comment("one"), onRequest: 12) == .created(id: 1010))
        try await repository.seed((0..<10).map { (.otherBot, "later remark \($0)") })
        #expect(try await repository.client().put(try comment("two"), onRequest: 12) == .updated(id: 1010))
        #expect(try await repository.client().put(try comment("two"), onRequest: 12) == .unchanged(id: 1010))
        #expect(try await repository.client().put(try comment("three"), onRequest: 12) == .updated(id: 1010))
        let comments = try await repository.comments()
        #expect(comments.count == 21)
        #expect(comments.filter { $0.author == 7 }.map(\.body) == ["<!-- bylaw:production -->\nthree"])
        let state = try await repository.state()
        #expect(state["writes"]?.integer == 3)
        #expect(state["violations"]?.array == [])
        // 4 pages of 3 at first, 7 afterwards; Gitea lists all at once.
        let reads: Int64 = kind == .gitea ? 4 : 4 + 3 * 7
        #expect(state["reads"]?.integer == reads)
    }

    @Test(arguments: GitHostKind.allCases) func keepsACommentForEachName(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        let client = try repository.client()
        try await client.put(try comment("a"), onRequest: 12)
        try await client.put(try comment("b", name: "production-2"), onRequest: 12)
        try await client.put(try comment("c"), onRequest: 12)
        #expect(
            try await repository.comments().map(\.body) == [
                "<!-- bylaw:production -->\nc", "<!-- bylaw:production-2 -->\nb",
            ])
    }

    @Test(arguments: GitHostKind.allCases)
    func leavesAForgedOrQuotedCommentAlone(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        try await repository.seed([
            (.stranger, "<!-- bylaw:production -->\nall is well"), (.own, "> <!-- bylaw:production -->\nquoted"),
            (.own, " <!-- bylaw:production -->\nindented"), (.own, "<!-- bylaw:production-2 -->\nanother's"),
        ])
        try await repository.client().put(try comment("real"), onRequest: 12)
        try await repository.client().put(try comment("real again"), onRequest: 12)
        let comments = try await repository.comments()
        #expect(comments.count == 5)
        #expect(comments.first?.body == "<!-- bylaw:production -->\nall is well")
        #expect(comments.last?.body == "<!-- bylaw:production -->\nreal again")
        #expect(try await repository.state()["violations"]?.array == [])
    }

    @Test func goesByMarkerAndBotWhereGitHubDoesNotTellWhoWeAre() async throws {
        let repository = try HostedRepository(.github)
        try await repository.seed([(.stranger, "<!-- bylaw:production -->\nforged")])
        let client = try repository.client(token: "actions-secret-token")
        #expect(try await client.put(try comment("one"), onRequest: 12) == .created(id: 1001))
        #expect(try await client.put(try comment("two"), onRequest: 12) == .updated(id: 1001))
        #expect(try await repository.comments().map(\.author) == [99, 41])
    }

    @Test(arguments: [GitHostKind.gitlab, .gitea])
    func refusesToGuessWhoWeAreElsewhere(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        await #expect {
            try await repository.client(token: "nobody-secret-token").put(try comment("x"), onRequest: 12)
        } throws: { error in
            guard case GitHostError.forbidden(let refusal) = error else { return false }
            return refusal.hint.contains(kind == .gitea ? "read:user" : "scope api")
        }
        #expect(try await repository.state()["writes"]?.integer == 0)
    }

    @Test func updatesTheNewestOfSeveral() async throws {
        let repository = try HostedRepository(.gitea)
        try await repository.seed([
            (.own, "<!-- bylaw:production -->\nfirst"), (.own, "<!-- bylaw:production -->\nsecond"),
        ])
        #expect(try await repository.client().put(try comment("now"), onRequest: 12) == .updated(id: 1001))
    }

    @Test func passesOverGitLabsOwnNotices() async throws {
        let repository = try HostedRepository(.gitlab)
        try await repository.seed([(.own, "<!-- bylaw:production -->\nnotice")], isSystem: true)
        #expect(try await repository.client().put(try comment("now"), onRequest: 12) == .created(id: 1001))
    }

    @Test(arguments: ["now  \r\nand\r\nthen\r\n\r\n", "now  \nand\nthen"])
    func takesOtherLineEndsForTheSameText(kept: String) async throws {
        let repository = try HostedRepository(.github)
        try await repository.seed([(.own, "<!-- bylaw:production -->\n" + kept)])
        #expect(
            try await repository.client().put(try comment("now  \nand\nthen\n"), onRequest: 12) == .unchanged(id: 1000))
    }

    @Test(arguments: GitHostKind.allCases) func cutsATextToWhatTheHostTakes(kind: GitHostKind) async throws {
        let repository = try HostedRepository(kind)
        let line = "🔒 a line of a report\n"
        let text = "```\n" + String(repeating: line, count: 1_100_000 / line.unicodeScalars.count)
        let client = try repository.client(maximumAnswerBytes: 8 << 20)
        try await client.put(try comment(text), onRequest: 12)
        #expect(try await client.put(try comment(text), onRequest: 12) == .unchanged(id: 1000))
        let body = try #require(try await repository.comments().first?.body)
        let limit = kind == .gitlab ? 1_000_000 : 65_536
        #expect((limit - 200...limit).contains(body.unicodeScalars.count))
        #expect(body.contains("a line of a report\n```\n\n_The rest was cut off"))
    }

    @Test(arguments: ["", "a--b", "-->", "two words", "é", String(repeating: "n", count: 65)])
    func refusesANameThatCouldEndTheMarker(name: String) {
        #expect(throws: GitHostError.self) { try RequestComment(name: name, text: "") }
    }

    @Test(arguments: [0, -3]) func sendsNothingForWhatIsNoNumber(number: Int) async throws {
        let repository = try HostedRepository(.github)
        await #expect(throws: GitHostError.self) {
            try await repository.client().put(try comment("x"), onRequest: number)
        }
    }
}

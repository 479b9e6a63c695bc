import GitHost
import HTTPClient
import Testing

@Suite struct ConfigurationTests {
    private func configuration(
        _ kind: GitHostKind = .gitea, url: String = "https://git.test/api/v1", repository: String = "acme/policies",
        token: String = "secret-token"
    ) throws(GitHostError) -> GitHostConfiguration {
        try GitHostConfiguration(kind: kind, apiURL: url, repository: repository, token: Array(token.utf8))
    }

    @Test(arguments: [
        (GitHostKind.github, "https://api.github.com", "https://api.github.com"),
        (.github, "https://github.com/", "https://api.github.com"),
        (.github, "https://git.test/api/v3/", "https://git.test/api/v3"),
        (.github, "https://git.test", "https://git.test/api/v3"),
        (.github, "https://api.acme.ghe.com", "https://api.acme.ghe.com"),
        (.gitlab, "https://gitlab.com", "https://gitlab.com/api/v4"),
        (.gitlab, "https://git.test/gitlab/api/v4", "https://git.test/gitlab/api/v4"),
        (.gitea, "http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1"),
        (.gitea, "http://[::1]:3000/", "http://[::1]:3000/api/v1"),
        (.gitea, "http://localhost:3000/api/v1", "http://localhost:3000/api/v1"),
    ])
    func knowsWhereTheAPIStands(kind: GitHostKind, given: String, used: String) throws {
        let repository = "acme/policies"
        #expect(try configuration(kind, url: given, repository: repository).apiURL == used)
    }

    @Test(arguments: [
        "http://git.test/api/v1", "ftp://git.test", "git.test", "", "https://", "https://ann:hunter2@git.test",
        "https://git.test/api/v1?private_token=hunter2", "http://127.0.0.1.git.test", "http://localhost.git.test",
        "http://127.0.0.1@git.test", "file:///etc/passwd",
    ])
    func refusesAnAddressThatIsNotSafe(url: String) {
        #expect {
            try configuration(url: url)
        } throws: { error in
            guard case GitHostError.unusable(let what, let hint) = error else { return false }
            return !"\(what)\(hint)".contains("hunter2") && hint.contains("https://HOST/api/v1")
        }
    }

    @Test(arguments: [
        (GitHostKind.github, "acme"), (.github, "acme/policies/more"), (.github, "acme/.."), (.github, "../user"),
        (.github, "acme/a b"), (.github, "acme/a?x"), (.github, "acme/a%2Fb"), (.github, "/policies"), (.github, ""),
        (.gitlab, "policies"), (.gitlab, "acme//policies"), (.gitlab, "acme/./policies"), (.gitea, "7"),
    ])
    func refusesWhatNamesNoRepository(kind: GitHostKind, repository: String) {
        #expect(throws: GitHostError.self) { try configuration(kind, repository: repository) }
    }

    @Test(arguments: ["7", "acme/policies", "acme/team/sub-team/policies.git"])
    func takesWhatNamesAProjectOnGitLab(repository: String) throws {
        #expect(try configuration(.gitlab, repository: repository).repository == repository)
    }

    @Test(arguments: ["", "  \n", "two\nlines", "a b", "tök", "nul\0"]) func refusesWhatIsNoToken(token: String) {
        #expect {
            try configuration(token: token)
        } throws: { error in
            token.count < 2 || !"\(error)".contains(token)
        }
    }

    @Test func neverShowsTheToken() throws {
        let configuration = try configuration(token: "secret-token\r\n")
        var text = "\(configuration) \(String(reflecting: configuration))"
        dump(configuration, to: &text)
        #expect(!text.contains("secret-token"))
        #expect(configuration.token == SecretBytes(Array("secret-token".utf8)))
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("https://github.com/acme/policies.git", GitHostKind.github, "https://api.github.com", "acme/policies"),
        ("git@github.com:acme/policies.git", .github, "https://api.github.com", "acme/policies"),
        ("ssh://git@ssh.github.com:443/acme/policies", .github, "https://api.github.com", "acme/policies"),
        ("https://GitHub.com/acme/policies/", .github, "https://api.github.com", "acme/policies"),
        ("https://gitlab.com/acme/team/policies.git", .gitlab, "https://gitlab.com/api/v4", "acme/team/policies"),
        ("git@gitlab.com:acme/policies", .gitlab, "https://gitlab.com/api/v4", "acme/policies"),
        ("https://codeberg.org/acme/policies", .gitea, "https://codeberg.org/api/v1", "acme/policies"),
    ])
    func derivesPublicHosts(remote: String, kind: GitHostKind, apiURL: String, repository: String) throws {
        #expect(
            try GitHostAddress(remote: remote)
                == GitHostAddress(kind: kind, apiURL: apiURL, repository: repository))
    }

    @Test(arguments: [
        ("https://git.test:8443/acme/policies", GitHostKind.gitea, "https://git.test:8443/api/v1"),
        ("ssh://git@git.test:2222/acme/policies.git", .gitlab, "https://git.test/api/v4"),
        ("git@git.test:acme/policies.git", .github, "https://git.test/api/v3"),
        ("https://ann:hunter2@git.test/acme/policies", .gitea, "https://git.test/api/v1"),
    ])
    func derivesAHostOfOnesOwnOnceItsKindIsSaid(remote: String, kind: GitHostKind, apiURL: String) throws {
        let address = try GitHostAddress(remote: remote, kind: kind)
        #expect(address == GitHostAddress(kind: kind, apiURL: apiURL, repository: "acme/policies"))
        #expect(throws: GitHostError.self) { try GitHostAddress(remote: remote) }
    }

    @Test(arguments: [
        "/srv/git/policies.git", "file:///srv/git/policies.git", "", "https://github.com/acme", "github.com",
        "https://github.com.evil.test/acme/policies", "git@github.com:", "https://", "ssh://", ":x",
    ])
    func doesNotGuess(remote: String) {
        #expect(throws: GitHostError.self) { try GitHostAddress(remote: remote) }
    }
}

import Git
import Testing

@Suite struct RemoteURLTests {
    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var scheme: RemoteURL.Scheme
        var user: String?
        var host = ""
        var port: Int?
        var path: String

        init(
            _ address: String, _ scheme: RemoteURL.Scheme, user: String? = nil, host: String = "", port: Int? = nil,
            path: String
        ) {
            testDescription = address
            self.scheme = scheme
            self.user = user
            self.host = host
            self.port = port
            self.path = path
        }
    }

    @Test(arguments: [
        Example("/srv/policies", .file, path: "/srv/policies"),
        Example("../policies", .file, path: "../policies"),
        Example("./odd:name", .file, path: "./odd:name"),
        Example("file:///srv/policies", .file, path: "/srv/policies"),
        Example("https://git.test/org/policies.git", .https, host: "git.test", path: "/org/policies.git"),
        Example("HTTPS://git.test:8443/p", .https, host: "git.test", port: 8443, path: "/p"),
        Example("http://127.0.0.1:8080/p", .http, host: "127.0.0.1", port: 8080, path: "/p"),
        Example("ssh://git@git.test:2222/p", .ssh, user: "git", host: "git.test", port: 2222, path: "/p"),
        Example("git+ssh://git.test/p", .ssh, host: "git.test", path: "/p"),
        Example("git@git.test:org/policies.git", .ssh, user: "git", host: "git.test", path: "org/policies.git"),
        Example("git.test:policies", .ssh, host: "git.test", path: "policies"),
    ])
    func readsAnAddressAsGitWritesIt(_ example: Example) throws {
        let url = try RemoteURL(example.testDescription)
        #expect(url.scheme == example.scheme)
        #expect(url.user == example.user)
        #expect(url.host == example.host)
        #expect(url.port == example.port)
        #expect(url.path == example.path)
    }

    @Test func aSlashAtTheEndOfAWebAddressCountsForNothing() throws {
        #expect(try RemoteURL("https://git.test/p/").text == "https://git.test/p")
    }

    @Test(arguments: [
        "", "https:///p", "ftp://git.test/p", "https://git.test/p?token=x", "https://git.test/p#x",
        "http://git.test/p", "http://10.0.0.1/p", "ssh://-oProxyCommand=x/p", "ssh://-l@git.test/p",
        "-oProxyCommand=x:p",
        "git.test:-p", "git.test:", ":p", "/srv/poli\ncies", "/srv/poli\0cies",
    ])
    func refusesWhatIsNoAddressOrIsNotSafe(_ address: String) {
        #expect(throws: GitError.self) { try RemoteURL(address) }
    }

    @Test(arguments: [
        "https://ann:hunter2@git.test/p", "https://hunter2@git.test/p", "https://hunter2:@git.test/p",
        "http://ann:hunter2@127.0.0.1/p", "ssh://git:hunter2@git.test/p", "https://ann:hunter2@/p",
        "https://ann:hunter2%@git.test/p", "https://ann:hunter2/x@git.test/p", "https://ann:hunter2#@git.test/p",
        "https://git.test/p?private_token=hunter2", "gopher://ann:hunter2@git.test/p",
        "ann:hunter2@@://git.test/p",
    ])
    func refusesAnAddressWithASecretWithoutRepeatingIt(_ address: String) throws {
        let error = try #require(throws: GitError.self) { try RemoteURL(address) }
        #expect(!"\(error) \(error.hint)".contains("hunter2"))
        #expect(!error.hint.isEmpty)
    }
}

import Foundation

/// What a repository's Git address says about its host.
package struct GitHostAddress: Sendable, Equatable {
    package var kind: GitHostKind
    package var apiURL: String
    /// `owner/name`, or a deeper path on GitLab.
    package var repository: String

    package init(kind: GitHostKind, apiURL: String, repository: String) {
        self.kind = kind
        self.apiURL = apiURL
        self.repository = repository
    }

    /// Reads a remote's address as Git writes it: `https://HOST/PATH`, `ssh://USER@HOST/PATH` or `USER@HOST:PATH`.
    ///
    /// A host of one's own does not show its kind, so it has to be given; its API is then taken to stand where it
    /// usually does, on the same host. Credentials in the address are left behind and never repeated.
    ///
    /// - Parameter kind: What the person said; nil to go by the host's name alone.
    /// - Throws: ``GitHostError/unusable(what:hint:)`` where the address does not tell.
    package init(remote: String, kind: GitHostKind? = nil) throws(GitHostError) {
        guard let (host, port, path) = split(remote) else {
            throw .unusable(
                what: "the remote's address names no Git host",
                hint: "Say which host it is with --host, --api and --repository.")
        }
        let publicHost = publicHosts[host]
        guard let kind = kind ?? publicHost?.kind else {
            throw .unusable(
                what: "\(host.onOneLine(maximum: 253)) does not show what kind of Git host it is",
                hint: "Say --host github, gitlab or gitea (Forgejo), and --api if its API stands elsewhere.")
        }
        self.kind = kind
        if let publicHost, publicHost.kind == kind {
            apiURL = publicHost.apiURL
        } else {
            apiURL = "https://\(host)\(port.map { ":\($0)" } ?? "")\(kind.apiPath)"
        }
        let names = path.split(separator: "/")
        let joined = names.joined(separator: "/")
        repository = joined.hasSuffix(".git") ? String(joined.dropLast(4)) : joined
        guard kind == .gitlab ? names.count >= 2 : names.count == 2 else {
            throw .unusable(
                what: "the remote's path is no repository on \(kind)", hint: "Say which one it is with --repository.")
        }
    }
}

private let publicHosts: [String: (kind: GitHostKind, apiURL: String)] = [
    "github.com": (.github, "https://api.github.com"),
    "www.github.com": (.github, "https://api.github.com"),
    // Their hosts for ssh through the port of https.
    "ssh.github.com": (.github, "https://api.github.com"),
    "gitlab.com": (.gitlab, "https://gitlab.com/api/v4"),
    "altssh.gitlab.com": (.gitlab, "https://gitlab.com/api/v4"),
    "codeberg.org": (.gitea, "https://codeberg.org/api/v1"),
    "gitea.com": (.gitea, "https://gitea.com/api/v1"),
]

/// The host, its port for https, and the path there.
private func split(_ remote: String) -> (host: String, port: Int?, path: String)? {
    if remote.contains("://") {
        guard let parts = URLComponents(string: remote), let host = parts.host?.lowercased(), !host.isEmpty else {
            return nil
        }
        switch parts.scheme?.lowercased() {
        // The port of ssh says nothing about that of the API.
        case "ssh", "git+ssh", "ssh+git": return (host, nil, parts.path)
        case "https", "http": return (host, parts.port, parts.path)
        default: return nil
        }
    }
    guard let colon = remote.firstIndex(of: ":"), !remote[..<colon].contains("/") else { return nil }
    let login = remote[..<colon]
    let host = login.lastIndex(of: "@").map { login[login.index(after: $0)...] } ?? login
    guard !host.isEmpty else { return nil }
    return (host.lowercased(), nil, String(remote[remote.index(after: colon)...]))
}

import Foundation

/// The address of a policy repository, without credentials.
package struct RemoteURL: Sendable, Equatable, CustomStringConvertible {
    package enum Scheme: Sendable, Equatable { case file, http, https, ssh }

    package let scheme: Scheme
    /// As libgit2 and the transports use it.
    package let text: String
    /// For ssh: whom to log in as, where, and the path there.
    package let user: String?
    package let host: String
    package let port: Int?
    package let path: String

    package var description: String { text }

    var isSpokenToOverHTTP: Bool { scheme == .https || scheme == .http }

    /// Reads an address as Git writes it: a path, `file://`, `https://`, `ssh://`, or `user@host:path`.
    package init(_ address: String) throws(GitError) {
        func refuse(_ detail: String, _ hint: String) -> GitError {
            GitError(kind: .other, operation: "read the repository's address", detail: detail, hint: hint)
        }
        let forms = "Write a path, file:///PATH, https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH."
        guard !address.isEmpty, !address.contains(where: { $0.isNewline || $0 == "\0" }) else {
            throw refuse("it is empty or holds a line break", forms)
        }
        guard let separator = address.range(of: "://") else {
            if let colon = address.firstIndex(of: ":"), !address[..<colon].contains("/") {
                let login = address[..<colon]
                let at = login.lastIndex(of: "@")
                user = at.map { String(login[..<$0]) }
                host = at.map { String(login[login.index(after: $0)...]) } ?? String(login)
                path = String(address[address.index(after: colon)...])
                port = nil
                scheme = .ssh
                text = address
                try Self.checkForSSH(host: host, user: user, path: path)
                return
            }
            scheme = .file
            text = address
            user = nil
            host = ""
            port = nil
            path = address
            return
        }
        switch address[..<separator.lowerBound].lowercased() {
        case "file": scheme = .file
        case "http": scheme = .http
        case "https": scheme = .https
        case "ssh", "git+ssh", "ssh+git": scheme = .ssh
        case let word where word.utf8.allSatisfy(\.isOfScheme):
            throw refuse("\"\(word)\" is no scheme that Bylaw knows", forms)
        // It may hold a password.
        default: throw refuse("what stands before :// is no scheme that Bylaw knows", forms)
        }
        if scheme == .file {
            text = address
            user = nil
            host = ""
            port = nil
            path = String(address[separator.upperBound...])
            return
        }
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty else {
            throw refuse("it has no host", forms)
        }
        guard parts.password == nil, scheme == .ssh || parts.user == nil else {
            throw refuse(
                "it holds a user name or password",
                "Leave them out of the address and give them with --git-token-file or --git-password-file.")
        }
        guard parts.query == nil, parts.fragment == nil else { throw refuse("it has a query", forms) }
        self.host = host
        user = parts.user
        port = parts.port
        path = parts.path
        text = address.hasSuffix("/") ? String(address.dropLast()) : address
        if scheme == .ssh { try Self.checkForSSH(host: host, user: user, path: path) }
        if scheme == .http, !["localhost", "127.0.0.1", "[::1]", "::1"].contains(host) {
            throw refuse("http:// would send everything in the clear", "Use https://.")
        }
    }

    /// A host or user that begins with a dash would be read by ssh as an option.
    private static func checkForSSH(host: String, user: String?, path: String) throws(GitError) {
        guard !host.hasPrefix("-"), !(user ?? "").hasPrefix("-"), !path.hasPrefix("-"), !host.isEmpty, !path.isEmpty
        else {
            throw GitError(
                kind: .other, operation: "read the repository's address",
                detail: "its host, user or path is empty or begins with a dash",
                hint: "Write ssh://USER@HOST/PATH.")
        }
    }
}

extension UInt8 {
    /// Whether it may stand in the scheme of a URL (RFC 3986, section 3.1); the address is in lower case.
    fileprivate var isOfScheme: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(self)
    }
}

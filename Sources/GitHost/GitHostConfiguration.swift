import Foundation
package import HTTPClient

/// Which repository on which Git host, and who we are there.
package struct GitHostConfiguration: Sendable {
    package let kind: GitHostKind
    /// The base address of the API, without a slash at its end; https, or http to this machine.
    package let apiURL: String
    /// `owner/name`; on GitLab also deeper paths, or the project's number.
    package let repository: String
    package let token: SecretBytes
    /// PEM; nil for the system's trusted authorities.
    package let certificateAuthorities: [UInt8]?
    package let proxy: ProxyConfiguration

    /// Checks each part; the error says which one cannot be used, and never repeats the token.
    ///
    /// - Parameters:
    ///   - apiURL: The API's base address, such as GITHUB_API_URL or CI_API_V4_URL hold, or the host's own address:
    ///     where it has no path, the host's usual one is added.
    ///   - token: As it stands in its file; white space around it is left out.
    package init(
        kind: GitHostKind, apiURL: String, repository: String, token: [UInt8],
        certificateAuthorities: [UInt8]? = nil, proxy: ProxyConfiguration = .environment
    ) throws(GitHostError) {
        self.kind = kind
        self.apiURL = try baseURL(apiURL, kind)
        self.repository = try checkedRepository(repository, kind)
        self.token = try checkedToken(token)
        self.certificateAuthorities = certificateAuthorities
        self.proxy = proxy
    }

    /// The repository as it stands in a path of the API.
    var repositoryPath: String {
        kind == .gitlab
            ? "/projects/" + repository.split(separator: "/").joined(separator: "%2F") : "/repos/" + repository
    }
}

private func baseURL(_ text: String, _ kind: GitHostKind) throws(GitHostError) -> String {
    let forms = "Write it as https://HOST\(kind.apiPath), or https://api.github.com."
    func refuse(_ why: String) -> GitHostError { .unusable(what: "the address of the host's API \(why)", hint: forms) }
    guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
        let scheme = parts.scheme?.lowercased()
    else { throw refuse("is no address") }
    guard parts.user == nil, parts.password == nil else { throw refuse("holds a user name or password") }
    guard parts.query == nil, parts.fragment == nil else { throw refuse("has a query") }
    guard scheme == "https" || scheme == "http" && isLoopback(host) else {
        throw refuse("is not https, and the token would be sent in the clear")
    }
    var base = text
    while base.hasSuffix("/") { base.removeLast() }
    guard parts.path.allSatisfy({ $0 == "/" }) else { return base }
    guard kind == .github else { return base + kind.apiPath }
    if ["github.com", "www.github.com"].contains(host.lowercased()) { return "https://api.github.com" }
    // GitHub's own clouds have a host of its own for the API.
    return host.lowercased().hasPrefix("api.") ? base : base + kind.apiPath
}

private func isLoopback(_ host: String) -> Bool {
    if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return numbers.count == 4 && numbers.first == 127 && !numbers.contains(nil)
}

/// A repository's name goes into paths, so it holds nothing that a path takes for more than a name.
private func checkedRepository(_ text: String, _ kind: GitHostKind) throws(GitHostError) -> String {
    let names = text.split(separator: "/", omittingEmptySubsequences: false)
    let areNames = names.allSatisfy { name in
        !name.isEmpty && name != "." && name != ".." && name.utf8.allSatisfy(isNameByte)
    }
    let isNumber = kind == .gitlab && names.count == 1 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard areNames, text.utf8.count <= 1024, isNumber || (kind == .gitlab ? names.count >= 2 : names.count == 2) else {
        throw .unusable(
            what: "\"\(text.onOneLine(maximum: 100))\" names no repository on \(kind)",
            hint: kind == .gitlab
                ? "Write the project's path, GROUP/PROJECT, or its number." : "Write it as OWNER/NAME.")
    }
    return text
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default: false
    }
}

private func checkedToken(_ bytes: [UInt8]) throws(GitHostError) -> SecretBytes {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    var token = bytes[...].drop(while: isSpace)
    while let last = token.last, isSpace(last) { token.removeLast() }
    // What is to be a header's value: a line break or a space within would be a second file pasted below the first.
    guard !token.isEmpty, token.count <= 8192, token.allSatisfy({ (0x21...0x7e).contains($0) }) else {
        throw .unusable(
            what: "the token for the Git host is empty, longer than any, or holds other than visible ASCII",
            hint: "Put the token alone into its file, on one line.")
    }
    return SecretBytes(Array(token))
}

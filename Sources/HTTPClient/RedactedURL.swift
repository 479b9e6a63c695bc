import Foundation

/// A URL without user name, password, query and fragment, for messages.
///
/// Text that is no proper URL loses everything after its scheme if a password could be hidden in it.
package func redactedURL(_ url: String) -> String {
    let shown = url.prefix { $0 != "?" && $0 != "#" }
    guard let schemeEnd = endOfScheme(shown) else { return shown.contains("@") ? "(redacted)" : String(shown) }
    let scheme = shown[..<schemeEnd]
    let rest = shown[schemeEnd...]
    let authority = rest.prefix { $0 != "/" }
    if let at = authority.lastIndex(of: "@") {
        return String(scheme + shown[shown.index(after: at)...])
    }
    // `https://user:pass?word@host` was cut inside the password: what stands after the colon is no port.
    guard !authority.hasPrefix("["), let colon = authority.lastIndex(of: ":"),
        !authority[authority.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
    else { return String(shown) }
    return scheme + "(redacted)"
}

/// Whether a text holds a piece of what a URL says before its last `@`: a user name or a password, as written or decoded.
///
/// Cautious: a password may hold the very characters that end it, and a short piece may stand in the text by chance.
func holdsCredentials(of url: String, _ text: String) -> Bool {
    let rest = endOfScheme(url[...]).map { url[$0...] } ?? url[...]
    guard let end = rest.lastIndex(of: "@") else {
        return url != redactedURL(url) && text.contains(rest)
    }
    let pieces = rest[..<end].split { ":/@".contains($0) }.map(String.init)
    return pieces.contains { piece in text.contains(piece) || piece.removingPercentEncoding.map(text.contains) == true }
}

private func endOfScheme(_ text: Substring) -> Substring.Index? {
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
    return text.index(colon, offsetBy: 3)
}

import Foundation

/// Through which proxy requests go.
package enum ProxyConfiguration: Sendable, Equatable, CustomStringConvertible {
    /// The proxy variables of this process's environment, with `NO_PROXY`.
    case environment
    /// The proxy variables of a given environment.
    case variables([String: String])
    case none
    /// An `http`, `https` or `socks5` address for everything, whatever `NO_PROXY` says; may hold credentials, so it is
    /// never shown.
    case address(String)

    /// A proxy for everything at this address; nil where it is no address with `http://`, `https://` or `socks5://`.
    package init?(address: String) {
        guard let url = URLComponents(string: address), url.host?.isEmpty == false,
            ["http", "https", "socks5"].contains(url.scheme?.lowercased() ?? "")
        else { return nil }
        self = .address(address)
    }

    package var description: String {
        switch self {
        case .environment, .variables: "the environment's proxy"
        case .none: "no proxy"
        case .address(let address): redactedURL(address)
        }
    }

    /// The proxy for a URL, or nil to connect directly.
    ///
    /// `HTTPS_PROXY` counts for https, `HTTP_PROXY` for http, `ALL_PROXY` for both where the other is missing; names in
    /// small letters come first. Loopback is never proxied.
    package func address(for url: String) -> String? {
        switch self {
        case .none: return nil
        case .address(let address): return address
        case .environment: return Self.choose(for: url, ProcessInfo.processInfo.environment)
        case .variables(let variables): return Self.choose(for: url, variables)
        }
    }

    private static func choose(for url: String, _ variables: [String: String]) -> String? {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(), let host = parts.host
        else { return nil }
        let names = ["\(scheme)_proxy", "\(scheme.uppercased())_PROXY", "all_proxy", "ALL_PROXY"]
        guard let proxy = names.lazy.compactMap({ variables[$0] }).first(where: { !$0.isEmpty }) else { return nil }
        let port = parts.port ?? (scheme == "https" ? 443 : 80)
        let exceptions = variables["no_proxy"] ?? variables["NO_PROXY"] ?? ""
        return isException(host: bare(host), port: port, exceptions) ? nil : proxy
    }

    /// Whether a host is to be reached directly: `NO_PROXY` holds names (with their subdomains), addresses, blocks of
    /// addresses and `*`, each with a port or without.
    private static func isException(host: String, port: Int, _ exceptions: String) -> Bool {
        let host = host.lowercased()
        let address = addressBytes(host)
        if host == "localhost" || host == "::1" || address?.count == 4 && address?.first == 127 { return true }
        for entry in exceptions.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            var pattern = entry.lowercased()
            if pattern == "*" { return true }
            if let slash = pattern.firstIndex(of: "/") {
                guard let address, let length = Int(pattern[pattern.index(after: slash)...]),
                    let network = addressBytes(bare(String(pattern[..<slash])))
                else { continue }
                if isInside(address, network, length) { return true }
                continue
            }
            if addressBytes(pattern) == nil, let colon = pattern.lastIndex(of: ":"),
                let wanted = Int(pattern[pattern.index(after: colon)...])
            {
                guard wanted == port else { continue }
                pattern = String(pattern[..<colon])
            }
            pattern = bare(pattern)
            if let address {
                if address == addressBytes(pattern) { return true }
                continue
            }
            let name = pattern.hasPrefix("*.") ? pattern.dropFirst(2) : pattern.drop { $0 == "." }
            guard !name.isEmpty else { continue }
            // A leading dot leaves out the name itself.
            if host.hasSuffix("." + name) || host == name && !pattern.hasPrefix(".") && !pattern.hasPrefix("*") {
                return true
            }
        }
        return false
    }

    private static func bare(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    private static func isInside(_ address: [UInt8], _ network: [UInt8], _ length: Int) -> Bool {
        guard address.count == network.count, (0...network.count * 8).contains(length) else { return false }
        return (0..<length).allSatisfy { bit in
            (address[bit / 8] ^ network[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }

    private static func addressBytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var sixteen = in6_addr()
        return inet_pton(AF_INET6, text, &sixteen) == 1 ? withUnsafeBytes(of: sixteen) { Array($0) } : nil
    }
}

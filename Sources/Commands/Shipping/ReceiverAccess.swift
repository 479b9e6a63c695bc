import Arguments
import Foundation
import HTTPClient

/// Reads the address of a receiver; it may hold secrets, so that it is never repeated.
///
/// - Parameters:
///   - example: How it is written.
///   - secretFlag: The one for what must not stand in it.
/// - Returns: Besides, the host as it stands in an address.
func receiverURL(
    _ text: String, flag: String, schemes: [String], example: String, secretFlag: String
) throws(CommandFailure) -> (address: URLComponents, host: String) {
    guard let address = URLComponents(string: text), let host = address.host, !host.isEmpty,
        schemes.contains(address.scheme?.lowercased() ?? "")
    else {
        throw CommandFailure(
            message: "--\(flag) is no address with \(schemes[0])://", hint: "Write \(example).")
    }
    guard address.user == nil, address.password == nil else {
        throw CommandFailure(
            message: "--\(flag) holds a user name or a password",
            hint: "Give what the receiver wants in a file, with --\(secretFlag).")
    }
    return (address, host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host)
}

extension Wiring {
    /// Whom to trust, and what to show, at a receiver.
    ///
    /// - Parameters:
    ///   - prefix: Of the flags `ca-file`, `cert-file` and `key-file`.
    ///   - authorities: The file with certificates to trust where the flag is not given.
    func receiverTLS(prefix: String, authorities: String? = nil) throws -> TLSConfiguration {
        let certificate = arguments.text(prefix + "cert-file")
        let key = arguments.text(prefix + "key-file")
        guard (certificate == nil) == (key == nil) else {
            throw CommandFailure(
                message: "a certificate for the receiver without its key, or the other way round",
                hint: "Give both --\(prefix)cert-file and --\(prefix)key-file.")
        }
        return TLSConfiguration(
            certificateAuthorities: try (arguments.text(prefix + "ca-file") ?? authorities).map(readFile),
            clientCertificate: try certificate.map(readFile),
            clientKey: try key.map { SecretBytes(try readFile($0)) })
    }
}

import Foundation
package import HTTPClient
package import Manifest
import Synchronization

/// What proves who we are, for the requests of one moment.
package struct Authorization: Sendable, Equatable {
    /// The value of the `Authorization` header, if there is one.
    ///
    /// Never shown.
    package var header: SecretBytes?
    package var clientCertificate: [UInt8]?
    package var clientKey: SecretBytes?

    package init(header: SecretBytes? = nil, clientCertificate: [UInt8]? = nil, clientKey: SecretBytes? = nil) {
        self.header = header
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}

/// Where credentials come from, with their rotation.
///
/// Files are read again when a minute has passed, and when a server refused what was read from them; an empty, damaged
/// or unreadable file leaves the last good content in force (rules A3 to A5). A program is run once for all who wait
/// (A6).
package final class CredentialSource: Sendable {
    package enum Kind: Sendable {
        case none
        case token(SecretBytes)
        /// The literal counts only while the file has never been read (rule A2).
        case tokenFile(String, fallback: SecretBytes?)
        case basic(user: String, password: SecretBytes)
        case clientCertificate(CredentialFile, key: CredentialFile)
        case exec(ExecCredential)
    }

    /// A certificate with its key.
    package struct ClientCertificate: Sendable {
        package var certificate: CredentialFile
        package var key: CredentialFile

        package init(certificate: CredentialFile, key: CredentialFile) {
            self.certificate = certificate
            self.key = key
        }
    }

    private typealias Pair = (certificate: [UInt8], key: SecretBytes)

    private let kind: Kind
    private let uptime: @Sendable () -> Duration
    private let token: RereadValue<SecretBytes>?
    private let pair: RereadValue<Pair>?
    private let exec: ExecCredentialRunner?
    private let authorities = Mutex<[String: RereadValue<[UInt8]>]>([:])

    /// - Parameters:
    ///   - clientCertificate: Shown on connections besides what `kind` says.
    ///   - uptime: A clock that never goes back, for the age of what was read.
    ///   - time: The time of day, for the end of what a program hands out.
    ///   - environment: For a program that hands out credentials.
    package init(
        _ kind: Kind, clientCertificate: ClientCertificate? = nil,
        uptime: @escaping @Sendable () -> Duration = systemUptime,
        time: @escaping @Sendable () -> Timestamp = systemTime, environment: [String: String] = [:]
    ) {
        self.kind = kind
        self.uptime = uptime
        var certificate = clientCertificate
        if case .clientCertificate(let file, let key) = kind {
            certificate = ClientCertificate(certificate: file, key: key)
        }
        pair = certificate.map { certificate in
            RereadValue(uptime: uptime) { () throws(ClusterConfigurationError) in
                try readPair(certificate)
            }
        }
        if case .tokenFile(let path, _) = kind {
            token = RereadValue(uptime: uptime) { () throws(ClusterConfigurationError) in
                let bytes = try CredentialFile.path(path).read("the token file", flawOfToken)
                return SecretBytes(trimmed(bytes))
            }
        } else {
            token = nil
        }
        if case .exec(let configuration) = kind {
            exec = ExecCredentialRunner(configuration, environment: environment, uptime: uptime, time: time)
        } else {
            exec = nil
        }
    }

    /// What to send now.
    ///
    /// Cheap unless a program has to be run.
    package func authorization() async throws(ClusterConfigurationError) -> Authorization {
        if let exec { return try await exec.authorization() }
        var result = Authorization(header: try header())
        if let pair = try pair?.current() {
            result.clientCertificate = pair.certificate
            result.clientKey = pair.key
        }
        return result
    }

    private func header() throws(ClusterConfigurationError) -> SecretBytes? {
        switch kind {
        case .none, .clientCertificate, .exec: return nil
        case .token(let token): return bearer(token)
        case .tokenFile(_, let fallback):
            do throws(ClusterConfigurationError) {
                return try (token?.current()).map(bearer)
            } catch {
                guard let fallback else { throw error }
                return bearer(fallback)
            }
        case .basic(let user, let password):
            let text = Data(Array(user.utf8) + [UInt8(ascii: ":")] + password.bytes).base64EncodedString()
            return SecretBytes(Array("Basic \(text)".utf8))
        }
    }

    /// The server refused what it was sent: what is older than that request is read anew by the next one (rule A3).
    ///
    /// - Parameter start: When the refused request began, by the same clock as `uptime`; nil to doubt everything.
    package func invalidate(startedAt start: Duration? = nil) {
        token?.doubt(readUntil: start)
        pair?.doubt(readUntil: start)
        authorities.withLock { for value in $0.values { value.doubt(readUntil: start) } }
        exec?.doubt(obtainedUntil: start)
    }

    /// Certificate authorities, read again like credentials (rule A4).
    package func bytes(of file: CredentialFile, what: String) throws(ClusterConfigurationError) -> [UInt8] {
        guard case .path(let path) = file else { return try file.read(what, flawOfCertificates) }
        let value = authorities.withLock { known in
            if let value = known[path] { return value }
            let value = RereadValue(uptime: uptime) { () throws(ClusterConfigurationError) in
                try file.read(what, flawOfCertificates)
            }
            known[path] = value
            return value
        }
        return try value.current()
    }
}

/// Reads a certificate and its key as one: both are read again if the first was replaced between the two.
private func readPair(
    _ files: CredentialSource.ClientCertificate
) throws(ClusterConfigurationError) -> (certificate: [UInt8], key: SecretBytes) {
    var certificate = try files.certificate.read("the client certificate", flawOfCertificates)
    for _ in 0..<3 {
        let key = try files.key.read("the client key", flawOfKey)
        let again = try files.certificate.read("the client certificate", flawOfCertificates)
        if again == certificate { return (certificate, SecretBytes(key)) }
        certificate = again
    }
    throw ClusterConfigurationError(
        message: "the client certificate changes while it is read", hint: "Check what writes this file.")
}

/// The header of a bearer token.
func bearer(_ token: SecretBytes) -> SecretBytes { SecretBytes(Array("Bearer ".utf8) + token.bytes) }

/// What is wrong with the text of a token, or nil.
func flawOfToken(_ bytes: [UInt8]) -> String? {
    let token = trimmed(bytes)
    guard !token.isEmpty else { return "is empty" }
    return token.allSatisfy { (0x21...0x7e).contains($0) } ? nil : "holds something else than one token"
}

private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
    return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
}

/// The time since some fixed moment, on a clock that never goes back.
@Sendable package func systemUptime() -> Duration { ContinuousClock.now - processStart }
private let processStart = ContinuousClock.now

/// The time of day.
@Sendable package func systemTime() -> Timestamp {
    Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
}

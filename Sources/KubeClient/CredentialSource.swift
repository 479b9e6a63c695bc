import Foundation
package import HTTPClient
import Manifest
import Synchronization

/// What proves who we are, for the requests of one moment.
package struct Authorization: Sendable {
    /// The value of the `Authorization` header, if there is one. Never shown.
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
/// Files are read again when a minute has passed, at their path and never through a held descriptor, since a mounted
/// volume swaps a link; an empty or unreadable file leaves the last good content in force (rules A3 to A5).
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

    private let kind: Kind
    private let uptime: @Sendable () -> Duration
    private let state = NSLock()
    private let files: FileCache
    private let exec: ExecCredentialRunner?

    package init(
        _ kind: Kind, uptime: @escaping @Sendable () -> Duration = systemUptime, environment: [String: String] = [:]
    ) {
        self.kind = kind
        self.uptime = uptime
        files = FileCache(uptime: uptime)
        if case .exec(let configuration) = kind {
            exec = ExecCredentialRunner(configuration, environment: environment)
        } else {
            exec = nil
        }
    }

    /// What to send now.
    package func authorization() async throws(ClusterConfigurationError) -> Authorization {
        switch kind {
        case .none: return Authorization()
        case .token(let token): return bearer(token.bytes)
        case .tokenFile(let path, let fallback):
            do throws(ClusterConfigurationError) {
                return bearer(trimmed(try files.read(path, what: "the token file")))
            } catch {
                guard let fallback else { throw error }
                return bearer(fallback.bytes)
            }
        case .basic(let user, let password):
            let text = Data(user.utf8 + [UInt8(ascii: ":")] + password.bytes).base64EncodedString()
            return Authorization(header: SecretBytes(Array("Basic \(text)".utf8)))
        case .clientCertificate(let certificate, let key):
            return Authorization(
                clientCertificate: try files.read(certificate, what: "the client certificate"),
                clientKey: SecretBytes(try files.read(key, what: "the client key")))
        case .exec:
            guard let exec else { return Authorization() }
            return try await exec.authorization(wallClockNow: Date())
        }
    }

    /// The server refused what it was sent: what is older than that request is read anew by the next one (rule A3).
    package func invalidate() {
        files.invalidate()
        exec?.invalidate()
    }

    /// Reads a file through the same cache, for certificate authorities.
    package func bytes(of file: CredentialFile, what: String) throws(ClusterConfigurationError) -> [UInt8] {
        try files.read(file, what: what)
    }

    private func bearer(_ token: [UInt8]) -> Authorization {
        Authorization(header: SecretBytes(Array("Bearer ".utf8) + token))
    }

    private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
        return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

/// The time since some fixed moment, on a clock that never goes back.
@Sendable package func systemUptime() -> Duration { ContinuousClock.now - processStart }
private let processStart = ContinuousClock.now

/// The contents of credential files, each read again after a minute; the last good content stays when a read fails.
///
/// `@unchecked Sendable`: `entries` is only touched under `lock`.
private final class FileCache: @unchecked Sendable {
    private struct Entry {
        var bytes: [UInt8]
        var readAt: Duration
        var isDoubted = false
    }

    private static let maximumAge = Duration.seconds(60)
    private static let maximumBytes = 1 << 20
    private let lock = NSLock()
    private var entries: [String: Entry] = [:]
    private let uptime: @Sendable () -> Duration

    init(uptime: @escaping @Sendable () -> Duration) { self.uptime = uptime }

    func invalidate() {
        lock.withLock { for key in entries.keys { entries[key]?.isDoubted = true } }
    }

    func read(_ file: CredentialFile, what: String) throws(ClusterConfigurationError) -> [UInt8] {
        switch file {
        case .inline(let secret): return secret.bytes
        case .path(let path): return try read(path, what: what)
        }
    }

    func read(_ path: String, what: String) throws(ClusterConfigurationError) -> [UInt8] {
        let now = uptime()
        let known = lock.withLock { entries[path] }
        if let known, !known.isDoubted, now - known.readAt < Self.maximumAge { return known.bytes }
        do {
            let bytes = try readBounded(path)
            lock.withLock { entries[path] = Entry(bytes: bytes, readAt: now) }
            return bytes
        } catch {
            if let known { return known.bytes }
            throw ClusterConfigurationError(
                message: "read \(what) \(path): \(error.reason)", hint: "Check that the file exists, is readable and is not empty.")
        }
    }

    private struct Unreadable: Error { var reason: String }

    private func readBounded(_ path: String) throws(Unreadable) -> [UInt8] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Unreadable(reason: (error as NSError).localizedDescription)
        }
        guard !data.isEmpty else { throw Unreadable(reason: "it is empty") }
        guard data.count <= Self.maximumBytes else { throw Unreadable(reason: "it is larger than a megabyte") }
        return [UInt8](data)
    }
}

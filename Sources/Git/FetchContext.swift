import ChildProcess
import Foundation
import HTTPClient

/// What a conversation with a remote is for.
enum TransferPurpose {
    case fetch, push

    /// The program on the other side, as Git's protocol names it.
    var service: String {
        switch self {
        case .fetch: "git-upload-pack"
        case .push: "git-receive-pack"
        }
    }
}

/// Where the callbacks find the fetch or push that runs now.
///
/// libgit2 keeps a transport, and with it our payload, on the remote from one fetch to the next, so the payload outlives
/// each fetch and only points to it.
final class FetchSlot {
    var current: FetchContext?
}

/// Everything that the callbacks of one fetch or push need; it lives as long as that.
final class FetchContext {
    let url: RemoteURL
    let purpose: TransferPurpose
    let limits: FetchLimits
    let deadline: ContinuousClock.Instant
    let isCancelled: CancellationFlag
    let tls: TLSConfiguration
    let proxy: ProxyConfiguration
    /// The value of the Authorization header.
    ///
    /// Never shown.
    let authorization: SecretBytes?
    /// The forms in which the secret may come back from a server.
    private let secrets: [SecretBytes]
    let sshArguments: [String]
    let environment: [String: String]
    /// The first thing that went wrong; libgit2 itself only learns that something did.
    var failure: GitError?
    /// What the other side said of each reference that was pushed: nothing where it took it.
    var refusals: [String: String?] = [:]
    /// The beginning of what the other side said to people, as its hooks do.
    var remoteWords: [UInt8] = []
    /// Whether all is said: what fails from here on, as a goodbye to a program that has ended, says nothing any more.
    var isOver = false
    /// The one conversation with a program, where there is one.
    weak var conversation: ProcessStream?

    /// What may be sent.
    static let maximumSentBytes = 64 << 20
    private static let maximumRemoteWords = 4096

    init(
        _ purpose: TransferPurpose, url: RemoteURL, credentials: GitCredentials, limits: FetchLimits,
        isCancelled: CancellationFlag, environment: [String: String]
    ) throws(GitError) {
        self.purpose = purpose
        self.url = url
        self.limits = limits
        self.isCancelled = isCancelled
        self.environment = environment
        deadline = .now + limits.total
        proxy = credentials.proxy
        let isOverTLS = url.scheme == .https || url.scheme == .http
        let authorities =
            try isOverTLS
            ? credentials.certificateAuthorityFile.map { file throws(GitError) in
                try readCredential(file, what: "the certificate authority file")
            } : nil
        tls = TLSConfiguration(certificateAuthorities: authorities)
        if isOverTLS, let file = credentials.tokenFile ?? credentials.passwordFile {
            let secret = trimmed(try readCredential(file, what: "the credentials file"))
            guard !secret.isEmpty else { throw unusableCredential(file, what: "the credentials file") }
            let pair = Data(Array(credentials.userName.utf8) + [UInt8(ascii: ":")] + secret)
            authorization = SecretBytes(Array("Basic \(pair.base64EncodedString())".utf8))
            let escaped = String(decoding: secret, as: UTF8.self)
                .addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            secrets = [secret, Array(pair.base64EncodedString().utf8), Array((escaped ?? "").utf8)]
                .filter { !$0.isEmpty }.map(SecretBytes.init)
        } else {
            authorization = nil
            secrets = []
        }
        var options = [
            "-F", "/dev/null", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
            "-o", "ConnectTimeout=\(max(1, Int(limits.connect.components.seconds)))", "-o", "ServerAliveInterval=10",
            "-o", "ServerAliveCountMax=2", "-o", "IdentitiesOnly=yes", "-o", "ForwardAgent=no",
            "-o", "ForwardX11=no", "-o", "PermitLocalCommand=no",
        ]
        if let key = credentials.sshKeyFile { options += ["-i", key] }
        if let hosts = credentials.sshKnownHostsFile {
            options += ["-o", "UserKnownHostsFile=\(hosts)", "-o", "GlobalKnownHostsFile=/dev/null"]
        }
        if let port = url.port { options += ["-p", String(port)] }
        sshArguments = options
    }

    /// What is being done, for errors.
    var operation: String {
        switch purpose {
        case .fetch: "fetch \(url)"
        case .push: "push to \(url)"
        }
    }

    /// What follows from a failure that may pass.
    var retryHint: String {
        switch purpose {
        case .fetch: "it is tried again by itself."
        case .push: "then push again."
        }
    }

    /// Keeps what the other side says to people, as far as it is worth showing.
    func hear(_ words: UnsafeRawBufferPointer) {
        remoteWords.append(contentsOf: words.prefix(Self.maximumRemoteWords - remoteWords.count))
    }

    /// Keeps the first failure; it explains those that follow from it.
    func note(_ error: GitError) {
        if !isOver { failure = failure ?? error }
    }

    /// The error without what a server says, where that repeats our credentials.
    func withoutSecrets(_ error: GitError) -> GitError {
        var error = error
        func isSecret(_ text: String) -> Bool {
            let bytes = Data(text.utf8)
            return secrets.contains { bytes.range(of: Data($0.bytes)) != nil }
        }
        if isSecret(error.detail) { error.detail = "what the server says repeats the credentials and is not shown" }
        if isSecret(error.hint) { error.hint = "Look at the Git server's own log." }
        return error
    }

    /// Why it has to end now; nil where it need not.
    var mustEnd: GitError? {
        if isCancelled.isSet { return GitError(kind: .cancelled, operation: operation, detail: "cancelled") }
        if ContinuousClock.now >= deadline {
            return GitError(
                kind: .timedOut, operation: operation, detail: "not finished after \(limits.total)",
                hint: "Check that the Git server answers; \(retryHint)")
        }
        return nil
    }
}

private func readCredential(_ path: String, what: String) throws(GitError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path), !data.isEmpty, data.count < 1 << 20 else {
        throw unusableCredential(path, what: what)
    }
    return [UInt8](data)
}

private func unusableCredential(_ path: String, what: String) -> GitError {
    GitError(
        kind: .authentication, operation: "read \(what) \(path)",
        detail: "it is missing, unreadable, empty or too large", hint: "Check the path and its permissions.")
}

private func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0d).contains(byte) }
    return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
}

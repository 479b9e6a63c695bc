import ChildProcess
import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// `git http-backend` behind real servers on loopback, started once for all tests of this module.
///
/// Each test has a folder of its own there, with a repository in `repository`. A file `token` beside it holds the only
/// password that is let in, a file `mode` makes the server misbehave; both are read for each request.
///
/// `@unchecked Sendable`: written in `init` only; `child` is kept for its pipe, whose end tells the server to end.
final class GitServer: @unchecked Sendable {
    /// A certificate of the authority `authority` for 127.0.0.1.
    let tls: String
    /// A certificate of the same authority for another name.
    let named: String
    let plain: String
    /// Takes connections, and never says a word.
    let silent: Int
    let folder: ScratchDirectory
    private let child: KeptProcess

    var authority: String { folder.path + "/authority.crt" }

    private static let started = Result { try GitServer() }
    static func shared() throws -> GitServer { try started.get() }

    private init() throws {
        folder = try ScratchDirectory(named: "bylaw-git-server")
        try makeCertificates(in: folder)
        let script = try folder.write(gitServerScript, to: "server.py")
        let process = try ChildProcess(
            "python3", [script, folder.path], environment: ProcessInfo.processInfo.environment)
        child = KeptProcess(process)
        let line = child.readLine(within: .seconds(30)) { $0.hasSuffix("\n") }
        let ports = line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard ports.count == 4 else { throw ServerFailure(description: "the Git server did not start (python3)") }
        tls = "https://127.0.0.1:\(ports[0])"
        named = "https://127.0.0.1:\(ports[1])"
        plain = "http://127.0.0.1:\(ports[2])"
        silent = ports[3]
    }
}

struct ServerFailure: Error, CustomStringConvertible { var description: String }

/// A child process that ends with the last reference to it.
final class KeptProcess {
    private let process: ChildProcess

    init(_ process: consuming ChildProcess) { self.process = process }

    /// What the process wrote until it wrote what is waited for, or ended, or the time was over.
    func readLine(within wait: Duration, fromErrorOutput: Bool = false, until isEnough: (String) -> Bool) -> String {
        var text: [UInt8] = []
        let end = ContinuousClock.now + wait
        while !isEnough(String(decoding: text, as: UTF8.self)), ContinuousClock.now < end {
            _ = process.poll(
                forWriting: false, forReading: !fromErrorOutput, forReadingError: fromErrorOutput,
                wait: .milliseconds(100))
            var buffer = [UInt8](repeating: 0, count: 4096)
            switch buffer.withUnsafeMutableBytes({ process.read(into: $0, fromErrorOutput: fromErrorOutput) }) {
            case .bytes(let count): text += buffer[..<count]
            case .nothingYet: continue
            case .end: return String(decoding: text, as: UTF8.self)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A repository of one test on the shared server.
struct ServedRemote {
    let server: GitServer
    let name = UUID().uuidString
    let remote: ScratchRemote
    /// Files of the test itself: its cache and its credentials.
    let folder: ScratchDirectory

    init() async throws {
        server = try GitServer.shared()
        folder = try ScratchDirectory(named: "bylaw-git-client")
        remote = try await ScratchRemote(named: name + "/repository", in: server.folder)
    }

    /// The way to the repository, below one of the server's addresses.
    var path: String { "/\(name)/repository/.git" }

    func setToken(_ token: String) throws { try server.folder.write(token, to: "\(name)/token") }
    func setMode(_ mode: String) throws { try server.folder.write(mode, to: "\(name)/mode") }

    func credentials(token: String? = nil) throws -> GitCredentials {
        GitCredentials(
            tokenFile: try token.map { try folder.write($0, to: "token") }, certificateAuthorityFile: server.authority,
            proxy: .none)
    }

    func clone(
        at server: String? = nil, credentials: GitCredentials? = nil, limits: FetchLimits = .short
    ) throws -> GitRepository {
        try remote.clone(
            from: (server ?? self.server.tls) + path, cache: folder.path + "/cache",
            credentials: credentials ?? self.credentials(), limits: limits)
    }
}

private func makeCertificates(in folder: ScratchDirectory) throws {
    let script = """
        set -e
        cd '\(folder.path)'
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \\
            -subj "/CN=authority" -keyout authority.key -out authority.crt
        certificate() { # name extension
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
                -subj "/CN=$1" -keyout $1.key -out $1.csr
            printf '%s\\n' "$2" > $1.ext
            openssl x509 -req -in $1.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 \\
                -extfile $1.ext -out $1.crt
        }
        certificate server subjectAltName=IP:127.0.0.1
        certificate named subjectAltName=DNS:git.test
        """
    try runShell(script)
}

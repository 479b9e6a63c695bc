import ChildProcess
import Foundation
import Git
import TestSupport
import Testing

/// An `sshd` on loopback with keys of its own, started once for all tests of this module.
///
/// `@unchecked Sendable`: written in `init` only; `child` is kept so that the server ends with it.
final class SSHServer: @unchecked Sendable {
    static let isPresent = FileManager.default.isExecutableFile(atPath: "/usr/sbin/sshd")
    static let absence: Comment = "skipped: no sshd (Debian: openssh-server)"

    let port: Int
    private let folder: ScratchDirectory
    private let child: KeptProcess

    private static let started = Result { try SSHServer() }
    static func shared() throws -> SSHServer { try started.get() }

    /// The private key that is let in, one that is not, and some that are let in to do something else than Git.
    enum Key: String, CaseIterable { case good, stranger, silent, babbling, leaving }

    func key(_ key: Key) -> String { folder.path + "/" + key.rawValue }

    /// A known-hosts file with a key for this server: its own, or another.
    var knownHosts: String { folder.path + "/known_hosts" }
    var wrongKnownHosts: String { folder.path + "/wrong_known_hosts" }
    var emptyKnownHosts: String { folder.path + "/empty_known_hosts" }

    private init() throws {
        folder = try ScratchDirectory(named: "bylaw-sshd")
        let place = folder.path
        try runShell(
            """
            set -e
            cd '\(place)'
            for name in host other \(Key.allCases.map(\.rawValue).joined(separator: " ")); do
                ssh-keygen -q -t ed25519 -N '' -C '' -f $name
            done
            mkdir -p /run/sshd
            cat good.pub > authorized
            echo "command=\\"sleep 60\\" $(cat silent.pub)" >> authorized
            echo "command=\\"yes no Git at all\\" $(cat babbling.pub)" >> authorized
            echo "command=\\"true\\" $(cat leaving.pub)" >> authorized
            python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])' > port
            : > empty_known_hosts
            echo "[127.0.0.1]:$(cat port) $(cat host.pub)" > known_hosts
            echo "[127.0.0.1]:$(cat port) $(cat other.pub)" > wrong_known_hosts
            """)
        let text = try String(contentsOfFile: place + "/port", encoding: .utf8)
        guard let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ServerFailure(description: "no port: \(text)")
        }
        self.port = port
        let configuration = try folder.write(
            """
            ListenAddress 127.0.0.1
            Port \(port)
            HostKey \(place)/host
            AuthorizedKeysFile \(place)/authorized
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            UsePAM no
            StrictModes no
            PidFile none
            PrintMotd no
            MaxStartups 100
            """, to: "sshd_config")
        // It ends when the shell's input does and its folder with it, so that nothing outlives the tests.
        let script = """
            timeout --foreground 300 /usr/sbin/sshd -D -e -f '\(configuration)' & server=$!
            cat > /dev/null
            kill $server
            rm -rf '\(place)'
            """
        child = KeptProcess(
            try ChildProcess("sh", ["-c", script], environment: ProcessInfo.processInfo.environment))
        let words = child.readLine(within: .seconds(20), fromErrorOutput: true) { $0.contains("listening on") }
        guard words.contains("listening on") else { throw ServerFailure(description: "sshd did not start: \(words)") }
    }
}

/// Runs a script to its end.
func runShell(_ script: String) throws {
    var process = try ChildProcess("sh", ["-c", script], environment: ProcessInfo.processInfo.environment)
    process.closeInput()
    guard process.end(within: .seconds(60)) == .exited(0) else {
        throw ServerFailure(description: "a script failed: \(script)")
    }
}

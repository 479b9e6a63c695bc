import ChildProcess
import Foundation
import TestSupport
import Testing

/// The program against Git remotes of each kind.
@Suite(.serialized) struct RemoteTests {
    let cluster: ClusterUnderTest
    let program: Program
    let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
    }

    private func sync(
        _ address: String, instance: String, _ flags: [String]
    ) async throws -> Program.Outcome {
        try await program.run(
            [
                "sync", "--repo", address, "--kubeconfig", cluster.kubeconfig, "--instance", instance, "--journal",
                program.journal, "--cache", program.folder.path + "/cache",
            ] + flags)
    }

    @Test func httpsWithATokenAndAnAuthorityOfItsOwn() async throws {
        try repository.write(clusterRoleManifest("e2e-remote-https"), to: "role.yaml")
        try await repository.commit("One role")
        let server = try await GitHTTPServer(serving: repository.path, folder: program.folder, token: "s3cret-token")
        defer { server.stop() }
        let token = try program.folder.write("s3cret-token\n", to: "token")
        let authority = ["--git-ca-file", server.certificate]
        let first = try await sync(server.address, instance: "remote-https", ["--git-token-file", token] + authority)
        #expect(first.status == 0, "\(first.output)\(first.errors)")

        try repository.write(clusterRoleManifest("e2e-remote-more"), to: "more.yaml")
        try await repository.commit("Two roles")
        let second = try await sync(server.address, instance: "remote-https", ["--git-token-file", token] + authority)
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.output.contains("2 declared"))

        let wrong = try program.folder.write("wrong-token\n", to: "wrong")
        let refused = try await sync(server.address, instance: "remote-https", ["--git-token-file", wrong] + authority)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("token"), "\(refused.errors)")
        #expect(!refused.errors.contains("wrong-token") && !refused.errors.contains("s3cret"))
        let untrusted = try await sync(server.address, instance: "remote-https", ["--git-token-file", token])
        #expect(untrusted.status == 2)
        print("bad input: \(refused.errors)", terminator: "")
        let journal = try [UInt8](Data(contentsOf: URL(fileURLWithPath: program.journal)))
        #expect(!String(decoding: journal, as: UTF8.self).contains("wrong-token"))
    }

    @Test func sshWithAKeyAndKnownHosts() async throws {
        try repository.write(clusterRoleManifest("e2e-remote-ssh"), to: "role.yaml")
        try await repository.commit("One role")
        let server = try await SSHServer(folder: program.folder)
        defer { server.stop() }
        let address = "ssh://\(NSUserName())@127.0.0.1:\(server.port)\(repository.path)"
        let flags = ["--git-ssh-key", server.clientKey, "--git-known-hosts", server.knownHosts]
        let first = try await sync(address, instance: "remote-ssh", flags)
        #expect(first.status == 0, "\(first.output)\(first.errors)")
        let stranger = try program.folder.write(
            "[127.0.0.1]:\(server.port) \(try String(contentsOfFile: server.otherHostKey, encoding: .utf8))",
            to: "stranger")
        let refused = try await sync(
            address, instance: "remote-ssh", ["--git-ssh-key", server.clientKey, "--git-known-hosts", stranger])
        #expect(refused.status == 2)
        #expect(refused.errors.lowercased().contains("host key"), "\(refused.errors)")
    }
}

/// A server that ends when it is told to, when these tests end in whatever way, and after five minutes.
///
/// `@unchecked Sendable`: only the initializer sets its properties.
final class BoundedServer: @unchecked Sendable {
    private let process = Process()
    private let leash = Pipe()

    /// The server is the child of a small program that ends it when its own standard input is closed.
    init(_ command: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", keeper] + command
        process.standardInput = leash
        // Whoever reads the output of the tests would otherwise wait for the server too.
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func stop() { try? leash.fileHandleForWriting.close() }

    deinit { stop() }
}

private let keeper = """
    import select, subprocess, sys
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    select.select([sys.stdin], [], [], 300)
    server.kill()
    server.wait()
    """

/// `git http-backend` behind TLS, for whoever has the token.
final class GitHTTPServer: @unchecked Sendable {
    // Only the initializer sets these.
    let address: String
    let certificate: String
    private let server: BoundedServer

    init(serving repository: String, folder: ScratchDirectory, token: String) async throws {
        certificate = folder.path + "/git-server.crt"
        let made = try await runChildProcess(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
                folder.path + "/git-server.key",
                "-out", certificate, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            ], environment: ProcessInfo.processInfo.environment, deadline: .seconds(60))
        try #require(made.ending == .exited(0), "\(made.errorText)")
        let script = try folder.write(gitServerScript, to: "git-server.py")
        server = try BoundedServer([
            "python3", script, repository, certificate, folder.path + "/git-server.key", token,
            folder.path + "/git-server.port",
        ])
        var port = ""
        try await eventually(within: .seconds(30), "the Git server listens") {
            port = (try? String(contentsOfFile: folder.path + "/git-server.port", encoding: .utf8)) ?? ""
            return port.hasSuffix("\n")
        }
        address = "https://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))/policies.git"
    }

    func stop() { server.stop() }
}

private let gitServerScript = """
    import base64, http.server, os, ssl, subprocess, sys
    repository, certificate, key, token, port_file = sys.argv[1:]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def answer(self):
            words = self.headers.get("Authorization", "").split(" ", 1)
            given = words[1] if len(words) == 2 else ""
            if words[0] == "Basic":
                given = base64.b64decode(given).decode().split(":", 1)[1]
            if given != token:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="policies"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            if self.headers.get("Transfer-Encoding", "") == "chunked":
                body = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0], 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        break
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            environment = dict(
                os.environ, GIT_PROJECT_ROOT=repository + "/.git", GIT_HTTP_EXPORT_ALL="1", REQUEST_METHOD=self.command,
                PATH_INFO=path.removeprefix("/policies.git"), QUERY_STRING=query, REMOTE_USER="token",
                CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
                HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                GIT_PROTOCOL=self.headers.get("Git-Protocol", ""), GIT_CONFIG_COUNT="1",
                GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
            output = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE).stdout
            head, _, content = output.partition(b"\\r\\n\\r\\n")
            headers = [line.split(b": ", 1) for line in head.split(b"\\r\\n")]
            status = next((int(value.split()[0]) for name, value in headers if name == b"Status"), 200)
            self.send_response(status)
            for name, value in headers:
                if name != b"Status":
                    self.send_header(name.decode(), value.decode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(port_file, "w") as file:
        file.write(f"{server.server_address[1]}\\n")
    server.serve_forever()
    """

/// An `sshd` on loopback with keys of its own.
final class SSHServer: @unchecked Sendable {
    // Only the initializer sets these.
    let port: Int
    let clientKey: String
    let knownHosts: String
    /// The public part of a key that the server does not have.
    let otherHostKey: String
    private let server: BoundedServer

    init(folder: ScratchDirectory) async throws {
        let place = folder.path + "/sshd"
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for name in ["host", "other", "client"] {
            let made = try await runChildProcess(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(place)/\(name)"],
                environment: ProcessInfo.processInfo.environment, deadline: .seconds(30))
            try #require(made.ending == .exited(0), "\(made.errorText)")
        }
        let free = try await runChildProcess(
            "python3",
            ["-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"],
            environment: ProcessInfo.processInfo.environment, deadline: .seconds(30))
        port = try #require(Int(free.outputText.trimmingCharacters(in: .whitespacesAndNewlines)))
        clientKey = place + "/client"
        otherHostKey = place + "/other.pub"
        let configuration = try folder.write(
            """
            ListenAddress 127.0.0.1
            Port \(port)
            HostKey \(place)/host
            AuthorizedKeysFile \(place)/client.pub
            PasswordAuthentication no
            UsePAM no
            StrictModes no
            PidFile none
            """, to: "sshd/sshd_config")
        knownHosts = try folder.write(
            "[127.0.0.1]:\(port) \(try String(contentsOfFile: place + "/host.pub", encoding: .utf8))",
            to: "sshd/known_hosts")
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        server = try BoundedServer(["/usr/sbin/sshd", "-D", "-e", "-f", configuration])
        try await eventually(within: .seconds(30), "sshd listens") {
            let probe = try await runChildProcess(
                "ssh-keyscan", ["-p", String(port), "-T", "1", "127.0.0.1"],
                environment: ProcessInfo.processInfo.environment, deadline: .seconds(10))
            return probe.outputText.contains("ed25519")
        }
    }

    func stop() { server.stop() }
}

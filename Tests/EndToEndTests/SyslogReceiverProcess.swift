import ChildProcess
import Foundation
import TestSupport
import Testing

/// A syslog receiver over TLS as a process of its own, which puts what each connection brings on the disk.
///
/// What it has is judged by `SyslogReader`, which takes nothing that RFC 5424 and RFC 5425 do not allow.
final class SyslogReceiverProcess: @unchecked Sendable {
    private static let script = """
        import os, socket, ssl, sys, threading, time
        folder, port = sys.argv[1], int(sys.argv[2])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
        manner = sys.argv[3]
        if manner == "mutual":
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(f"{folder}/authority.crt")
        def serve(plain, number):
            if manner == "silent": time.sleep(3600)
            log = os.open(f"{folder}/stream-{os.getpid()}-{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    while True:
                        data = connection.recv(2000)
                        if not data: break
                        os.write(log, data)
                        if manner == "slow": time.sleep(0.003)
            except OSError: pass
        listener = socket.create_server(("127.0.0.1", port))
        print(listener.getsockname()[1], flush=True)
        number = 0
        while True:
            plain, _ = listener.accept()
            number += 1
            threading.Thread(target=serve, args=(plain, number), daemon=True).start()
        """

    enum Manner: String {
        case plain
        /// It wants a certificate of the authority from whoever sends.
        case mutual
        /// It reads slowly, so that much is in its machine's hands when it is killed.
        case slow
        /// It takes connections and does nothing with them.
        case silent
    }

    private let server: PythonServer
    var port: Int { server.port }

    /// - Parameter folder: With `server.crt`, `server.key` and `authority.crt`; see ``makeCertificates(in:)``.
    init(in folder: String, port: Int = 0, _ manner: Manner = .plain) throws {
        server = try PythonServer(Self.script, [folder, String(port), manner.rawValue])
    }

    func crash() { server.crash() }

    /// An authority, what it signed for 127.0.0.1 and for a client, and another authority.
    static func makeCertificates(in folder: String) async throws {
        let script = """
            set -e
            for name in authority other; do
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$name" \\
                    -keyout $name.key -out $name.crt
            done
            for name in server client; do
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \\
                    -keyout $name.key -out $name.csr
                printf 'subjectAltName=IP:127.0.0.1\\n' > $name.ext
                openssl x509 -req -in $name.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 \\
                    -extfile $name.ext -out $name.crt
            done
            """
        let result = try await runChildProcess(
            "sh", ["-c", script], environment: ProcessInfo.processInfo.environment, directory: folder,
            deadline: .seconds(60))
        try #require(result.ending == .exited(0), "\(result.errorText)")
    }

    /// The messages of all connections so far, those of one connection in their order.
    ///
    /// - Throws: Where something came that the protocol does not allow.
    static func received(in folder: String) throws -> [[SyslogReader.Message]] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("stream-") }.map { name in
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            return try SyslogReader.messages(ofStream: [UInt8](data), isCut: true)
        }
    }

    /// The sequences of the entries that arrived.
    static func sequences(in folder: String) throws -> Set<Int> {
        Set(try received(in: folder).joined().compactMap { $0.parameters["sequence"].flatMap { Int($0) } })
    }
}

import ChildProcess
import Foundation
import HTTPClient
import TestSupport

/// Real servers on loopback, started once for all tests of this module.
///
/// `@unchecked Sendable`: written in `init` only; `child` is kept for its pipe, whose end tells the server to end.
final class TestServer: @unchecked Sendable {
    /// HTTP without TLS.
    let plain: String
    /// A certificate of `authority` for 127.0.0.1 and `api.test`.
    let tls: String
    /// The same, for clients with a certificate of `authority` only; by TLS 1.3 and by TLS 1.2.
    let mutual: String
    let mutualOlder: String
    /// A certificate of `authority` for `api.test` alone.
    let named: String
    /// A certificate of another authority.
    let stranger: String
    let proxy: String
    private let folder: ScratchDirectory
    private let child: Kept

    private final class Kept {
        let process: ChildProcess
        init(_ process: consuming ChildProcess) { self.process = process }
    }

    struct Failure: Error, CustomStringConvertible { var description: String }

    private static let started = Result { try TestServer() }
    static func shared() throws -> TestServer { try started.get() }

    private init() throws {
        folder = try ScratchDirectory(named: "bylaw-http")
        try makeCertificates(in: folder)
        let script = try folder.write(testServerScript, to: "server.py")
        let process = try ChildProcess(
            "python3", [script, folder.path], environment: ProcessInfo.processInfo.environment)
        var line: [UInt8] = []
        let end = ContinuousClock.now + .seconds(20)
        reading: while !line.contains(UInt8(ascii: "\n")), ContinuousClock.now < end {
            _ = process.poll(forWriting: false, forReading: true, forReadingError: false, wait: .milliseconds(100))
            var buffer = [UInt8](repeating: 0, count: 256)
            switch buffer.withUnsafeMutableBytes({ process.read(into: $0) }) {
            case .bytes(let count): line += buffer[..<count]
            case .nothingYet: continue
            case .end: break reading
            }
        }
        let ports = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard ports.count == 7 else { throw Failure(description: "the test server did not start (python3)") }
        plain = "http://127.0.0.1:\(ports[0])"
        tls = "https://127.0.0.1:\(ports[1])"
        mutual = "https://127.0.0.1:\(ports[2])"
        mutualOlder = "https://127.0.0.1:\(ports[3])"
        named = "https://127.0.0.1:\(ports[4])"
        stranger = "https://127.0.0.1:\(ports[5])"
        proxy = "http://127.0.0.1:\(ports[6])"
        child = Kept(process)
    }

    func file(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name)))
    }

    /// Trusts the servers' authority and nobody else.
    func trust() throws -> TLSConfiguration { TLSConfiguration(certificateAuthorities: try file("authority.crt")) }

    func identity() throws -> TLSConfiguration {
        TLSConfiguration(
            certificateAuthorities: try file("authority.crt"), clientCertificate: try file("client.crt"),
            clientKey: SecretBytes(try file("client.key")))
    }

    func exchanger(proxy: ProxyConfiguration = .none, connections: Int = 16) throws -> HTTPExchanger {
        HTTPExchanger(tls: try trust(), proxy: proxy, userAgent: "bylaw-test", maximumConnections: connections)
    }

    /// What the servers have counted, under a key of one test.
    func counts(_ key: String = "") async throws -> [String: Any] {
        let answer = try await HTTPExchanger(proxy: .none).send(HTTPRequest(url: "\(plain)/counts?key=\(key)"))
        return try object(answer.body)
    }

    /// Asks until a condition holds, for at most ten seconds.
    func eventually(_ condition: ([String: Any]) -> Bool) async throws -> Bool {
        for _ in 0..<500 {
            if condition(try await counts()) { return true }
        }
        return false
    }
}

/// The answer of `/echo` and `/counts`.
func object(_ bytes: [UInt8]) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw TestServer.Failure(description: "no JSON object: \(String(decoding: bytes, as: UTF8.self))")
    }
    return object
}

private func makeCertificates(in folder: ScratchDirectory) throws {
    let script = """
        set -e
        cd '\(folder.path)'
        authority() {
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \\
                -subj "/CN=$1" -keyout $1.key -out $1.crt
        }
        certificate() { # name authority extension
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
                -subj "/CN=$1" -keyout $1.key -out $1.csr
            printf '%s\\n' "$3" > $1.ext
            openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial -days 2 -extfile $1.ext -out $1.crt
        }
        authority authority
        authority other
        certificate server authority subjectAltName=IP:127.0.0.1,DNS:api.test
        certificate named authority subjectAltName=DNS:api.test
        certificate stranger other subjectAltName=IP:127.0.0.1
        certificate client authority extendedKeyUsage=clientAuth
        certificate second authority extendedKeyUsage=clientAuth
        certificate impostor other extendedKeyUsage=clientAuth
        """
    var process = try ChildProcess("sh", ["-c", script], environment: ProcessInfo.processInfo.environment)
    process.closeInput()
    guard process.end(within: .seconds(30)) == .exited(0) else {
        throw TestServer.Failure(description: "certificates could not be made (openssl)")
    }
}

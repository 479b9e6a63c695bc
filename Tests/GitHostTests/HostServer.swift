import ChildProcess
import Foundation
import GitHost
import HTTPClient
import JSON
import Manifest
import TestSupport

/// The hosts' APIs on a loopback port, started once for all tests of this module.
///
/// `@unchecked Sendable`: written in `init` only; `child` is kept for its pipe, whose end tells the server to end.
final class HostServer: @unchecked Sendable {
    let address: String
    private let folder: ScratchDirectory
    private let child: Kept
    private let exchanger = HTTPExchanger(proxy: .none)

    private final class Kept {
        let process: ChildProcess
        init(_ process: consuming ChildProcess) { self.process = process }
    }

    struct Failure: Error, CustomStringConvertible { var description: String }

    private static let started = Result { try HostServer() }
    static func shared() throws -> HostServer { try started.get() }

    private init() throws {
        folder = try ScratchDirectory(named: "bylaw-githost")
        let script = try folder.write(hostServerScript, to: "server.py")
        let process = try ChildProcess("python3", [script], environment: ProcessInfo.processInfo.environment)
        var line: [UInt8] = []
        let end = ContinuousClock.now + .seconds(20)
        reading: while !line.contains(UInt8(ascii: "\n")), ContinuousClock.now < end {
            _ = process.poll(forWriting: false, forReading: true, forReadingError: false, wait: .milliseconds(100))
            var buffer = [UInt8](repeating: 0, count: 64)
            switch buffer.withUnsafeMutableBytes({ process.read(into: $0) }) {
            case .bytes(let count): line += buffer[..<count]
            case .nothingYet: continue
            case .end: break reading
            }
        }
        guard let port = Int(String(decoding: line, as: UTF8.self).filter(\.isNumber)) else {
            throw Failure(description: "the hosts' server did not start (python3)")
        }
        address = "http://127.0.0.1:\(port)"
        child = Kept(process)
    }

    func ask(_ method: String, _ target: String, _ body: Tree? = nil) async throws -> Tree {
        let answer = try await exchanger.send(
            HTTPRequest(method: method, url: address + target, body: body?.jsonBytes()))
        guard answer.status == 200 else { throw Failure(description: "\(target): \(answer.status)") }
        return try parseJSON(answer.body)
    }
}

/// A repository of one test on one of the hosts.
struct HostedRepository {
    static let number = 12

    let server: HostServer
    let kind: GitHostKind
    let name: String

    /// - Parameter mode: How the host is to misbehave for this repository.
    init(_ kind: GitHostKind, mode: String? = nil) throws {
        server = try HostServer.shared()
        self.kind = kind
        name = "acme/" + (mode.map { "m-\($0)-" } ?? "") + UUID().uuidString.lowercased()
    }

    func configuration(token: String = "good-secret-token") throws -> GitHostConfiguration {
        let path = [GitHostKind.github: "/api/v3", .gitlab: "/api/v4", .gitea: "/api/v1"][kind] ?? ""
        return try GitHostConfiguration(
            kind: kind, apiURL: server.address + path, repository: name, token: Array("\(token)\n".utf8), proxy: .none)
    }

    func client(
        token: String = "good-secret-token", total: Duration = .seconds(30), maximumAnswerBytes: Int = 1 << 20,
        maximumPages: Int = 50
    ) throws -> GitHostClient {
        GitHostClient(
            try configuration(token: token), userAgent: "bylaw/test",
            limits: HTTPLimits(total: total, maximumAnswerBytes: maximumAnswerBytes), maximumPages: maximumPages)
    }

    struct Author {
        var id: Int64
        var isBot = false
        static let stranger = Author(id: 99)
        static let otherBot = Author(id: 98, isBot: true)
        static let own = Author(id: 7)
    }

    func seed(
        _ bodies: [(Author, String)] = [], isSystem: Bool = false, statuses: [Tree] = []
    ) async throws {
        let comments = bodies.map { author, body -> Tree in
            [
                "body": .string(body), "system": .bool(isSystem),
                "author": [
                    "id": .integer(author.id), "login": "someone", "type": .string(author.isBot ? "Bot" : "User"),
                ],
            ]
        }
        _ = try await server.ask(
            "POST", "/seed",
            [
                "host": .string(kind.rawValue), "repository": .string(name), "number": "12",
                "comments": .array(comments), "statuses": .array(statuses),
            ])
    }

    func state() async throws -> Tree {
        try await server.ask("GET", "/state?host=\(kind.rawValue)&repository=\(name)")
    }

    /// The comments on the request, as (author, body).
    func comments() async throws -> [(author: Int64, body: String)] {
        let comments = try await state()[["comments", "12"]]?.array ?? []
        return comments.map { ($0[["author", "id"]]?.integer ?? 0, $0["body"]?.string ?? "") }
    }
}

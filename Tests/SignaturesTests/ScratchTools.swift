import ChildProcess
import Foundation
import Signatures
import TestSupport
import Testing

let payload = Array("tree 1\nparent 2\n\nWords\n".utf8)

/// The environment of a tool that makes keys and signatures: the machine's search path and nothing else.
let toolEnvironment = [
    "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C",
]

/// Runs a tool that must succeed; gives back what it wrote.
@discardableResult
func run(_ program: String, _ arguments: [String], input: [UInt8] = []) async throws -> [UInt8] {
    let result = try await runChildProcess(
        program, arguments, environment: toolEnvironment, input: input, deadline: .seconds(60))
    try #require(result.ending == .exited(0), "\(program) \(arguments): \(result.errorText)")
    return result.output
}

extension ScratchDirectory {
    /// A folder for the private folders of a verifier.
    func temporaryFolder() throws -> String {
        let folder = path + "/tmp"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A verifier that keeps its private folders in ours.
    func verifier(
        _ keys: TrustedKeys, searchPath: String? = nil, deadline: Duration = .seconds(30)
    ) throws -> SignatureVerifier {
        var environment = toolEnvironment
        environment["PATH"] = searchPath ?? environment["PATH"]
        environment["TMPDIR"] = try temporaryFolder()
        return SignatureVerifier(keys: keys, environment: environment, deadline: deadline)
    }

    /// A search path on which a shell script stands before the tool it is named after.
    func searchPath(replacing tool: String, with script: String) throws -> String {
        try writeProgram("#!/bin/sh\n\(script)\n", to: "bin/" + tool)
        return path + "/bin:" + (toolEnvironment["PATH"] ?? "")
    }

    /// What the verifiers of ``verifier(_:searchPath:deadline:)`` left behind.
    func leftovers() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: try temporaryFolder()) }
}

extension SignatureVerdict {
    var signer: Signer? { if case .trusted(let signer) = self { signer } else { nil } }

    /// The case's name, which tables compare.
    var kind: String {
        switch self {
        case .trusted: "trusted"
        case .unsigned: "unsigned"
        case .bad: "bad"
        case .expired: "expired"
        case .revoked: "revoked"
        case .untrusted: "untrusted"
        case .uncheckable: "uncheckable"
        }
    }

    var reason: String {
        switch self {
        case .trusted, .unsigned: ""
        case .bad(let text), .expired(let text), .revoked(let text), .untrusted(let text), .uncheckable(let text): text
        }
    }
}

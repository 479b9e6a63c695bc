import ChildProcess
import Foundation
import JSON
import Manifest
import Testing

/// CEL's own evaluator, run as a child.
enum PolicyEvaluator {
    static let absence: Comment =
        "skipped: no CEL evaluator (.ci/install-packages test provides it, or BYLAW_CEL_PYTHON names a Python that has it)"

    /// What one request was answered.
    struct Answer: Equatable {
        /// In the order in which the server would tell them; it tells the first.
        var refusals: [String]
        var auditNotes: [String]
    }

    struct Failure: Error, CustomStringConvertible { var description: String }

    /// The one that is named, else the one that `.ci/install-packages test` made, else any.
    private static let python: String = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["BYLAW_CEL_PYTHON"] { return named }
        let cache = environment["BYLAW_CEL_CACHE"] ?? (environment["HOME"] ?? "/root") + "/.cache/bylaw"
        let made = cache + "/cel/bin/python"
        return FileManager.default.isExecutableFile(atPath: made) ? made : "python3"
    }()

    static func isPresent() async -> Bool {
        let result = try? await run(["-c", "from cel_expr_python import cel"], input: [])
        return result?.ending == .exited(0)
    }

    /// - Parameter cases: Each with `request`, and where there are such `object`, `oldObject` and `namespaceObject`.
    /// - Throws: ``Failure`` where an expression does not compile, has another type than the server wants, or fails.
    static func answers(of policies: [Tree], to cases: [Tree]) async throws -> [Answer] {
        let work: Tree = ["policies": .array(policies), "cases": .array(cases)]
        let result = try await run(["-c", policyEvaluatorScript], input: work.jsonBytes())
        guard result.ending == .exited(0) else { throw Failure(description: result.errorText) }
        return try (parseJSON(result.output).array ?? []).enumerated().map { index, answer in
            if let errors = answer["errors"]?.array, !errors.isEmpty {
                throw Failure(description: "case \(index): \(errors.compactMap(\.string))")
            }
            return Answer(
                refusals: (answer["refusals"]?.array ?? []).compactMap { $0["message"]?.string },
                auditNotes: (answer["notes"]?.array ?? []).compactMap(\.string))
        }
    }

    private static func run(_ arguments: [String], input: [UInt8]) async throws -> ChildProcessResult {
        try await runChildProcess(
            python, arguments, environment: ProcessInfo.processInfo.environment, input: input, deadline: .seconds(60))
    }
}

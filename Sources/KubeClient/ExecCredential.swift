import ChildProcess
import Foundation
import HTTPClient
import JSON
package import Manifest

/// A program that hands out credentials (`client.authentication.k8s.io`), as a kubeconfig names it.
package struct ExecCredential: Sendable {
    package var apiVersion: String
    package var command: String
    package var arguments: [String]
    package var environment: [String: String]
    /// The folder of the kubeconfig, against which a relative command is resolved.
    package var directory: String
    package var installHint: String
    /// Whether the program wants to know the cluster's address and authorities.
    package var clusterInfo: Tree?

    package init(
        apiVersion: String, command: String, arguments: [String], environment: [String: String], directory: String,
        installHint: String, clusterInfo: Tree?
    ) {
        self.apiVersion = apiVersion
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.installHint = installHint
        self.clusterInfo = clusterInfo
    }
}

/// Runs the program once for all requests that wait, and keeps its answer until it expires or is refused (rule A6).
actor ExecCredentialRunnerState {
    struct Answer {
        var authorization: Authorization
        var expiresAt: Date?
    }

    private let configuration: ExecCredential
    private let environment: [String: String]
    private var answer: Answer?
    private var running: Task<Result<Answer, ClusterConfigurationError>, Never>?

    init(_ configuration: ExecCredential, environment: [String: String]) {
        self.configuration = configuration
        self.environment = environment
    }

    func invalidate() { answer = nil }

    func authorization(wallClockNow now: Date) async throws(ClusterConfigurationError) -> Authorization {
        if let answer, answer.expiresAt.map({ $0 > now }) ?? true { return answer.authorization }
        let task = running ?? Task { [configuration, environment] in await runCredentialProgram(configuration, environment) }
        running = task
        let result = await task.value
        running = nil
        let fresh = try result.get()
        answer = fresh
        return fresh.authorization
    }
}

final class ExecCredentialRunner: Sendable {
    private let state: ExecCredentialRunnerState

    init(_ configuration: ExecCredential, environment: [String: String]) {
        state = ExecCredentialRunnerState(configuration, environment: environment)
    }

    func authorization(wallClockNow now: Date) async throws(ClusterConfigurationError) -> Authorization {
        try await state.authorization(wallClockNow: now)
    }

    func invalidate() { Task { [state] in await state.invalidate() } }
}

private func runCredentialProgram(
    _ configuration: ExecCredential, _ environment: [String: String]
) async -> Result<ExecCredentialRunnerState.Answer, ClusterConfigurationError> {
    var variables = environment
    for (name, value) in configuration.environment { variables[name] = value }
    var request: Tree = [
        "apiVersion": .string(configuration.apiVersion), "kind": "ExecCredential", "spec": ["interactive": false],
    ]
    if let cluster = configuration.clusterInfo { request.set(["spec", "cluster"], to: cluster) }
    variables["KUBERNETES_EXEC_INFO"] = request.jsonText()
    let hint = configuration.installHint.isEmpty
        ? "Run the program by hand to see what it says." : oneLineHint(configuration.installHint)
    do {
        let command = configuration.command
        let isRelative = command.contains("/") && !command.hasPrefix("/")
        let result = try await runChildProcess(
            isRelative ? configuration.directory + "/" + command : command, configuration.arguments,
            environment: variables, deadline: .seconds(60))
        guard result.ending == .exited(0) else {
            // Its output may hold credentials, so only how it ended is told.
            return .failure(
                ClusterConfigurationError(
                    message: "the credential program \(command) ended with \(result.ending)", hint: hint))
        }
        return decodeCredential(result.output, configuration, hint: hint)
    } catch {
        return .failure(
            ClusterConfigurationError(message: "the credential program: \(error)", hint: hint))
    }
}

private func decodeCredential(
    _ output: [UInt8], _ configuration: ExecCredential, hint: String
) -> Result<ExecCredentialRunnerState.Answer, ClusterConfigurationError> {
    func failure(_ message: String) -> Result<ExecCredentialRunnerState.Answer, ClusterConfigurationError> {
        .failure(
            ClusterConfigurationError(
                message: "the credential program \(configuration.command) \(message)", hint: hint))
    }
    guard let tree = try? parseJSON(output) else { return failure("did not write JSON") }
    guard tree["kind"]?.string == "ExecCredential", tree["apiVersion"]?.string == configuration.apiVersion else {
        return failure("did not answer with an ExecCredential of \(configuration.apiVersion)")
    }
    guard let status = tree["status"] else { return failure("gave no status") }
    var authorization = Authorization()
    if let token = status["token"]?.string, !token.isEmpty {
        authorization.header = SecretBytes(Array("Bearer \(token)".utf8))
    }
    let certificate = status["clientCertificateData"]?.string
    let key = status["clientKeyData"]?.string
    guard (certificate == nil) == (key == nil) else { return failure("gave a certificate without its key, or the reverse") }
    authorization.clientCertificate = certificate.map { Array($0.utf8) }
    authorization.clientKey = key.map { SecretBytes(Array($0.utf8)) }
    guard authorization.header != nil || certificate != nil else { return failure("gave neither token nor certificate") }
    var expiresAt: Date?
    if let text = status["expirationTimestamp"]?.string {
        guard let moment = Timestamp(text) else { return failure("gave an expirationTimestamp that is no time") }
        expiresAt = Date(timeIntervalSince1970: Double(moment.microsecondsSinceEpoch) / 1_000_000)
    }
    return .success(ExecCredentialRunnerState.Answer(authorization: authorization, expiresAt: expiresAt))
}

private func oneLineHint(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
}

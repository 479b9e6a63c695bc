import HTTPClient
import JSON
package import Manifest

/// A program that hands out credentials (`client.authentication.k8s.io`), as a kubeconfig names it.
package struct ExecCredential: Sendable {
    package var apiVersion: String
    /// A name to be found on the search path, or a path.
    package var command: String
    package var arguments: [String]
    package var environment: [String: String]
    /// The folder of the kubeconfig, against which a relative path of the command is resolved.
    package var directory: String
    package var installHint: String
    /// What the program is told of the cluster, if it wants to know.
    package var clusterInfo: Tree?

    package init(
        apiVersion: String, command: String, arguments: [String] = [], environment: [String: String] = [:],
        directory: String = "/", installHint: String = "", clusterInfo: Tree? = nil
    ) {
        self.apiVersion = apiVersion
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.installHint = installHint
        self.clusterInfo = clusterInfo
    }

    /// The program to start: one with a slash is meant from where the kubeconfig is.
    var program: String {
        command.contains("/") && !command.hasPrefix("/") ? directory + "/" + command : command
    }

    /// The value of `KUBERNETES_EXEC_INFO`: nobody is there to be asked, so it is never interactive.
    var request: String {
        var tree: Tree = ["apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": ["interactive": false]]
        if let clusterInfo { tree.set(["spec", "cluster"], to: clusterInfo) }
        return tree.jsonText()
    }

    var hint: String {
        installHint.isEmpty
            ? "Run the program by hand to see what it says."
            : installHint.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    func failure(_ message: String) -> ClusterConfigurationError {
        ClusterConfigurationError(message: "the credential program \(command) \(message)", hint: hint)
    }

    /// Reads what the program wrote.
    ///
    /// Nothing of it is ever told: it holds credentials.
    func decode(_ output: [UInt8]) throws(ClusterConfigurationError) -> (Authorization, expiresAt: Timestamp?) {
        let tree: Tree
        do throws(JSONError) {
            tree = try parseJSON(output)
        } catch {
            throw failure("did not write JSON")
        }
        guard tree["kind"]?.string == "ExecCredential", tree["apiVersion"]?.string == apiVersion else {
            throw failure("did not answer with an ExecCredential of \(apiVersion)")
        }
        guard let status = tree["status"], !status.isNull else { throw failure("gave no status") }
        var authorization = Authorization()
        if let token = status["token"]?.string, !token.isEmpty {
            let bytes = Array(token.utf8)
            if let flaw = flawOfToken(bytes) { throw failure("gave a token that \(flaw)") }
            authorization.header = bearer(SecretBytes(bytes))
        }
        let certificate = status["clientCertificateData"]?.string.flatMap { $0.isEmpty ? nil : Array($0.utf8) }
        let key = status["clientKeyData"]?.string.flatMap { $0.isEmpty ? nil : Array($0.utf8) }
        guard (certificate == nil) == (key == nil) else {
            throw failure("gave a certificate without its key, or the reverse")
        }
        if let certificate, let key {
            if let flaw = flawOfCertificates(certificate) { throw failure("gave a certificate that \(flaw)") }
            if let flaw = flawOfKey(key) { throw failure("gave a key that \(flaw)") }
            authorization.clientCertificate = certificate
            authorization.clientKey = SecretBytes(key)
        }
        guard authorization != Authorization() else { throw failure("gave neither token nor certificate") }
        guard let text = status["expirationTimestamp"], !text.isNull else { return (authorization, nil) }
        guard let moment = text.string.flatMap({ Timestamp($0) }) else {
            throw failure("gave an expirationTimestamp that is no time")
        }
        return (authorization, moment)
    }
}

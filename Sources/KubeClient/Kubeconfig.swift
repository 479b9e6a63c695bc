import Foundation
import HTTPClient
import JSON
import Manifest
import YAML

/// Reads how to reach a cluster as kubectl does: the given file, else the files of `KUBECONFIG`, else `~/.kube/config`, else
/// the service account of a pod.
///
/// - Parameters:
///   - path: A kubeconfig file that was named explicitly; it has to exist.
///   - context: The context to use in place of the file's current one.
package func findClusterEndpoint(
    kubeconfig path: String?, context: String?, environment: [String: String]
) throws(ClusterConfigurationError) -> ClusterEndpoint {
    let named = path ?? (environment["KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 })
    if path == nil, named == nil, let endpoint = try inClusterEndpoint(environment: environment) {
        guard context == nil else {
            throw ClusterConfigurationError(
                message: "a context was named, but inside a pod there is no kubeconfig", hint: "Leave --context out, or name a kubeconfig.")
        }
        return endpoint
    }
    let paths: [String]
    if let path {
        paths = [path]
    } else if let named {
        paths = named.split(separator: ":").map(String.init)
    } else {
        paths = [(environment["HOME"] ?? "") + "/.kube/config"]
    }
    var merged = Kubeconfig()
    var isAnyFound = false
    for path in paths {
        guard FileManager.default.fileExists(atPath: path) else { continue }
        isAnyFound = true
        try merged.merge(try Kubeconfig.read(path))
    }
    guard isAnyFound else {
        throw ClusterConfigurationError(
            message: "no kubeconfig at \(paths.joined(separator: ", "))",
            hint: "Name one with --kubeconfig or KUBECONFIG, or run inside a cluster.")
    }
    return try merged.endpoint(context: context, environment: environment)
}

/// The service account of the pod we run in, or nil outside of one (rule A7).
package func inClusterEndpoint(
    environment: [String: String],
    directory: String = "/var/run/secrets/kubernetes.io/serviceaccount"
) throws(ClusterConfigurationError) -> ClusterEndpoint? {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"],
        !host.isEmpty, !port.isEmpty
    else { return nil }
    let tokenPath = directory + "/token"
    guard FileManager.default.fileExists(atPath: tokenPath) else {
        throw ClusterConfigurationError(
            message: "this looks like a pod, but it has no service account token at \(tokenPath)",
            hint: "Set automountServiceAccountToken: true on the pod, or name a kubeconfig.")
    }
    var namespace = ""
    if let data = FileManager.default.contents(atPath: directory + "/namespace") {
        namespace = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let address = host.contains(":") ? "[\(host)]" : host
    return ClusterEndpoint(
        server: "https://\(address):\(port)", name: "in-cluster", namespace: namespace,
        certificateAuthorities: .path(directory + "/ca.crt"), proxy: .environment,
        credentials: CredentialSource(.tokenFile(tokenPath, fallback: nil)))
}

/// One or several kubeconfig files: the first that defines a name wins (rule A1).
private struct Kubeconfig {
    /// An entry with the folder that its relative paths start from.
    struct Entry {
        var tree: Tree
        var file: String
        var directory: String { (file as NSString).deletingLastPathComponent }
    }

    var clusters: [String: Entry] = [:]
    var users: [String: Entry] = [:]
    var contexts: [String: Entry] = [:]
    var currentContext: String?

    static func read(_ path: String) throws(ClusterConfigurationError) -> Kubeconfig {
        let hint = "Check the file with: kubectl config view --kubeconfig \(path)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ClusterConfigurationError(
                message: "read the kubeconfig \(path): it cannot be opened", hint: "Check its permissions.")
        }
        let stream = parseYAML([UInt8](data))
        if let problem = stream.problems.first {
            throw ClusterConfigurationError(
                message: "read the kubeconfig \(path): line \(problem.position.line): \(problem.message)", hint: hint)
        }
        var config = Kubeconfig()
        guard let tree = stream.documents.first?.tree, !tree.isNull else { return config }
        guard case .object = tree else {
            throw ClusterConfigurationError(message: "read the kubeconfig \(path): it is no map", hint: hint)
        }
        let file = URL(fileURLWithPath: path).standardizedFileURL.path
        config.currentContext = tree["current-context"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        config.clusters = try entries(tree, "clusters", "cluster", file: file, hint: hint)
        config.users = try entries(tree, "users", "user", file: file, hint: hint)
        config.contexts = try entries(tree, "contexts", "context", file: file, hint: hint)
        return config
    }

    private static func entries(
        _ tree: Tree, _ list: String, _ field: String, file: String, hint: String
    ) throws(ClusterConfigurationError) -> [String: Entry] {
        var result: [String: Entry] = [:]
        for item in tree[list]?.array ?? [] {
            guard let name = item["name"]?.string else {
                throw ClusterConfigurationError(
                    message: "read the kubeconfig \(file): an entry of \(list) has no name", hint: hint)
            }
            if result[name] == nil { result[name] = Entry(tree: item[field] ?? .object(Members()), file: file) }
        }
        return result
    }

    mutating func merge(_ other: Kubeconfig) throws(ClusterConfigurationError) {
        clusters.merge(other.clusters) { first, _ in first }
        users.merge(other.users) { first, _ in first }
        contexts.merge(other.contexts) { first, _ in first }
        currentContext = currentContext ?? other.currentContext
    }

    func endpoint(context wanted: String?, environment: [String: String]) throws(ClusterConfigurationError) -> ClusterEndpoint {
        guard let name = wanted ?? currentContext else {
            throw ClusterConfigurationError(
                message: "the kubeconfig has no current context", hint: "Name one with --context: \(known(contexts)).")
        }
        guard let context = contexts[name] else {
            throw ClusterConfigurationError(
                message: "the kubeconfig has no context \"\(name)\"", hint: "Use one of these: \(known(contexts)).")
        }
        guard let clusterName = context.tree["cluster"]?.string, let cluster = clusters[clusterName] else {
            throw ClusterConfigurationError(
                message: "context \"\(name)\" names a cluster that the kubeconfig does not define",
                hint: "Correct the context, or merge the file that defines it through KUBECONFIG.")
        }
        guard let server = cluster.tree["server"]?.string, let url = URLComponents(string: server), url.host != nil,
            ["http", "https"].contains(url.scheme?.lowercased() ?? "")
        else {
            throw ClusterConfigurationError(
                message: "cluster \"\(clusterName)\" has no server address with http:// or https://",
                hint: "Correct clusters[].cluster.server in \(cluster.file).")
        }
        let isInsecure = cluster.tree["insecure-skip-tls-verify"]?.bool ?? false
        let authorities = try credentialFile(cluster, "certificate-authority")
        guard !(isInsecure && authorities != nil) else {
            throw ClusterConfigurationError(
                message: "cluster \"\(clusterName)\" has a certificate authority and insecure-skip-tls-verify",
                hint: "Remove insecure-skip-tls-verify.")
        }
        let userName = context.tree["user"]?.string ?? ""
        let user = users[userName]
        guard user != nil || userName.isEmpty else {
            throw ClusterConfigurationError(
                message: "context \"\(name)\" names the user \"\(userName)\", which the kubeconfig does not define",
                hint: "Use one of these: \(known(users)).")
        }
        let isEncrypted = url.scheme?.lowercased() == "https"
        let kind = try isEncrypted ? user.map { user throws(ClusterConfigurationError) in
            try credentialKind(user, cluster: cluster, server: server)
        } ?? .none : .none
        return ClusterEndpoint(
            server: server, name: name, namespace: context.tree["namespace"]?.string ?? "",
            serverName: cluster.tree["tls-server-name"]?.string.flatMap { $0.isEmpty ? nil : $0 },
            isVerificationDisabled: isInsecure, certificateAuthorities: authorities,
            proxy: cluster.tree["proxy-url"]?.string.map { ProxyConfiguration.address($0) } ?? .environment,
            credentials: CredentialSource(kind, environment: environment))
    }

    private func known(_ entries: [String: Entry]) -> String {
        entries.isEmpty ? "(none)" : entries.keys.sorted().joined(separator: ", ")
    }

    /// The precedence of several credentials, as client-go has it (rule A2).
    private func credentialKind(
        _ user: Entry, cluster: Entry, server: String
    ) throws(ClusterConfigurationError) -> CredentialSource.Kind {
        let token = user.tree["token"]?.string.flatMap { $0.isEmpty ? nil : SecretBytes(Array($0.utf8)) }
        if let file = user.tree["tokenFile"]?.string, !file.isEmpty {
            return .tokenFile(resolve(file, in: user), fallback: token)
        }
        if let token { return .token(token) }
        if let name = user.tree["username"]?.string, !name.isEmpty {
            let password = user.tree["password"]?.string ?? ""
            return .basic(user: name, password: SecretBytes(Array(password.utf8)))
        }
        if let certificate = try credentialFile(user, "client-certificate") {
            guard let key = try credentialFile(user, "client-key") else {
                throw ClusterConfigurationError(
                    message: "a user of \(user.file) has a client certificate without a key", hint: "Add client-key or client-key-data.")
            }
            return .clientCertificate(certificate, key: key)
        }
        guard let exec = user.tree["exec"], !exec.isNull else { return .none }
        return .exec(try execCredential(exec, user: user, cluster: cluster, server: server))
    }

    private func execCredential(
        _ exec: Tree, user: Entry, cluster: Entry, server: String
    ) throws(ClusterConfigurationError) -> ExecCredential {
        let version = exec["apiVersion"]?.string ?? ""
        guard ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"].contains(version) else {
            throw ClusterConfigurationError(
                message: "the credential program of \(user.file) speaks \"\(version)\"",
                hint: "Use client.authentication.k8s.io/v1 or v1beta1.")
        }
        guard exec["interactiveMode"]?.string != "Always" else {
            throw ClusterConfigurationError(
                message: "the credential program of \(user.file) wants a person at a terminal (interactiveMode: Always)",
                hint: "Use credentials for a service, such as a token or a client certificate.")
        }
        guard let command = exec["command"]?.string, !command.isEmpty else {
            throw ClusterConfigurationError(
                message: "the credential program of \(user.file) has no command", hint: "Set users[].user.exec.command.")
        }
        var variables: [String: String] = [:]
        for item in exec["env"]?.array ?? [] {
            if let name = item["name"]?.string { variables[name] = item["value"]?.string ?? "" }
        }
        var info: Tree?
        if exec["provideClusterInfo"]?.bool == true {
            var tree: Tree = ["server": .string(server)]
            if let data = cluster.tree["certificate-authority-data"] { tree.set(["certificate-authority-data"], to: data) }
            info = tree
        }
        return ExecCredential(
            apiVersion: version, command: command,
            arguments: (exec["args"]?.array ?? []).compactMap(\.string), environment: variables,
            directory: user.directory, installHint: exec["installHint"]?.string ?? "", clusterInfo: info)
    }

    /// `NAME-data` holds the bytes in base64 and counts for more than the file that `NAME` names (rule A2).
    private func credentialFile(_ entry: Entry, _ field: String) throws(ClusterConfigurationError) -> CredentialFile? {
        if let text = entry.tree[field + "-data"]?.string, !text.isEmpty {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw ClusterConfigurationError(
                    message: "\(field)-data in \(entry.file) is not base64", hint: "Write the PEM text in base64.")
            }
            return .inline(SecretBytes([UInt8](data)))
        }
        guard let path = entry.tree[field]?.string, !path.isEmpty else { return nil }
        return .path(resolve(path, in: entry))
    }

    private func resolve(_ path: String, in entry: Entry) -> String {
        path.hasPrefix("/") ? path : entry.directory + "/" + path
    }
}

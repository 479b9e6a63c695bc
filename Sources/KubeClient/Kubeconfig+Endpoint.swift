import Foundation
import HTTPClient
import Manifest

extension Kubeconfig {
    /// How to reach the cluster of a context.
    ///
    /// - Parameter wanted: The context, or nil for the current one.
    func endpoint(
        context wanted: String?, environment: [String: String], uptime: @escaping @Sendable () -> Duration,
        time: @escaping @Sendable () -> Timestamp
    ) throws(ClusterConfigurationError) -> ClusterEndpoint {
        guard let name = wanted ?? currentContext else {
            throw ClusterConfigurationError(
                message: "the kubeconfig has no current context", hint: "Name one with --context: \(known(contexts)).")
        }
        guard let context = contexts[name] else {
            throw ClusterConfigurationError(
                message: "the kubeconfig has no context \"\(name)\"", hint: "Use one of these: \(known(contexts)).")
        }
        guard let clusterName = try context.text("cluster"), let cluster = clusters[clusterName] else {
            throw context.failure(
                "names a cluster that the kubeconfig does not define",
                hint: "Use one of these: \(known(clusters)), or merge the file that defines it through KUBECONFIG.")
        }
        var user: KubeconfigEntry?
        if let userName = try context.text("user") {
            user = users[userName]
            guard user != nil else {
                throw context.failure(
                    "names the user \"\(userName)\", which the kubeconfig does not define",
                    hint: "Use one of these: \(known(users)), or merge the file that defines it through KUBECONFIG.")
            }
        }
        let server = try serverAddress(of: cluster)
        let isInsecure = try cluster.flag("insecure-skip-tls-verify")
        let authorities = try cluster.file("certificate-authority", flawOfCertificates)
        guard !isInsecure || authorities == nil else {
            throw cluster.failure(
                "has a certificate authority and insecure-skip-tls-verify", hint: "Remove insecure-skip-tls-verify.")
        }
        // Over plain HTTP credentials would be readable by everybody on the way, so they are not even loaded (rule A2).
        let isEncrypted = server.lowercased().hasPrefix("https://")
        var credentials = Credentials()
        if isEncrypted, let user { credentials = try readCredentials(user, cluster: cluster) }
        return ClusterEndpoint(
            server: server, name: name, namespace: try context.text("namespace") ?? "",
            userName: try context.text("user") ?? "",
            serverName: try cluster.text("tls-server-name"), isVerificationDisabled: isInsecure,
            certificateAuthorities: authorities, proxy: try proxy(of: cluster, environment: environment),
            credentials: CredentialSource(
                credentials.kind, clientCertificate: credentials.certificate, uptime: uptime, time: time,
                environment: environment))
    }

    private func known(_ entries: [String: KubeconfigEntry]) -> String {
        entries.isEmpty ? "(none)" : entries.keys.sorted().joined(separator: ", ")
    }

    private func serverAddress(of cluster: KubeconfigEntry) throws(ClusterConfigurationError) -> String {
        let hint = "Correct clusters[].cluster.server, for example https://10.0.0.1:6443."
        guard let server = try cluster.text("server") else { throw cluster.failure("has no server", hint: hint) }
        guard let url = URLComponents(string: server), let host = url.host, !host.isEmpty,
            ["http", "https"].contains(url.scheme?.lowercased() ?? "")
        else { throw cluster.failure("has a server that is no address with http:// or https://", hint: hint) }
        guard url.user == nil, url.password == nil else {
            throw cluster.failure("has a password in its server address", hint: "Put the credentials under users.")
        }
        guard url.query == nil, url.fragment == nil else {
            throw cluster.failure("has a server address with a query or a fragment", hint: hint)
        }
        return server
    }

    private func proxy(
        of cluster: KubeconfigEntry, environment: [String: String]
    ) throws(ClusterConfigurationError) -> ProxyConfiguration {
        guard let address = try cluster.text("proxy-url") else {
            return .variables(environment.filter { $0.key.lowercased().hasSuffix("_proxy") })
        }
        guard let proxy = ProxyConfiguration(address: address) else {
            throw cluster.failure(
                "has a proxy-url that is no address with http://, https:// or socks5://", hint: "Correct proxy-url.")
        }
        return proxy
    }
}

private struct Credentials {
    var kind = CredentialSource.Kind.none
    var certificate: CredentialSource.ClientCertificate?
}

/// What a user has, with the precedence that client-go gives it (rule A2).
private func readCredentials(
    _ user: KubeconfigEntry, cluster: KubeconfigEntry
) throws(ClusterConfigurationError) -> Credentials {
    for field in ["as", "as-uid", "as-groups", "as-user-extra"] where user.has(field) {
        // To leave it out would be to act with more rights than were meant.
        throw user.failure("impersonates somebody (\(field))", hint: "Give Bylaw a user of its own.")
    }
    guard !user.has("auth-provider") else {
        throw user.failure("uses an auth-provider, which Kubernetes has removed", hint: "Use an exec plugin instead.")
    }
    var credentials = Credentials()
    let certificate = try user.file("client-certificate", flawOfCertificates)
    let key = try user.file("client-key", flawOfKey)
    guard (certificate == nil) == (key == nil) else {
        throw user.failure("has a client certificate without its key, or the reverse", hint: "Add what is missing.")
    }
    if let certificate, let key {
        credentials.certificate = CredentialSource.ClientCertificate(certificate: certificate, key: key)
    }
    let token = try user.text("token").map { SecretBytes(Array($0.utf8)) }
    if let token, let flaw = flawOfToken(token.bytes) {
        throw user.failure("has a token that \(flaw)", hint: "Correct the token.")
    }
    let tokenFile = try user.text("tokenFile").map(user.resolve)
    let name = try user.text("username")
    guard name == nil || token == nil && tokenFile == nil else {
        throw user.failure("has a password and a token", hint: "Remove one of the two.")
    }
    if let tokenFile {
        credentials.kind = .tokenFile(tokenFile, fallback: token)
    } else if let token {
        credentials.kind = .token(token)
    } else if let name {
        credentials.kind = .basic(user: name, password: SecretBytes(Array((try user.text("password") ?? "").utf8)))
    } else if credentials.certificate == nil, let exec = user.tree["exec"], !exec.isNull {
        let entry = KubeconfigEntry(tree: exec, what: "\(user.what): exec", file: user.file)
        credentials.kind = .exec(try readExec(entry, cluster: cluster))
    }
    return credentials
}

private func readExec(
    _ exec: KubeconfigEntry, cluster: KubeconfigEntry
) throws(ClusterConfigurationError) -> ExecCredential {
    let version = try exec.text("apiVersion") ?? ""
    guard ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"].contains(version) else {
        throw exec.failure(
            "speaks \"\(version)\"",
            hint: "Use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1.")
    }
    switch try exec.text("interactiveMode") {
    case nil, "Never", "IfAvailable": break
    case "Always":
        throw exec.failure(
            "wants a person at a terminal (interactiveMode: Always)",
            hint: "Use credentials for a service, such as a token or a client certificate.")
    case .some:
        throw exec.failure("has an unknown interactiveMode", hint: "Use Never, IfAvailable or Always.")
    }
    guard let command = try exec.text("command") else {
        throw exec.failure("has no command", hint: "Set users[].user.exec.command.")
    }
    var arguments: [String] = []
    for item in try exec.list("args") {
        guard let text = item.string else {
            throw exec.failure("has an argument that is \(item.kindName)", hint: "Put each argument in quotes.")
        }
        arguments.append(text)
    }
    var variables: [String: String] = [:]
    for item in try exec.list("env") {
        let entry = KubeconfigEntry(tree: item, what: "\(exec.what) env", file: exec.file)
        guard let name = try entry.text("name") else {
            throw exec.failure("has a variable without a name", hint: "Give each entry of env a name and a value.")
        }
        variables[name] = try entry.text("value") ?? ""
    }
    return ExecCredential(
        apiVersion: version, command: command, arguments: arguments, environment: variables,
        directory: exec.directory, installHint: try exec.text("installHint") ?? "",
        clusterInfo: try exec.flag("provideClusterInfo") ? try clusterInfo(cluster) : nil)
}

/// What a program is told of the cluster: the fields of `ExecCredential.spec.cluster`.
private func clusterInfo(_ cluster: KubeconfigEntry) throws(ClusterConfigurationError) -> Tree {
    var tree: Tree = [:]
    for field in ["server", "tls-server-name", "proxy-url"] {
        if let text = try cluster.text(field) { tree.set([field], to: .string(text)) }
    }
    if try cluster.flag("insecure-skip-tls-verify") { tree.set(["insecure-skip-tls-verify"], to: true) }
    if let authorities = try cluster.file("certificate-authority", flawOfCertificates) {
        let bytes = try authorities.read("the certificate authority", flawOfCertificates)
        tree.set(["certificate-authority-data"], to: .string(Data(bytes).base64EncodedString()))
    }
    for item in try cluster.list("extensions") where item["name"]?.string == "client.authentication.k8s.io/exec" {
        tree.set(["config"], to: item["extension"])
    }
    return tree
}

package import HTTPClient

/// Where a cluster's API server is and how to talk to it.
package struct ClusterEndpoint: Sendable {
    /// The address with its path prefix and without a slash at its end (rule A8).
    package var server: String
    /// The context's name in a kubeconfig, or `in-cluster`.
    package var name: String
    /// The namespace that a context names, or the pod's own; empty where it names none.
    package var namespace: String
    /// Whether it is that of the pod's service account, and no kubeconfig's.
    package var isInCluster = false
    /// What a kubeconfig calls its user, for people only; empty where there is none.
    package var userName: String
    package var serverName: String?
    package var isVerificationDisabled: Bool
    package var certificateAuthorities: CredentialFile?
    package var proxy: ProxyConfiguration
    package var credentials: CredentialSource

    package init(
        server: String, name: String, namespace: String = "", userName: String = "", serverName: String? = nil,
        isVerificationDisabled: Bool = false, certificateAuthorities: CredentialFile? = nil,
        proxy: ProxyConfiguration = .environment, credentials: CredentialSource
    ) {
        var server = server[...]
        while server.hasSuffix("/") { server.removeLast() }
        self.server = String(server)
        self.name = name
        self.namespace = namespace
        self.userName = userName
        self.serverName = serverName
        self.isVerificationDisabled = isVerificationDisabled
        self.certificateAuthorities = certificateAuthorities
        self.proxy = proxy
        self.credentials = credentials
    }

    /// Whether the connection is encrypted.
    ///
    /// Over plain HTTP no credential is ever sent (rule A2).
    package var isEncrypted: Bool { server.lowercased().hasPrefix("https://") }

    /// What a request of this moment needs; cheap, so it is asked for before each one.
    ///
    /// Never fails for a file that could be read before: its last good content stays in force.
    package func access() async throws(ClusterConfigurationError) -> ClusterAccess {
        guard isEncrypted else { return ClusterAccess(header: nil, tls: TLSConfiguration()) }
        let authorization = try await credentials.authorization()
        let authorities = try certificateAuthorities.map { file throws(ClusterConfigurationError) in
            try credentials.bytes(of: file, what: "the certificate authority")
        }
        return ClusterAccess(
            header: authorization.header,
            tls: TLSConfiguration(
                certificateAuthorities: authorities, clientCertificate: authorization.clientCertificate,
                clientKey: authorization.clientKey, serverName: serverName,
                isVerificationDisabled: isVerificationDisabled))
    }
}

/// What one request to a cluster carries besides itself.
package struct ClusterAccess: Sendable, Equatable {
    /// The value of the `Authorization` header, if there is one.
    ///
    /// Never shown.
    package var header: SecretBytes?
    package var tls: TLSConfiguration
}

/// The connection to a cluster could not be configured.
package struct ClusterConfigurationError: Error, Sendable, Equatable {
    package var message: String
    /// The reader's next step, one sentence.
    package var hint: String

    package init(message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}

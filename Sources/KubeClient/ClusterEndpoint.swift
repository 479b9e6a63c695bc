package import HTTPClient

/// Where a cluster's API server is and how to talk to it.
package struct ClusterEndpoint: Sendable {
    /// The address with its path prefix and without a slash at its end (rule A8).
    package var server: String
    /// The context's name in a kubeconfig, or `in-cluster`.
    package var name: String
    /// The namespace that a context names; empty where it names none.
    package var namespace: String
    package var serverName: String?
    package var isVerificationDisabled: Bool
    package var certificateAuthorities: CredentialFile?
    package var proxy: ProxyConfiguration
    package var credentials: CredentialSource

    package init(
        server: String, name: String, namespace: String = "", serverName: String? = nil,
        isVerificationDisabled: Bool = false, certificateAuthorities: CredentialFile? = nil,
        proxy: ProxyConfiguration = .environment, credentials: CredentialSource
    ) {
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        self.name = name
        self.namespace = namespace
        self.serverName = serverName
        self.isVerificationDisabled = isVerificationDisabled
        self.certificateAuthorities = certificateAuthorities
        self.proxy = proxy
        self.credentials = credentials
    }

    /// Whether the connection is encrypted. Over plain HTTP no credential is ever sent (rule A2).
    package var isEncrypted: Bool { server.lowercased().hasPrefix("https://") }
}

/// Bytes of a credential: written in the configuration, or in a file that may be replaced while we run (rules A3 to A5).
package enum CredentialFile: Sendable {
    case inline(SecretBytes)
    case path(String)
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

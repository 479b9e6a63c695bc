/// Bytes that must never be shown: a private key, a password.
package struct SecretBytes: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var description: String { "(redacted)" }
    package var debugDescription: String { "(redacted)" }
    /// Without children, so that `dump` and the failures of tests show nothing either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whom to trust, and who we are, on TLS connections.
package struct TLSConfiguration: Sendable, Equatable {
    /// PEM; nil for the system's trusted authorities, and then only those.
    package var certificateAuthorities: [UInt8]?
    package var clientCertificate: [UInt8]?
    package var clientKey: SecretBytes?
    /// Overrides the name that is asked for and verified.
    package var serverName: String?
    package var isVerificationDisabled: Bool

    package init(
        certificateAuthorities: [UInt8]? = nil, clientCertificate: [UInt8]? = nil, clientKey: SecretBytes? = nil,
        serverName: String? = nil, isVerificationDisabled: Bool = false
    ) {
        self.certificateAuthorities = certificateAuthorities
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.serverName = serverName
        self.isVerificationDisabled = isVerificationDisabled
    }
}

package import HTTPClient

/// Which commit of a remote is followed.
package enum FollowedReference: Sendable, Equatable, CustomStringConvertible {
    /// The branch that the remote's HEAD names.
    case defaultBranch
    case branch(String)
    case tag(String)
    case commit(String)

    package var description: String {
        switch self {
        case .defaultBranch: "the default branch"
        case .branch(let name): "branch \(name)"
        case .tag(let name): "tag \(name)"
        case .commit(let id): "commit \(id)"
        }
    }
}

/// How to prove who we are to a Git server.
///
/// Files are read again for each fetch, so that they can be replaced.
package struct GitCredentials: Sendable {
    /// A file whose content is a token, sent as the password of ``userName``.
    package var tokenFile: String?
    /// The user name that goes with a token or a password.
    package var userName: String
    /// A file whose content is a password.
    package var passwordFile: String?
    /// PEM certificates of the authorities to trust in place of the system's.
    package var certificateAuthorityFile: String?
    package var sshKeyFile: String?
    package var sshKnownHostsFile: String?
    package var proxy: ProxyConfiguration

    package init(
        tokenFile: String? = nil, userName: String = "x-access-token", passwordFile: String? = nil,
        certificateAuthorityFile: String? = nil, sshKeyFile: String? = nil, sshKnownHostsFile: String? = nil,
        proxy: ProxyConfiguration = .environment
    ) {
        self.tokenFile = tokenFile
        self.userName = userName
        self.passwordFile = passwordFile
        self.certificateAuthorityFile = certificateAuthorityFile
        self.sshKeyFile = sshKeyFile
        self.sshKnownHostsFile = sshKnownHostsFile
        self.proxy = proxy
    }
}

/// How long and how much one fetch may take.
package struct FetchLimits: Sendable {
    package var total: Duration
    /// The longest time without a byte.
    package var stall: Duration
    package var connect: Duration
    package var maximumBytes: Int
    package var maximumObjects: Int

    package init(
        total: Duration = .seconds(120), stall: Duration = .seconds(30), connect: Duration = .seconds(20),
        maximumBytes: Int = 1 << 30, maximumObjects: Int = 5_000_000
    ) {
        self.total = total
        self.stall = stall
        self.connect = connect
        self.maximumBytes = maximumBytes
        self.maximumObjects = maximumObjects
    }
}

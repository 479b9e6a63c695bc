import Arguments
import Foundation
import Git
import GitHost
import GitSource
import HTTPClient
import JSON
import Journal
import KubeClient
import Manifest
import Planning
import Reconciler
import Signatures

/// Builds the parts of a run out of what the command was given: the one place that knows them all.
struct Wiring {
    let arguments: ParsedArguments
    let environment: [String: String]
    /// Set where only one of several processes may write; then no client that is made here can forget to ask.
    let replica: Replica?

    init(_ invocation: Invocation) {
        self.init(invocation, replica: invocation.arguments.isSet("leader-elect") ? Replica() : nil)
    }

    /// - Parameter replica: What this process is from its start on.
    init(_ invocation: Invocation, replica: Replica?) {
        arguments = invocation.arguments
        environment = invocation.environment
        self.replica = replica
    }

    // MARK: Names

    /// The instance's name, which becomes a label's value and a part of the field manager's name.
    func instance() throws(CommandFailure) -> String {
        let name = arguments.text("instance") ?? "default"
        let isLabel =
            name.utf8.count <= 63 && name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            && name.utf8.first.map(isLetterOrDigit) == true && name.utf8.last.map(isLetterOrDigit) == true
        guard isLabel else {
            throw CommandFailure(
                message: "the instance's name \"\(name)\" is no name that Kubernetes takes",
                hint: "Use up to 63 lower-case letters, digits and dashes, such as --instance production.")
        }
        return name
    }

    private func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    func ownership(instance: String) -> Ownership {
        Ownership(instance: instance) { sha256Hex(Array($0.utf8)) }
    }

    var canonical: Canonical {
        Canonical(
            text: { $0.jsonText() }, digest: { sha256Hex($0.jsonBytes()) }, tree: { try? parseJSON($0) })
    }

    // MARK: The repository

    /// - Parameter cacheFolder: A folder of its own in the cache, for a command that runs beside the controller.
    func source(cacheFolder: String? = nil) throws -> GitRevisionSource {
        guard let address = arguments.text("repo") else {
            throw CommandFailure(
                message: "no policy repository is named", hint: "Name one with --repo URL, or BYLAW_REPO.")
        }
        let url = try RemoteURL(address)
        var configuration = GitSourceConfiguration(
            url: url, reference: try reference(), path: arguments.text("path") ?? "",
            cluster: arguments.text("cluster"), credentials: try credentials(),
            cacheDirectory: (arguments.text("cache") ?? defaultCache(for: url)) + (cacheFolder.map { "/" + $0 } ?? ""),
            environment: environment)
        if let timeout = arguments.duration("git-timeout") { configuration.fetchLimits.total = timeout }
        configuration.trustedKeys = try trustedKeys()
        return GitRevisionSource(configuration)
    }

    /// Which commits must be signed.
    var trust: TrustMode { arguments.text("verify-commits").flatMap(TrustMode.init) ?? .off }

    private func reference() throws(CommandFailure) -> FollowedReference {
        if let branch = arguments.text("branch") { return .branch(branch) }
        if let tag = arguments.text("tag") { return .tag(tag) }
        if let commit = arguments.text("commit") {
            // A beginning of an id, or a name, may mean another commit tomorrow.
            guard commit.utf8.count == 40, commit.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                throw CommandFailure(
                    message: "--commit: \"\(commit)\" is not the whole id of a commit",
                    hint: "Write all 40 digits, as git rev-parse prints them; follow a name with --branch or --tag.")
            }
            return .commit(commit.lowercased())
        }
        return .defaultBranch
    }

    private func trustedKeys() throws(CommandFailure) -> TrustedKeys {
        let keys = TrustedKeys(
            allowedSignersFile: arguments.text("allowed-signers"), revokedKeysFile: arguments.text("revoked-keys"),
            keyRingFile: arguments.text("gpg-keyring"))
        guard trust == .off || keys.allowedSignersFile != nil || keys.keyRingFile != nil else {
            throw CommandFailure(
                message: "--verify-commits \(trust.rawValue) without a file that says whose signatures count",
                hint: "Name one with --allowed-signers F or --gpg-keyring F.")
        }
        return keys
    }

    private func credentials() throws(CommandFailure) -> GitCredentials {
        let proxy = try arguments.text("git-proxy").map { address throws(CommandFailure) in
            guard let proxy = ProxyConfiguration(address: address) else {
                // It may hold a password, so it is not repeated.
                throw CommandFailure(
                    message: "--git-proxy is no address with http://, https:// or socks5://",
                    hint: "Write it as http://USER:PASSWORD@HOST:PORT, with special characters as %40 and the like.")
            }
            return proxy
        }
        return GitCredentials(
            tokenFile: arguments.text("git-token-file"), userName: arguments.text("git-user") ?? "x-access-token",
            passwordFile: arguments.text("git-password-file"), certificateAuthorityFile: arguments.text("git-ca-file"),
            sshKeyFile: arguments.text("git-ssh-key"), sshKnownHostsFile: arguments.text("git-known-hosts"),
            proxy: proxy ?? .environment)
    }

    private func defaultCache(for url: RemoteURL) -> String {
        let root =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? (environment["HOME"] ?? ".") + "/.cache"
        let identity = sha256Hex(Array((url.text + "\n" + (arguments.text("instance") ?? "")).utf8)).prefix(16)
        return "\(root)/bylaw/\(identity)"
    }

    // MARK: The cluster

    private var concurrentWrites: Int { arguments.number("concurrent-writes") ?? 16 }

    func endpoint() throws(ClusterConfigurationError) -> ClusterEndpoint {
        try findClusterEndpoint(
            kubeconfig: arguments.text("kubeconfig"), context: arguments.text("context"), environment: environment)
    }

    func cluster(
        _ endpoint: ClusterEndpoint, instance: String, traffic: ClusterTraffic = ClusterTraffic()
    ) -> KubeCluster {
        KubeCluster(
            endpoint: endpoint, fieldManager: ControllerConfiguration(instance: instance).fieldManager,
            userAgent: userAgent, concurrentCalls: concurrentWrites, fence: replica?.fence,
            traffic: traffic)
    }

    /// Names the replica, so that the API server's audit log tells which one wrote.
    var userAgent: String { "bylaw/\(bylawVersion)" + (replica.map { " (\($0.identity))" } ?? "") }

    /// What the journal calls the cluster.
    func clusterName(_ endpoint: ClusterEndpoint) -> String { arguments.text("cluster") ?? endpoint.name }

    /// Where emergency holds are seen; nil where they are switched off.
    func holds(instance: String, cluster: KubeCluster) throws(CommandFailure) -> HoldConfigMap? {
        guard let (namespace, name) = try holdPlace(instance: instance) else { return nil }
        return HoldConfigMap(namespace: namespace, name: name, on: cluster)
    }

    /// The ConfigMap of emergency holds; nil where they are switched off.
    func holdPlace(instance: String) throws(CommandFailure) -> (namespace: String, name: String)? {
        let place = arguments.text("hold-configmap") ?? "bylaw-system/bylaw-hold-\(instance)"
        guard place != "off" else { return nil }
        return try configMap(place, flag: "hold-configmap", example: "bylaw-system/bylaw-hold-default")
    }

    /// Reads the namespace and name of a ConfigMap.
    func configMap(
        _ text: String, flag: String, example: String
    ) throws(CommandFailure) -> (namespace: String, name: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw CommandFailure(
                message: "--\(flag): \"\(text)\" is no namespace and name", hint: "Write it as \(example).")
        }
        return (parts[0], parts[1])
    }

    // MARK: The journal

    var journalPath: String {
        if let path = arguments.text("journal") { return path }
        let root =
            environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? (environment["HOME"] ?? ".")
            + "/.local/state"
        return root + "/bylaw/journal.sqlite"
    }

    /// - Parameter mayMake: Whether one is begun where there is none.
    func journal(
        instance: String, endpoint: ClusterEndpoint, mayMake: Bool = true,
        noteWrite: @escaping @Sendable (Duration, _ isDone: Bool) -> Void = { _, _ in }
    ) async throws -> SQLiteJournal {
        if !mayMake {
            try SQLiteJournal.expectJournal(at: journalPath)
        } else if arguments.text("journal") == nil {
            let folder = (journalPath as NSString).deletingLastPathComponent
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw JournalError(
                    kind: .unwritable,
                    message: "make the folder \(folder) for the journal: \((error as NSError).localizedDescription)",
                    hint: "Choose another place with --journal FILE.")
            }
        }
        let journal = try await SQLiteJournal.open(
            JournalConfiguration(
                path: journalPath, instance: instance, cluster: clusterName(endpoint),
                build: bylawVersion, signingKey: try signingKey(mayMake: true), noteWrite: noteWrite))
        do {
            try await journal.introduceKey(at: systemNow())
            try await journal.recordUpgrade(at: systemNow())
        } catch {
            await journal.close()
            throw error
        }
        return journal
    }

    /// The key that signs the journal's checkpoints.
    ///
    /// - Parameter mayMake: Whether one is made beside the journal where none is named and none is there.
    func signingKey(mayMake: Bool) throws(JournalError) -> Ed25519PrivateKey {
        try SigningKeyFile.load(journalKeyPath, mayMake: mayMake && arguments.text("journal-key") == nil)
    }

    var journalKeyPath: String { arguments.text("journal-key") ?? journalPath + ".key" }

    /// Refuses a signing key that is there and could not be used, or is named and is not there.
    ///
    /// A volume that fails is none of the key's: the journal lies on it as well, and is waited for.
    func expectSigningKey() throws(JournalError) {
        do throws(JournalError) {
            _ = try SigningKeyFile.find(journalKeyPath, mayBeAbsent: arguments.text("journal-key") == nil)
        } catch {
            guard error.kind != .keyless else { throw error }
        }
    }

    // MARK: The controller

    /// How often the repository is asked for something new.
    var pollInterval: Duration { arguments.duration("interval") ?? .seconds(15) }

    func controller(
        instance: String, source: any RevisionSource, cluster: KubeCluster, journal: any RunJournal,
        holds: (any EmergencyHoldSource)? = nil, term: LeaderTerm? = nil, handover: HandoverPlace? = nil,
        beginning: String? = nil, tracing: SpanExporter? = nil,
        notify: @escaping @Sendable (ControllerNotice) -> Void
    ) -> Controller {
        var configuration = ControllerConfiguration(instance: instance, cluster: clusterName(cluster.endpoint))
        configuration.concurrentObjects = 2 * concurrentWrites
        configuration.pollInterval = pollInterval
        configuration.beginning = beginning
        configuration.trust = trust
        configuration.host = hostName()
        configuration.term = term
        configuration.handover = handover
        return Controller(
            configuration: configuration, source: source, cluster: cluster, journal: journal, holds: holds,
            surroundings: .system, tracer: tracer(tracing, instance: instance, cluster: configuration.cluster),
            ownership: ownership(instance: instance), canonical: canonical, notify: notify)
    }
}

extension Surroundings {
    /// The machine's own clocks and chance.
    static var system: Surroundings {
        Surroundings(
            now: systemNow, uptime: systemUptime, sleep: { try await Task.sleep(for: $0) },
            randomness: { Double.random(in: 0..<1) })
    }
}

/// The time of day.
@Sendable func systemNow() -> Timestamp {
    Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
}

/// Refuses a journal that was begun on another cluster: what it knows to own there says nothing here.
func checkIdentity(of facts: KubeCluster.Facts, against journal: any RunJournal, path: String) async throws {
    let known = try await journal.remembered(.clusterIdentity)
    try checkIdentity(of: facts, known: known, path: path)
    if known == nil, let identity = facts.identity { try await journal.remember(.clusterIdentity, identity) }
}

/// Refuses a journal that was begun on another cluster, where it knows on which, without a change to it.
func checkIdentity(of facts: KubeCluster.Facts, known: String?, path: String) throws(CommandFailure) {
    guard known == nil || facts.identity == nil || known == facts.identity else {
        throw CommandFailure(
            message: "the journal \(path) belongs to another cluster of the same name",
            hint:
                "Use another --journal or --cluster name; if this cluster was rebuilt, keep the old journal as evidence and begin a new one."
        )
    }
}

/// The message and the next step of any error that can reach the top.
func commandFailure(_ error: any Error) -> CommandFailure {
    switch error {
    case let error as CommandFailure: error
    case let error as SourceError: CommandFailure(message: error.explanation.message, hint: error.explanation.hint)
    case let error as ClusterError: CommandFailure(message: error.message, hint: error.hint)
    case let error as ClusterConfigurationError: CommandFailure(message: error.message, hint: error.hint)
    case let error as JournalError:
        CommandFailure(message: error.message, hint: error.hint, runbook: error.incident?.rawValue)
    case let error as GitHostError: CommandFailure(message: error.message, hint: error.hint)
    case let error as GitError: CommandFailure(message: error.description, hint: error.hint)
    default: CommandFailure(message: "\(error)", hint: "")
    }
}

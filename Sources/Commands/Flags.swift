import Arguments
import GitHost
import Reconciler

/// The flags that several commands share, each defined once.
enum Flags {
    static let output = FlagDescription(
        "output", short: "o", .choice(["text", "json"]), valueName: "FORMAT", "how the answer is written",
        default: "text")
    static let config = FlagDescription(
        "config", .text, valueName: "FILE", "a YAML file with values for flags, by their names")
    static let instance = FlagDescription(
        "instance", .text, valueName: "NAME", "the name of this Bylaw: its marker on objects and its field manager",
        default: "default")
    static let cluster = FlagDescription(
        "cluster", .text, valueName: "NAME",
        "the cluster's name in the journal, the context's name where it is not given; in a repository for many clusters "
            + "also which of them it is")
    /// Where there is no journal.
    static let clusterOfMany = FlagDescription(
        "cluster", .text, valueName: "NAME", "which of the clusters is meant, where the repository is for many")

    static let repository: [FlagDescription] = [
        FlagDescription(
            "repo", .text, valueName: "URL", "the policy repository: a path, https://, ssh:// or user@host:path"),
        FlagDescription(
            "branch", .text, valueName: "B", "follow this branch; without it the repository's default one",
            group: "reference"),
        FlagDescription("tag", .text, valueName: "T", "follow this tag", group: "reference"),
        FlagDescription("commit", .text, valueName: "C", "stay at this commit (all 40 digits)", group: "reference"),
        FlagDescription("path", .text, valueName: "P", "the folder of the repository with the manifests"),
        FlagDescription(
            "cache", .text, valueName: "DIR", "where the clone is kept; below ~/.cache/bylaw where it is not given"),
        FlagDescription("git-token-file", .text, valueName: "F", "a file with a token for https", group: "git-secret"),
        FlagDescription(
            "git-password-file", .text, valueName: "F", "a file with a password for https", group: "git-secret"),
        FlagDescription(
            "git-user", .text, valueName: "U", "the user name that goes with the token or password",
            default: "x-access-token"),
        FlagDescription("git-ca-file", .text, valueName: "F", "PEM certificates to trust in place of the system's"),
        FlagDescription(
            "git-proxy", .text, valueName: "URL", "an http or socks5 proxy; the environment's where it is not given"),
        FlagDescription("git-ssh-key", .text, valueName: "F", "the private key for ssh"),
        FlagDescription(
            "git-known-hosts", .text, valueName: "F", "the host keys to accept for ssh; others are refused"),
        FlagDescription(
            "verify-commits", .choice(TrustMode.allCases.map(\.rawValue)), valueName: "WHICH",
            "which commits must be signed: off, the newest (head), or all since the last trusted one", default: "off"),
        FlagDescription(
            "allowed-signers", .text, valueName: "F", "whose SSH signatures count, as ssh-keygen reads the file"),
        FlagDescription(
            "revoked-keys", .text, valueName: "F", "SSH keys whose signatures no longer count, as a list or KRL"),
        FlagDescription(
            "gpg-keyring", .text, valueName: "F", "whose OpenPGP signatures count, as gpg --export writes it"),
        FlagDescription("git-timeout", .duration, valueName: "T", "how long one fetch may take", default: "120s"),
    ]

    static let connection: [FlagDescription] = [
        FlagDescription(
            "kubeconfig", .text, valueName: "F", "how to reach the cluster; as kubectl where it is not given"),
        FlagDescription("context", .text, valueName: "C", "the context of the kubeconfig to use"),
    ]

    /// Telling a Git host what became of a commit, and hearing from it.
    static let host: [FlagDescription] = [
        FlagDescription(
            "status-token-file", .text, valueName: "F",
            "a file with a token of the Git host; with it the status of each commit is reported there"),
        FlagDescription(
            "status-host", .choice(GitHostKind.allCases.map(\.rawValue)), valueName: "KIND",
            "which host it is; by the repository's address where it is not given"),
        FlagDescription("status-api", .text, valueName: "URL", "the host's API; by the repository's address else"),
        FlagDescription(
            "status-repository", .text, valueName: "R", "OWNER/NAME there; by the repository's address else"),
        FlagDescription(
            "webhook-listen", .text, valueName: "ADDRESS:PORT",
            "take push webhooks at /webhook there, and look at the repository at once"),
        FlagDescription(
            "webhook-secret-file", .text, valueName: "F", "a file with the secret that the host signs webhooks with"),
    ]

    /// Hearing from API servers who changed what.
    static let audit: [FlagDescription] = [
        FlagDescription(
            "audit-listen", .text, valueName: "ADDRESS:PORT",
            "take batches of the API server's audit webhook there, over HTTPS at /audit, and say who made a drift"),
        FlagDescription(
            "audit-token-file", .text, valueName: "F", "a file with the bearer token that the API server sends"),
        FlagDescription(
            "audit-client-ca-file", .text, valueName: "F",
            "PEM certificates of the authorities that sign the API server's client certificate, in place of a token or "
                + "beside it"),
        FlagDescription(
            "audit-client-name", .text, valueName: "CN",
            "the common name that such a certificate must have; without it any of these authorities will do",
            isRepeatable: true),
        FlagDescription(
            "audit-cert-file", .text, valueName: "F", "the PEM certificate that is shown to the API server"),
        FlagDescription("audit-key-file", .text, valueName: "F", "the PEM key of that certificate"),
        FlagDescription(
            "audit-log", .text, valueName: "FILE",
            "follow this audit log of an API server, also when it is rotated, and say who made a drift",
            isRepeatable: true),
    ]

    static let events = FlagDescription(
        "events", .choice(["on", "off"]), valueName: "WHEN",
        "whether incidents are told as Kubernetes Events about the objects concerned", default: "on")

    static let policySync = FlagDescription(
        "policy-sync", .text, valueName: "NAMESPACE/NAME",
        "show in the status of this PolicySync how the controller stands (kind, object and right: "
            + "Deploy/components/policy-sync); nothing is read or written where it is not given, or with \"off\"")

    /// Telling probes and Prometheus how the controller is.
    static let status: [FlagDescription] = [
        FlagDescription(
            "status-listen", .text, valueName: "ADDRESS:PORT",
            "serve /metrics for Prometheus and /healthz and /readyz for probes there; nothing is served where it is not given"
        ),
        FlagDescription(
            "status-cert-file", .text, valueName: "F",
            "the PEM certificate that is shown there, over HTTPS and nothing else; a renewed one is taken up by itself"),
        FlagDescription("status-key-file", .text, valueName: "F", "the PEM key of that certificate"),
    ]

    static let namespace = FlagDescription(
        "namespace", short: "n", .text, valueName: "NAMESPACE",
        "the namespace that is meant, and that manifests mean which name none")
    static let objectName = FlagDescription("name", .text, valueName: "NAME", "the one object that is meant")
    static let manifests = FlagDescription(
        "file", short: "f", .text, valueName: "FILE",
        "manifests, a folder of them or a snapshot, in place of the cluster",
        isRepeatable: true)
    /// Where an analysis gets what it looks at, and how it answers.
    static let analysed: [FlagDescription] = [manifests] + connection + [output, config]

    static let journal = FlagDescription(
        "journal", .text, valueName: "FILE", "the journal; below ~/.local/state/bylaw where it is not given")

    static let clusterOfJournal = FlagDescription(
        "cluster", .text, valueName: "NAME", "which cluster, where the journal is of several")
    /// For analyses of what was.
    static let past: [FlagDescription] = [
        FlagDescription(
            "at", .text, valueName: "TIME|COMMIT",
            "as it was then, out of the journal: what Bylaw managed; a time, a day, how long ago, or a revision"),
        journal, FlagDescription("instance", .text, valueName: "NAME", "whose state, where the journal is of several"),
        clusterOfJournal,
    ]

    static let journalKey = FlagDescription(
        "journal-key", .text, valueName: "FILE",
        "the private key (PEM, Ed25519) that signs the journal's checkpoints; made beside the journal where it is not given"
    )

    /// How long entries of the journal stay.
    static let retention: [FlagDescription] = [
        FlagDescription(
            "journal-keep", .duration, valueName: "T",
            "remove entries that are older, such as 400d, and that nothing in force depends on; all stay where it is not given"
        ),
        FlagDescription(
            "journal-max-size", .number(1...1_048_576), valueName: "MIB",
            "remove the oldest entries, none younger than 30 days, while the journal holds more MiB than that"),
    ]

    /// Where the controller carries checkpoints of the journal.
    static let checkpoints: [FlagDescription] = [
        FlagDescription(
            "checkpoint-interval", .duration, valueName: "T", "how often the journal is signed where it has grown",
            default: "60s"),
        FlagDescription(
            "checkpoint-configmap", .text, valueName: "NAMESPACE/NAME",
            "keep the newest checkpoint in this ConfigMap (rights: Deploy/components/checkpoint/rbac.yaml)"),
        FlagDescription(
            "checkpoint-url", .text, valueName: "URL", "POST each checkpoint there, so that it is kept elsewhere"),
    ]

    static let holdConfigMap = FlagDescription(
        "hold-configmap", .text, valueName: "NAMESPACE/NAME",
        "the ConfigMap that emergency holds are put into, or off (rights: Deploy/components/emergency-hold/rbac.yaml); "
            + "bylaw-system/bylaw-hold-INSTANCE where it is not given")

    /// Several replicas, of which one leads.
    static let leaderElection: [FlagDescription] = [
        FlagDescription(
            "leader-elect", .isSet,
            "stand by until this process holds the Lease that all replicas share (rights: Deploy/components/high-availability/lease.yaml), and "
                + "end with status 3 when it loses that"),
        FlagDescription(
            "lease", .text, valueName: "NAMESPACE/NAME",
            "the Lease; in a pod bylaw-INSTANCE in the pod's namespace where it is not given"),
        FlagDescription(
            "lease-duration", .duration, valueName: "T",
            "how long a Lease that is not renewed keeps the others away, in whole seconds; 15s where it is not given"),
        FlagDescription(
            "lease-renew-deadline", .duration, valueName: "T",
            "how long after the last renewal anything may be written; 10s where it is not given"),
        FlagDescription(
            "lease-retry", .duration, valueName: "T", "how often the Lease is renewed; 2s where it is not given"),
    ]

    static let writes: [FlagDescription] = [
        FlagDescription(
            "concurrent-writes", .number(1...128), valueName: "N", "how many changes may be on their way at once",
            default: "16")
    ]

    static let logging: [FlagDescription] = [
        FlagDescription(
            "log-level", .choice(["debug", "info", "notice", "warning", "error"]), valueName: "L", "what is logged",
            default: "info"),
        FlagDescription(
            "log-format", .choice(["text", "json"]), valueName: "F", "how log lines are written", default: "text"),
    ]
}

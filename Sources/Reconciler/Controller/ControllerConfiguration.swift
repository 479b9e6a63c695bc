/// What a controller is told once, at its start.
package struct ControllerConfiguration: Sendable {
    /// The name of this instance: a label value, part of the field manager's name.
    package var instance: String
    /// The cluster's name in the journal.
    package var cluster: String
    /// How many objects are worked on at one time.
    ///
    /// More than requests may be in flight, which the cluster's port bounds: while some wait for an answer, others wait
    /// for the journal. Measured with 16 requests: twice as many objects are done a fifth sooner than as many.
    package var concurrentObjects: Int
    package var pollInterval: Duration
    package var backOff: BackOff
    /// How seldom something is tried again that only a change can cure (rule N6).
    package var slowRecheck: Duration
    /// How often a failing object is tried in a single pass.
    package var attemptsPerPass: Int
    /// Which commits must be signed.
    package var trust: TrustMode
    /// How many commits are verified at most before the newest is looked at again; each takes about a tenth of a second.
    package var verifiedCommitsPerLook = maximumVerifiedCommits
    /// The machine, or the pod, that this process runs on: its entries are those from where it started on.
    package var host: String?
    /// Where there are several replicas, which time of leading this is.
    package var term: LeaderTerm?
    /// Where there are several replicas, what they leave to each other.
    package var handover: HandoverPlace?
    /// Why it begins, where that is not for the start of its process; stands in the entry of the beginning.
    package var beginning: String?

    package init(
        instance: String, cluster: String = "", concurrentObjects: Int = 32, pollInterval: Duration = .seconds(15),
        backOff: BackOff = BackOff(), slowRecheck: Duration = .seconds(600), attemptsPerPass: Int = 4,
        trust: TrustMode = .off
    ) {
        self.instance = instance
        self.cluster = cluster
        self.concurrentObjects = concurrentObjects
        self.pollInterval = pollInterval
        self.backOff = backOff
        self.slowRecheck = slowRecheck
        self.attemptsPerPass = attemptsPerPass
        self.trust = trust
    }

    /// The field manager of our writes.
    ///
    /// It holds the instance, so that two instances never prune each other's fields (rule D17).
    package var fieldManager: String { "bylaw-\(instance)" }
}

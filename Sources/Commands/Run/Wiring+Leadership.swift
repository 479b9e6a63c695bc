import Arguments
import KubeClient
import Reconciler

/// One of several processes of which one leads.
struct Replica: Sendable {
    /// Of this process alone: a host's name may be used again, and by several.
    let identity: String
    /// Every client that is wired for this replica asks it before it writes.
    let fence = WriteFence()

    init() { identity = "\(plainHostName())_\(String(UInt64.random(in: 0..<(1 << 48)), radix: 36))" }
}

/// The machine's or pod's name, as far as a header and a label can hold it.
private func plainHostName() -> String {
    guard let host = hostName() else { return "unknown" }
    let name = host.utf8.prefix(63).map { byte in
        let isPlain =
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
        return isPlain ? byte : UInt8(ascii: "-")
    }
    return String(decoding: name, as: UTF8.self)
}

extension Wiring {
    /// The part that this process takes in an election; nil where it is the only one.
    func leadership(
        instance: String, endpoint: ClusterEndpoint, notify: @escaping @Sendable (LeadershipNotice) -> Void
    ) throws(CommandFailure) -> Leadership? {
        guard let replica else {
            let given = Flags.leaderElection.dropFirst().first { arguments.text($0.name) != nil }
            guard let given else { return nil }
            throw CommandFailure(
                message: "--\(given.name) without --leader-elect", hint: "Add --leader-elect, or leave it out.")
        }
        let timing = try leaderElectionTiming()
        let place = try lease(instance: instance, endpoint: endpoint)
        let store = LeaseObject(
            namespace: place.namespace, name: place.name, endpoint: endpoint,
            fieldManager: ControllerConfiguration(instance: instance).fieldManager, userAgent: userAgent,
            timeout: timing.requestTimeout)
        return Leadership(
            identity: replica.identity, timing: timing, store: store, fence: replica.fence, surroundings: .system,
            notify: notify)
    }

    private func leaderElectionTiming() throws(CommandFailure) -> LeaderElectionTiming {
        let standard = LeaderElectionTiming.standard
        do throws(LeaderElectionTimingFlaw) {
            return try LeaderElectionTiming(
                lease: arguments.duration("lease-duration") ?? standard.lease,
                deadline: arguments.duration("lease-renew-deadline") ?? standard.deadline,
                retry: arguments.duration("lease-retry") ?? standard.retry)
        } catch {
            throw CommandFailure(
                message: "leader election: \(error.message)",
                hint: "Correct --lease-duration, --lease-renew-deadline or --lease-retry; 15s, 10s and 2s are usual.")
        }
    }

    private func lease(
        instance: String, endpoint: ClusterEndpoint
    ) throws(CommandFailure) -> (namespace: String, name: String) {
        if let text = arguments.text("lease") {
            return try configMap(text, flag: "lease", example: "bylaw-system/bylaw-\(instance)")
        }
        // A kubeconfig's namespace is where somebody types, not where Bylaw lives.
        guard endpoint.isInCluster, !endpoint.namespace.isEmpty else {
            throw CommandFailure(
                message: "--leader-elect outside of a pod: in which namespace its Lease is cannot be told",
                hint: "Name it, such as --lease bylaw-system/bylaw-\(instance).")
        }
        return (endpoint.namespace, "bylaw-\(instance)")
    }
}

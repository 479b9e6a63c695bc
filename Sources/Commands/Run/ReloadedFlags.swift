import Arguments

extension Flags {
    /// What a process is from its start on: who it is, on which cluster, where it is asked, and how it leads.
    ///
    /// The listener for probes answers while everything else is begun anew, and a lease is kept: so what they were begun
    /// with stays. Whoever would change the name of the instance or the cluster means another Bylaw.
    static let ofProcess: Set<String> = Set(
        ["instance", "config"] + (connection + status + leaderElection).map(\.name))

    /// When another value of a flag of `bylaw run` takes effect.
    static func effect(of name: String) -> FlagEffect {
        if logging.contains(where: { $0.name == name }) { return .atOnce }
        return ofProcess.contains(name) ? .nextStart : .anew
    }
}

/// What becomes of the leadership of a replica, for the log.
package enum LeadershipNotice: Sendable, Equatable {
    /// Another replica holds the lease, or may: this one waits.
    case standingBy(holder: String)
    /// This replica leads from now on.
    case acquired(LeaderElection.Vacancy, transitions: Int64)
    case lost(LeaseLoss)
    case released
}

/// How a replica came to lead no longer.
package enum LeaseLoss: Sendable, Equatable {
    /// It could not be renewed within the deadline; the last failure's words.
    case notRenewed(within: Duration, lastFailure: String)
    /// Somebody else stands in the Lease.
    case taken(by: String)

    package var message: String {
        switch self {
        case .notRenewed(let deadline, let failure):
            "it was not renewed within \(deadline)" + (failure.isEmpty ? "" : ": \(failure)")
        case .taken(let holder): "\"\(holder)\" holds it now"
        }
    }
}

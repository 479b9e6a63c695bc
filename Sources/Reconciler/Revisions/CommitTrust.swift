import Manifest

/// Which commits must carry a signature that the operator's keys vouch for.
package enum TrustMode: String, Sendable, CaseIterable {
    case off
    /// The newest commit, or the followed tag on it.
    case head
    /// Every commit since the last trusted one.
    case all
}

/// Who signed a commit that is trusted.
package struct CommitSigner: Sendable, Equatable {
    package var name: String
    /// Empty where the key's identity holds none.
    package var email: String
    package var fingerprint: String

    package init(name: String, email: String, fingerprint: String) {
        self.name = name
        self.email = email
        self.fingerprint = fingerprint
    }
}

/// What a commit's signature is worth.
package enum CommitTrust: Sendable, Equatable {
    case trusted(CommitSigner)
    /// With the incident that it is, and a sentence without a full stop.
    case refused(IncidentReason, String)
}

/// Why a revision is not trusted; nil where it is.
///
/// - Parameters:
///   - isFollowed: Whether it is what the followed reference leads to.
///   - trusted: The last commit that was trusted; nil: none was, and the newest one begins it.
///   - suspect: The commit that was not trusted when one looked last: it is looked at first, since each takes a while.
package func findDistrust(
    of newest: Revision, isFollowed: Bool = true, mode: TrustMode, after trusted: String?, suspect: String? = nil,
    atMost maximumCommits: Int = maximumVerifiedCommits, from source: any RevisionSource
) async throws(SourceError) -> (reason: IncidentReason, message: String, commit: String)? {
    guard mode != .off, newest.commit != trusted else { return nil }
    var commits = [newest]
    if mode == .all, let trusted {
        commits = try await source.commits(upTo: newest, after: trusted, wholeHistory: false)
        // Where the branch was moved back there is nothing new, and the newest need not have been looked at ever.
        if !commits.contains(newest) { commits.append(newest) }
    }
    guard commits.count < maximumCommits else {
        return (
            .signatureUncheckable,
            "there are \(maximumCommits) commits or more since \(trusted?.prefix(12) ?? "the beginning"), too many to verify",
            newest.commit
        )
    }
    for commit in commits.filter({ $0.commit == suspect }) + commits {
        guard
            case .refused(let reason, let message) = try await source.trust(
                of: commit, isNewest: isFollowed && commit == newest)
        else { continue }
        return (
            reason, "commit \(commit.commit) of \(commit.author.description) is not trusted: \(message)", commit.commit
        )
    }
    return nil
}

/// How many commits are verified at one look; each takes about a tenth of a second.
package let maximumVerifiedCommits = 1000

/// The incidents of a revision that is not trusted.
let distrust: [IncidentReason] = [
    .commitUnsigned, .commitSignatureBad, .signingKeyExpired, .signingKeyRevoked, .signingKeyUntrusted,
    .signatureUncheckable,
]

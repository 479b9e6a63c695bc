import Manifest
package import Policy

/// Why a newest revision is not enforced as a whole; the last good one stays so.
package enum RevisionRefusal: Sendable {
    /// A signature is missing or not good: with the incident that it is, and a sentence about it.
    case untrusted(IncidentReason, String, commit: String)
    /// It has mistakes; there may be warnings among the findings.
    case invalid([Finding])
    /// It declares nothing.
    case empty
    /// It would take away what Bylaw needs to do its work; with a sentence about what that is.
    case lockout(String)

    package var incident: IncidentReason {
        switch self {
        case .untrusted(let reason, _, _): reason
        case .invalid: .revisionInvalid
        case .empty: .revisionEmpty
        case .lockout: .selfLockoutRefused
        }
    }

    /// What is wrong, without a full stop.
    package var message: String {
        switch self {
        case .untrusted(_, let message, _), .lockout(let message): return message
        case .empty: return "it declares nothing; nothing is deleted"
        case .invalid(let findings):
            let errors = findings.filter { $0.severity == .error }
            let shown = errors.prefix(20).map { finding in
                let path = finding.path.description
                return "\(finding.file):\(finding.position): \(path.isEmpty ? "" : path + ": ")\(finding.message)"
            }
            let rest = errors.count - shown.count
            return shown.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
        }
    }

    /// The commit that has no good signature.
    var distrustedCommit: String? {
        guard case .untrusted(_, _, let commit) = self else { return nil }
        return commit
    }

    /// What its files are found to say, where that was looked at.
    package var findings: [Finding] {
        guard case .invalid(let findings) = self else { return [] }
        return findings
    }

    /// Whether the same commit may be good with the next look: keys and what vouches for them come and go.
    var isPassing: Bool {
        guard case .untrusted = self else { return false }
        return true
    }
}

/// The incidents of a newest revision that is not enforced.
package let refusalIncidents: [IncidentReason] = [.revisionInvalid, .revisionEmpty, .selfLockoutRefused] + distrust

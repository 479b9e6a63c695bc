import Guardrails
import Manifest
import Policy

/// What comes of examining the revision of an emergency hold.
package enum HeldRevisionExamination: Sendable {
    /// It is in force already.
    case inForce
    case sound(LoadedRevision)
    /// Why it cannot be enforced, a sentence without a full stop; `isPassing` says whether that may change by itself.
    case refused(String, isPassing: Bool)
}

/// Looks at whether the revision of a hold may be enforced: one that was accepted here before, is still in the history of
/// what is followed, and declares what it did then.
///
/// A hold must not bring in what nobody had ever merged and Bylaw had ever accepted. What is in force need not be looked
/// at: to stay with it changes nothing, also where the history was rewritten since.
///
/// - Parameters:
///   - elsewhere: What another replica has accepted, with a journal of its own.
///   - newest: What is followed, as it was seen last.
///   - trusted: The last commit that was trusted.
///   - cluster: Gives the one of many clusters that the enforced revision was read for.
package func examineHeld<Failure: Error>(
    _ hold: EmergencyHold, inForce: String?, accepted: DeclaredStates, elsewhere: Set<String> = [], newest: String,
    trust: TrustMode, after trusted: String?, from source: any RevisionSource, canonical: Canonical,
    cluster: () async throws(Failure) -> String?
) async throws -> HeldRevisionExamination {
    let commit = hold.revision
    if commit == inForce { return .inForce }
    let digest = accepted.records.last { $0.commit == commit }?.digest
    guard digest != nil || elsewhere.contains(commit) else {
        return .refused("it was never accepted here, as far as the journal remembers", isPassing: false)
    }
    guard try await source.isAncestor(commit, of: newest) || commit == newest else {
        return .refused("it is not in the history of \(newest), which is followed", isPassing: true)
    }
    let revision = try await source.cachedRevision(commit: commit)
    switch try await examine(
        revision, isFollowed: commit == newest, trust: trust, after: trusted, from: source, cluster: cluster)
    {
    case .refused(let refusal): return .refused(refusal.message, isPassing: refusal.isPassing)
    case .sound(let loaded):
        guard digest == nil || stateDigest(of: loaded.declared, canonical: canonical) == digest else {
            return .refused(
                "it declares something else than when it was accepted, as by another --path", isPassing: false)
        }
        return .sound(loaded)
    }
}

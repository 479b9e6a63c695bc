import Manifest

/// Who made a change, and how sure that is.
package struct Attribution: Sendable, Equatable {
    package enum Certainty: Int, Sendable, Comparable, CaseIterable {
        /// Only a field manager says so, and any client may choose any name (rule A17).
        case claimed
        /// An audit event fits, but others may as well, among them such as never reached us (rule M1).
        case likely
        /// Nobody else can have written the version that was seen, or removed the object with that uid.
        case proven

        package static func < (left: Certainty, right: Certainty) -> Bool { left.rawValue < right.rawValue }
    }

    /// What an attribution rests on, from the weakest.
    package enum Evidence: Int, Sendable, Comparable, CaseIterable {
        /// A field manager of the object.
        case manager
        /// A deletion of many or of the namespace, or a creation without a name: the scope and the time fit (rule M8).
        case scope
        /// Object, verb and time fit (rule M7).
        case window
        /// The answer has a version between the one before and the one after.
        case interval
        /// The answer has exactly the version or uid that was seen. A request that changed nothing gets the same answer,
        /// so without the event of the one that did the two cannot be told apart.
        case answer
        /// The answer has exactly that, and the request cannot but have written: it created the object, or required a
        /// version before this one, or removed the object, or the object's newest field manager is this request's and no other
        /// user who may have made the change used that name.
        case write

        package static func < (left: Evidence, right: Evidence) -> Bool { left.rawValue < right.rawValue }
    }

    package var certainty: Certainty
    package var evidence: Evidence
    /// The request that made the change; nil where only a field manager is known.
    package var event: AuditEvent?
    package var claim: ObservedChange.Claim?
    /// All requests that took part since the version before, the newest last.
    ///
    /// ``event`` is the last of them, save where the namespace controller carried out what somebody else began, and where
    /// a request for the object itself is more probable than a later one for many.
    package var contributors: [AuditEvent]
    /// How many requests may have been the one; more than one is never proven.
    package var candidates: Int
    /// The users, besides the one that is named, who may have been it.
    package var rivals: [String]
    /// Whether a proof rests on the mark of a field manager: the event of another user of that name may still come.
    package var restsOnMark = false

    /// Whether no event that comes later can change it.
    var isFinal: Bool { certainty == .proven && !restsOnMark }

    /// The user, else the field manager.
    package var name: String { event?.actor.name ?? claim?.manager ?? "" }
    package var isControlPlane: Bool { event?.isControlPlane ?? false }

    /// One clause for a person: `likely alice, one of 3 requests that fit (also bob)`.
    package var summary: String {
        var words = "\(certainty) \(name)"
        if let impersonator = event?.impersonator { words += ", impersonated by \(impersonator.name)" }
        if candidates > 1 { words += ", one of \(candidates) requests that fit" }
        if !rivals.isEmpty {
            words += " (also \(rivals.prefix(3).joined(separator: ", "))\(rivals.count > 3 ? " and others" : ""))"
        }
        return words
    }

    /// Whether it is what is left of a proof by a mark, since another user may have left that.
    var takesBackMark: Bool { certainty == .likely && evidence == .answer && !rivals.isEmpty }

    /// Whether this says more than what was said before: never anything less sure, but where a proof rested on a mark that
    /// another user may have left as well.
    package func supersedes(_ other: Attribution?) -> Bool {
        guard let other else { return true }
        if other.certainty == .proven, other.restsOnMark, certainty == .likely { return takesBackMark }
        if certainty != other.certainty { return certainty > other.certainty }
        // Another candidate makes a guess more honest; a proof stays as it is, and so does what rests on better evidence
        // that has been forgotten since.
        return certainty == .likely && evidence >= other.evidence && self != other
    }
}

extension Attribution {
    /// What the object itself claims; nil for a deletion, which leaves no mark on the object.
    init?(claimsOf change: ObservedChange) {
        guard change.kind != .deleted, let first = change.claims.first else { return nil }
        let latest = change.claims.dropFirst().reduce(first) { best, next in
            guard let time = next.time, time > best.time ?? .earliest else { return best }
            return next
        }
        self.init(
            certainty: .claimed, evidence: .manager, event: nil, claim: latest, contributors: [], candidates: 0,
            rivals: [])
    }
}

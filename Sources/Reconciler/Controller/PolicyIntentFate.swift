package import Manifest

/// What becomes of a change of an admission policy that has no outcome yet, by a later look at the policy.
package enum PolicyIntentFate: Equatable, Sendable {
    /// The same change is still to be made: it is tried again under its intent.
    case goesOn
    case wasDone
    /// Nothing shows that it was done, and it is not to be any more; why, for people.
    case isLeft(why: String)

    /// Decides it.
    ///
    /// That all is as wanted proves nothing of what was wanted before: only where the two are the same was it done.
    ///
    /// - Parameter wanted: What is wanted now; nil where the policy is to be gone.
    package init(of intent: Intent, wanted: Tree?, found: PreventionFinding) {
        guard let desired = intent.desired else {
            self.init(ofRemoval: intent, isStillWanted: wanted == nil, found: found)
            return
        }
        guard desired == wanted else {
            self = Self.isOvertaken
            return
        }
        switch found {
        case .asWanted: self = .wasDone
        case .differs(let change) where change.action == intent.action && change.before?.uid == intent.uid:
            self = .goesOn
        case .differs, .leftAlone, .leaving: self = .isLeft(why: "was not seen done before something else was found")
        }
    }

    private init(ofRemoval intent: Intent, isStillWanted: Bool, found: PreventionFinding) {
        switch found {
        case .asWanted where isStillWanted, .leaving where isStillWanted: self = .wasDone
        case .asWanted, .leaving: self = Self.isOvertaken
        // The one that was to go is gone, whatever stands in its place.
        case .leftAlone(let live) where live.uid != intent.uid: self = .wasDone
        case .leftAlone: self = .isLeft(why: "was not seen done, and it does not carry our label any more")
        case .differs(let change) where change.before?.uid != intent.uid: self = .wasDone
        case .differs: self = isStillWanted ? .goesOn : Self.isOvertaken
        }
    }

    private static let isOvertaken = isLeft(why: "was not seen done before something else was wanted")
}

extension PreventionChange {
    var action: ActionKind {
        switch kind {
        case .made: .create
        case .putBack: .update
        case .removed: .delete
        }
    }
}

package import Manifest
import Planning

/// In which way an object is not as declared although no new revision is behind it.
package enum DriftReason: String, Sendable, CaseIterable {
    /// Its content was changed.
    case changed = "Changed"
    /// It was deleted.
    case deleted = "Deleted"
    /// It was put where nothing undeclared may be.
    case undeclared = "Undeclared"
}

/// A drift that is over.
package struct EndedDrift: Sendable, Equatable {
    package var object: ObjectID
    package var reason: DriftReason
    /// From when it was first seen to its end.
    package var duration: Duration
    /// Whether we put the object back; else somebody else did, or a revision declares it so by now.
    package var isCorrected: Bool

    package init(object: ObjectID, reason: DriftReason, duration: Duration, isCorrected: Bool) {
        self.object = object
        self.reason = reason
        self.duration = duration
        self.isCorrected = isCorrected
    }
}

/// Which objects have drifted and since when.
struct DriftRecord {
    private struct Drift {
        var reason: DriftReason
        /// By a clock that only goes forward.
        var begun: Duration
        var at: Timestamp
    }

    private var open: [ObjectID: Drift] = [:]

    var objects: [ObjectID] { Array(open.keys) }

    func contains(_ id: ObjectID) -> Bool { open[id] != nil }

    /// When the one was seen that has been open longest.
    var oldest: Timestamp? { open.values.map(\.at).min() }

    /// Takes in that an object has drifted.
    ///
    /// - Returns: Whether that is news.
    mutating func begin(_ id: ObjectID, _ reason: DriftReason, at time: Timestamp, uptime: Duration) -> Bool {
        guard open[id] == nil else { return false }
        open[id] = Drift(reason: reason, begun: uptime, at: time)
        return true
    }

    /// Takes in that an object has not drifted any more; nil where it had not.
    mutating func end(_ id: ObjectID, isCorrected: Bool, uptime: Duration) -> EndedDrift? {
        guard let drift = open.removeValue(forKey: id) else { return nil }
        return EndedDrift(
            object: id, reason: drift.reason, duration: uptime - drift.begun, isCorrected: isCorrected)
    }
}

extension Controller {
    /// Takes in what has to happen to an object, where that is to undo a drift.
    func noteDrift(_ decision: Decision, _ id: ObjectID, _ enforced: EnforcedState) {
        // What the repository gives up in a fight is left on purpose.
        guard case .act(let action) = decision, !drifts.contains(id), !yielded.contains(id) else { return }
        let reason: DriftReason
        if action.isOfStranger {
            reason = .undeclared
        } else if isDrift(id, enforced) {
            reason = action.before == nil ? .deleted : .changed
        } else {
            return
        }
        guard drifts.begin(id, reason, at: surroundings.now(), uptime: surroundings.uptime()) else { return }
        isStandingOld = true
        notify(.driftFound(id, reason))
    }

    /// Takes in that an object is as declared, or is left as it is on purpose.
    func endDrift(_ id: ObjectID, isCorrected: Bool) {
        guard let ended = drifts.end(id, isCorrected: isCorrected, uptime: surroundings.uptime()) else { return }
        notify(.driftEnded(ended))
    }
}

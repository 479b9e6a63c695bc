package import Manifest

/// How a controller stands at one moment.
package struct ControllerStanding: Sendable, Equatable {
    package enum ObjectState: String, Sendable, CaseIterable {
        /// Found as declared.
        case inSync = "in_sync"
        /// Not as declared, with no new revision behind it.
        case drifted
        /// A guardrail, or somebody who broke the glass, holds it as it is.
        case held
        /// What was tried last failed, or its kind cannot be read.
        case failing
        /// Something else has to happen first.
        case waiting
        /// Declared, and not seen to be so yet.
        case pending
    }

    /// Whether a revision is enforced.
    package var isEnforcing: Bool
    /// Whether every kind has been listed, or has failed to be.
    package var isGathered: Bool
    /// Whether some kind cannot be read or watched now: what changes of it meanwhile is not seen.
    package var isViewBroken: Bool
    package var isJournalUsable: Bool
    /// By kind, for each state; what is held or fails without being declared is among them.
    package var objects: [ObjectState: [String: Int]]
    /// Actions that guardrails hold back.
    package var heldActions: Int
    /// Objects that nobody declares, in scopes where that is told.
    package var strangers: Int
    /// How many incidents of each reason are open, of those that the controller opened.
    package var openIncidents: [IncidentReason: Int]
    /// When the drift was seen that is open longest; nil where none is.
    package var oldestDrift: Timestamp?
    /// The revision that is enforced.
    package var enforcedRevision: Revision?
    /// How many objects it declares.
    package var declaredObjects: Int
    /// Drifts that are open, also of objects whose correction failed.
    package var openDrifts: Int
    /// The newest revision is refused.
    package var isRevisionRefused: Bool

    /// When the enforced revision was committed.
    package var enforcedCommittedAt: Timestamp? { enforcedRevision?.committedAt }

    package init(
        isEnforcing: Bool = false, isGathered: Bool = false, isViewBroken: Bool = false,
        isJournalUsable: Bool = false,
        objects: [ObjectState: [String: Int]] = [:], heldActions: Int = 0, strangers: Int = 0,
        openIncidents: [IncidentReason: Int] = [:], oldestDrift: Timestamp? = nil,
        enforcedRevision: Revision? = nil, declaredObjects: Int = 0, openDrifts: Int = 0,
        isRevisionRefused: Bool = false
    ) {
        self.isEnforcing = isEnforcing
        self.isGathered = isGathered
        self.isViewBroken = isViewBroken
        self.isJournalUsable = isJournalUsable
        self.objects = objects
        self.heldActions = heldActions
        self.strangers = strangers
        self.openIncidents = openIncidents
        self.oldestDrift = oldestDrift
        self.enforcedRevision = enforcedRevision
        self.declaredObjects = declaredObjects
        self.openDrifts = openDrifts
        self.isRevisionRefused = isRevisionRefused
    }
}

extension Controller {
    /// How it stands; an answer also says that it is not stuck.
    package func standing() -> ControllerStanding {
        if isStandingOld {
            objectStates = countObjects()
            isStandingOld = false
        }
        return ControllerStanding(
            isEnforcing: enforced != nil, isGathered: isGathered, isViewBroken: !interruptedKinds.isEmpty,
            isJournalUsable: outage == nil,
            objects: objectStates, heldActions: held.count + (enforced?.holds.count ?? 0),
            strangers: toldStrangers.count,
            openIncidents: openIncidents.values.reduce(into: [:]) { counts, reasons in
                for reason in reasons { counts[reason, default: 0] += 1 }
            },
            oldestDrift: drifts.oldest, enforcedRevision: enforced?.revision,
            declaredObjects: enforced?.objects.count ?? 0, openDrifts: drifts.objects.count,
            isRevisionRefused: refusedCommit != nil)
    }

    private func countObjects() -> [ControllerStanding.ObjectState: [String: Int]] {
        var counts: [ControllerStanding.ObjectState: [String: Int]] = [:]
        let drifted = Set(drifts.objects)
        let troubled = failing.union(drifted).union(held).union(waiting)
        for id in troubled {
            let state: ControllerStanding.ObjectState =
                failing.contains(id)
                ? .failing : drifted.contains(id) ? .drifted : held.contains(id) ? .held : .waiting
            counts[state, default: [:]][id.kind, default: 0] += 1
        }
        for (id, digest) in enforced?.digests ?? [:] where !troubled.contains(id) {
            let state: ControllerStanding.ObjectState = settledDigests[id] == digest ? .inSync : .pending
            counts[state, default: [:]][id.kind, default: 0] += 1
        }
        return counts
    }
}

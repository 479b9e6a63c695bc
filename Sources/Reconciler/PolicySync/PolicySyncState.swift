package import Manifest

/// What a PolicySync tells, as far as it is known: out of what the controller tells and how it stands.
///
/// Only the newest counts, so nothing here grows. Pure: times are given, and nothing is sent.
package struct PolicySyncState: Sendable {
    /// What stays the same while the process runs.
    package struct Identity: Sendable, Equatable {
        package var instance: String
        package var cluster: String
        /// The policy repository's address, without any credential.
        package var repository: String
        /// The folder of it; empty for all.
        package var path: String
        /// Which program, on which machine.
        package var reporter: String

        package init(instance: String, cluster: String, repository: String, path: String, reporter: String) {
            self.instance = instance
            self.cluster = cluster
            self.repository = repository
            self.path = path
            self.reporter = reporter
        }
    }

    /// The incident that was told last.
    package struct Incident: Sendable, Equatable {
        package var reason: String
        /// Empty for one of the whole instance.
        package var object: String
        package var at: Timestamp
        /// The title of its runbook.
        package var message: String
        /// The path of its runbook.
        package var runbook: String

        package init(reason: String, object: String, at: Timestamp, message: String, runbook: String) {
            self.reason = reason
            self.object = object
            self.at = at
            self.message = message
            self.runbook = runbook
        }
    }

    package let identity: Identity
    /// How the controller stood when it answered last; nil while there is none.
    package private(set) var standing: ControllerStanding?
    /// Whether its answer is of now.
    package var isAnswering = true
    /// Whether the process has ended its work in order.
    package var isStopped = false
    /// Why nothing can be recorded.
    private(set) var outage: IncidentReason?
    private var isJournalLocked = false
    /// The newest revision that the repository was found to have.
    private(set) var newest: Revision?
    private(set) var lastFetch: Timestamp?
    /// Whether the repository did not answer when it was asked last.
    private(set) var isFetchFailing = false
    private(set) var lastPass: Timestamp?
    private(set) var lastDrift: EndedDrift?
    package private(set) var lastIncident: Incident?

    package init(_ identity: Identity) { self.identity = identity }

    /// Whether another process has the journal, and so enforces and tells how that stands.
    package var isAnotherAtWork: Bool { standing == nil && isJournalLocked }

    /// Takes in how the controller stands; nil where there is none any more.
    package mutating func note(_ standing: ControllerStanding?) {
        self.standing = standing
        isAnswering = true
    }

    /// Takes in what the controller tells.
    ///
    /// - Parameter title: What the runbook of a reason says in one line.
    package mutating func note(
        _ notice: ControllerNotice, at time: Timestamp, title: (IncidentReason) -> String?
    ) {
        switch notice {
        case .fetched(let report):
            isFetchFailing = report.newest == nil
            guard let found = report.newest else { break }
            newest = found
            lastFetch = report.at
        case .synced(let report): lastPass = report.endedAt ?? time
        case .driftEnded(let drift): lastDrift = drift
        case .journalLost(let lost), .journalStillLost(let lost):
            outage = lost.error.incident ?? .journalUnwritable
            isJournalLocked = lost.error.kind == .locked
        case .journalBack:
            outage = nil
            isJournalLocked = false
        case .revisionAccepted, .revisionRefused, .changed, .driftFound, .incident, .hold, .revisionWaiting,
            .unrecordedDrift, .outageChanged, .trouble, .leadership, .progress:
            break
        }
        guard let event = notice.incidentEvent else { return }
        let reason = event.reason.rawValue
        lastIncident = Incident(
            reason: reason, object: event.object?.description ?? "", at: time, message: title(event.reason) ?? reason,
            runbook: "Runbooks/\(reason).md")
    }

    /// Takes over what an earlier process told last, where nothing newer is known.
    package mutating func takeOver(_ status: Tree) {
        guard lastIncident == nil, let told = status["lastIncident"], let reason = told["reason"]?.string,
            let time = told["time"]?.string.flatMap({ Timestamp($0) })
        else { return }
        lastIncident = Incident(
            reason: reason, object: told["object"]?.string ?? "", at: time, message: told["message"]?.string ?? "",
            runbook: told["runbook"]?.string ?? "")
    }
}

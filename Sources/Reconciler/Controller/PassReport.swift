package import Manifest

/// What one pass did.
package struct PassReport: Sendable, Equatable {
    package var revision: String
    package var isRevisionRefused = false
    package var declaredCount = 0
    package var changes: [ActionKind: Int] = [:]
    package var driftCorrections = 0
    package var failures = 0
    package var held = 0
    /// Objects that nobody declares, in scopes where that is told.
    package var strangers = 0
    package var waiting = 0
    /// The emergency hold that is in force, whether or not its revision could be enforced.
    package var hold: EmergencyHold?
    package var duration: Duration = .zero
    /// The id of its trace, where syncs are traced.
    package var trace: String?
    /// Nil while it goes on.
    package var endedAt: Timestamp?

    package init(revision: String) { self.revision = revision }

    /// Whether live equals declared now.
    package var isConverged: Bool { failures == 0 && held == 0 && waiting == 0 && !isRevisionRefused }
}

/// How a pass ended, by what is gravest.
package enum SyncOutcome: String, Sendable, CaseIterable {
    case converged, failed, held, waiting, refused

    package init(_ report: PassReport) {
        self =
            report.failures > 0
            ? .failed
            : report.held > 0
                ? .held : report.waiting > 0 ? .waiting : report.isRevisionRefused ? .refused : .converged
    }
}

extension PassReport {
    /// One line for people: what changed, and what did not come to its end.
    package var summary: String {
        var parts: [String] = []
        for kind in ActionKind.allCases {
            if let count = changes[kind], count > 0 { parts.append("\(count) \(kind.pastTense)") }
        }
        if parts.isEmpty { parts.append("nothing to change") }
        if driftCorrections > 0 { parts.append("\(driftCorrections) of them drift") }
        if failures > 0 { parts.append("\(failures) failed") }
        if held > 0 { parts.append("\(held) held") }
        if strangers > 0 { parts.append("\(strangers) undeclared") }
        if waiting > 0 { parts.append("\(waiting) waiting") }
        return parts.joined(separator: ", ") + " (\(declaredCount) declared)"
    }
}

extension ActionKind {
    /// `created`, `updated` and so on, as summaries say it.
    package var pastTense: String {
        switch self {
        case .create: "created"
        case .update: "updated"
        case .replace: "replaced"
        case .delete: "deleted"
        case .adopt: "adopted"
        }
    }
}

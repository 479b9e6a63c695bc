import Policy
import Reconciler
import RunbookLibrary

/// Everything that has a runbook: what happens in a cluster, and what a change means.
let allReasons: [String] =
    IncidentReason.allCases.map(\.rawValue) + ChangeReason.allCases.map(\.rawValue) + alertReasons

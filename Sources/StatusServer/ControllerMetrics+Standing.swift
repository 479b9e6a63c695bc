import Manifest
package import Reconciler
import Telemetry

extension ControllerMetrics {
    /// Takes in how the controller stands.
    package func note(_ standing: ControllerStanding) {
        for resource in Resource.managed {
            for state in ControllerStanding.ObjectState.allCases {
                let count = standing.objects[state]?[resource.kind] ?? 0
                registry.set(
                    Families.objects, to: Double(count), ["kind": resource.kind, "state": state.rawValue])
            }
        }
        registry.set(Families.heldActions, to: Double(standing.heldActions))
        registry.set(Families.undeclared, to: Double(standing.strangers))
        for reason in IncidentReason.allCases where reason != .shippingStalled {
            registry.set(
                Families.openIncidents, to: Double(standing.openIncidents[reason] ?? 0), ["reason": reason.rawValue])
        }
        registry.set(Families.oldestDrift, to: standing.oldestDrift?.secondsSinceEpoch ?? 0)
        registry.set(Families.enforcedRevision, to: standing.enforcedCommittedAt?.secondsSinceEpoch ?? 0)
        registry.set(Families.revisionRefused, to: standing.isRevisionRefused ? 1 : 0)
    }

    /// Takes in whether the incident of shipping is open, which is not the controller's.
    package func noteShippingStalled(_ isStalled: Bool) {
        registry.set(
            Families.openIncidents, to: isStalled ? 1 : 0, ["reason": IncidentReason.shippingStalled.rawValue])
    }
}

extension Timestamp {
    var secondsSinceEpoch: Double { Double(microsecondsSinceEpoch) / 1_000_000 }
}

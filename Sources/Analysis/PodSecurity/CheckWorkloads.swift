package import Manifest
package import Policy

/// A control that the pods of a workload do not meet.
package struct WorkloadViolation: Sendable, Hashable {
    /// The pod, or the object that holds the template.
    package var workload: ObjectID
    /// Where the workload is declared; nil where it comes from a cluster.
    package var origin: Origin?
    /// Its fields count from the pod.
    package var violation: PodSecurityViolation
    /// The fields counted from the workload: `spec.template.spec.containers[0].securityContext.privileged`.
    package var fields: [FieldPath]
}

/// Holds pods and templates against a level, as the API server would see them: with defaulted volumes.
///
/// Pods that have run to their end are passed over, as they do no harm any more.
///
/// - Parameter version: Give the cluster's version where a namespace says `latest`.
/// - Returns: In the order of the workloads, and for each in upstream's order of controls.
package func checkWorkloads(
    _ workloads: [Workload], level: PodSecurityLevel, version: PodSecurityVersion
) -> [WorkloadViolation] {
    guard level > .privileged else { return [] }
    return workloads.filter { !$0.isFinished }.flatMap { workload in
        let violations = evaluatePodSecurity(
            spec: withDefaultedVolumes(workload.spec), annotations: workload.annotations, level: level,
            version: version)
        return violations.map { violation in
            WorkloadViolation(
                workload: workload.id, origin: workload.origin, violation: violation,
                fields: violation.fields.map { FieldPath(workload.specPath.steps.dropLast() + $0.steps) })
        }
    }
}

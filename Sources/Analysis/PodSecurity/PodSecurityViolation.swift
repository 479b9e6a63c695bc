package import Manifest

/// One control of the Pod Security Standards that a pod does not meet.
package struct PodSecurityViolation: Sendable, Hashable {
    /// The id that upstream gives the check, such as `allowPrivilegeEscalation`.
    ///
    /// ``unreadable`` for what no check can read.
    package var control: String
    /// What is forbidden, in upstream's words: users search for them.
    package var reason: String
    /// Who sets it and to what, in upstream's words.
    package var detail: String
    /// The fields that violate it, from the pod object; where something is missing, the fields it is missing from.
    package var fields: [FieldPath]

    package init(control: String, reason: String, detail: String, fields: [FieldPath]) {
        self.control = control
        self.reason = reason
        self.detail = detail
        self.fields = fields
    }

    /// Not a control of the standards: fields that the controls look at and that hold a value of another type.
    ///
    /// The API server refuses such a pod before admission looks at it, so no control may count it as allowed.
    package static let unreadable = "unreadable"
}

/// The sentence with which admission refuses a pod, without the pod's name before it; empty without violations.
package func podSecurityMessage(_ violations: [PodSecurityViolation], setting: PodSecuritySetting) -> String {
    guard !violations.isEmpty else { return "" }
    let parts = violations.map { $0.detail.isEmpty ? $0.reason : "\($0.reason) (\($0.detail))" }
    return "violates PodSecurity \"\(setting)\": \(parts.joined(separator: ", "))"
}

/// Holds a pod specification against a level of the Pod Security Standards at a version.
///
/// Takes the specification as it is: what the API server fills in before admission, see ``withDefaultedVolumes(_:)``,
/// has to be there already. Nothing violates `privileged`. A version newer than the newest change of a control means
/// that change. Agrees with the evaluator of Kubernetes v1.36.
///
/// - Parameters:
///   - spec: The pod specification; fields that no control looks at are passed over.
///   - annotations: Those of the pod, which old seccomp and AppArmor settings stand in.
/// - Returns: In upstream's order, baseline controls first; the unreadable fields, where there are any, at the end.
package func evaluatePodSecurity(
    spec: Tree, annotations: Labels, level: PodSecurityLevel, version: PodSecurityVersion
) -> [PodSecurityViolation] {
    guard level > .privileged else { return [] }
    return PodFacts(spec: spec, annotations: annotations).violations(level: level, version: version)
}

/// Gives each volume without a source the empty directory that the API server gives it.
///
/// A volume with a source that nobody knows keeps it, so that `restricted` refuses it: a newer server may know it. The
/// server also copies the ports of containers with `hostNetwork` into `hostPort`; that is left out, since `hostNetwork`
/// itself is refused wherever a host port is.
package func withDefaultedVolumes(_ spec: Tree) -> Tree {
    guard let volumes = spec["volumes"]?.array, volumes.contains(where: hasNoSource) else { return spec }
    var defaulted = spec
    let filled = volumes.map { volume in
        guard hasNoSource(volume) else { return volume }
        var volume = volume
        volume.set(["emptyDir"], to: [:])
        return volume
    }
    defaulted.set(["volumes"], to: .array(filled))
    return defaulted
}

private func hasNoSource(_ volume: Tree) -> Bool {
    if volume.isNull { return true }
    return volume.members?.allSatisfy { $0.key == "name" || $0.value.isNull } ?? false
}

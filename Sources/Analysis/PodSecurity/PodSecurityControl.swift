import Manifest

/// One control of the Pod Security Standards, with all that it ever meant.
package struct PodSecurityControl: Sendable {
    /// Why a control refuses a pod.
    struct Refusal {
        var reason: String
        var detail: String
        var fields: [FieldPath]
    }

    /// What a control means from one version on.
    struct Revision: Sendable {
        var sinceMinor: Int
        /// The baseline control that need not be asked at `restricted`, because this one is stricter.
        var overridden: String?
        var check: @Sendable (PodFacts) -> Refusal?
    }

    /// The id of upstream's check.
    package let id: String
    /// The lowest level that it belongs to: `baseline` or `restricted`.
    package let level: PodSecurityLevel
    /// From old to new.
    private let revisions: [Revision]

    init(_ id: String, _ level: PodSecurityLevel, _ revisions: [Revision]) {
        self.id = id
        self.level = level
        self.revisions = revisions
    }

    /// What it means at a version; nil where it did not exist yet.
    func revision(at version: PodSecurityVersion) -> Revision? {
        revisions.last { $0.sinceMinor <= version.minor ?? .max }
    }

    /// Asks this control alone; nil where it allows the pod or did not exist yet.
    package func violation(in pod: PodFacts, version: PodSecurityVersion) -> PodSecurityViolation? {
        revision(at: version).flatMap { violation(in: pod, revision: $0) }
    }

    fileprivate func violation(in pod: PodFacts, revision: Revision) -> PodSecurityViolation? {
        guard let refusal = revision.check(pod) else { return nil }
        return PodSecurityViolation(
            control: id, reason: refusal.reason, detail: refusal.detail, fields: refusal.fields)
    }

    /// The controls that make up a level at a version, in the order in which upstream asks them.
    static func inForce(
        level: PodSecurityLevel, version: PodSecurityVersion
    ) -> [(control: PodSecurityControl, revision: Revision)] {
        let asked = all.filter { $0.level <= level }.compactMap { control in
            control.revision(at: version).map { (control: control, revision: $0) }
        }
        let overridden = asked.compactMap(\.revision.overridden)
        return asked.filter { !overridden.contains($0.control.id) }
    }
}

extension PodSecurityControl {
    /// Every control, in upstream's order: baseline before restricted, and by id.
    package static let all: [PodSecurityControl] = [
        PodSecurityControl("appArmorProfile", .baseline, [.since(0, checkAppArmorProfile)]),
        PodSecurityControl("capabilities_baseline", .baseline, [.since(0, checkAddedCapabilities)]),
        PodSecurityControl("hostNamespaces", .baseline, [.since(0, checkHostNamespaces)]),
        PodSecurityControl("hostPathVolumes", .baseline, [.since(0, checkHostPathVolumes)]),
        PodSecurityControl("hostPorts", .baseline, [.since(0, checkHostPorts)]),
        PodSecurityControl("hostProbesAndHostLifecycle", .baseline, [.since(34, checkProbeHosts)]),
        PodSecurityControl("privileged", .baseline, [.since(0, checkPrivileged)]),
        PodSecurityControl(
            "procMount", .baseline,
            [.since(0, checkProcMount), .since(35) { $0.hasUserNamespace ? nil : checkProcMount($0) }]),
        PodSecurityControl(
            "seLinuxOptions", .baseline,
            [
                .since(0) { checkSELinuxOptions($0, allowsEngineType: false) },
                .since(31) { checkSELinuxOptions($0, allowsEngineType: true) },
            ]),
        PodSecurityControl(
            "seccompProfile_baseline", .baseline,
            [.since(0, checkSeccompAnnotations), .since(19) { checkSeccompProfile($0, isRequired: false) }]),
        PodSecurityControl(
            "sysctls", .baseline,
            [0, 27, 29, 32].map { minor in .since(minor) { checkSysctls($0, minor: minor) } }),
        PodSecurityControl("windowsHostProcess", .baseline, [.since(0, checkWindowsHostProcess)]),
        PodSecurityControl(
            "allowPrivilegeEscalation", .restricted,
            [.since(8, checkPrivilegeEscalation), .since(25) { $0.isWindows ? nil : checkPrivilegeEscalation($0) }]),
        PodSecurityControl(
            "capabilities_restricted", .restricted,
            [
                .since(22, overriding: "capabilities_baseline", checkRestrictedCapabilities),
                .since(25, overriding: "capabilities_baseline") {
                    $0.isWindows ? nil : checkRestrictedCapabilities($0)
                },
            ]),
        PodSecurityControl(
            "procMount_restricted", .restricted, [.since(35, overriding: "procMount", checkProcMount)]),
        PodSecurityControl(
            "restrictedVolumes", .restricted, [.since(0, overriding: "hostPathVolumes", checkRestrictedVolumes)]),
        PodSecurityControl(
            "runAsNonRoot", .restricted,
            [.since(0, checkRunAsNonRoot), .since(35) { $0.hasUserNamespace ? nil : checkRunAsNonRoot($0) }]),
        PodSecurityControl(
            "runAsUser", .restricted,
            [.since(23, checkRunAsUser), .since(35) { $0.hasUserNamespace ? nil : checkRunAsUser($0) }]),
        PodSecurityControl(
            "seccompProfile_restricted", .restricted,
            [
                .since(19, overriding: "seccompProfile_baseline") { checkSeccompProfile($0, isRequired: true) },
                .since(25, overriding: "seccompProfile_baseline") {
                    $0.isWindows ? nil : checkSeccompProfile($0, isRequired: true)
                },
            ]),
    ]
}

extension PodSecurityControl.Revision {
    fileprivate static func since(
        _ minor: Int, overriding overridden: String? = nil,
        _ check: @escaping @Sendable (PodFacts) -> PodSecurityControl.Refusal?
    ) -> Self {
        Self(sinceMinor: minor, overridden: overridden, check: check)
    }
}

extension PodFacts {
    /// What the pod violates, as ``evaluatePodSecurity(spec:annotations:level:version:)`` gives it.
    package func violations(level: PodSecurityLevel, version: PodSecurityVersion) -> [PodSecurityViolation] {
        guard level > .privileged else { return [] }
        var violations = PodSecurityControl.inForce(level: level, version: version).compactMap {
            $0.control.violation(in: self, revision: $0.revision)
        }
        if !unreadable.isEmpty {
            violations.append(
                PodSecurityViolation(
                    control: PodSecurityViolation.unreadable, reason: "unreadable fields",
                    detail: unreadable.map { "\($0.path) \($0.problem)" }.joined(separator: ", "),
                    fields: unreadable.map(\.path)))
        }
        return violations
    }
}

extension PodSecuritySetting {
    /// Whether it means exactly the controls that another setting means, so that no pod could tell the two apart.
    package func hasSameControls(as other: PodSecuritySetting) -> Bool {
        let controls = [self, other].map { setting in
            PodSecurityControl.inForce(level: setting.level, version: setting.version)
                .map { "\($0.control.id) \($0.revision.sinceMinor)" }
        }
        return controls[0] == controls[1]
    }
}

package import Manifest

/// What admission does with a pod that violates a level.
package enum PodSecurityMode: String, CaseIterable, Sendable {
    /// Refuses pods; templates of workloads are not looked at.
    case enforce
    /// Writes an annotation into the audit event.
    case audit
    /// Warns whoever wrote the pod or the workload.
    case warn

    /// The label of a namespace that sets the level.
    package var levelLabel: String { "pod-security.kubernetes.io/\(rawValue)" }
    /// The label of a namespace that sets the version.
    package var versionLabel: String { levelLabel + "-version" }
}

/// What the labels of a namespace ask of its pods.
///
/// Which namespaces, users and runtime classes are exempt stands in the API server's configuration and cannot be seen
/// here.
package struct NamespacePodSecurity: Hashable, Sendable {
    package var enforce: PodSecuritySetting
    package var audit: PodSecuritySetting
    package var warn: PodSecuritySetting

    /// Every mode that is not given is `privileged:latest`, as without labels and configuration.
    package init(
        enforce: PodSecuritySetting = .privileged, audit: PodSecuritySetting = .privileged,
        warn: PodSecuritySetting = .privileged
    ) {
        self.enforce = enforce
        self.audit = audit
        self.warn = warn
    }

    /// Reads the labels as admission reads those that already exist.
    ///
    /// An invalid enforce level counts as restricted, an invalid audit or warn level as privileged and an invalid
    /// version as latest. Without a warn level, warnings follow a valid enforce level that is stricter.
    ///
    /// - Parameter defaults: What holds where a label is missing; the API server's configuration may say another one.
    package init(labels: Labels, defaults: NamespacePodSecurity = NamespacePodSecurity()) {
        self = defaults
        for mode in PodSecurityMode.allCases {
            if let text = labels[mode.levelLabel] {
                self[mode].level = PodSecurityLevel(rawValue: text) ?? (mode == .enforce ? .restricted : .privileged)
            }
            if let text = labels[mode.versionLabel] {
                self[mode].version = PodSecurityVersion(text) ?? .latest
            }
        }
        let enforced = labels[PodSecurityMode.enforce.levelLabel].flatMap { PodSecurityLevel(rawValue: $0) }
        if let enforced, labels[PodSecurityMode.warn.levelLabel] == nil, enforced > warn.level {
            warn.level = enforced
            if labels[PodSecurityMode.warn.versionLabel] == nil { warn.version = enforce.version }
        }
    }

    /// The setting of one mode.
    package subscript(mode: PodSecurityMode) -> PodSecuritySetting {
        get {
            switch mode {
            case .enforce: enforce
            case .audit: audit
            case .warn: warn
            }
        }
        set {
            switch mode {
            case .enforce: enforce = newValue
            case .audit: audit = newValue
            case .warn: warn = newValue
            }
        }
    }
}

/// A mode of a namespace whose setting differs between two states.
package struct PodSecurityModeChange: Hashable, Sendable {
    package var mode: PodSecurityMode
    package var before: PodSecuritySetting
    package var after: PodSecuritySetting
    /// `loosens` where the level drops, or stays and the version moves back; else `tightens`.
    package var direction: ChangeDirection
    /// False where both settings mean the same controls on a cluster of the given version: then it matters after an
    /// upgrade only, or never.
    package var changesControls: Bool

    /// Whether the mode followed the cluster's version and no longer does: it will miss the controls to come.
    package var stopsFollowingLatest: Bool { before.version == .latest && after.version != .latest }
}

/// Says for each mode that differs whether it loosens or tightens.
///
/// The level decides; the version only where the level stays, and never for `privileged`, which has no controls.
/// `latest` is newer than every version, so that a pin loosens, even one to the cluster's own version.
///
/// - Parameter clusterVersion: What `latest` means.
/// - Returns: The modes that differ, in the order of ``PodSecurityMode``.
package func comparePodSecurity(
    from before: NamespacePodSecurity, to after: NamespacePodSecurity, clusterVersion: PodSecurityVersion = .latest
) -> [PodSecurityModeChange] {
    PodSecurityMode.allCases.compactMap { mode in
        let (old, new) = (before[mode], after[mode])
        if old == new || (old.level == .privileged && new.level == .privileged) { return nil }
        let isLooser = new.level == old.level ? new.version < old.version : new.level < old.level
        let effective = [old, new].map { setting in
            PodSecuritySetting(setting.level, setting.version == .latest ? clusterVersion : setting.version)
        }
        return PodSecurityModeChange(
            mode: mode, before: old, after: new, direction: isLooser ? .loosens : .tightens,
            changesControls: !effective[0].hasSameControls(as: effective[1]))
    }
}

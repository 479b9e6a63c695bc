import Manifest
import Policy

/// Finds namespaces whose Pod Security labels admit more or less than before.
struct PodSecurityChange {
    let change: StateChange
    let options: ChangeOptions

    func findings() -> [ChangeFinding] {
        let workloads = Dictionary(grouping: change.head.workloads.filter { $0.id.kind == "Pod" }, by: \.namespace)
        return change.edited(.namespace).flatMap { id -> [ChangeFinding] in
            guard let head = change.head[id] else { return [] }
            let after = NamespacePodSecurity(labels: head.labels)
            guard let base = change.base[id] else { return unenforced(id, after) }
            let before = NamespacePodSecurity(labels: base.labels)
            let modes = comparePodSecurity(from: before, to: after, clusterVersion: options.clusterVersion)
            return loosened(id, modes, enforced: after.enforce.level) + tightened(id, modes)
                + refusals(of: workloads[id.name] ?? [], id, from: before.enforce, to: after.enforce)
        }
    }

    /// A namespace that is declared without a level admits everything.
    private func unenforced(_ id: ObjectID, _ settings: NamespacePodSecurity) -> [ChangeFinding] {
        guard settings.enforce.level == .privileged else { return [] }
        return [
            change.finding(
                .podSecurityLoosened, .high, .loosens, id,
                "new namespace \(id.name) admits privileged pods: it enforces no Pod Security level",
                after: [line(.enforce, settings.enforce)], guardrail: .podSecurityLoosened)
        ]
    }

    private func loosened(
        _ id: ObjectID, _ modes: [PodSecurityModeChange], enforced: PodSecurityLevel
    ) -> [ChangeFinding] {
        let looser = modes.filter { $0.direction == .loosens }
        guard let worst = looser.map({ severity($0, enforced: enforced) }).max() else { return [] }
        let words = looser.map { "\($0.mode.rawValue) from \($0.before) to \($0.after)" }.joined(separator: ", ")
        let pin = looser.contains { !$0.changesControls } ? "; a pinned version misses the controls to come" : ""
        return [
            change.finding(
                .podSecurityLoosened, worst, .loosens, id, "namespace \(id.name) loosens \(words)\(pin)",
                before: looser.map { line($0.mode, $0.before) }, after: looser.map { line($0.mode, $0.after) },
                guardrail: worst >= .medium ? .podSecurityLoosened : nil)
        ]
    }

    /// - Parameter enforced: The level that is enforced afterwards; audit and warn below it say nothing any more.
    private func severity(_ mode: PodSecurityModeChange, enforced: PodSecurityLevel) -> Severity {
        guard mode.mode == .enforce else { return mode.after.level < enforced ? .medium : .low }
        if mode.before.level == mode.after.level { return mode.changesControls ? .medium : .low }
        return mode.after.level == .privileged ? .high : .medium
    }

    private func tightened(_ id: ObjectID, _ modes: [PodSecurityModeChange]) -> [ChangeFinding] {
        let stricter = modes.filter { $0.direction == .tightens }
        guard !stricter.isEmpty else { return [] }
        let words = stricter.map { "\($0.mode.rawValue) from \($0.before) to \($0.after)" }.joined(separator: ", ")
        return [
            change.finding(
                .podSecurityTightened, .info, .tightens, id, "namespace \(id.name) tightens \(words)",
                before: stricter.map { line($0.mode, $0.before) }, after: stricter.map { line($0.mode, $0.after) })
        ]
    }

    // MARK: Running pods

    /// Pods that met the old level and do not meet the new one: they go on until they are made again.
    private func refusals(
        of pods: [Workload], _ id: ObjectID, from before: PodSecuritySetting, to after: PodSecuritySetting
    ) -> [ChangeFinding] {
        guard before != after else { return [] }
        func violations(_ setting: PodSecuritySetting) -> [ObjectID: [WorkloadViolation]] {
            let version = setting.version == .latest ? options.clusterVersion : setting.version
            return Dictionary(
                grouping: checkWorkloads(pods, level: setting.level, version: version), by: \.workload)
        }
        let old = violations(before)
        let new = violations(after).filter { old[$0.key] == nil }
        guard !new.isEmpty else { return [] }
        let lines = new.sorted { $0.key < $1.key }.prefix(20).map { pod, violations in
            "\(pod.description): \(violations.map(\.violation.reason).joined(separator: ", "))"
        }
        let owners = Set(pods.filter { new[$0.id] != nil }.compactMap(\.controller)).sorted().map(\.description)
        let made = owners.isEmpty ? "" : ", made by \(owners.prefix(5).joined(separator: ", "))"
        return [
            change.finding(
                .podsWouldBeRefused, .high, .breaks, id,
                "\(new.count) running \(new.count == 1 ? "pod" : "pods") of namespace \(id.name) would be refused at "
                    + "\(after) when made again\(made)",
                before: [line(.enforce, before)],
                after: [line(.enforce, after)] + lines + (new.count > 20 ? ["and \(new.count - 20) more"] : []))
        ]
    }

    // MARK: Words

    private func line(_ mode: PodSecurityMode, _ setting: PodSecuritySetting) -> String {
        "\(mode.rawValue): \(setting)"
    }
}

import Manifest
import Policy

/// Rights that somebody gains, and how dangerous they are.
struct GainedRisk {
    var reason: ChangeReason
    var severity: Severity
    /// Parts of rules; see ``uncoveredRights(of:by:)``.
    var parts: [PolicyRule]
}

/// Sorts what a subject gains in one scope by the kinds of security semantics, section 4.1.
struct GainAssessment {
    /// What is gained.
    let parts: [PolicyRule]
    /// What was held before, or is held in another way.
    let held: [PolicyRule]
    let subject: AccessSubject
    /// The whole cluster, or a namespace where strong workloads run.
    let isSystemScope: Bool
    /// The whole cluster, or `kube-system`.
    let isOfSystem: Bool
    let isClusterWide: Bool

    func risks() -> [GainedRisk] {
        if subject.isAnybody {
            return [GainedRisk(reason: .anonymousGranted, severity: .critical, parts: parts)]
        }
        if subject.isEverybody {
            let worst = parts.contains(where: \.writes) ? .critical : dangers(of: parts).map(\.severity).max() ?? .high
            return [GainedRisk(reason: .anonymousGranted, severity: max(.high, worst), parts: parts)]
        }
        let admin = parts.filter(\.isClusterAdmin)
        guard admin.isEmpty else {
            return [
                GainedRisk(
                    reason: .clusterAdminGranted, severity: isSystemScope ? .critical : .high, parts: admin)
            ]
        }
        // One rule for every resource is one thing to say, not one for each resource.
        let wide = parts.filter { $0.resources.contains { $0 == "*" } }
        let narrow = parts.filter { part in !part.resources.contains { $0 == "*" } }
        var risks: [GainedRisk] = []
        if !wide.isEmpty {
            let worst = dangers(of: wide).map(\.severity).max() ?? .low
            risks.append(GainedRisk(reason: .wildcardGranted, severity: max(worst, wildcardSeverity), parts: wide))
        }
        let found = dangers(of: narrow)
        risks += found
        // That a wildcard also gives something of less weight does not explain it.
        let explained = Set(
            found.flatMap { risk in risk.parts.filter { !$0.hasWildcard || risk.severity >= wildcardSeverity } })
        return risks + others(narrow.filter { !explained.contains($0) })
    }

    private var wildcardSeverity: Severity { isSystemScope ? .high : .medium }

    /// The dangerous rights among some parts that were not held before.
    private func dangers(of parts: [PolicyRule]) -> [GainedRisk] {
        var risks: [GainedRisk] = []
        for danger in DangerousRight.all + (isClusterWide ? [.broadRead] : []) {
            guard !danger.isOnlyForSystem || isOfSystem else { continue }
            var matching = parts.filter { $0.impersonatesExtra && danger.reason == .impersonationGranted }
            var seen = Set(matching)
            for probe in danger.probes {
                // Asked once, and not again for each of a thousand parts.
                let isHeld = held.contains { $0.allows(probe) }
                for part in parts where part.allows(probe: probe) {
                    let name = part.resourceNames.first ?? ""
                    let wasHeld = isHeld || (!name.isEmpty && held.contains { $0.allows(probe.named(name)) })
                    if !wasHeld, seen.insert(part).inserted { matching.append(part) }
                }
            }
            guard !matching.isEmpty, !danger.takesAllResources || danger.isGiven(by: self.parts + held) else {
                continue
            }
            risks.append(GainedRisk(reason: danger.reason, severity: severity(danger, matching), parts: matching))
        }
        return risks
    }

    private func severity(_ danger: DangerousRight, _ parts: [PolicyRule]) -> Severity {
        let severity = danger.severity(inSystemScope: isSystemScope)
        // Reading Secrets whose names are listed is less than reading any.
        let isByName = parts.allSatisfy { !$0.resourceNames.isEmpty && $0.verbs == ["get"] }
        return danger.reason == .secretAccessGranted && isByName ? severity.oneStepLower : severity
    }

    /// What the table does not name: wildcards first, then what writes, then what reads.
    private func others(_ parts: [PolicyRule]) -> [GainedRisk] {
        var risks: [GainedRisk] = []
        let wild = parts.filter(\.hasWildcard)
        if !wild.isEmpty {
            risks.append(GainedRisk(reason: .wildcardGranted, severity: wildcardSeverity, parts: wild))
        }
        let plain = parts.filter { !$0.hasWildcard }
        if !plain.isEmpty {
            let writes = plain.contains(where: \.writes)
            risks.append(
                GainedRisk(
                    reason: .rightGranted, severity: writes && isSystemScope ? .medium : .low, parts: plain))
        }
        return risks
    }
}

extension AccessSubject {
    /// Whether requests without credentials are meant.
    var isAnybody: Bool {
        (kind == .user && name == "system:anonymous") || (kind == .group && name == "system:unauthenticated")
    }

    /// Whether everybody with credentials, or every workload, is meant.
    var isEverybody: Bool {
        kind == .group && (name == "system:authenticated" || name == "system:serviceaccounts")
    }
}

extension PolicyRule {
    /// Whether it lets more than look.
    var writes: Bool { verbs.contains { !["get", "list", "watch"].contains($0) } }
}

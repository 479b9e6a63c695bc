import Analysis
import Manifest
import Policy

extension RepositoryConfiguration {
    /// Without what only says which files belong to which cluster: that shows in the objects themselves.
    var rules: RepositoryConfiguration {
        var copy = self
        copy.clusters = []
        return copy
    }
}

/// What a change of the configuration loosens, and what it would newly remove.
///
/// What is not clearly stricter counts as looser.
struct ConfigurationChange {
    let old: RepositoryConfiguration
    let new: RepositoryConfiguration

    /// What protects less than before, in a few words each.
    var loosened: [String] {
        var words: [String] = []
        let unmanaged = old.managedKinds.subtracting(new.managedKinds)
        if !unmanaged.isEmpty {
            words.append("\(unmanaged.map(\.kind).sorted().joined(separator: ", ")) no longer managed")
        }
        if !areScopesAsStrict { words.append("scopes or exclusions that close less") }
        let (before, after) = (old.guardrails, new.guardrails)
        if after.deletions.maximum > before.deletions.maximum
            || after.deletions.maximumPercent > before.deletions.maximumPercent
            || after.deletions.always > before.deletions.always
        {
            words.append("a larger deletion budget")
        }
        let lowered = riskTable.filter { row in
            Severity.allCases.contains { severity in
                let earlier = before.decision(on: row, at: severity)
                // What the table lets pass in silence need not be told.
                return after.decision(on: row, at: severity) < earlier
                    && (earlier == .hold || row.decision(at: severity) > .allow)
            }
        }
        if !lowered.isEmpty {
            words.append("a lower setting of \(lowered.map(\.reason.rawValue).sorted().joined(separator: ", "))")
        }
        // Whoever comes to the list loosens, and who leaves it does not; unless nobody is left, and only whoever runs Bylaw
        // could let anything through, without a signature.
        if !Set(after.approvers).isSubset(of: before.approvers) { words.append("other approvers") }
        if after.approvers.isEmpty, !before.approvers.isEmpty { words.append("nobody left who may approve") }
        // What is protected is not written, so drift there stays: more of it loosens as well as less.
        if Set(new.protected) != Set(old.protected) { words.append("other protected objects") }
        if !Set(new.yieldsInFights).isSubset(of: old.yieldsInFights) { words.append("more objects given up in fights") }
        if let prevention = loosenedPrevention { words.append(prevention) }
        return words
    }

    private var loosenedPrevention: String? {
        guard let before = old.prevention else {
            return new.prevention?.breakGlassGroup == nil ? nil : "a break-glass group"
        }
        guard let after = new.prevention else { return "prevention switched off" }
        let isSameGroup = after.breakGlassGroup == nil || after.breakGlassGroup == before.breakGlassGroup
        return isSameGroup && after.breakGlassLongest <= before.breakGlassLongest
            && Set(after.exemptUsers).isSubset(of: before.exemptUsers)
            && Set(after.exemptGroups).isSubset(of: before.exemptGroups) ? nil : "more exemptions from prevention"
    }

    /// Whether every scope is closed at least as far: the same rules in the same order with modes no lower, and what is
    /// added stands behind them.
    private var areScopesAsStrict: Bool {
        let (before, after) = (old.scopes, new.scopes)
        guard after.standardMode >= before.standardMode, after.rules.count >= before.rules.count,
            Set(after.exclusions).isSubset(of: before.exclusions),
            after.otherInstances.isSubset(of: before.otherInstances)
        else { return false }
        let areKept = zip(before.rules, after.rules).allSatisfy { old, new in
            new.target == old.target && new.kinds == old.kinds && new.mode >= old.mode
        }
        return areKept && after.rules.dropFirst(before.rules.count).allSatisfy { $0.mode >= after.standardMode }
    }

    /// Whether something may be removed from now on that was left alone.
    var enforcesMore: Bool {
        let (before, after) = (old.scopes, new.scopes)
        let isEnforcing = after.standardMode == .enforce || after.rules.contains { $0.mode == .enforce }
        guard isEnforcing else { return false }
        // What was not looked at before would be removed from now on.
        if !new.managedKinds.isSubset(of: old.managedKinds) { return true }
        guard before != after else { return false }
        if after.standardMode == .enforce, before.standardMode != .enforce { return true }
        if !Set(before.exclusions).isSubset(of: after.exclusions) { return true }
        if !before.otherInstances.isSubset(of: after.otherInstances) { return true }
        // The same rules, some of them left out or lowered, remove nothing new unless another comes to its turn.
        return
            !(after.rules.count == before.rules.count
            && zip(before.rules, after.rules).allSatisfy { old, new in
                new.target == old.target && new.kinds == old.kinds && (new.mode != .enforce || old.mode == .enforce)
            })
    }
}

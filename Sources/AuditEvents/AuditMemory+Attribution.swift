import Manifest

extension AuditMemory {
    /// Says who made a change, as far as the events that have come so far tell; nil where nothing does.
    ///
    /// A proof holds whatever clocks say and whichever events were lost. It presumes that versions are not used twice: after
    /// etcd was restored from a copy (rule C8) begin with an empty memory. One that rests on the mark of a field manager
    /// also presumes that the events of all who used that name have come: with one of another user it is none any more.
    ///
    /// - Returns: `proven` where exactly one request must have been it, `likely` where one or several may have been it,
    ///   `claimed` where only a field manager of the object says so.
    package func attribute(_ change: ObservedChange) -> Attribution? {
        let matches = inOrder(events(about: change).compactMap { match($0, change, in: window) })
        return attribution(matches, change) ?? Attribution(claimsOf: change)
    }

    /// The oldest first: by time, and where versions are known by version, since clocks of servers differ (rule M12).
    private func inOrder(_ matches: [ChangeMatch]) -> [ChangeMatch] {
        var ordered = matches.sorted { $0.event.at < $1.event.at }
        let slots = ordered.indices.filter { ordered[$0].version != nil }
        let versioned = slots.map { ordered[$0] }.enumerated().sorted { left, right in
            guard let first = left.element.version, let second = right.element.version,
                !first.hasSameBytes(as: second)
            else { return left.offset < right.offset }
            return isOlder(first, than: second)
        }
        for (slot, match) in zip(slots, versioned) { ordered[slot] = match.element }
        return ordered
    }

    private func attribution(_ matches: [ChangeMatch], _ change: ObservedChange) -> Attribution? {
        let writes = matches.filter { $0.evidence == .write }
        if writes.count == 1 {
            let rivals = writes[0].restsOnMark ? matches.filter { $0.mayHaveMarked(writes[0]) } : []
            guard rivals.isEmpty else {
                let earlier = before(writes[0], in: matches).filter { [.interval, .window].contains($0.evidence) }
                return guess(
                    writes[0], of: writes + rivals, contributors: earlier + [writes[0]], evidence: .answer)
            }
            return proof(writes[0], among: matches, change)
        }
        // Two that cannot both be it disprove each other.
        let exact = writes.isEmpty ? matches.filter { $0.evidence == .answer } : writes
        if let first = exact.first {
            // Of several that got the same answer the first is the most probable: the others found nothing to change.
            let earlier = before(first, in: matches).filter { [.interval, .window].contains($0.evidence) }
            return guess(first, of: exact, contributors: earlier + [first], evidence: .answer)
        }
        // Who named the object comes before who named many; the last of them is the most probable.
        guard let last = matches.last(where: { $0.evidence > .scope }) ?? matches.last else { return nil }
        let cause = cause(of: last, among: matches)
        return guess(cause, of: matches, contributors: matches, evidence: carriesOut(last) ? .scope : last.evidence)
    }

    private func proof(_ write: ChangeMatch, among matches: [ChangeMatch], _ change: ObservedChange) -> Attribution {
        var earlier: [ChangeMatch] = []
        if change.kind == .deleted {
            // Who asked before, where it waited for finalizers.
            earlier = before(write, in: matches).filter { $0.evidence == .answer }
        } else if write.event.code != 201, write.event.condition == nil || write.event.condition != change.versionBefore
        {
            earlier = before(write, in: matches).filter { [.interval, .window].contains($0.evidence) }
        }
        guard change.kind == .deleted, carriesOut(write) else {
            return Attribution(
                certainty: .proven, evidence: .write, event: write.event, claim: nil,
                contributors: (earlier + [write]).map(\.event), candidates: 1, rivals: [],
                restsOnMark: write.restsOnMark)
        }
        // That the controller removed it is certain. Who made it do so is not, and that event may still come.
        let scopes = before(write, in: matches).filter { $0.evidence == .scope }
        let cause = cause(of: write, among: matches)
        return guess(cause, of: [cause], contributors: scopes + [write], evidence: .scope)
    }

    /// Whether it was the namespace controller, which removes what is in a namespace because somebody deleted that.
    private func carriesOut(_ match: ChangeMatch) -> Bool {
        match.event.isControlPlane && match.event.actor.isNamespaceController
    }

    private func before(_ match: ChangeMatch, in matches: [ChangeMatch]) -> ArraySlice<ChangeMatch> {
        matches.prefix { $0.event != match.event }
    }

    /// Where the namespace controller emptied a namespace, who deleted that namespace last (rules M8, M9).
    private func cause(of match: ChangeMatch, among matches: [ChangeMatch]) -> ChangeMatch {
        guard carriesOut(match) else { return match }
        return matches.last { other in
            other.evidence == .scope && other.event.verb == "delete" && !other.event.isControlPlane
        } ?? match
    }

    private func guess(
        _ chosen: ChangeMatch, of candidates: [ChangeMatch], contributors: [ChangeMatch], evidence: Attribution.Evidence
    ) -> Attribution {
        // Who only carries out what the chosen one began is no candidate beside them.
        let others = candidates.filter { $0.event != chosen.event && !(chosen.evidence == .scope && carriesOut($0)) }
        var seen: Set<[UInt8]> = [Array(chosen.event.actor.name.utf8)]
        let rivals = others.map(\.event.actor.name).filter { seen.insert(Array($0.utf8)).inserted }
        return Attribution(
            certainty: .likely, evidence: evidence, event: chosen.event, claim: nil,
            contributors: contributors.map(\.event), candidates: others.count + 1, rivals: rivals)
    }
}

import Manifest

/// How an event bears on a change.
struct ChangeMatch {
    var event: AuditEvent
    var evidence: Attribution.Evidence
    /// The version that the event's answer has, where that can be ordered.
    var version: String?
    /// That it made all of the change, only the mark of its field manager says, which others may have used as well.
    var restsOnMark: Bool

    /// Whether this request may have left the mark that another one rests on, or an earlier one in its place.
    ///
    /// The object keeps one mark of a manager, with the time of its last change: what a request before changed under the
    /// same name is marked as the later one's. In doubt it may have: whether a request was tried out only, and under which
    /// name, may be in words that the client has chosen so that they are unclear.
    func mayHaveMarked(_ other: ChangeMatch) -> Bool {
        event != other.event && evidence < .write && evidence > .scope && event.dryRun != .yes && isMarking(event)
            && event.manager.mayBe(other.event.manager)
            && !event.actor.name.hasSameBytes(as: other.event.actor.name)
    }
}

/// Says whether an event may have made a change, and what speaks for it; nil where it cannot have.
func match(_ event: AuditEvent, _ change: ObservedChange, in window: AttributionWindow) -> ChangeMatch? {
    let evidence =
        change.kind == .deleted
        ? evidenceOfDeletion(event, change, in: window) : evidenceOfWrite(event, change, in: window)
    return evidence.map {
        let version = event.answered?.resourceVersion ?? ""
        return ChangeMatch(
            event: event, evidence: $0, version: isVersion(version) ? version : nil,
            restsOnMark: $0 == .write && change.kind != .deleted
                && !(event.answered.map { isExactReplacement(event, $0, change) } ?? false))
    }
}

private func evidenceOfWrite(
    _ event: AuditEvent, _ change: ObservedChange, in window: AttributionWindow
) -> Attribution.Evidence? {
    let isNamed = event.object == change.object
    guard isNamed || (event.verb == "create" && event.scope != nil && event.scope == AuditScope(of: change.object))
    else {
        return nil
    }
    if isNamed, let answered = event.answered, !answered.resourceVersion.isEmpty {
        guard event.verb != "delete" || answered.isTerminating else { return nil }
        return evidenceOfVersion(answered, event, change, in: window)
    }
    switch (event.verb, change.kind) {
    case ("create", .created), ("update", .created), ("patch", .created): break
    case ("update", .changed) where event.code != 201, ("patch", .changed) where event.code != 201: break
    default: return nil
    }
    // What replaced a version from before the one before is older still; what replaced the one after came later.
    if let condition = event.condition {
        if let before = change.versionBefore, isOrdered(condition, before), isOlder(condition, than: before) {
            return nil
        }
        if let after = change.versionAfter, isOrdered(condition, after), !isOlder(condition, than: after) { return nil }
    }
    guard window.holds(event, of: change) else { return nil }
    return isNamed ? .window : .scope
}

/// Compares the version in the answer with those that were seen; no clock plays a part where both were.
private func evidenceOfVersion(
    _ answered: AnsweredObject, _ event: AuditEvent, _ change: ObservedChange, in window: AttributionWindow
) -> Attribution.Evidence? {
    // The same name, but an object before or after this one (rule E18).
    if let uid = change.uid, !uid.hasSameBytes(as: answered.uid) { return nil }
    let version = answered.resourceVersion
    guard let after = change.versionAfter else { return window.holds(event, of: change) ? .window : nil }
    if version.hasSameBytes(as: after) {
        if change.uid != nil, isWholeChange(event, answered, change) { return .write }
        // What began only after we saw the version found it there.
        return window.holdsBeginning(of: event, change) ? .answer : nil
    }
    guard isOrdered(version, after), isOlder(version, than: after) else { return nil }
    guard let before = change.versionBefore else { return window.holds(event, of: change) ? .interval : nil }
    return isOrdered(before, version) && isOlder(before, than: version) ? .interval : nil
}

/// Whether this request made all of the difference that was seen, and not only the version it was seen in.
///
/// Whoever writes an object that somebody else had changed before writes the version that is seen, and is innocent of the
/// change. So the request must have made the object, or have replaced exactly the version before, or the object itself must
/// say that the part that differs is this request's.
private func isWholeChange(_ event: AuditEvent, _ answered: AnsweredObject, _ change: ObservedChange) -> Bool {
    isMarked(change, by: event) || isExactReplacement(event, answered, change)
}

/// Whether it made the object, or replaced exactly the version before.
private func isExactReplacement(_ event: AuditEvent, _ answered: AnsweredObject, _ change: ObservedChange) -> Bool {
    guard isCertainWrite(event, answered) else { return false }
    return event.code == 201 || event.condition != nil && event.condition == change.versionBefore
}

/// Whether the object itself carries the mark of this request: its field manager, with a time within the request's.
///
/// The server sets both only where a request has changed something, so a request that found nothing to change left no such
/// mark: the newest one is that of the one who did (rule D12). Times of managers are whole seconds, by the same clock as
/// the event's.
private func isMarked(_ change: ObservedChange, by event: AuditEvent) -> Bool {
    guard event.dryRun == .no, isMarking(event) else { return false }
    let newest = change.claims.filter { $0.time != nil }.max { ($0.time ?? .earliest) < ($1.time ?? .earliest) }
    guard let newest, let time = newest.time else { return false }
    return event.manager.isCertainly(newest.manager) && time >= event.receivedAt.advanced(by: .seconds(-1))
        && time <= event.at
}

private func isMarking(_ event: AuditEvent) -> Bool { ["patch", "update", "create"].contains(event.verb) }

/// Whether the version in the answer can only be this request's work.
///
/// It is where the request made the object, and where it would have failed on any version but an older one. All other
/// requests are answered with the version that somebody else wrote if they changed nothing, and the event of the one who
/// did may be lost (rules D3, M1).
private func isCertainWrite(_ event: AuditEvent, _ answered: AnsweredObject) -> Bool {
    guard event.dryRun == .no, event.verb != "delete" else { return false }
    if event.code == 201 { return true }
    return event.condition.map {
        isOrdered($0, answered.resourceVersion) && isOlder($0, than: answered.resourceVersion)
    }
        ?? false
}

private func evidenceOfDeletion(
    _ event: AuditEvent, _ change: ObservedChange, in window: AttributionWindow
) -> Attribution.Evidence? {
    let id = change.object
    switch event.verb {
    case "delete" where event.object == id: return evidenceOfRemoval(event, change, in: window)
    case "delete" where !id.namespace.isEmpty && event.object == ObjectID(.namespace, name: id.namespace):
        return window.holds(event, of: change, isCascade: true) ? .scope : nil
    case "deletecollection" where event.scope != nil && event.scope == AuditScope(of: id):
        if case .collection(let uids, let isComplete) = event.answer, let uid = change.uid, isComplete,
            !uids.contains(uid)
        {
            return nil
        }
        // What waits for finalizers goes long after the request.
        return window.holds(event, of: change, isCascade: true) ? .scope : nil
    default: return nil
    }
}

private func evidenceOfRemoval(
    _ event: AuditEvent, _ change: ObservedChange, in window: AttributionWindow
) -> Attribution.Evidence? {
    let answeredUID: String
    let isRemoved: Bool
    switch event.answer {
    case .removed(let uid): (answeredUID, isRemoved) = (uid, true)
    // The object without a mark that it is going: it is gone. With one somebody may have asked before (rule F7).
    case .object(let object): (answeredUID, isRemoved) = (object.uid, !object.isTerminating)
    case .none, .collection:
        let isCascade = change.object.resource == .namespace
        return window.holds(event, of: change, isCascade: isCascade) ? .window : nil
    }
    guard let uid = change.uid else { return window.holds(event, of: change) ? .window : nil }
    // An object exists once under its uid, and goes once.
    guard uid.hasSameBytes(as: answeredUID) else { return nil }
    return isRemoved && event.dryRun == .no ? .write : .answer
}

private func isOrdered(_ left: String, _ right: String) -> Bool { isVersion(left) && isVersion(right) }

package import Manifest

/// Recorded changes that still wait for the audit event that explains them.
///
/// A batch comes up to half a minute after what it tells of, and after failures minutes later (rules M1, M2), so a change
/// is recorded first and attributed when the event comes. What is said of a change only ever becomes surer, but for a proof
/// by a field manager's mark, which the late event of another user takes back.
package struct PendingAttributions<Key: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        var key: Key
        var change: ObservedChange
        var deadline: Timestamp
        var known: Attribution?
    }

    /// How many changes may wait; the one that has waited longest makes room.
    package let capacity: Int
    /// How long a change waits after it was seen.
    package let patience: Duration
    private var entries: [Entry] = []

    package init(capacity: Int = 2000, patience: Duration = .seconds(300)) {
        self.capacity = max(1, capacity)
        self.patience = patience
    }

    package var count: Int { entries.count }

    /// Lets a change wait.
    ///
    /// - Parameters:
    ///   - key: What it is recorded under; another change under the same key takes the place of the first.
    ///   - known: What is said of it already.
    ///   - start: When it begins to wait; when it was seen, where nothing is given.
    /// - Returns: The key of the change that no longer waits because there were too many.
    @discardableResult
    package mutating func add(
        _ change: ObservedChange, key: Key, known: Attribution? = nil, waitingFrom start: Timestamp? = nil
    ) -> Key? {
        entries.removeAll { $0.key == key }
        guard known?.isFinal != true else { return nil }
        let deadline = (start ?? change.observedAt).advanced(by: patience)
        entries.append(Entry(key: key, change: change, deadline: deadline, known: known))
        return entries.count > capacity ? entries.removeFirst().key : nil
    }

    /// Finds the changes of which more can be said now that events have come.
    ///
    /// What is proven waits no longer, unless by a mark; what is likely waits on for a proof or for another candidate.
    ///
    /// - Parameters:
    ///   - events: The events that are new.
    ///   - memory: All that is remembered, with the new events in it.
    package mutating func take(_ events: [AuditEvent], from memory: AuditMemory) -> [(
        key: Key, attribution: Attribution
    )] {
        let touched = Touched(events)
        var found: [(key: Key, attribution: Attribution)] = []
        for index in entries.indices where touched.concerns(entries[index].change) {
            guard let attribution = memory.attribute(entries[index].change),
                attribution.supersedes(entries[index].known)
            else { continue }
            entries[index].known = attribution
            found.append((entries[index].key, attribution))
        }
        entries.removeAll { $0.known?.isFinal == true }
        return found
    }

    /// Gives up on the changes that have waited long enough.
    ///
    /// - Returns: Their keys, with the best that was found.
    package mutating func expire(at now: Timestamp) -> [(key: Key, attribution: Attribution?)] {
        let expired = entries.filter { $0.deadline <= now }
        entries.removeAll { $0.deadline <= now }
        return expired.map { ($0.key, $0.known) }
    }
}

/// What a number of events is about, so that each waiting change is looked at once and not once for every event.
private struct Touched {
    private var objects: Set<ObjectID> = []
    private var scopes: Set<AuditScope> = []

    init(_ events: [AuditEvent]) {
        for event in events {
            if let id = event.object { objects.insert(id) } else if let scope = event.scope { scopes.insert(scope) }
        }
    }

    func concerns(_ change: ObservedChange) -> Bool {
        let id = change.object
        return objects.contains(id) || AuditScope(of: id).map(scopes.contains) ?? false
            || (change.kind == .deleted && !id.namespace.isEmpty
                && objects.contains(ObjectID(.namespace, name: id.namespace)))
    }
}

package import Manifest

/// The changes that audit events told of lately, to be asked who made one.
///
/// Events come late, twice, in any order, or never (rules M1, M2, M12). All that is kept is bounded: in number, in age,
/// and in number for one object, so that whoever writes one object without end drives out only what they did to it.
package struct AuditMemory: Sendable {
    /// How many events are kept.
    package let capacity: Int
    /// How many events are kept of one object, or of one scope.
    package let capacityPerObject: Int
    /// How old an event may become.
    package let age: Duration
    package let window: AttributionWindow

    /// What an event is filed under.
    private enum Place: Hashable {
        case object(ObjectID)
        case scope(AuditScope)
    }

    /// What makes two deliveries one event.
    ///
    /// Not the audit id and stage alone, as rule M2 has it: a client may choose the id of its requests, and would hide its
    /// second request behind its first.
    private struct Identity: Hashable {
        var texts: [[UInt8]]
        var receivedAt: Timestamp
        var at: Timestamp

        init(_ event: AuditEvent) {
            let target = event.target
            texts = [
                event.auditID, event.stage.rawValue, event.verb, event.user.name, event.actor.name, event.requestURI,
                target.group, target.resource, target.subresource, target.namespace, target.name,
            ].map { Array($0.utf8) }
            receivedAt = event.receivedAt
            at = event.at
        }
    }

    private var events: [Int: AuditEvent] = [:]
    private var numbers: [Identity: Int] = [:]
    private var places: [Place: [Int]] = [:]
    private var firstNumber = 0
    private var nextNumber = 0

    package init(
        capacity: Int = 20_000, capacityPerObject: Int = 200, age: Duration = .seconds(3600),
        window: AttributionWindow = AttributionWindow()
    ) {
        self.capacity = max(1, capacity)
        self.capacityPerObject = max(1, capacityPerObject)
        self.age = age
        self.window = window
    }

    package var count: Int { events.count }

    /// All that is remembered, in the order in which it came.
    package var all: [AuditEvent] { events.sorted { $0.key < $1.key }.map(\.value) }

    /// Takes events in, and forgets what is too old or too much.
    ///
    /// - Returns: The events that were new and are about managed kinds.
    @discardableResult
    package mutating func add(_ newEvents: [AuditEvent], at now: Timestamp) -> [AuditEvent] {
        let oldest = now.advanced(by: .zero - age)
        var added: [AuditEvent] = []
        for event in newEvents where event.at >= oldest {
            guard let place = place(of: event) else { continue }
            let identity = Identity(event)
            if let known = numbers[identity] {
                // A log file and a webhook may cut the same event differently: the fuller one is kept.
                guard let old = events[known], old.answer == .none, event.answer != .none else { continue }
                remove(known)
            }
            insert(event, identity, place)
            added.append(event)
        }
        expire(at: now)
        return added
    }

    /// Forgets what has become too old.
    package mutating func expire(at now: Timestamp) {
        let oldest = now.advanced(by: .zero - age)
        for (number, event) in events where event.at < oldest { remove(number) }
    }

    /// The events that may be about a change: of its object, of its kind in its namespace, of its namespace.
    func events(about change: ObservedChange) -> [AuditEvent] {
        let id = change.object
        var numbers = places[.object(id)] ?? []
        if let scope = AuditScope(of: id) { numbers += places[.scope(scope)] ?? [] }
        if change.kind == .deleted, !id.namespace.isEmpty {
            numbers += places[.object(ObjectID(.namespace, name: id.namespace))] ?? []
        }
        return numbers.sorted().compactMap { events[$0] }
    }

    // MARK: Filing

    private func place(of event: AuditEvent) -> Place? {
        if let id = event.object { return .object(id) }
        return event.scope.map(Place.scope)
    }

    private mutating func insert(_ event: AuditEvent, _ identity: Identity, _ place: Place) {
        if let crowd = places[place], crowd.count >= capacityPerObject, let oldest = crowd.first { remove(oldest) }
        while events.count >= capacity, firstNumber < nextNumber {
            remove(firstNumber)
            firstNumber += 1
        }
        events[nextNumber] = event
        numbers[identity] = nextNumber
        places[place, default: []].append(nextNumber)
        nextNumber += 1
    }

    private mutating func remove(_ number: Int) {
        guard let event = events.removeValue(forKey: number) else { return }
        numbers[Identity(event)] = nil
        guard let place = place(of: event) else { return }
        places[place]?.removeAll { $0 == number }
        if places[place]?.isEmpty == true { places[place] = nil }
    }
}

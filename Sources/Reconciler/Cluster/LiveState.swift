package import Manifest

/// What is known of the cluster: the objects of each kind as the last complete list and the watch since then show them.
///
/// Lists, events and the answers to our own writes overtake each other. Versions of one kind are comparable, and a uid
/// that was deleted never comes back, so what is older than what is known changes nothing, whichever way it came.
package struct LiveState: Sendable {
    private var objectsByKind: [Resource: [ObjectID: LiveObject]] = [:]
    /// The kinds of which a complete list has been read.
    package private(set) var knownKinds: Set<Resource> = []
    /// What stood under a name before it was deleted, until something stands there again.
    private var lost: [ObjectID: LiveObject] = [:]
    /// Uids of deleted objects; a list or event that was on its way must not bring them back.
    private var deadUIDs = RecentDeaths(capacity: 20_000)

    private var accessChanges = RecentChanges()

    /// How often a role or binding came, went or changed.
    var accessVersion: UInt64 { accessChanges.count }

    package init() {}

    private mutating func noteChange(of id: ObjectID) {
        if id.resource.map(Resource.ofAccess.contains) == true { accessChanges.append(id) }
    }

    /// The roles and bindings that came, went or changed since an earlier ``accessVersion``; nil where that was too long ago.
    func accessChanges(since version: UInt64) -> ArraySlice<ObjectID>? { accessChanges.since(version) }

    /// Every role and binding.
    var accessObjects: [ObjectID: LiveObject] {
        Resource.ofAccess.reduce(into: [:]) { all, kind in
            all.merge(objectsByKind[kind] ?? [:]) { first, _ in first }
        }
    }

    package subscript(id: ObjectID) -> LiveObject? {
        guard let resource = id.resource else { return nil }
        return objectsByKind[resource]?[id]
    }

    package var all: [ObjectID: LiveObject] {
        objectsByKind.values.reduce(into: [:]) { all, objects in all.merge(objects) { first, _ in first } }
    }

    package func objects(of resource: Resource) -> [LiveObject] {
        objectsByKind[resource].map { Array($0.values) } ?? []
    }

    package func isKnown(_ resource: Resource) -> Bool { knownKinds.contains(resource) }

    /// The object as it was last seen before it was deleted; nil where nothing was seen there, or something is there.
    package func lastSeen(_ id: ObjectID) -> LiveObject? { lost[id] }

    /// Takes a complete list in the place of everything known of its kind (rule C9), except what is known to be later.
    ///
    /// - Parameter isRewound: The server's history went back, so that nothing known before counts (rule C8).
    /// - Returns: The names whose object came, went or changed.
    package mutating func replace(
        _ resource: Resource, with list: ObjectList, isRewound: Bool = false
    ) -> Set<ObjectID> {
        let old = objectsByKind[resource] ?? [:]
        if isRewound { deadUIDs = RecentDeaths(capacity: 20_000) }
        var new: [ObjectID: LiveObject] = [:]
        new.reserveCapacity(list.objects.count)
        for object in list.objects where deadUIDs.revive(object.uid, listedAt: list.resourceVersion) {
            new[object.id] = object
        }
        if !isRewound {
            for (id, known) in old where isOlder(list.resourceVersion, than: known.resourceVersion) {
                if new[id].map({ isOlder($0.resourceVersion, than: known.resourceVersion) }) ?? true { new[id] = known }
            }
        }
        objectsByKind[resource] = new
        knownKinds.insert(resource)
        var changed: Set<ObjectID> = []
        for (id, object) in new {
            lost[id] = nil
            if old[id]?.uid != object.uid || old[id]?.resourceVersion != object.resourceVersion { changed.insert(id) }
        }
        for (id, object) in old where new[id] == nil {
            changed.insert(id)
            bury(object)
        }
        for id in changed { noteChange(of: id) }
        return changed
    }

    /// Takes one object as it is now, unless a later version of it, or its end, is known already.
    ///
    /// - Returns: Whether it told anything new.
    package mutating func store(_ object: LiveObject) -> Bool {
        guard let resource = object.id.resource, !deadUIDs.contains(object.uid) else { return false }
        if let known = objectsByKind[resource]?[object.id],
            !isOlder(known.resourceVersion, than: object.resourceVersion)
        {
            return false
        }
        objectsByKind[resource, default: [:]][object.id] = object
        noteChange(of: object.id)
        lost[object.id] = nil
        return true
    }

    /// Forgets an object that is gone; a later one of the same name stays.
    ///
    /// - Returns: Whether it was known.
    package mutating func remove(_ id: ObjectID, uid: String) -> Bool {
        deadUIDs.insert(uid)
        guard let resource = id.resource, let known = objectsByKind[resource]?[id], known.uid == uid else {
            return false
        }
        objectsByKind[resource]?[id] = nil
        noteChange(of: id)
        bury(known)
        return true
    }

    private mutating func bury(_ object: LiveObject) {
        deadUIDs.insert(object.uid)
        // It is of use for a moment only: until the object is made again.
        if lost.count > 1000 { lost = [:] }
        lost[object.id] = object
    }
}

/// The names that changed, the last so many of them in order.
private struct RecentChanges: Sendable {
    private static let capacity = 512
    private(set) var count: UInt64 = 0
    private var names: [ObjectID] = []

    mutating func append(_ id: ObjectID) {
        if names.count >= Self.capacity { names.removeFirst(Self.capacity / 2) }
        names.append(id)
        count &+= 1
    }

    func since(_ version: UInt64) -> ArraySlice<ObjectID>? {
        guard version <= count, count - version <= UInt64(names.count) else { return nil }
        return names.suffix(Int(count - version))
    }
}

/// Uids of deleted objects: the last so many of them.
///
/// A list that was on its way shows an object once more after its end. Only a server that was put back to a backup under
/// higher versions goes on showing it (rule H11): what two complete lists show lives.
private struct RecentDeaths: Sendable {
    private let capacity: Int
    /// The version of the list that showed the uid again, empty while none did.
    private var sightings: [String: String] = [:]
    private var order: [String] = []
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    func contains(_ uid: String) -> Bool { sightings[uid] != nil }

    mutating func insert(_ uid: String) {
        guard sightings.updateValue("", forKey: uid) == nil else { return }
        if order.count < capacity {
            order.append(uid)
        } else {
            sightings[order[next]] = nil
            order[next] = uid
            next = (next + 1) % capacity
        }
    }

    /// Notes that a complete list of this version shows the uid.
    ///
    /// - Returns: Whether it lives, since an earlier list showed it as well; from then on it counts as any other.
    mutating func revive(_ uid: String, listedAt version: String) -> Bool {
        guard let sighting = sightings[uid] else { return true }
        guard !sighting.isEmpty, isOlder(sighting, than: version) else {
            sightings[uid] = version
            return false
        }
        // Its place in the order stays, and means nothing any more.
        sightings[uid] = nil
        return true
    }
}

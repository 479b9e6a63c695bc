package import Manifest

/// What is known of the cluster: the objects of each kind as the last complete list and the watch since then show them.
package struct LiveState: Sendable {
    private var objectsByKind: [Resource: [ObjectID: LiveObject]] = [:]
    /// The kinds of which a complete list has been read.
    package private(set) var knownKinds: Set<Resource> = []

    package init() {}

    package subscript(id: ObjectID) -> LiveObject? {
        guard let resource = id.resource else { return nil }
        return objectsByKind[resource]?[id]
    }

    package var all: [ObjectID: LiveObject] {
        objectsByKind.values.reduce(into: [:]) { all, objects in all.merge(objects) { first, _ in first } }
    }

    package func isKnown(_ resource: Resource) -> Bool { knownKinds.contains(resource) }

    /// Takes a complete list in the place of everything known of its kind (rule C9).
    ///
    /// - Returns: The names whose object came, went or changed.
    package mutating func replace(_ resource: Resource, with list: ObjectList) -> Set<ObjectID> {
        let old = objectsByKind[resource] ?? [:]
        var new: [ObjectID: LiveObject] = [:]
        new.reserveCapacity(list.objects.count)
        for object in list.objects { new[object.id] = object }
        objectsByKind[resource] = new
        knownKinds.insert(resource)
        var changed: Set<ObjectID> = []
        for (id, object) in new where old[id]?.uid != object.uid || old[id]?.resourceVersion != object.resourceVersion {
            changed.insert(id)
        }
        for id in old.keys where new[id] == nil { changed.insert(id) }
        return changed
    }

    /// Takes one object as it is now, unless a later version of it is known already.
    ///
    /// - Returns: Whether it told anything new.
    package mutating func store(_ object: LiveObject) -> Bool {
        guard let resource = object.id.resource else { return false }
        if let known = objectsByKind[resource]?[object.id], known.uid == object.uid,
            !isOlder(known.resourceVersion, than: object.resourceVersion)
        {
            return false
        }
        objectsByKind[resource, default: [:]][object.id] = object
        return true
    }

    /// Forgets an object that is gone; a later one of the same name stays.
    ///
    /// - Returns: Whether it was known.
    package mutating func remove(_ id: ObjectID, uid: String) -> Bool {
        guard let resource = id.resource, objectsByKind[resource]?[id]?.uid == uid else { return false }
        objectsByKind[resource]?[id] = nil
        return true
    }
}

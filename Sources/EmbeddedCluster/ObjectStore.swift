import Foundation
import HTTPServer
import JSON
import Manifest

/// The objects, their versions, and what watches have to be told.
///
/// `@unchecked Sendable`: everything mutable is only touched under `lock`, which the callers of the methods marked "locked"
/// hold.
final class ObjectStore: @unchecked Sendable {
    struct Key: Hashable {
        var namespace: String
        var name: String
    }

    private struct Event {
        var version: Int64
        var resource: Resource
        var key: Key
        var bytes: [UInt8]
    }

    private struct Snapshot {
        var version: String
        var resource: Resource
        var namespace: String
        var objects: [Tree]
    }

    private struct Watch {
        var resource: Resource
        var namespace: String
        /// Nil for every name.
        var name: String?
        var stream: ResponseStream

        func covers(_ key: Key) -> Bool {
            (namespace.isEmpty || key.namespace == namespace) && (name == nil || key.name == name)
        }
    }

    let lock = NSRecursiveLock()
    /// The kinds that the server knows (locked).
    var served = Resource.managed + [.configMap, .event, .lease, .customResourceDefinition]
    /// Those of them that were defined by a CustomResourceDefinition (locked).
    var customKinds: [Resource: CustomKind] = [:]
    private(set) var version: Int64 = 1000
    private var objects: [Resource: [Key: Tree]] = [:]
    private var history: [Event] = []
    private var oldestVersion: Int64 = 1000
    private var watches: [Int: Watch] = [:]
    private var nextWatch = 0
    private var uidCounter: UInt64 = 0
    private var snapshots: [Snapshot] = []

    /// How many events are kept for watches that resume.
    private static let historyLength = 20_000
    /// How many lists may be read page by page at a time.
    private static let snapshotCount = 32

    // MARK: Reading (locked)

    func object(_ resource: Resource, _ key: Key) -> Tree? { objects[resource]?[key] }

    func list(_ resource: Resource, namespace: String) -> [Tree] {
        (objects[resource] ?? [:]).filter { namespace.isEmpty || $0.key.namespace == namespace }
            .sorted { ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name) }.map(\.value)
    }

    /// The objects of a list that is being read page by page; nil where it is forgotten.
    func snapshot(_ version: String, _ resource: Resource, namespace: String) -> [Tree]? {
        snapshots.last { $0.version == version && $0.resource == resource && $0.namespace == namespace }?.objects
    }

    func keep(_ objects: [Tree], _ version: String, _ resource: Resource, namespace: String) {
        snapshots.removeAll { $0.version == version && $0.resource == resource && $0.namespace == namespace }
        snapshots.append(Snapshot(version: version, resource: resource, namespace: namespace, objects: objects))
        if snapshots.count > Self.snapshotCount { snapshots.removeFirst() }
    }

    func contents(of namespace: String) -> [(Resource, Key)] {
        objects.flatMap { resource, all in
            resource.isNamespaced ? all.keys.filter { $0.namespace == namespace }.map { (resource, $0) } : []
        }
    }

    // MARK: Writing (locked)

    /// Stores an object under a new version, makes what a new one needs, and tells the watches.
    @discardableResult
    func put(_ tree: Tree, _ resource: Resource, now: String) -> Tree {
        var tree = tree
        let key = Self.key(of: tree)
        let old = objects[resource]?[key]
        version += 1
        tree.set(["metadata", "resourceVersion"], to: .string(String(version)))
        if old == nil {
            tree.set(["metadata", "uid"], to: .string(makeUID()))
            tree.set(["metadata", "creationTimestamp"], to: .string(now))
            if resource == .networkPolicy { tree.set(["metadata", "generation"], to: 1) }
        }
        objects[resource, default: [:]][key] = tree
        publish(old == nil ? "ADDED" : "MODIFIED", tree, resource, at: key)
        return tree
    }

    func remove(_ resource: Resource, _ key: Key) {
        guard var tree = objects[resource]?[key] else { return }
        objects[resource]?[key] = nil
        version += 1
        tree.set(["metadata", "resourceVersion"], to: .string(String(version)))
        publish("DELETED", tree, resource, at: key)
    }

    private func makeUID() -> String {
        uidCounter += 1
        let digits = String(uidCounter, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    static func key(of tree: Tree) -> Key {
        Key(namespace: tree["metadata"]?["namespace"]?.string ?? "", name: tree["metadata"]?["name"]?.string ?? "")
    }

    // MARK: Watching (locked)

    private func publish(_ type: String, _ tree: Tree, _ resource: Resource, at key: Key) {
        let bytes = (["type": .string(type), "object": tree] as Tree).jsonBytes() + [0x0a]
        history.append(Event(version: version, resource: resource, key: key, bytes: bytes))
        if history.count > Self.historyLength * 2 {
            history.removeFirst(Self.historyLength)
            oldestVersion = history.first?.version ?? version
        }
        for watch in watches.values where watch.resource == resource {
            if watch.covers(key) { watch.stream.send(bytes) }
        }
    }

    /// Opens a watch; nil where what happened since `from` is no longer known (rule C6).
    func watch(
        _ resource: Resource, namespace: String, name: String?, from: Int64, stream: ResponseStream
    ) -> Int? {
        guard from >= oldestVersion else { return nil }
        let watch = Watch(resource: resource, namespace: namespace, name: name, stream: stream)
        for event in history where event.version > from && event.resource == resource {
            if watch.covers(event.key) { stream.send(event.bytes) }
        }
        nextWatch += 1
        watches[nextWatch] = watch
        return nextWatch
    }

    func endWatch(_ number: Int) { lock.withLock { watches[number] = nil } }

    /// Ends every watch, as a server does when it restarts.
    func endWatches() {
        lock.withLock {
            for watch in watches.values { watch.stream.finish() }
            watches = [:]
        }
    }

    /// Sends a bookmark to every watch (rule C13).
    func sendBookmarks() {
        lock.withLock {
            for watch in watches.values {
                let bookmark: Tree = [
                    "type": "BOOKMARK",
                    "object": [
                        "apiVersion": .string(watch.resource.apiVersion), "kind": .string(watch.resource.kind),
                        "metadata": ["resourceVersion": .string(String(version)), "creationTimestamp": .null],
                    ],
                ]
                watch.stream.send(bookmark.jsonBytes() + [0x0a])
            }
        }
    }

    /// Forgets all events so far: whoever resumes from before gets 410.
    func compactHistory() {
        lock.withLock {
            history = []
            snapshots = []
            oldestVersion = version
        }
    }
}

package import Analysis
package import Manifest

/// The cluster, as much of it as reconciling needs.
///
/// Identity, bookkeeping and every refusal come back in the words of ``ClusterError``; an adapter never turns a failed
/// read into an empty answer.
package protocol ClusterAPI: Sendable {
    /// Who the server takes us for; nil where it has no way to tell.
    func whoWeAre() async throws(ClusterError) -> UserIdentity?

    /// The rules that the server says we hold in a namespace, those of the whole cluster among them (rule L6).
    func ownRules(in namespace: String) async throws(ClusterError) -> [PolicyRule]

    /// Every object of a kind, as one consistent snapshot at the most recent version (rules C1 and C2).
    func list(_ resource: Resource) async throws(ClusterError) -> ObjectList

    /// The object as it is now; nil only where the server says that this object, and not its namespace, is absent (rule B7).
    func read(_ id: ObjectID) async throws(ClusterError) -> LiveObject?

    /// Lists and then watches a kind for ever, resuming, relisting and backing off by the rules of section C.
    ///
    /// Ends only when the task that reads it is cancelled.
    func observe(_ resource: Resource) -> AsyncStream<Observation>

    /// Server-side apply, forced, with our field manager (rule D1).
    ///
    /// With `expecting` set, its uid and resource version go into the body, so that nothing that moved is overwritten
    /// and nothing that is gone is made again (rule D24).
    func apply(_ body: Tree, to id: ObjectID, expecting: LiveObject?, isDryRun: Bool) async throws(ClusterError)
        -> WriteAnswer

    /// Server-side apply of an object that is not there, with our field manager; it makes the object and changes none.
    ///
    /// - Throws: ``ClusterError`` of the kind `conflict` where something stands there by now.
    func applyNew(_ body: Tree, as id: ObjectID) async throws(ClusterError) -> WriteAnswer

    /// A JSON merge patch (RFC 7386) on the object in exactly the version of `expecting`, where that has one (rule D11).
    func mergePatch(_ patch: Tree, to id: ObjectID, expecting: LiveObject) async throws(ClusterError) -> WriteAnswer

    /// A JSON patch (RFC 6902); the patch itself carries the version it was made for (rule D15).
    func jsonPatch(_ patch: Tree, to id: ObjectID) async throws(ClusterError) -> WriteAnswer

    /// A create that is only checked, never stored: it finds out whether we may (rule F3).
    func dryRunCreate(_ body: Tree, as id: ObjectID) async throws(ClusterError)

    /// Deletes the object in exactly the version of `expecting`, where that has one, in the background (rules F8 and H3).
    func delete(_ id: ObjectID, expecting: LiveObject) async throws(ClusterError) -> DeleteAnswer

    /// What has to be done to an admission policy, or to the binding of one, by a look at it.
    ///
    /// - Parameter wanted: With our marker; nil where it is to be gone, and then it is left alone where it does not carry
    ///   the label of the instance.
    /// - Throws: ``ClusterError`` of the kind `resourceNotServed` where the server has no such policies.
    func preventionFinding(
        of id: ObjectID, wanted: Tree?, instance: String
    ) async throws(ClusterError) -> PreventionFinding

    /// Does it, to the object in exactly the version that was looked at.
    ///
    /// - Returns: The object afterwards; nil where it is gone. What was to be gone and is there is held by finalizers.
    func make(_ change: PreventionChange) async throws(ClusterError) -> LiveObject?
}

/// How an admission policy, or the binding of one, was found.
package enum PreventionFinding: Sendable {
    /// All is as it should be; what is to be gone is gone.
    case asWanted
    /// It is to be gone, and is on its way.
    case leaving(LiveObject)
    /// It is to be gone, and stays, since it does not carry the label of the instance.
    case leftAlone(LiveObject)
    case differs(PreventionChange)
}

/// Something that has to be done to an admission policy or its binding.
package struct PreventionChange: Sendable {
    package enum Kind: Sendable, Equatable { case made, putBack, removed }

    package var id: ObjectID
    package var kind: Kind
    /// What was found.
    package var before: LiveObject?
    /// Nil where it is to be gone.
    package var wanted: Tree?
    /// The merge patch, where something is put back.
    package var patch: Tree?
    /// Who wrote last what has to be put back, by the object's own word.
    package var writer: String?

    package init(
        id: ObjectID, kind: Kind, before: LiveObject? = nil, wanted: Tree? = nil, patch: Tree? = nil,
        writer: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.before = before
        self.wanted = wanted
        self.patch = patch
        self.writer = writer
    }
}

/// A complete list.
package struct ObjectList: Sendable {
    package var objects: [LiveObject]
    package var resourceVersion: String

    package init(objects: [LiveObject], resourceVersion: String) {
        self.objects = objects
        self.resourceVersion = resourceVersion
    }
}

/// What a watch tells about one kind.
///
/// The state counts, not the event: `upserted` may repeat what is known (rule C11).
package enum Observation: Sendable {
    /// A complete list took the place of everything known before; what is missing from it is gone (rule C9).
    /// `isRewound` says that the server's history went back (rule C8).
    case replaced(ObjectList, isRewound: Bool)
    case upserted(LiveObject)
    case deleted(LiveObject)
    /// A watch is open: whatever changes from the last list or event on will be told.
    case watching
    /// What is known may be out of date from here on, until a watch is open again, which is tried by itself.
    case interrupted(ClusterError)
}

/// What a write was answered with.
package struct WriteAnswer: Sendable {
    /// The object after the write; for a dry run as it would be.
    package var object: Tree
    /// Nil for a dry run of a create, which has no uid or version.
    package var live: LiveObject?
    package var wasCreated: Bool
    /// The texts of the `Warning` headers (rule D26).
    package var warnings: [String]
    /// The request's id in the API server's audit log, where the server sent it (rule M12).
    package var auditID: String?

    package init(object: Tree, live: LiveObject?, wasCreated: Bool, warnings: [String] = [], auditID: String? = nil) {
        self.object = object
        self.live = live
        self.wasCreated = wasCreated
        self.warnings = warnings
        self.auditID = auditID
    }
}

package enum DeleteAnswer: Sendable {
    case gone(auditID: String?)
    /// Finalizers hold it; it is marked for deletion (rule F7).
    case pending(LiveObject, auditID: String?)
}

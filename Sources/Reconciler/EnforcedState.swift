package import Manifest
package import Planning
package import Policy

/// How trees become text and digests; given from outside, since this module does neither.
package struct Canonical: Sendable {
    /// The canonical JSON of a tree.
    package var text: @Sendable (Tree) -> String
    /// A digest of that text.
    package var digest: @Sendable (Tree) -> String

    package init(text: @escaping @Sendable (Tree) -> String, digest: @escaping @Sendable (Tree) -> String) {
        self.text = text
        self.digest = digest
    }
}

/// The declared state that is enforced now, with what is derived from it once.
package struct EnforcedState: Sendable {
    package var revision: Revision
    package var objects: [ObjectID: DeclaredObject]
    /// Of each declaration, with all that decides whether an object is as declared.
    package var digests: [ObjectID: String]
    package var closedLabels: ClosedLabels
    /// Without a live state.
    var isolation: Isolation

    package init(_ loaded: LoadedRevision, canonical: Canonical) {
        revision = loaded.revision
        objects = loaded.declared.objects
        isolation = Isolation(of: loaded.declared.objects) { _ in nil }
        let closedLabels = ClosedLabels(readBy: loaded.declared.objects.values.lazy.map(\.tree))
        self.closedLabels = closedLabels
        // What is declared of an object includes which of its labels must be declared: a selector elsewhere decides that.
        let closedKeys = Dictionary(
            uniqueKeysWithValues: [Resource.namespace, .clusterRole].map { ($0, closedLabels.keys(of: $0)) })
        digests = loaded.declared.objects.mapValues { object in
            guard let keys = object.id.resource.flatMap({ closedKeys[$0] }), !keys.isEmpty else {
                return canonical.digest(object.tree)
            }
            return canonical.digest(["object": object.tree, "closedLabels": .array(keys.map(Tree.string))])
        }
    }
}

extension EnforcedState {
    /// Whether a difference of this object is somebody's doing: it was as this state declares it before.
    ///
    /// - Parameter settledDigests: The digest of the declaration that each object was last found equal to.
    func isDrift(_ id: ObjectID, settledDigests: [ObjectID: String]) -> Bool {
        guard let settled = settledDigests[id] else { return false }
        return settled == digests[id]
    }

    /// What deciding by this state needs besides the object itself.
    package func context(
        live: LiveState, ownership: Ownership, fieldManager: String, declaredEarlier: Set<ObjectID> = [],
        user: OwnAccess.User = .unknowable, settledDigests: [ObjectID: String] = [:]
    ) -> DecisionContext {
        DecisionContext(
            ownership: ownership, fieldManager: fieldManager, closedLabels: closedLabels,
            declaredEarlier: declaredEarlier, isolation: isolation.beside { live[$0] },
            ownAccess: OwnAccess(
                of: user, bindings: { live.isKnown(.clusterRoleBinding) ? live.objects(of: .clusterRoleBinding) : nil },
                isDrift: { isDrift($0, settledDigests: settledDigests) }))
    }
}

/// Reads every object of every managed kind.
///
/// Kinds that may not be read, or that the server does not serve, are left out of the answer's known kinds; every other
/// failure ends the whole, since a failed read is not an empty cluster.
package func gatherLiveState(
    from cluster: any ClusterAPI
) async throws(ClusterError) -> (state: LiveState, unreadable: [(Resource, ClusterError)]) {
    let answers = await withTaskGroup(of: (Resource, Result<ObjectList, ClusterError>).self) { group in
        for resource in Resource.managed {
            group.addTask {
                do throws(ClusterError) {
                    return (resource, .success(try await cluster.list(resource)))
                } catch {
                    return (resource, .failure(error))
                }
            }
        }
        var answers: [(Resource, Result<ObjectList, ClusterError>)] = []
        for await answer in group { answers.append(answer) }
        return answers
    }
    var state = LiveState()
    var unreadable: [(Resource, ClusterError)] = []
    for (resource, answer) in answers {
        switch answer {
        case .success(let list): _ = state.replace(resource, with: list)
        case .failure(let error):
            guard error.kind == .forbidden || error.kind == .resourceNotServed else { throw error }
            unreadable.append((resource, error))
        }
    }
    return (state, unreadable)
}

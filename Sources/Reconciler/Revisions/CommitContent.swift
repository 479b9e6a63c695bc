package import Manifest
package import Policy
import Synchronization

/// What a commit itself changed: what it declares otherwise than its parents.
///
/// Of a merge that is what merging by itself would not have made of its parents: what it brings back that one of them has
/// withdrawn, although the other one still has it, and what it chose where both have changed.
///
/// - Parameter base: Where the two parents of a merge branched off from each other. Without it whatever differs from any
///   of the parents counts.
package func contentOfCommit(
    _ declared: DeclaredState, parents: [DeclaredState], base: DeclaredState?
) -> Set<ObjectID> {
    let parents = parents.isEmpty ? [DeclaredState()] : parents
    var content: Set<ObjectID> = []
    let ids = parents.reduce(into: Set(declared.objects.keys)) { $0.formUnion($1.objects.keys) }
    for id in ids
    where !isMerged(
        declared.objects[id]?.tree, of: parents.map { $0.objects[id]?.tree }, base: base.map { $0.objects[id]?.tree })
    {
        content.insert(id)
    }
    if !isMerged(declared.configuration, of: parents.map(\.configuration), base: base?.configuration) {
        content.insert(RepositoryConfiguration.id)
    }
    return content
}

/// Whether a value is what merging gives without anybody's choice.
private func isMerged<Value: Equatable>(_ value: Value, of parents: [Value], base: Value?) -> Bool {
    guard let base else { return parents.allSatisfy { $0 == value } }
    let changed = parents.filter { $0 != base }
    guard let first = changed.first else { return value == base }
    return value == first && changed.allSatisfy { $0 == first }
}

/// What commits changed, so that a hold that waits for long does not have its history read with each new revision.
package final class HistoryMemory: Sendable {
    private static let maximumObjects = 200_000
    private let known = Mutex<(contents: [String: Set<ObjectID>], count: Int)>(([:], 0))

    package init() {}

    func content(of commit: String) -> Set<ObjectID>? { known.withLock { $0.contents[commit] } }

    func note(_ content: Set<ObjectID>, of commit: String) {
        known.withLock { known in
            if known.count > Self.maximumObjects { known = ([:], 0) }
            known.contents[commit] = content
            known.count += content.count + 1
        }
    }
}

package import Manifest
package import Policy

/// Which revisions declared which state, so that one that brings an earlier state back is recognised by what it declares.
///
/// Two revisions declare the same state where the digests over all of their objects are equal, whatever their files look like.
package struct DeclaredStates: Equatable, Sendable {
    package struct Record: Equatable, Sendable {
        package var commit: String
        /// SHA-256 over the identities and declarations of all objects.
        package var digest: String
        /// The revision whose state this one brought back.
        package var restores: String?
        /// The revisions that were accepted before and that this one says it takes back, in part or whole.
        package var takesBack: [String] = []
        /// The number of the entry that says it was accepted; nil where that is not known.
        package var entry: Int64?
        /// Whether a pass has ended with all of it in the cluster, and nothing of it held.
        package var wasInForce = false
    }

    /// In the order in which they were accepted, the newest last.
    package private(set) var records: [Record] = []
    /// How many are remembered.
    package static let capacity = 500

    package init() {}

    /// Reads what ``tree`` gives; what is damaged is forgotten together with what came before it, so that none seems to
    /// follow on another that it does not.
    package init(_ tree: Tree?) {
        let items = (tree?.array ?? []).suffix(Self.capacity)
        let damaged = items.lastIndex { $0["commit"]?.string == nil || $0["digest"]?.string == nil }
        records = items[(damaged.map { $0 + 1 } ?? items.startIndex)...].compactMap { item in
            guard let commit = item["commit"]?.string, let digest = item["digest"]?.string else { return nil }
            return Record(
                commit: commit, digest: digest, restores: item["restores"]?.string,
                takesBack: (item["takesBack"]?.array ?? []).compactMap(\.string), entry: item["entry"]?.integer,
                wasInForce: item["wasInForce"]?.bool ?? false)
        }
    }

    package var tree: Tree {
        .array(
            records.map { record in
                var tree: Tree = ["commit": .string(record.commit), "digest": .string(record.digest)]
                if let restores = record.restores { tree.set(["restores"], to: .string(restores)) }
                if !record.takesBack.isEmpty {
                    tree.set(["takesBack"], to: .array(record.takesBack.map(Tree.string)))
                }
                if let entry = record.entry { tree.set(["entry"], to: .integer(entry)) }
                if record.wasInForce { tree.set(["wasInForce"], to: true) }
                return tree
            })
    }

    /// Takes in a revision that was accepted.
    ///
    /// - Parameter takesBack: Those of ``records`` that it says it takes back.
    /// - Returns: Its record: it restores the newest earlier revision of the same state, where others came in between.
    @discardableResult
    package mutating func accept(
        _ commit: String, digest: String, takesBack: [String] = []
    ) -> Record {
        let isChange = records.last.map { $0.digest != digest } ?? false
        let restored = isChange ? records.last { $0.digest == digest && $0.commit != commit }?.commit : nil
        // The same revision again, as after a restart, stays what it was.
        if let last = records.last, last.commit == commit, last.digest == digest { return last }
        let record = Record(commit: commit, digest: digest, restores: restored, takesBack: takesBack)
        records.append(record)
        if records.count > Self.capacity { records.removeFirst(records.count - Self.capacity) }
        return record
    }

    /// Notes which entry says that the newest revision was accepted; the first one counts where it was accepted again.
    package mutating func noteEntry(_ sequence: Int64) {
        guard let last = records.indices.last, records[last].entry == nil else { return }
        records[last].entry = sequence
    }
}

extension DeclaredStates {
    /// Notes that all of a revision is in the cluster, with nothing of it held.
    ///
    /// - Returns: Whether that is news; not where another revision was accepted meanwhile.
    package mutating func noteInForce(_ commit: String) -> Bool {
        guard let last = records.indices.last, records[last].commit == commit, !records[last].wasInForce else {
            return false
        }
        records[last].wasInForce = true
        return true
    }

    /// The newest revision of a state that was in force once.
    package func inForce(_ digest: String) -> Record? { records.last { $0.wasInForce && $0.digest == digest } }
}

/// The digest of a declared state: over the identity of each object and the digest of its declaration.
package func stateDigest(of declared: DeclaredState, canonical: Canonical) -> String {
    var digests = Members()
    for (id, object) in declared.objects { digests[id.description] = .string(canonical.digest(object.tree)) }
    return canonical.digest(.object(digests))
}

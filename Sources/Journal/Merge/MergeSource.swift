import Reconciler
import SQLite
import Signatures
import TransparencyLog

/// A journal that is to be merged, after it was verified.
struct MergeSource: Sendable {
    var path: String
    var identity: String
    /// How many entries it has, and the root over them.
    var size: Int64
    var root: SHA256Digest
    /// How many of them are signed.
    var signed: Int64
    /// Up to which entry retention has removed what nothing in force depends on.
    var removedThrough: Int64
    /// Whose entries it has, and the uid of each one's cluster where the journal knows it.
    var scopes: [JournalReader.Scope: String?]

    var origin: String { JournalIdentity.origin(ofID: identity) }

    /// Verifies a journal, and finds out what merging has to know of it.
    ///
    /// - Throws: ``JournalFailure/unmergeable(_:hint:)`` where it is not what was written and signed.
    init(_ path: String, _ request: VerificationRequest) async throws(JournalFailure) {
        guard try !JournalFile.isMerged(path) else {
            throw .unmergeable(
                "it is a merged history itself",
                hint: "Name the journals that it was made of, with new ones if there are.")
        }
        self.path = path
        (identity, scopes) = try await JournalVerifier.onConnection(to: path) { (connection) throws(JournalFailure) in
            (try JournalIdentity.id(on: connection), try Self.scopes(on: connection))
        }
        let origin = JournalIdentity.origin(ofID: identity)
        // By when entries have to be signed plays no part: those that are not are left out, or taken as such.
        let own = VerificationRequest(
            keys: request.keys, checkpoints: request.checkpoints.filter { $0.checkpoint.origin == origin },
            comparesIndexes: request.comparesIndexes)
        let report: VerificationReport
        do throws(JournalError) { report = try await JournalVerifier.verify(path, own) } catch {
            throw .unmergeable("it cannot be verified: \(error.message)", hint: error.hint)
        }
        if let finding = report.findings.first {
            throw .unmergeable(
                "it is not what was written and signed: \(finding.message)",
                hint:
                    "Keep it as evidence, and look at it with bylaw journal verify; without it the others can be merged."
            )
        }
        signed = report.provenThrough
        (size, root, removedThrough) = try await JournalVerifier.onConnection(to: path) {
            (connection) throws(JournalFailure) in
            // What was written since it was verified, the history is verified with.
            let size = try JournalFailure.wrapping { () throws(DatabaseError) in
                try JournalReader.lastSequence(connection)
            }
            let tree = StoredTree(connection: connection, hasher: try newHasher())
            return (size, try tree.root(size: size), try JournalCut.through(on: connection))
        }
        guard size > 0, signed > 0 else {
            throw .unmergeable("nothing of it is signed", hint: "Leave it out, or let its controller sign it first.")
        }
    }

    private static func scopes(on connection: Connection) throws(JournalFailure) -> [JournalReader.Scope: String?] {
        let rows = try JournalFailure.wrapping { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT instance, cluster, value FROM instances
                    LEFT JOIN memory ON instance_id = instances.id AND key = '\(MemoryKey.clusterIdentity.rawValue)'
                """
            ) { (row) throws(DatabaseError) in
                (JournalReader.Scope(instance: try row.text(0), cluster: try row.text(1)), try row.optionalText(2))
            }
        }
        return Dictionary(rows) { $1 }
    }

    // MARK: Several

    /// Of copies of one log the longest, each one after it was shown that the shorter ones are its beginning.
    ///
    /// - Throws: ``JournalFailure/unmergeable(_:hint:)`` where two of them went on differently.
    static func withoutCopies(_ sources: [MergeSource]) async throws(JournalFailure) -> [MergeSource] {
        var chosen: [String: MergeSource] = [:]
        // Of two that are as long, the one that retention has taken less from.
        for source in sources.sorted(by: { ($1.size, $0.removedThrough) < ($0.size, $1.removedThrough) }) {
            guard let longest = chosen[source.identity] else {
                chosen[source.identity] = source
                continue
            }
            let root = try await JournalVerifier.onConnection(to: longest.path) {
                (connection) throws(JournalFailure) in
                try StoredTree(connection: connection, hasher: try newHasher()).root(size: source.size)
            }
            guard root == source.root else {
                throw .unmergeable(
                    "\(source.path) and \(longest.path) are copies of one log, \(source.origin), which went on differently: "
                        + "their first \(source.size) entries are not the same",
                    hint:
                        "One of them was changed, or written on after an older copy was put back: find out which one is right, "
                        + "and merge that one alone.")
            }
        }
        return chosen.values.sorted { $0.identity.utf8.lexicographicallyPrecedes($1.identity.utf8) }
    }

    /// Refuses journals that are not of the same instances on the same clusters.
    static func expectOneScope(_ sources: [MergeSource]) throws(JournalFailure) {
        guard let first = sources.first else { return }
        for other in sources.dropFirst() {
            guard Set(other.scopes.keys) == Set(first.scopes.keys) else {
                throw .unmergeable(
                    "\(first.path) is of \(names(first)), and \(other.path) of \(names(other))",
                    hint: "Merge the journals of one instance; --different-instances merges these all the same.")
            }
            for (scope, cluster) in first.scopes {
                guard let cluster, let another = other.scopes[scope] ?? nil, cluster != another else { continue }
                throw .unmergeable(
                    "\(first.path) and \(other.path) are of two clusters that are both named \(scope.cluster)",
                    hint: "Merge the journals of one cluster; --different-instances merges these all the same.")
            }
        }
    }

    private static func names(_ source: MergeSource) -> String {
        source.scopes.keys.map { "\($0.instance) on \($0.cluster)" }.sorted().joined(separator: ", ")
    }
}

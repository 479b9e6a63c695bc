import AuditEvents
import Manifest
import Testing

@Suite struct PendingTests {
    private var memory = AuditMemory()
    private var pending = PendingAttributions<Int>(capacity: 3, patience: .seconds(100))

    private mutating func arrive(_ samples: [Sample]) -> [String] {
        let new = memory.add(read(samples).events, at: moment(60))
        return pending.take(new, from: memory).map { "\($0.key) \($0.attribution.certainty) \($0.attribution.name)" }
    }

    @Test mutating func aLateEventFindsItsChange() {
        pending.add(change(), key: 1)
        #expect(arrive([Sample(user: "bob", name: "another")]).isEmpty)
        #expect(arrive([Sample(verb: "update", condition: "100", version: "105")]) == ["1 proven alice"])
        #expect(pending.count == 0)
    }

    @Test mutating func whatIsLikelyMayBecomeProvenAndNeverLess() {
        let known = memory.attribute(change(claims: [AttributionTests.claim]))
        pending.add(change(claims: [AttributionTests.claim]), key: 1, known: known)
        #expect(arrive([Sample(level: "Metadata", user: "bob")]) == ["1 likely bob"])
        #expect(arrive([Sample(user: "carol", at: 0.2, version: "105")]) == ["1 likely carol"])
        #expect(arrive([Sample(user: "bob", name: "another")]).isEmpty)
        #expect(arrive([Sample(verb: "update", condition: "100", at: 0.1, version: "105")]) == ["1 proven alice"])
        #expect(arrive([Sample(level: "Metadata", user: "dave", at: 0.3)]).isEmpty)
    }

    /// Batches of another server come later.
    @Test mutating func aProofByAMarkIsTakenBackWhereAnotherUsedIt() {
        pending.add(change(claims: [AttributionTests.claim]), key: 1)
        let query = "?fieldManager=kubectl-edit"
        #expect(arrive([Sample(user: "bob", query: query, version: "105")]) == ["1 proven bob"])
        #expect(arrive([Sample(level: "Metadata", user: "carol", query: "?fieldManager=other", at: -1)]).isEmpty)
        #expect(arrive([Sample(user: "alice", query: query, at: -0.5, version: "104")]) == ["1 likely bob"])
        #expect(memory.attribute(change(claims: [AttributionTests.claim]))?.rivals == ["alice"])
        #expect(pending.count == 1)
    }

    @Test mutating func anotherCandidateIsTold() {
        pending.add(change(), key: 1)
        #expect(arrive([Sample(level: "Metadata")]) == ["1 likely alice"])
        #expect(arrive([Sample(level: "Metadata", user: "bob", at: 0.5)]) == ["1 likely bob"])
        #expect(memory.attribute(change())?.rivals == ["alice"])
    }

    @Test mutating func whoDeletedTheNamespaceMayBeKnownLater() {
        pending.add(change(.deleted, after: nil), key: 1)
        #expect(arrive([DeletionTests.byController]) == ["1 likely \(Sample.namespaceController)"])
        #expect(arrive([DeletionTests.namespaceDeletion(by: "alice", at: -20)]) == ["1 likely alice"])
    }

    @Test mutating func oneEventExplainsManyChanges() {
        for (key, name) in ["a", "b", "c"].enumerated() {
            var gone = change(.deleted, after: nil)
            gone.object.name = name
            pending.add(gone, key: key)
        }
        #expect(arrive([DeletionTests.collection(by: "alice")]).count == 3)
    }

    @Test mutating func tooManyMakeRoomAndOldOnesGiveUp() {
        for key in 1...3 { #expect(pending.add(change(at: Double(key)), key: key) == nil) }
        #expect(pending.add(change(at: 4), key: 4) == 1)
        #expect(pending.add(change(at: 5), key: 4) == nil)
        #expect(arrive([Sample(level: "Metadata")]).count == 3)
        let expired = pending.expire(at: moment(103))
        #expect(expired.map(\.key) == [2, 3])
        #expect(expired.allSatisfy { $0.attribution?.certainty == .likely })
        #expect(pending.count == 1)
    }
}

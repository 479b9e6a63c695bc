import Journal
import Manifest
import Reconciler
import Testing

@Suite struct GroupCommitTests {
    @Test func concurrentWritersGetTheirOwnAnswers() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let sequences = try await withThrowingTaskGroup(of: (String, Int64).self) { group in
            for writer in 0..<16 {
                group.addTask {
                    let role = Sample.role("role-\(writer)")
                    let id = try await journal.begin(Sample.intent(role))
                    return (role.name, try await journal.settle(id, as: Sample.correction(role), owned: .unchanged))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let entries = try await scratch.entries()
        #expect(entries.map(\.sequence) == Array(1...16))
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.object?.name ?? "", $0.sequence) }) == sequences)
    }

    @Test func aFailingWriteDoesNotFailItsNeighbours() async throws {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for writer in 0..<64 {
                group.addTask {
                    do {
                        if writer.isMultiple(of: 4) {
                            // It has inserted nothing when it fails; the next one has inserted its entry already.
                            try await journal.settle(
                                IntentID(rawValue: 999), as: Sample.event("never"), owned: .unchanged)
                        } else {
                            try await journal.record(Sample.event("entry \(writer)"), owned: .unchanged)
                        }
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(outcomes == [true: 48, false: 16])
        let entries = try await scratch.entries()
        #expect(entries.map(\.sequence) == Array(1...48))
        #expect(entries.allSatisfy { $0.message != "never" })
    }

    @Test func sixteenWritersAreMuchFasterThanOne() async throws {
        let one = try await Self.pairsPerSecond(writers: 1, pairs: 400)
        let sixteen = try await Self.pairsPerSecond(writers: 16, pairs: 4_000)
        print(
            "figure: group commit, begin+settle pairs/s: 1 writer \(Int(one)), 16 writers \(Int(sixteen)),",
            sixteen / one)
        #expect(sixteen > 1.5 * one)
    }

    private static func pairsPerSecond(writers: Int, pairs: Int) async throws -> Double {
        let scratch = try await ScratchJournal.open()
        let journal = scratch.journal
        let clock = ContinuousClock()
        let elapsed = try await clock.measure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        let role = Sample.role("role-\(writer)")
                        for _ in 0..<(pairs / writers) {
                            let id = try await journal.begin(Sample.intent(role))
                            try await journal.settle(
                                id, as: Sample.correction(role),
                                owned: .owns(role, OwnedObject(uid: "u", declarationDigest: "d", revision: "r")))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        return Double(pairs) / (Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
    }
}

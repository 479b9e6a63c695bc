import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import TestSupport
import Testing
import TransparencyLog

/// One history out of the journals of several replicas.
@Suite struct MergeTests {
    @Test func aHistoryHoldsEveryEntryInTheOrderOfTime() async throws {
        let replicas = try await Replicas.make(entries: 300, replicas: 3)
        let report = try await replicas.merge()
        // One more in each, which names the key.
        #expect(report.entryCount == 903)
        #expect(report.logs.map(\.size) == [301, 301, 301])
        let entries = try await ScratchJournal.entries(replicas.history)
        #expect(entries.map(\.sequence) == Array(1...903))
        #expect(entries.map(\.time) == entries.map(\.time).sorted())
        let verified = try await JournalVerifier.verify(replicas.history, replicas.known)
        #expect(verified.isIntact, "\(verified.findings)")
        #expect(verified.provenThrough == 903)
        #expect(verified.logs.map(\.provenThrough) == [301, 301, 301])
        #expect(verified.areIndexesChecked)
    }

    @Test func theSameJournalsGiveTheSameFile() async throws {
        let replicas = try await Replicas.make(entries: 60)
        try await replicas.merge()
        try await replicas.merge(into: replicas.folder.path + "/again.db") { $0.journals.reverse() }
        #expect(try bytes(of: replicas.history) == bytes(of: replicas.folder.path + "/again.db"))
    }

    @Test func eachEntryIsProvenByTheLogThatItWasWrittenTo() async throws {
        let replicas = try await Replicas.make(entries: 300)
        try await replicas.merge()
        let reader = try await JournalReader.open(replicas.history)
        for sequence in [1, 2, 17, 300, 301, 602] as [Int64] {
            let place = try #require(try await reader.place(of: sequence))
            let proof = try await reader.proof(of: sequence)
            #expect(proof.sequence == place.number)
            #expect(proof.bundle.checkpoint.checkpoint.origin == place.origin)
            let key = try #require(try await reader.checkpointKeys().first { $0.hasPrefix(place.origin) })
            try proof.verify(with: KnownKey.read(key))
            let others = try await reader.checkpointKeys().filter { !$0.hasPrefix(place.origin) }
            #expect(throws: NoteFailure.self) { try proof.verify(with: KnownKey.read(others.joined(separator: "\n"))) }
        }
        await reader.close()
    }

    @Test func referencesLeadToTheEntryThatTheyMeant() async throws {
        let replicas = try await Replicas.make(entries: 60)
        try await replicas.merge()
        let reader = try await JournalReader.open(replicas.history)
        let entries = try await ScratchJournal.entries(replicas.history)
        let undoing = entries.filter { $0.undoes != nil }
        #expect(undoing.count > 5)
        for entry in undoing {
            let undone = try #require(entry.undoes)
            let other = try #require(try await reader.entry(sequence: undone))
            // Both say which replica wrote them.
            #expect(other.message.suffix(4) == entry.message.suffix(4))
            #expect(try await reader.entries(about: other.sequence).map(\.sequence) == [entry.sequence])
            let place = try #require(try await reader.place(of: entry.sequence))
            #expect(try await reader.place(of: other.sequence)?.number == place.refersTo)
        }
        await reader.close()
    }

    @Test func theStateOfAMomentIsThatOfAllReplicas() async throws {
        let replicas = try await Replicas.make(entries: 3)
        let role = Sample.role("shared")
        for (replica, moment) in [(0, 1000), (1, 2000), (0, 3000)] {
            try await replicas.write(replica) { journal in
                var draft = Sample.correction(role, at: Int64(moment))
                var tree = Sample.tree
                tree.set(["metadata", "uid"], to: .string("u-\(moment)"))
                draft.after = tree
                _ = try await journal.record(draft, owned: .unchanged)
            }
        }
        try await replicas.merge()
        let reader = try await JournalReader.open(replicas.history)
        let scope = JournalReader.Scope(instance: "default", cluster: "production")
        for (moment, uid) in [(1500, "u-1000"), (2500, "u-2000"), (3500, "u-3000")] as [(Int64, String)] {
            let state = try #require(try await reader.state(at: .time(Sample.moment(moment)), scope))
            let found = state.objects.first { $0.id == role }
            #expect(found?.tree["metadata"]?["uid"]?.string == uid)
        }
        await reader.close()
    }

    @Test func aHistoryIsNeitherWrittenNorTakenForTheStateOfAnInstance() async throws {
        let replicas = try await Replicas.make(entries: 5)
        try await replicas.merge()
        let before = try bytes(of: replicas.history)
        let error = await #expect(throws: JournalError.self) {
            try await SQLiteJournal.open(Sample.configuration(replicas.history))
        }
        #expect(error?.message.contains("merged out of several journals") == true)
        #expect(try bytes(of: replicas.history) == before)
        let reader = try await JournalReader.open(replicas.history)
        await #expect(throws: JournalError.self) { try await reader.openIncidents() }
        await #expect(throws: JournalError.self) { try await reader.identity() }
        await #expect(throws: JournalError.self) { try await reader.signCheckpoint(with: replicas.keys[0]) }
        await reader.close()
        await #expect(throws: JournalError.self) {
            try await replicas.merge(into: replicas.folder.path + "/twice.db") { $0.journals = [replicas.history] }
        }
    }

    // MARK: What is refused

    @Test func aJournalThatWasTamperedWithIsRefusedByName() async throws {
        let replicas = try await Replicas.make(entries: 20)
        let connection = try Connection(path: replicas.paths[1], mode: .readWrite)
        try connection.executeScript("DROP TRIGGER entries_never_change")
        try connection.executeScript("UPDATE entries SET message = 'nothing happened' WHERE sequence = 7")
        let error = await #expect(throws: JournalError.self) { try await replicas.merge() }
        #expect(error?.message.contains(replicas.paths[1]) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("entry 7") == true)
        #expect(!exists(replicas.history))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: replicas.folder.path).allSatisfy {
                !$0.contains("part")
            })
    }

    @Test func anOlderCopyOfALogSaysNothingMore() async throws {
        let replicas = try await Replicas.make(entries: 20)
        let copy = replicas.folder.path + "/copy.db"
        try copyFile(replicas.paths[0], to: copy)
        try await replicas.write(0) { journal in
            _ = try await journal.record(Sample.event("later", at: 9000), owned: .unchanged)
        }
        let report = try await replicas.merge { $0.journals.insert(copy, at: 0) }
        #expect(report.copies == [copy])
        #expect(report.entryCount == 43)
    }

    @Test func copiesOfALogThatWentOnDifferentlyAreRefused() async throws {
        let replicas = try await Replicas.make(entries: 20)
        let copy = replicas.folder.path + "/copy.db"
        try copyFile(replicas.paths[0], to: copy)
        try await replicas.write(0) { journal in
            _ = try await journal.record(Sample.event("one way", at: 9000), owned: .unchanged)
        }
        let other = Replicas(folder: replicas.folder, paths: [copy], keys: [replicas.keys[0]])
        try await other.write(0) { journal in
            _ = try await journal.record(Sample.event("the other way", at: 9000), owned: .unchanged)
            _ = try await journal.record(Sample.event("and on", at: 9001), owned: .unchanged)
        }
        let error = await #expect(throws: JournalError.self) { try await replicas.merge { $0.journals.append(copy) } }
        #expect(error?.message.contains("went on differently") == true, "\(error?.message ?? "")")
    }

    @Test func journalsOfDifferentInstancesAreMergedOnlyWhenToldSo() async throws {
        let replicas = try await Replicas.make(entries: 5)
        let path = replicas.folder.path + "/shard.db"
        var configuration = Sample.configuration(path, instance: "shard")
        configuration.signingKey = replicas.keys[0]
        let journal = try await SQLiteJournal.open(configuration)
        try await journal.introduceKey(at: Sample.moment(1))
        _ = try await journal.checkpoint(at: Sample.moment(2))
        await journal.close()
        let error = await #expect(throws: JournalError.self) { try await replicas.merge { $0.journals.append(path) } }
        #expect(error?.message.contains("shard on production") == true, "\(error?.message ?? "")")
        try await replicas.merge {
            $0.journals.append(path)
            $0.takesDifferentInstances = true
        }
        let reader = try await JournalReader.open(replicas.history)
        #expect(try await reader.scopes().map(\.instance) == ["default", "shard"])
        await reader.close()
    }

    @Test func journalsOfTwoClustersWithOneNameAreRefused() async throws {
        let replicas = try await Replicas.make(entries: 5)
        for replica in 0..<2 {
            try await replicas.write(replica) { try await $0.remember(.clusterIdentity, "uid-\(replica)") }
        }
        let error = await #expect(throws: JournalError.self) { try await replicas.merge() }
        #expect(error?.message.contains("two clusters") == true)
    }

    // MARK: What grows

    @Test func aHistoryIsReplacedByOneThatHoldsAllOfIt() async throws {
        let replicas = try await Replicas.make(entries: 20)
        try await replicas.merge()
        try await replicas.write(1) { journal in
            _ = try await journal.record(Sample.event("later", at: 9000), owned: .unchanged)
        }
        #expect(try await replicas.merge().entryCount == 43)
        let error = await #expect(throws: JournalError.self) { try await replicas.merge { $0.journals.removeLast() } }
        #expect(error?.message.contains("has more") == true)
        #expect(try await ScratchJournal.entries(replicas.history).count == 43)
        let taken = replicas.folder.path + "/notes.txt"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: taken))
        await #expect(throws: JournalError.self) { try await replicas.merge(into: taken) }
        #expect(try bytes(of: taken) == Data("mine".utf8))
    }

    @Test func whatIsNotSignedYetIsLeftOut() async throws {
        let replicas = try await Replicas.make(entries: 20)
        try await replicas.write(0, isSigned: false) { journal in
            _ = try await journal.record(Sample.event("not signed", at: 9000), owned: .unchanged)
        }
        let report = try await replicas.merge()
        #expect(report.logs.map(\.unsignedCount).sorted() == [0, 1])
        #expect(report.entryCount == 42)
        let whole = replicas.folder.path + "/whole.db"
        #expect(try await replicas.merge(into: whole) { $0.takesUnsigned = true }.entryCount == 43)
        let verified = try await JournalVerifier.verify(whole, replicas.known)
        #expect(verified.isIntact, "\(verified.findings)")
        #expect(verified.provenThrough == 42)
    }

    @Test func whatRetentionRemovedIsMissingAndTold() async throws {
        let replicas = try await Replicas.make(entries: 600)
        try await replicas.write(0) { journal in
            let now = Sample.moment(2_000_000_000)
            for step in stride(from: Int64(100_000), through: 1_900_000_000, by: 100_000_000) {
                _ = try await journal.record(Sample.event("quiet", at: step), owned: .unchanged)
            }
            let report = try await journal.removeOldEntries(
                RetentionPolicy(maximumAge: .seconds(200_000_000)), at: now, minimumCount: 1)
            #expect(report?.through == 512)
        }
        try await replicas.merge()
        let verified = try await JournalVerifier.verify(replicas.history, replicas.known)
        #expect(verified.isIntact, "\(verified.findings)")
        #expect(verified.logs.map(\.removedThrough).max() == 512)
        let reader = try await JournalReader.open(replicas.history)
        let scope = JournalReader.Scope(instance: "default", cluster: "production")
        await #expect(throws: JournalError.self) { try await reader.state(at: .time(Sample.moment(10)), scope) }
        #expect(try await reader.state(at: .time(Sample.moment(100_000_000)), scope) != nil)
        await reader.close()
    }
}

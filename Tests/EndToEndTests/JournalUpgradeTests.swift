import Foundation
import JSON
import Manifest
import SQLite
import TestSupport
import Testing

/// The real program on journals of other versions.
@Suite struct JournalUpgradeTests {
    private let program: Program
    private let repository: PolicyRepository
    private let cluster: ClusterUnderTest
    private let namespace: String
    private let flags: [String]

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        cluster = try ClusterUnderTest()
        (namespace, flags) = program.ofThisRun("upgrade", repository: repository, cluster: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
    }

    private static func make(_ path: String, schema: Int) throws {
        let script = try String(
            contentsOfFile: "\(sourceRoot)/Tests/JournalTests/Fixtures/schema-\(schema).sql", encoding: .utf8)
        let connection = try Connection(path: path, mode: .readWrite)
        try connection.executeScript(script)
        try connection.executeScript("PRAGMA journal_mode = WAL")
    }

    /// Names, sizes and bytes of everything beside the journal.
    private func files() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: program.folder.path)
        where name.hasPrefix("journal") {
            files[name] = try Data(contentsOf: URL(fileURLWithPath: program.folder.path + "/" + name))
        }
        return files
    }

    @Test(arguments: [1, 2]) func aSyncGoesOnInAJournalOfAnEarlierVersion(_ schema: Int) async throws {
        try Self.make(program.journal, schema: schema)
        let list = try await program.run(["journal", "list", "--journal", program.journal])
        #expect(list.status == 2)
        #expect(list.errors.contains("an earlier version of bylaw made it"), "\(list.errors)")
        for pass in 1...2 {
            let sync = try await program.run(["sync"] + flags)
            #expect(sync.status == 0, "\(pass): \(sync.output)\(sync.errors)")
        }
        let verify = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
        let told = try await program.entries(["--reason", "JournalUpgraded"])
        #expect(told.count == 1)
        #expect(told.first?["message"]?.string?.contains("from schema \(schema) to schema 3") == true, "\(told)")
        let old = try await program.entries()
        #expect(old.contains { $0["message"] == "correction 6" }, "what was there is listed")
        #expect(FileManager.default.fileExists(atPath: "\(program.journal).schema-\(schema)"))
    }

    /// As after a roll-back of the Deployment, whichever command it is.
    @Test func aLaterJournalIsRefusedByEveryCommandAndStaysAsItIs() async throws {
        let sync = try await program.run(["sync"] + flags)
        try #require(sync.status == 0, "\(sync.errors)")
        try Self.raise(program.journal)
        let before = try files()
        let journal = ["--journal", program.journal]
        let commands: [[String]] = [
            ["sync"] + flags, ["run"] + flags, ["plan"] + flags, ["status"] + journal, ["journal", "list"] + journal,
            ["journal", "show", "1"] + journal, ["journal", "verify"] + journal, ["journal", "export"] + journal,
            ["journal", "state", "--at", "2026-01-01"] + journal, ["journal", "prove", "1"] + journal,
            ["journal", "backup", program.folder.path + "/copy.sqlite"] + journal,
            ["journal", "cut", "--journal-keep", "400d"] + journal,
        ]
        for command in commands {
            let outcome = try await program.run(command)
            #expect(outcome.status == 2, "\(command): \(outcome.output)\(outcome.errors)")
            let told = outcome.errors.components(separatedBy: "a later version of bylaw made it (schema 4").count - 1
            #expect(told == 1, "\(command): \(outcome.errors)")
            #expect(outcome.errors.contains("Use that version of bylaw"), "\(command): \(outcome.errors)")
            let after = try files()
            #expect(after.keys.sorted() == before.keys.sorted(), "\(command)")
            #expect(
                after.filter { !$0.key.hasSuffix(".lock") } == before.filter { !$0.key.hasSuffix(".lock") },
                "\(command)")
        }
        #expect(!FileManager.default.fileExists(atPath: program.folder.path + "/copy.sqlite"))
    }

    private static func raise(_ path: String) throws {
        try Connection(path: path, mode: .readWrite).executeScript(
            "PRAGMA user_version = 4; PRAGMA wal_checkpoint(TRUNCATE)")
        for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
    }

    @Test(.enabled(if: JournalVolume.canMount, "\(JournalVolume.mountAbsence)"))
    func aFullVolumeLeavesTheEarlierJournalUntilThereIsRoom() async throws {
        let volume = try await JournalVolume(.memory(kibibytes: 4096))
        let program = try Program(launcher: volume.launcher, journal: volume.journal)
        let (_, flags) = program.ofThisRun("upgrade-full", repository: repository, cluster: cluster)
        let made = program.folder.path + "/old.sqlite"
        try Self.make(made, schema: 2)
        try Connection(path: made, mode: .readWrite).executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
        try await volume.must("cp \(made) \(volume.journal)")
        try await volume.fill()
        let full = try await program.run(["sync"] + flags)
        #expect(full.status == 2, "\(full.output)\(full.errors)")
        #expect(full.errors.contains("full") || full.errors.contains("No space left"), "\(full.errors)")
        try await volume.must("cmp \(made) \(volume.journal)")
        try await volume.free()
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        let verify = try await program.run(["journal", "verify", "--journal", volume.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }
}

import ChildProcess
import Foundation
import JSON
import Manifest
import SQLite
import TestSupport
import Testing

/// What `bylaw run` does where it finds a journal that it cannot use: it stays up, changes nothing, tells what is not as
/// declared, and goes on by itself when the journal can be used.
@Suite struct JournalStartTests {
    private let cluster: ClusterUnderTest
    private let repository: PolicyRepository

    init() async throws {
        cluster = try ClusterUnderTest()
        repository = try await PolicyRepository()
    }

    private func flags(_ program: Program, _ name: String) -> [String] {
        program.flags(repository: repository, cluster: cluster, instance: name)
    }

    private func reader(_ name: String) -> ObjectID { ObjectID(.role, namespace: "e2e-\(name)", name: "reader") }

    /// A journal of some runs, drift since, and a controller that cannot use it.
    private func startWithDrift(
        _ program: Program, _ name: String, reason: String, spoil: () async throws -> Void
    ) async throws -> RunningProgram {
        try repository.write(teamManifests("e2e-\(name)"), to: "team.yaml")
        try await repository.commit("Begin")
        let sync = try await program.run(["sync"] + flags(program, name))
        try #require(sync.status == 0, "\(sync.output)\(sync.errors)")
        try await spoil()
        try await cluster.delete(reader(name))
        let before = try await cluster.versions(prefix: "e2e-\(name)")

        let refused = try await program.run(["sync"] + flags(program, name))
        #expect(refused.status == 2, "\(refused.output)")
        #expect(refused.errors.contains("see: bylaw runbook show \(reason)"), "\(refused.errors)")

        let run = try RunningProgram(
            program, ["run", "--interval", "200ms"] + RunningProgram.statusFlags + flags(program, name))
        try await run.untilItSays("The journal cannot be used; nothing is changed in the cluster until it can")
        try await run.untilItSays("Not as declared, and left so while the journal cannot be used")
        #expect(run.text.contains("runbook=\(reason)"), "\(run.text)")
        #expect(run.count("Not as declared", "object=\"\(reader(name))\"") == 1, "\(run.text)")
        #expect(run.count("Not as declared") == 1, "the rest is as declared: \(run.text)")
        #expect(try await cluster.versions(prefix: "e2e-\(name)") == before, "nothing was written")
        let metrics = try await run.metrics()
        #expect(metrics["bylaw_journal_usable"] == 0)
        #expect(metrics["bylaw_journal_outages_total{reason=\"\(reason)\"}"] == 1)
        #expect(metrics["bylaw_unrecorded_drift_objects{kind=\"Role\"}"] == 1)
        #expect(run.isRunning)
        return run
    }

    /// Goes on by itself, and tells of the time before.
    private func expectRecovery(_ run: RunningProgram, _ program: Program, _ name: String, reason: String) async throws
    {
        try await run.untilItSays("The journal can be used again")
        try await eventually("the drift is corrected") { try await cluster.object(reader(name)) != nil }
        let told = try await program.entries(["--reason", reason])
        #expect(told.count == 1, "\(told)")
        #expect(told.first?["message"]?.string?.contains("1 object (\(reader(name)))") == true, "\(told)")
        try await run.stop()
        #expect(run.status == 0)
        let verify = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    // MARK: The volume

    @Test(.enabled(if: JournalVolume.canMount, "\(JournalVolume.mountAbsence)"))
    func aVolumeThatIsMountedReadOnly() async throws {
        let volume = try await JournalVolume(.memory(kibibytes: 4096))
        let program = try Program(launcher: volume.launcher, journal: volume.journal)
        let run = try await startWithDrift(program, "readonly", reason: "JournalUnwritable") {
            try await volume.must("mount -o remount,ro \(volume.path)")
        }
        try await volume.must("mount -o remount,rw \(volume.path)")
        try await expectRecovery(run, program, "readonly", reason: "JournalUnwritable")
    }

    @Test(.enabled(if: JournalVolume.canMount, "\(JournalVolume.mountAbsence)"))
    func aVolumeThatIsFull() async throws {
        let volume = try await JournalVolume(.memory(kibibytes: 4096))
        let program = try Program(launcher: volume.launcher, journal: volume.journal)
        let run = try await startWithDrift(program, "startfull", reason: "JournalUnwritable") {
            try await volume.fill()
        }
        try await volume.free()
        try await expectRecovery(run, program, "startfull", reason: "JournalUnwritable")
    }

    // MARK: Rights

    enum Wrong: String, CaseIterable, Sendable {
        case file, folder, owner

        /// Whom the superuser's tests give files to.
        static let other: uid_t = 65534
    }

    @Test(arguments: JournalVolume.isRoot ? Wrong.allCases : [.file, .folder])
    func rightsThatAreMissing(_ wrong: Wrong) async throws {
        if !JournalVolume.isRoot { print("skipped: files of another user, which only the superuser can make") }
        // Without the superuser's right to read and write whatever the modes of a file say.
        let limits = "-dac_override,-dac_read_search"
        let scratch = try ScratchDirectory(named: "bylaw-e2e-rights")
        let folder = scratch.path + "/volume"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let program = try Program(
            launcher: JournalVolume.isRoot ? ["setpriv", "--bounding-set=\(limits)", "--inh-caps=\(limits)"] : [],
            journal: folder + "/journal.sqlite")
        let journal = program.journal
        let name = "rights-\(wrong.rawValue)"
        let run = try await startWithDrift(program, name, reason: "JournalUnwritable") {
            switch wrong {
            case .file: chmod(journal, 0o400)
            case .folder: chmod(folder, 0o500)
            case .owner: chown(journal, Wrong.other, Wrong.other)
            }
        }
        switch wrong {
        case .file: chmod(journal, 0o600)
        case .folder: chmod(folder, 0o700)
        case .owner: chown(journal, geteuid(), getegid())
        }
        try await expectRecovery(run, program, name, reason: "JournalUnwritable")
    }

    // MARK: The file

    enum Damage: String, CaseIterable, Sendable {
        case owned, entries, index, header, cut

        var reason: String { self == .cut ? "JournalTampered" : "JournalDamaged" }
    }

    @Test(arguments: Damage.allCases) func aFileThatIsNotWhatWasWritten(_ damage: Damage) async throws {
        let program = try Program()
        let journal = program.journal
        let name = "damage-\(damage.rawValue)"
        var whole = Data()
        var spoiled = Data()
        let run = try await startWithDrift(program, name, reason: damage.reason) {
            whole = try Data(contentsOf: URL(fileURLWithPath: journal))
            try spoil(journal, damage)
            spoiled = try Data(contentsOf: URL(fileURLWithPath: journal))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: journal)) == spoiled, "it is left as it is")
        // What a person does: a backup in its place, at one moment.
        let backup = journal + ".backup"
        try whole.write(to: URL(fileURLWithPath: backup))
        try FileManager.default.moveItem(atPath: journal, toPath: journal + ".evidence")
        try FileManager.default.moveItem(atPath: backup, toPath: journal)
        try await expectRecovery(run, program, name, reason: damage.reason)
    }

    @Test func anOutageThatIsOverWhenItIsToldToStopIsRecorded() async throws {
        let program = try Program()
        let (journal, backup) = (program.journal, program.journal + ".backup")
        let run = try await startWithDrift(program, "stopped", reason: "JournalDamaged") {
            try FileManager.default.copyItem(atPath: journal, toPath: backup)
            try spoil(journal, .header)
        }
        try FileManager.default.moveItem(atPath: journal, toPath: journal + ".evidence")
        try FileManager.default.moveItem(atPath: backup, toPath: journal)
        try await run.stop()
        #expect(run.status == 0)
        let told = try await program.entries(["--reason", "JournalDamaged"])
        #expect(told.count == 1, "\(run.text)")
        #expect(told.first?["message"]?.string?.contains("1 object (\(reader("stopped")))") == true, "\(told)")
        let verify = try await program.run(["journal", "verify", "--journal", journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    /// Overwrites a page, or cuts the newest entry off behind our back.
    private func spoil(_ journal: String, _ damage: Damage) throws {
        let page: Int64
        switch damage {
        case .cut: return try cutOff(journal)
        case .header: page = 1
        case .owned: page = try rootPage("owned", in: journal)
        case .entries: page = try rootPage("entries", in: journal)
        case .index: page = try rootPage("entries_reason", in: journal)
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: journal))
        try file.seek(toOffset: UInt64(page - 1) * 4096)
        try file.write(contentsOf: Data(repeating: 0xa5, count: 512))
        try file.close()
    }

    private func rootPage(_ name: String, in journal: String) throws -> Int64 {
        let connection = try Connection(path: journal, mode: .immutable)
        let page = try connection.firstRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", [.text(name)]) {
            (row) throws(DatabaseError) in try row.integer(0)
        }
        return try #require(page)
    }

    private func cutOff(_ journal: String) throws {
        let connection = try Connection(path: journal, mode: .readWrite)
        let triggers = try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
            (row) throws(DatabaseError) in try row.text(0)
        }
        for trigger in triggers { try connection.execute("DROP TRIGGER \"\(trigger)\"") }
        try connection.execute("DELETE FROM entries WHERE sequence = (SELECT max(sequence) FROM entries)")
        try connection.executeScript("PRAGMA wal_checkpoint(TRUNCATE)")
    }
}

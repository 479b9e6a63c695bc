import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// What happens to the cluster while `bylaw run` cannot record anything, and when it can again.
@Suite struct JournalFaultTests {
    /// One controller with its journal on some volume, in a namespace of its own.
    private struct Scene {
        let cluster: ClusterUnderTest
        let program: Program
        let repository: PolicyRepository
        let name: String

        init(_ name: String, launcher: [String] = [], journal: String? = nil) async throws {
            self.name = "e2e-journal-\(name)"
            cluster = try ClusterUnderTest()
            program = try Program(launcher: launcher, journal: journal)
            repository = try await PolicyRepository()
        }

        var instance: String { "journal-\(name.split(separator: "-").last ?? "")" }
        var flags: [String] { program.flags(repository: repository, cluster: cluster, instance: instance) }
        var deny: ObjectID { ObjectID(.networkPolicy, namespace: name, name: "default-deny") }
        var reader: ObjectID { ObjectID(.role, namespace: name, name: "reader") }
        var config: ObjectID { ObjectID(.role, namespace: name, name: "config") }

        @discardableResult
        func commit(round: Int) async throws -> String {
            try repository.write(teamManifests(name, round: round), to: "team.yaml")
            return try await repository.commit("Round \(round)")
        }

        func start() throws -> RunningProgram {
            try RunningProgram(program, ["run", "--interval", "200ms"] + RunningProgram.statusFlags + flags)
        }

        func openEgress() async throws { try await cluster.mergePatch(deny, #"{"spec":{"egress":[{}]}}"#) }

        var isPutRight: Bool {
            get async throws {
                let policy = try await cluster.object(deny)
                let role = try await cluster.object(reader)
                return policy != nil && policy?["spec"]?["egress"] == nil && role != nil
            }
        }

        /// What the cluster holds and how often we asked to change it.
        func mark() async throws -> Mark {
            Mark(versions: try await cluster.versions(prefix: name), writes: try cluster.writeCount(instance: instance))
        }

        struct Mark: Equatable {
            var versions: [ObjectID: String]
            var writes: Int
        }

        /// Drift, a deletion and a new revision, while nothing can be recorded: all of it is told once, and none is acted on.
        func expectNothingIsChanged(_ run: RunningProgram, reason: String = "JournalUnwritable") async throws -> String
        {
            try await openEgress()
            try await run.untilItSays("The journal cannot be used; nothing is changed in the cluster until it can")
            try await cluster.delete(reader)
            try await run.untilItSays("\(reader) was deleted by hand")
            let before = try await mark()
            let commit = try await commit(round: 1)
            try await run.untilItSays("revision \(commit) waits until the journal can be written")
            // What comes later is told as well, so the earlier has had its time.
            try await cluster.mergePatch(config, #"{"rules":[]}"#)
            try await run.untilItSays("\(config) was changed by hand at rules")
            var after = try await mark()
            #expect(after.versions[config] != before.versions[config])
            after.versions[config] = before.versions[config]
            if !ClusterUnderTest.isReal { after.writes -= 1 }
            #expect(after == before, "nothing was written but by the test")
            for id in [deny, reader, config] {
                #expect(run.count("Not as declared, and left so", "object=\"\(id)\"") == 1, "\(id): \(run.text)")
            }
            try await run.untilItSays("runbook=\(reason)")
            #expect(run.count("The journal cannot be used", "runbook=\(reason)") == 1)
            let metrics = try await run.metrics()
            #expect(metrics["bylaw_journal_usable"] == 0)
            #expect(metrics["bylaw_journal_outages_total{reason=\"\(reason)\"}"] == 1)
            #expect(metrics["bylaw_unrecorded_drift_objects{kind=\"NetworkPolicy\"}"] == 1)
            #expect(metrics["bylaw_unrecorded_drift_objects{kind=\"Role\"}"] == 2)
            #expect(run.isRunning)
            return commit
        }

        /// Everything is put right, told in one entry, and the evidence holds.
        func expectRecovery(_ run: RunningProgram, to commit: String, reason: String = "JournalUnwritable") async throws
        {
            try await run.untilItSays("The journal can be used again")
            try await run.untilItSynced(commit)
            try await eventually("the drift is corrected") { try await isPutRight }
            let metrics = try await run.metrics()
            #expect(metrics["bylaw_journal_usable"] == 1)
            #expect(metrics.filter { $0.key.hasPrefix("bylaw_unrecorded_drift_objects") && $0.value != 0 }.isEmpty)
            #expect(metrics["bylaw_incidents_total{reason=\"\(reason)\"}"] == 1)
            let told = try await program.entries(["--reason", reason])
            #expect(told.count == 1, "\(told)")
            let message = try #require(told.first?["message"]?.string)
            for words in ["nothing was changed in the cluster", "3 objects", "\(reader)", "revision \(commit) waited"] {
                #expect(message.contains(words), "\(message)")
            }
            let status = try await program.run(["status", "--journal", program.journal])
            #expect(!status.output.contains(reason), "it is over: \(status.output)")
            try await run.stop()
            #expect(run.status == 0)
            try await expectProof()
        }

        /// The journal verifies, and every object's version has its entry.
        func expectProof() async throws {
            let verify = try await program.run(["journal", "verify", "--journal", program.journal])
            #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
            let entries = try await program.entries(["--outcome", "succeeded"])
            let known = Set(entries.compactMap { $0["after"]?["metadata"]?["resourceVersion"]?.string })
            for (id, version) in try await cluster.versions(prefix: name) {
                // Controllers write the status of namespaces and quotas by themselves.
                guard ![.namespace, .resourceQuota].contains(id.resource) else { continue }
                #expect(known.contains(version), "\(id) at \(version)")
            }
        }
    }

    // MARK: While it runs

    @Test(.enabled(if: JournalVolume.canMount, "\(JournalVolume.mountAbsence)"))
    func aFullDiskStopsChangesUntilThereIsRoom() async throws {
        let volume = try await JournalVolume(.memory(kibibytes: 4096))
        let scene = try await Scene("full", launcher: volume.launcher, journal: volume.journal)
        let first = try await scene.commit(round: 0)
        let run = try scene.start()
        try await run.untilItSynced(first)
        try await volume.fill()
        let commit = try await scene.expectNothingIsChanged(run)
        try await volume.free()
        try await scene.expectRecovery(run, to: commit)
    }

    /// As ext4 does by itself after an error of the disk.
    ///
    /// What is open stays dead, so the file has to be opened anew.
    @Test(.enabled(if: JournalVolume.canUseDisks, "\(JournalVolume.diskAbsence)"))
    func aVolumeThatTurnsReadOnlyAndIsMountedAgain() async throws {
        let volume = try await JournalVolume(.disk)
        let scene = try await Scene("remount", launcher: volume.launcher, journal: volume.journal)
        let first = try await scene.commit(round: 0)
        let run = try scene.start()
        try await run.untilItSynced(first)
        try await volume.must("mount -o remount,abort \(volume.path)")
        let commit = try await scene.expectNothingIsChanged(run)
        try await eventually("the program lets go of the volume") {
            try await volume.shell("umount \(volume.path)").ending == .exited(0)
        }
        try await volume.mount()
        try await scene.expectRecovery(run, to: commit)
    }

    @Test(arguments: [false, true]) func aFileThatIsMovedAwayIsMissed(_ isReplaced: Bool) async throws {
        let scene = try await Scene(isReplaced ? "replaced" : "moved")
        let first = try await scene.commit(round: 0)
        let run = try scene.start()
        try await run.untilItSynced(first)
        let (journal, aside) = (scene.program.journal, scene.program.journal + ".aside")
        try FileManager.default.moveItem(atPath: journal, toPath: aside)
        if isReplaced { try Data("something else".utf8).write(to: URL(fileURLWithPath: journal)) }
        let reason = isReplaced ? "JournalDamaged" : "JournalUnwritable"
        let commit = try await scene.expectNothingIsChanged(run, reason: reason)
        if isReplaced {
            #expect(try String(contentsOfFile: journal, encoding: .utf8) == "something else", "it is left as it is")
            try FileManager.default.removeItem(atPath: journal)
        } else {
            #expect(!FileManager.default.fileExists(atPath: journal), "none is begun in its place")
        }
        try FileManager.default.moveItem(atPath: aside, toPath: journal)
        try await scene.expectRecovery(run, to: commit, reason: reason)
    }

    /// Otherwise the journal would say of that time that nothing happened.
    @Test func anOutageThatIsOverWhenItIsToldToStopIsRecorded() async throws {
        let scene = try await Scene("stopped")
        let run = try scene.start()
        try await run.untilItSynced(try await scene.commit(round: 0))
        let (journal, aside) = (scene.program.journal, scene.program.journal + ".aside")
        try FileManager.default.moveItem(atPath: journal, toPath: aside)
        let commit = try await scene.expectNothingIsChanged(run)
        try FileManager.default.moveItem(atPath: aside, toPath: journal)
        try await run.stop()
        #expect(run.status == 0)
        let told = try await scene.program.entries(["--reason", "JournalUnwritable"])
        #expect(told.count == 1, "\(run.text)")
        #expect(told.first?["message"]?.string?.contains("revision \(commit) waited") == true, "\(told)")
        let stopped = try await scene.program.entries(["--reason", "Stopped"])
        #expect(stopped.count == 1, "\(run.text)")
        let verify = try await scene.program.run(["journal", "verify", "--journal", journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    /// Pages that were sound when it began, and that it reads only when it needs them.
    @Test func pagesThatAreDamagedWhileItRuns() async throws {
        let scene = try await Scene("pages")
        let first = try await scene.commit(round: 0)
        let sync = try await scene.program.run(["sync"] + scene.flags)
        try #require(sync.status == 0, "\(sync.output)\(sync.errors)")
        try await outgrowCache(scene.program.journal)
        let run = try scene.start()
        try await run.untilItSynced(first)
        let damage = try PageDamage(of: scene.program.journal)
        // What it still has in memory is good: some corrections are recorded before it needs another page.
        for round in 0..<50 where run.count("The journal cannot be used") == 0 {
            try await scene.openEgress()
            try await eventually("correction \(round), or none any more") {
                try await scene.isPutRight || run.count("The journal cannot be used") > 0
            }
        }
        let commit = try await scene.expectNothingIsChanged(run, reason: "JournalDamaged")
        try damage.repair()
        try await scene.expectRecovery(run, to: commit, reason: "JournalDamaged")
    }

    /// What this process remembers of the journal is out of date then, so it begins anew by itself.
    @Test func whatAnotherProcessWroteMeanwhileIsTakenUp() async throws {
        let scene = try await Scene("taken")
        let run = try scene.start()
        try await run.untilItSynced(try await scene.commit(round: 0))
        let (journal, aside) = (scene.program.journal, scene.program.folder.path + "/aside.sqlite")
        func move(from: String, to: String) throws {
            for suffix in ["-wal", "-shm", ""] where FileManager.default.fileExists(atPath: from + suffix) {
                try FileManager.default.moveItem(atPath: from + suffix, toPath: to + suffix)
            }
        }
        try move(from: journal, to: aside)
        try await scene.openEgress()
        try await run.untilItSays("The journal cannot be used; nothing is changed in the cluster until it can")
        let second = try await scene.commit(round: 1)
        let sync = try await scene.program.run(
            ["sync"]
                + scene.flags.map {
                    $0 == journal ? aside : $0 == scene.program.folder.path + "/cache" ? $0 + "-too" : $0
                } + ["--journal-key", journal + ".key"])
        #expect(sync.status == 0, "\(sync.errors)")
        try move(from: aside, to: journal)
        try await run.untilItSays("another process has written it in between")
        try await run.untilItSays("The journal can be used again")
        try await scene.openEgress()
        try await eventually("the drift is corrected") { try await scene.isPutRight }
        try await run.untilItSynced(second)
        try await run.stop()
        #expect(run.status == 0)
        #expect(try await scene.program.entries(["--reason", "JournalUnwritable"]).count == 1)
        try await scene.expectProof()
    }

    /// What is open stays open: rights are asked for when a file is opened.
    @Test func rightsThatAreTakenAwayWhileItRunsStopNothing() async throws {
        let scene = try await Scene("rights", launcher: Self.withoutOverride)
        let first = try await scene.commit(round: 0)
        let run = try scene.start()
        try await run.untilItSynced(first)
        for suffix in ["", "-wal", "-shm", ".lock"] { chmod(scene.program.journal + suffix, 0) }
        try await scene.openEgress()
        try await eventually("the drift is corrected") { try await scene.isPutRight }
        for suffix in ["", "-wal", "-shm", ".lock"] { chmod(scene.program.journal + suffix, 0o600) }
        try await run.stop()
        try await scene.expectProof()
    }

    /// Without the right of the superuser to read and write whatever the modes of a file say.
    private static let withoutOverride =
        JournalVolume.isRoot
        ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"] : []
}

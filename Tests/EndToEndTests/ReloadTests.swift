import EmbeddedCluster
import Foundation
import JSON
import Manifest
import Synchronization
import TestSupport
import Testing

/// What `bylaw run --config` does when the file holds something else.
@Suite(.timeLimit(.minutes(5))) struct ReloadTests {
    /// A controller whose flags all stand in a file.
    private final class Scene {
        let program: Program
        let repository: PolicyRepository
        let cluster: ClusterUnderTest
        let namespace: String
        private let given: [String: String]
        var file: String { program.folder.path + "/config/config.yaml" }

        init(
            _ name: String, extra: [String: String] = [:], isEmbedded: Bool = false, journal: String? = nil
        ) async throws {
            program = try Program(journal: journal)
            repository = try await PolicyRepository()
            cluster = try ClusterUnderTest(isEmbedded: isEmbedded)
            let flags: [String]
            (namespace, flags) = program.ofThisRun("reload-\(name)", repository: repository, cluster: cluster)
            var given = ["interval": "300ms", "status-listen": "127.0.0.1:0", "path": "one", "hold-configmap": "off"]
            for index in stride(from: 0, to: flags.count, by: 2) {
                given[String(flags[index].dropFirst(2))] = flags[index + 1]
            }
            self.given = given.merging(extra) { $1 }
            try FileManager.default.createDirectory(
                atPath: program.folder.path + "/config", withIntermediateDirectories: true)
        }

        /// How its writes say whose they are.
        var manager: String { "bylaw-" + namespace.dropFirst(4) }
        var extra: ObjectID { ObjectID(.role, namespace: namespace, name: "extra") }
        var reader: ObjectID { ObjectID(.role, namespace: namespace, name: "reader") }

        /// Two folders: the second one has a role more.
        @discardableResult
        func commit() async throws -> String {
            try repository.write(teamManifests(namespace), to: "one/team.yaml")
            try repository.write(teamManifests(namespace), to: "two/team.yaml")
            try repository.write(roleManifest("extra", in: namespace), to: "two/extra.yaml")
            return try await repository.commit("A team")
        }

        func content(_ changes: [String: String?] = [:]) -> String {
            var flags = given
            for (name, value) in changes { flags[name] = value }
            return flags.sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value)\"\n" }.joined()
        }

        /// As an editor does it that replaces files whole.
        func write(_ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        }

        /// Also asks for a look at it: nobody has to wait for the time that a file may still be written in.
        func change(_ run: RunningProgram, to text: String) throws {
            try write(text)
            kill(run.processID, SIGHUP)
        }

        func start(_ more: [String] = []) async throws -> RunningProgram {
            let commit = try await commit()
            if !FileManager.default.fileExists(atPath: file) { try write(content()) }
            let run = try RunningProgram(program, ["run", "--config", file] + more)
            try await run.untilItSynced(commit)
            return run
        }

        func started() async throws -> [String] {
            try await program.entries(["--reason", "Started"]).compactMap { $0["message"]?.string }
        }

        /// Somebody deletes a role, and it is back.
        func expectEnforcement() async throws {
            try await cluster.delete(reader)
            try await eventually("drift is corrected") { try await cluster.object(reader) != nil }
        }

        func expectProof() async throws {
            let verify = try await program.run(["journal", "verify", "--journal", program.journal])
            #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
        }
    }

    private static let success = "bylaw_config_last_reload_successful"

    // MARK: What is good

    @Test func anotherFolderOfTheRepositoryIsEnforcedByTheSameProcess() async throws {
        let scene = try await Scene("path")
        let run = try await scene.start()
        #expect(try await run.metrics()[Self.success] == 1)
        #expect(try await scene.cluster.object(scene.extra) == nil)
        // Whoever probes it is answered all the time.
        let probing = Task {
            var codes: Set<Int> = []
            while !Task.isCancelled {
                do { codes.insert(try await run.status("/healthz").code) } catch {
                    guard Task.isCancelled else { throw error }
                }
            }
            return codes
        }
        try scene.write(scene.content(["path": "two"]))
        try await eventually("the other folder is enforced: \(run.text)") {
            try await scene.cluster.object(scene.extra) != nil || !run.isRunning
        }
        try await eventually("it is ready again") { try await run.status("/readyz").code == 200 }
        probing.cancel()
        #expect(try await probing.value == [200])
        #expect(run.isRunning, "\(run.text)")
        #expect(run.count("The configuration has changed; beginning anew with it", "flags=path") == 1, "\(run.text)")
        #expect(run.count("Serving status") == 1)
        try await scene.expectEnforcement()
        #expect(try await run.metrics()[Self.success] == 1)
        try await run.stop()
        #expect(run.status == 0)
        let started = try await scene.started()
        #expect(started.count == 2)
        #expect(started.last?.contains("its configuration has changed (path)") == true, "\(started)")
        #expect(try await scene.program.entries(["--reason", "Stopped"]).count == 2)
        try await scene.expectProof()
    }

    /// Whatever is on its way when the configuration changes has its entry, and drift of that moment is corrected.
    @Test func noWriteIsLostWhenItBeginsAnewUnderLoad() async throws {
        let scene = try await Scene("load")
        let roles = (0..<40).map { ObjectID(.role, namespace: scene.namespace, name: "role-\($0)") }
        try scene.repository.write(
            roles.map { roleManifest($0.name, in: scene.namespace) }.joined(separator: "---\n"), to: "one/roles.yaml")
        let run = try await scene.start()
        let cluster = scene.cluster
        let count = Mutex(0)
        let drifting = Task {
            while !Task.isCancelled {
                try? await cluster.takeRulesAway(roles[count.withLock(\.self) % roles.count])
                count.withLock { $0 += 1 }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        for round in 1...3 {
            try await eventually("it drifts again") { count.withLock(\.self) >= round * 15 }
            try scene.change(run, to: scene.content(["concurrent-writes": "\(round)"]))
            try await eventually("round \(round) has begun: \(run.text.suffix(2000))") {
                run.count("beginning anew", "flags=concurrent-writes") == round && run.count("Connected") == round + 1
            }
        }
        drifting.cancel()
        await drifting.value
        try await eventually("everything is put right") {
            for role in roles where try await cluster.object(role)?["rules"]?.array?.isEmpty != false { return false }
            return true
        }
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        try await scene.expectProof()
        let known = Set(
            try await scene.program.entries(["--outcome", "succeeded"]).compactMap {
                $0["after"]?["metadata"]?["resourceVersion"]?.string
            })
        for (id, version) in try await cluster.versions(prefix: scene.namespace)
        where ![.namespace, .resourceQuota].contains(id.resource) {
            #expect(known.contains(version), "\(id) at \(version)")
        }
    }

    @Test func aSwappedConfigMapChangesTheLogWithoutABeginning() async throws {
        let scene = try await Scene("swap")
        let folder = scene.program.folder.path + "/config"
        /// As the kubelet does it: a new folder, and one rename of the link that leads there.
        func mount(_ text: String, _ version: String) throws {
            try FileManager.default.createDirectory(atPath: "\(folder)/..\(version)", withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/..\(version)/config.yaml"))
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/..data_tmp", withDestinationPath: "..\(version)")
            try #require(rename(folder + "/..data_tmp", folder + "/..data") == 0)
        }
        try mount(scene.content(), "first")
        try FileManager.default.createSymbolicLink(atPath: scene.file, withDestinationPath: "..data/config.yaml")
        let run = try await scene.start()
        try mount(scene.content(["log-level": "notice", "log-format": "json"]), "second")
        try await run.untilItSays("The configuration has changed")
        #expect(run.count("The configuration has changed", #"flags="log-format, log-level""#) == 1, "\(run.text)")
        try FileManager.default.removeItem(atPath: folder + "/..first")
        try await scene.expectEnforcement()
        try await run.untilItSays(#""level":"notice","message":"Changed""#)
        #expect(run.count("Connected") == 1, "nothing was begun anew: \(run.text)")
        try await run.stop()
        #expect(run.status == 0)
        #expect(try await scene.started().count == 1)
    }

    @Test func aHangupSignalLooksAtOnce() async throws {
        let scene = try await Scene("hangup")
        let run = try await scene.start()
        kill(run.processID, SIGHUP)
        try await run.untilItSays("The configuration is what runs")
        try scene.change(run, to: scene.content(["path": "two"]))
        try await eventually("the other folder is enforced") { try await scene.cluster.object(scene.extra) != nil }
        try await run.stop()
        #expect(run.status == 0)
    }

    @Test func whatTheCommandLineSaysCountsForMore() async throws {
        let scene = try await Scene("words")
        let run = try await scene.start(["--path", "one"])
        try scene.change(run, to: scene.content(["path": "two", "concurrent-writes": "3"]))
        try await run.untilItSays("beginning anew")
        #expect(run.count("beginning anew", "flags=concurrent-writes") == 1, "\(run.text)")
        try await run.stop()
        #expect(try await scene.cluster.object(scene.extra) == nil)
    }

    @Test func whatTakesAnotherStartIsToldByName() async throws {
        let scene = try await Scene("start")
        let run = try await scene.start()
        let secret = "e2e-not-to-be-told"
        try scene.change(
            run, to: scene.content(["instance": secret, "status-listen": "127.0.0.1:1", "concurrent-writes": "3"]))
        try await run.untilItSays("Some of the configuration changes with the next start")
        #expect(run.count("with the next start", #"flags="instance, status-listen""#) == 1, "\(run.text)")
        #expect(run.count("beginning anew", "flags=concurrent-writes") == 1, "\(run.text)")
        #expect(!run.text.contains(secret), "names, not values")
        #expect(try await run.metrics()[Self.success] == 1)
        try await run.stop()
        #expect(run.status == 0)
    }

    // MARK: What is not

    @Test func whatAStartWouldRefuseChangesNothing() async throws {
        let scene = try await Scene("bad")
        let run = try await scene.start()
        let taken = try #require(try await run.metrics()["bylaw_config_last_reload_success_timestamp_seconds"])
        let key = try scene.program.folder.write("no key", to: "key.pem")
        let refused: [(content: String, says: String)] = [
            (scene.content(["intervall": "1s"]), #"\"intervall\" is not a setting; did you mean \"interval\"?"#),
            (scene.content(["interval": "soon", "concurrent-writes": "0"]), "is no time such as 15s"),
            (scene.content(["branch": "main", "tag": "v1"]), "exclude each other"),
            (scene.content(["repo": nil]), "no policy repository is named"),
            (scene.content(["verify-commits": "head"]), "without a file that says whose signatures count"),
            (scene.content(["lease": "a/b"]), "--lease without --leader-elect"),
            (scene.content(["ship-to": "loki"]), "said by half"),
            (scene.content(["webhook-listen": "127.0.0.1:0"]), "--webhook-listen needs --webhook-secret-file"),
            (scene.content(["journal-key": "/nowhere/key.pem"]), "there is no such file"),
            (scene.content(["journal-key": key]), "read the journal's signing key"),
            ("interval: [\n", "line 2"),
            ("", "says nothing now"),
            ("# Of the production cluster.\n\n# It follows\n", "says nothing now"),
        ]
        for (index, bad) in refused.enumerated() {
            try scene.change(run, to: bad.content)
            try await eventually("it is refused: \(bad.says): \(run.text)") {
                run.count("The changed configuration is refused", "runbook=ConfigurationRefused") == index + 1
            }
            let line = run.text.split(separator: "\n").last { $0.contains("is refused; the one before stays in force") }
            #expect(line?.contains(bad.says) == true, "\(line ?? "")")
            #expect(try await run.metrics()[Self.success] == 0)
        }
        try FileManager.default.removeItem(atPath: scene.file)
        try await run.untilItSays("it does not exist or cannot be read")
        #expect(try await run.metrics()["bylaw_config_last_reload_success_timestamp_seconds"] == taken)
        try await scene.expectEnforcement()
        #expect(run.count("Connected") == 1, "it never stopped: \(run.text)")
        // What runs is good again without a beginning.
        try scene.change(run, to: scene.content())
        try await run.untilItSays("The configuration is what runs")
        #expect(try await run.metrics()[Self.success] == 1)
        try await run.stop()
        #expect(run.status == 0)
        #expect(try await scene.started().count == 1)
        try await scene.expectProof()
    }

    /// A start with it would be refused for what only shows when it begins.
    @Test func whatCannotBeginGoesBackToWhatWas() async throws {
        let scene = try await Scene("back")
        let run = try await scene.start()
        let secret = try scene.program.folder.write("secret", to: "hook")
        // The port of its own status.
        let port = try await run.statusPort()
        try scene.change(
            run,
            to: scene.content(["path": "two", "webhook-listen": "127.0.0.1:\(port)", "webhook-secret-file": secret]))
        try await run.untilItSays("A changed configuration could not begin; going on without it")
        #expect(try await run.metrics()[Self.success] == 0)
        try await scene.expectEnforcement()
        #expect(try await scene.cluster.object(scene.extra) == nil)
        try scene.change(run, to: scene.content(["path": "two"]))
        try await eventually("the next one is enforced: \(run.text)") {
            try await scene.cluster.object(scene.extra) != nil
        }
        #expect(try await run.metrics()[Self.success] == 1)
        try await run.stop()
        #expect(run.status == 0)
        #expect(
            try await scene.started().dropFirst().first?.contains("a changed configuration could not begin") == true)
        try await scene.expectProof()
    }

    /// Half of a file is not taken for the whole of it.
    @Test func aFileThatIsBeingWrittenIsNotTaken() async throws {
        let scene = try await Scene("half")
        let run = try await scene.start()
        let whole = scene.content(["path": "two", "concurrent-writes": "3"])
        let end = ContinuousClock.now + .seconds(15)
        // Never the same at two looks.
        var count = 0
        while ContinuousClock.now < end {
            count += 1
            try scene.write("# \(count)\n" + whole.split(separator: "\n").prefix(count % 5 + 2).joined(separator: "\n"))
            try await Task.sleep(for: .milliseconds(50))
        }
        try scene.write(whole)
        try await eventually("the whole is taken: \(run.text)") {
            try await scene.cluster.object(scene.extra) != nil
        }
        #expect(run.count("configuration is refused") == 0, "\(run.text)")
        try await run.stop()
        #expect(run.status == 0)
    }

    // MARK: Meanwhile

    @Test(arguments: ["The configuration has changed; beginning anew", "Ending what runs, to begin anew"])
    func aSignalToStopMeanwhileEndsItInOrder(_ moment: String) async throws {
        let scene = try await Scene("stop")
        let run = try await scene.start()
        try scene.change(run, to: scene.content(["path": "two"]))
        try await run.untilItSays(moment)
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.split(separator: "\n").last?.contains("Stopped") == true, "\(run.text)")
        let counts = (
            try await scene.started().count, try await scene.program.entries(["--reason", "Stopped"]).count
        )
        #expect(counts.0 == counts.1, "each beginning has its end")
        try await scene.expectProof()
    }

    /// It is found only when the one before has let go of its own.
    @Test func aJournalThatCannotBeOpenedIsRefused() async throws {
        let scene = try await Scene("journal")
        let run = try await scene.start()
        try scene.change(run, to: scene.content(["journal": scene.program.folder.path + "/nowhere/journal.sqlite"]))
        try await run.untilItSays("A changed configuration could not begin; going on without it")
        try await eventually("it is ready again: \(run.text)") { try await run.status("/readyz").code == 200 }
        #expect(try await run.status("/metrics").text.contains("bylaw_config_last_reload_successful 0"))
        try await scene.expectEnforcement()
        try await run.stop()
        #expect(run.status == 0)
        try await scene.expectProof()
    }

    /// What was in force before would have to wait for the journal as well.
    @Test func whatSharesItsJournalWithTheOneBeforeWaitsForIt() async throws {
        let folder = try ScratchDirectory(named: "bylaw-e2e-volume")
        let volume = folder.path + "/volume"
        try FileManager.default.createDirectory(atPath: volume, withIntermediateDirectories: true)
        let scene = try await Scene("wait", journal: volume + "/journal.sqlite")
        let run = try await scene.start()
        try FileManager.default.moveItem(atPath: volume, toPath: folder.path + "/away")
        try scene.change(run, to: scene.content(["path": "two"]))
        try await run.untilItSays("Ending what runs, to begin anew")
        try await eventually("it waits for the journal: \(run.text)") {
            let text = run.text
            guard let end = text.range(of: "Ending what runs, to begin anew") else { return false }
            return text[end.upperBound...].contains("The journal cannot be used") || text.contains("could not begin")
        }
        try FileManager.default.moveItem(atPath: folder.path + "/away", toPath: volume)
        try await eventually("the other folder is enforced: \(run.text)") {
            try await scene.cluster.object(scene.extra) != nil
        }
        #expect(run.count("could not begin") == 0, "\(run.text)")
        #expect(try await run.metrics()[Self.success] == 1)
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        try await scene.expectProof()
    }

    // MARK: The lease

    /// However busy the machine is, it is not lost by itself.
    private static let leaseFlags = [
        "leader-elect": "true", "lease": "kube-system/bylaw", "lease-duration": "90s", "lease-renew-deadline": "60s",
        "lease-retry": "500ms",
    ]

    /// Somebody led before and has left, so that nobody waits for a lease's end.
    private func leaveLease(_ cluster: ClusterUnderTest) async throws {
        let lease = try parseJSON(
            #"""
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "bylaw"},
            "spec": {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 1}}
            """#)
        try await cluster.create(lease, of: .lease, namespace: "kube-system")
    }

    /// The next renewal finds that somebody else leads.
    private func takeLease(_ cluster: ClusterUnderTest) async throws {
        try await cluster.mergePatch(
            .lease, namespace: "kube-system", named: "bylaw", #"{"spec": {"holderIdentity": "somebody-else"}}"#)
    }

    /// While a write is on its way that the server does not answer.
    @Test func aLeaseThatIsLostWhileItBeginsAnewHasItsEntry() async throws {
        let scene = try await Scene("lost", extra: Self.leaseFlags, isEmbedded: true)
        try await leaveLease(scene.cluster)
        let run = try await scene.start()
        scene.cluster.inject(
            "PATCH", "/roles/reader", .late, after: .seconds(60), count: 1000, fieldManager: scene.manager)
        try await scene.cluster.takeRulesAway(scene.reader)
        try await eventually("a write hangs") { scene.cluster.waitingFaults < 1000 }
        try scene.change(run, to: scene.content(["path": "two"]))
        try await run.untilItSays("Ending what runs, to begin anew")
        try await takeLease(scene.cluster)
        try await eventually("it ends: \(run.text)") { !run.isRunning }
        #expect(run.status == 3, "\(run.text)")
        #expect(try await scene.program.entries(["--reason", "LeaseLost"]).count == 1, "\(run.text)")
        try await scene.expectProof()
    }

    @Test func aLeaseThatIsLostWhileTheJournalIsWaitedForHasItsEntry() async throws {
        let folder = try ScratchDirectory(named: "bylaw-e2e-volume")
        let volume = folder.path + "/volume"
        let scene = try await Scene(
            "unwritten", extra: Self.leaseFlags, isEmbedded: true, journal: volume + "/journal.sqlite")
        try await leaveLease(scene.cluster)
        try await scene.commit()
        try scene.write(scene.content())
        // It looks at what is not as declared before it tries again to open the journal.
        scene.cluster.inject("GET", "/roles", .late, after: .seconds(120), count: 1000)
        let run = try RunningProgram(scene.program, ["run", "--config", scene.file])
        try await run.untilItSays("The journal cannot be used")
        try await eventually("a look hangs") { scene.cluster.waitingFaults < 1000 }
        try FileManager.default.createDirectory(atPath: volume, withIntermediateDirectories: true)
        try await takeLease(scene.cluster)
        try await eventually("it ends: \(run.text)") { !run.isRunning }
        #expect(run.status == 3, "\(run.text)")
        #expect(try await scene.program.entries(["--reason", "LeaseLost"]).count == 1, "\(run.text)")
    }

    /// It is not let go of in between, so that nobody else can begin to write; LeadershipTests has others that would.
    @Test func theLeaseIsKept() async throws {
        let scene = try await Scene(
            "lease", extra: ["leader-elect": "true", "lease": "kube-system/bylaw"], isEmbedded: true)
        let lease = "bylaw"
        let run = try await scene.start()
        let before = try #require(try await scene.cluster.object(.lease, named: lease))
        try scene.change(run, to: scene.content(["path": "two", "lease-retry": "1s"]))
        try await eventually("the other folder is enforced: \(run.text)") {
            try await scene.cluster.object(scene.extra) != nil
        }
        let after = try #require(try await scene.cluster.object(.lease, named: lease))
        #expect(after["spec"]?["holderIdentity"] == before["spec"]?["holderIdentity"])
        #expect(after["spec"]?["leaseTransitions"] == before["spec"]?["leaseTransitions"])
        #expect(after["spec"]?["acquireTime"] == before["spec"]?["acquireTime"])
        #expect(run.count("Leading ") == 1, "\(run.text)")
        #expect(run.count("The lease is given back") == 0)
        #expect(run.count("with the next start", "flags=lease-retry") == 1, "\(run.text)")
        try await run.stop()
        #expect(run.status == 0)
        #expect(run.count("The lease is given back") == 1)
        #expect(try await scene.cluster.object(.lease, named: lease)?["spec"]?["holderIdentity"]?.string == "")
        try await scene.expectProof()
    }
}

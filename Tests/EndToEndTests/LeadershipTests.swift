import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// Several `bylaw run --leader-elect` on a real API server: one writes at a time, as the server's audit log tells, and when
/// that one is lost another goes on.
@Suite(.serialized, .enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"), .timeLimit(.minutes(10)))
struct LeadershipTests {
    typealias Replica = LeadershipScene.Replica

    /// A leader that works, and others that stand by, in a cluster in which somebody undoes it all the time.
    private func startLeader(
        _ scene: LeadershipScene, _ start: () async throws -> Replica
    ) async throws -> Replica {
        let leader = try await start()
        try await leader.untilItLeads()
        try await scene.untilSynced(leader)
        return leader
    }

    /// Waits until a replica has written so many times since it leads.
    private func untilItHasWritten(_ replica: Replica, _ count: Int = 40) async throws {
        let before = replica.run.count("Changed ")
        try await eventually("\(replica.identity) writes: \(replica.run.text.suffix(2000))") {
            replica.run.count("Changed ") >= before + count || !replica.run.isRunning
        }
    }

    private func entries(_ replica: Replica, _ filters: String...) async throws -> [Tree] {
        try await replica.program.entries(filters)
    }

    private func expectProof(_ replica: Replica) async throws {
        let verify = try await replica.program.run(["journal", "verify", "--journal", replica.program.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    /// The second one leads and writes; then drift ends, and each of them has written in its own time alone.
    private func expectHandover(
        _ scene: LeadershipScene, from first: Replica, to second: Replica, _ drift: Task<Int, Never>
    ) async throws -> [LeadershipScene.Term] {
        try await second.untilItLeads()
        try await untilItHasWritten(second)
        drift.cancel()
        _ = await drift.value
        let terms = try await scene.expectOneWriterAtATime([first, second])
        #expect(terms.map(\.replica) == [first.identity, second.identity])
        return terms
    }

    /// What the next leader did not see through is settled, and all is as declared.
    private func expectConverged(_ scene: LeadershipScene, _ replica: Replica) async throws {
        for index in stride(from: 0, to: LeadershipScene.roleCount, by: 10) {
            let role = ObjectID(.role, namespace: scene.name, name: "role-\(index)")
            try await eventually("\(role) is as declared") {
                try await scene.cluster.object(role)?["rules"]?.array?.isEmpty == false
            }
        }
        try await replica.run.stop()
        #expect(replica.run.status == 0, "\(replica.run.text)")
    }

    @Test func whenTheLeaderIsKilledOneOfTheOthersGoesOn() async throws {
        let scene = try await LeadershipScene("kill")
        let first = try await startLeader(scene) { try await scene.start("first", journal: scene.sharedJournal) }
        let others = [
            try await scene.start("second", journal: scene.sharedJournal),
            try await scene.start("third", journal: scene.sharedJournal),
        ]
        for other in others { try await other.untilItStandsBy() }
        let drift = scene.makeDrift()
        try await untilItHasWritten(first)
        let killed = Timestamp.now
        try await first.run.crash()
        try await eventually("one of the others leads") { others.contains { $0.isLeading } }
        let next = try #require(others.first { $0.isLeading })
        try await untilItHasWritten(next)
        drift.cancel()
        #expect(await drift.value > 40)
        let terms = try await scene.expectOneWriterAtATime([first] + others)
        #expect(terms.map(\.replica) == [first.identity, next.identity])
        #expect(terms.allSatisfy { $0.writes.count >= 40 })
        let last = try #require(terms.last)
        let (led, wrote) = (last.begin.after(killed), try #require(last.writes.first).answered.after(killed))
        print("kill -9: the next one leads after \(led) s, and has written after \(wrote) s")
        #expect(next.run.text.contains("not renewed by \(first.identity)"), "\(next.run.text)")
        #expect(try await entries(next, "--reason", "LeaseLost").count == 1)
        #expect(others.filter { $0.isLeading }.count == 1)
        try await expectConverged(scene, next)
        for other in others where other !== next { try await other.run.stop() }
        try await expectProof(next)
    }

    @Test func aLeaderThatIsToldToStopHandsOverWithinASecond() async throws {
        let scene = try await LeadershipScene("stop")
        let first = try await startLeader(scene) { try await scene.start("first", journal: scene.sharedJournal) }
        let second = try await scene.start("second", journal: scene.sharedJournal)
        try await second.untilItStandsBy()
        let drift = scene.makeDrift()
        try await untilItHasWritten(first)
        let told = Timestamp.now
        try await first.run.stop()
        #expect(first.run.status == 0, "\(first.run.text)")
        #expect(first.run.text.contains("The lease is given back"))
        let terms = try await expectHandover(scene, from: first, to: second, drift)
        let released = try #require(terms.first?.released)
        let next = try #require(terms.last)
        let wrote = try #require(next.writes.first).answered
        print(
            "SIGTERM: given back after \(released.after(told)) s, taken \(next.begin.after(released)) s later, "
                + "the first write \(wrote.after(released)) s after that it was given back")
        #expect(second.run.text.contains("given back by the one before"), "it need not run out")
        #expect(!second.run.text.contains("The journal cannot be used"), "it is closed before the lease is given back")
        #expect(try await entries(second, "--reason", "LeaseLost").isEmpty, "nothing was lost")
        try await expectConverged(scene, second)
        try await expectProof(second)
    }

    /// What works is ended and begun anew under the same lease, in the leader and in the one that stands by.
    @Test func aLeaderWhoseConfigurationChangesKeepsItsLease() async throws {
        let scene = try await LeadershipScene("reload")
        let folder = try ScratchDirectory()
        let file = try folder.write("concurrent-writes: 4\n", to: "config.yaml")
        let first = try await startLeader(scene) { try await scene.start("first", flags: ["--config", file]) }
        let second = try await scene.start("second", flags: ["--config", file])
        try await second.untilItStandsBy()
        let drift = scene.makeDrift()
        for round in 1...3 {
            try folder.write("concurrent-writes: \(round)\n", to: "config.yaml")
            for replica in [first, second] { kill(replica.run.processID, SIGHUP) }
            try await eventually("the leader has begun anew") { first.run.count("Connected") == round + 1 }
            try await untilItHasWritten(first)
        }
        #expect(second.run.count("beginning anew") == 3, "\(second.run.text)")
        try await first.run.stop()
        _ = try await expectHandover(scene, from: first, to: second, drift)
        try await expectConverged(scene, second)
        for replica in [first, second] { try await expectProof(replica) }
    }

    /// So that a rolling update goes on to the next replica, and what is ready is what would take over.
    @Test func aReplicaThatStandsByIsReadyBehindALeaderThatIsAlive() async throws {
        let scene = try await LeadershipScene("ready")
        let flags = RunningProgram.statusFlags
        let first = try await scene.start("first", flags: flags)
        try await eventually("the leader is ready") { try await first.run.status("/readyz").code == 200 }
        #expect(try await first.run.status("/readyz?verbose").text.contains("[+]leadership ok\n[+]journal ok"))
        let second = try await scene.start("second", flags: flags)
        try await eventually("the other is ready") { try await second.run.status("/readyz").code == 200 }
        #expect(
            try await second.run.status("/readyz?verbose").text
                == "[+]controller ok\n[+]leadership ok\n[+]standby ok\nreadyz check passed\n")
        let leaders = "bylaw_leader{bylaw_instance=\"\(scene.name)\"} "
        #expect(try await first.run.status("/metrics").text.contains(leaders + "1"))
        #expect(try await second.run.status("/metrics").text.contains(leaders + "0"))
        kill(first.run.processID, SIGSTOP)
        try await second.untilItLeads()
        try await eventually("it is ready as the leader") {
            try await second.run.status("/readyz?verbose").text.contains("[+]kinds ok")
        }
        #expect(try await second.run.status("/metrics").text.contains(leaders + "1"))
        try await second.run.stop()
        try await first.run.crash()
    }

    /// Rule K8: the pause of a process, as a virtual machine's or a debugger's.
    @Test func aLeaderThatWasStoppedForAWhileWritesNothingWhenItGoesOn() async throws {
        let scene = try await LeadershipScene("pause")
        let first = try await startLeader(scene) { try await scene.start("first") }
        let second = try await scene.start("second")
        try await second.untilItStandsBy()
        let drift = scene.makeDrift()
        try await untilItHasWritten(first)
        kill(first.run.processID, SIGSTOP)
        let stopped = Timestamp.now
        try await second.untilItLeads()
        try await untilItHasWritten(second)
        let before = try await scene.writes(of: [first]).count
        kill(first.run.processID, SIGCONT)
        try await eventually("the one that was stopped ends") { !first.run.isRunning }
        #expect(first.run.status == 3, "\(first.run.text.suffix(3000))")
        #expect(first.run.text.contains("The lease is lost; nothing is written any more"))
        // It has had its chance to write by now.
        try await untilItHasWritten(second)
        drift.cancel()
        _ = await drift.value
        let all = try await scene.writes(of: [first])
        #expect(all.count == before, "\(all.dropFirst(before))")
        let terms = try await scene.expectOneWriterAtATime([first, second])
        #expect(terms.map(\.replica) == [first.identity, second.identity])
        let last = try #require(terms.last)
        print(
            "SIGSTOP: the next one leads after \(last.begin.after(stopped)) s, and has written after "
                + "\(try #require(last.writes.first).answered.after(stopped)) s")
        try await expectOnlyTrueClaims(first, scene)
        #expect(try await entries(first, "--reason", "LeaseLost").count == 1)
        try await expectProof(first)
        try await expectConverged(scene, second)
    }

    /// What a journal says was written the server has answered.
    private func expectOnlyTrueClaims(_ replica: Replica, _ scene: LeadershipScene) async throws {
        let versions = Set(try await scene.writes(of: [replica]).compactMap(\.version))
        let claimed = try await entries(replica, "--outcome", "succeeded").filter { $0["action"]?.string != nil }
        #expect(!claimed.isEmpty)
        for entry in claimed where entry["after"]?["kind"] == "Role" {
            let version = try #require(entry["after"]?["metadata"]?["resourceVersion"]?.string)
            #expect(versions.contains(version), "\(entry)")
        }
    }

    /// Nothing is refused and no connection closed: packets go nowhere.
    @Test func aLeaderThatIsCutOffEndsBeforeTheNextOneBegins() async throws {
        let scene = try await LeadershipScene("cut")
        let server = try String(contentsOfFile: scene.cluster.kubeconfig, encoding: .utf8)
        let port = try #require(server.firstMatch(of: /127\.0\.0\.1:([0-9]+)/)?.1)
        let proxy = try PythonServer(blackHoleScript, [String(port)])
        defer { proxy.crash() }
        let kubeconfig = try scene.kubeconfig(throughPort: proxy.port)
        let first = try await startLeader(scene) {
            try await scene.start("first", journal: scene.sharedJournal, kubeconfig: kubeconfig)
        }
        let second = try await scene.start("second", journal: scene.sharedJournal)
        try await second.untilItStandsBy()
        let drift = scene.makeDrift()
        try await untilItHasWritten(first)
        proxy.signal(SIGUSR1)
        let cut = Timestamp.now
        try await eventually("the one that is cut off ends") { !first.run.isRunning }
        let ended = Timestamp.now
        #expect(first.run.status == 3, "\(first.run.text.suffix(3000))")
        #expect(
            ended.after(cut) < 4.5,
            "the renewal deadline (2 s), and no wait for answers: \(first.run.text.suffix(3000))")
        let terms = try await expectHandover(scene, from: first, to: second, drift)
        let last = try #require(terms.last)
        print(
            "cut off: it has ended after \(ended.after(cut)) s; the next one leads after \(last.begin.after(cut)) s, and has "
                + "written after \(try #require(last.writes.first).answered.after(cut)) s")
        try await expectConverged(scene, second)
        #expect(try await entries(second, "--reason", "LeaseLost").count == 2, "told by the one and by the other")
        try await expectProof(second)
    }

    /// Rule K3: the wall clock of the leader, or of the one that stands by, is wrong and jumps.
    @Test(arguments: ["leader", "standby"]) func aWallClockThatJumpsChangesNoLeader(_ whose: String) async throws {
        let scene = try await LeadershipScene("clock-" + whose)
        let clock = try WallClock()
        let first = try await startLeader(scene) {
            try await scene.start("first", launcher: whose == "leader" ? clock.launcher : [])
        }
        let second = try await scene.start("second", launcher: whose == "standby" ? clock.launcher : [])
        try await second.untilItStandsBy()
        let drift = scene.makeDrift()
        for hours in [1, 3, 2] {
            try clock.set(aheadBy: hours)
            let jump = ContinuousClock.now
            try await untilItHasWritten(first)
            // As long as a leader that does not renew would have been replaced.
            try await eventually("two leases have passed") { ContinuousClock.now - jump > LeadershipScene.lease * 2 }
            #expect(first.run.isRunning && second.run.isRunning && !second.isLeading)
        }
        let faked = whose == "leader" ? first : second
        try await first.run.stop()
        _ = try await expectHandover(scene, from: first, to: second, drift)
        try await expectConverged(scene, second)
        // The jumps were felt: its last line is dated two hours ahead.
        let line = try #require(faked.run.text.split(separator: "\n").last { $0.hasPrefix("2") })
        let ahead = try #require(Timestamp(String(line.prefix { $0 != " " }))).after(.now)
        #expect(abs(ahead - 7200) < 600, "\(line)")
    }

    @Test func aReplicaThatHasNoPlaceOrSafeTimesForALeaseSaysSo() async throws {
        let scene = try await LeadershipScene("flags")
        let program = try Program()
        let flags = program.flags(repository: scene.repository, cluster: scene.cluster, instance: scene.name)
        for (more, words) in [
            (["--leader-elect"], "--lease bylaw-system/bylaw-\(scene.name)"),
            (["--lease", "a/b"], "--lease without --leader-elect"),
            (["--leader-elect", "--lease", "a"], "is no namespace and name"),
            (["--leader-elect", "--lease", "a/b", "--lease-duration", "10s"], "is not shorter than the lease"),
        ] {
            let outcome = try await program.run(["run"] + more + flags)
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains(words), "\(outcome.errors)")
        }
    }
}

/// The time of day of one process, by Debian's libfaketime; its other clocks stay as they are.
private struct WallClock {
    private let folder: ScratchDirectory
    private let library: String
    private var file: String { folder.path + "/offset" }

    init() throws {
        folder = try ScratchDirectory(named: "bylaw-e2e-clock")
        library = try #require(
            ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1" }
                .first { FileManager.default.fileExists(atPath: $0) },
            "libfaketime is missing: run .ci/install-packages e2e")
        try set(aheadBy: 0)
    }

    var launcher: [String] {
        [
            "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(file)", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // Else libfaketime sets it, and Swift finds no arguments behind an environment that was moved.
            "FAKETIME_SHARED=/none /none",
        ]
    }

    /// In whole hours, and never behind: certificates of the cluster would not be valid yet.
    func set(aheadBy hours: Int) throws { try folder.write("+\(hours * 3600)\n", to: "offset") }
}

/// Forwards to a port of this machine, until SIGUSR1: then it reads nothing and closes nothing.
private let blackHoleScript = """
    import asyncio, signal, sys
    target = int(sys.argv[1])
    cut = asyncio.Event()

    async def pump(reader, writer):
        while True:
            data = await reader.read(65536)
            if cut.is_set(): await asyncio.sleep(900)
            if not data: break
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader, writer):
        if cut.is_set(): await asyncio.sleep(900)
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))
        except ConnectionError:
            writer.close()

    async def main():
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, cut.set)
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())

    """

import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// The journal on its way to a receiver of logs while the controller runs.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "there is no python3"))
struct RunShippingTests {
    private let cluster: ClusterUnderTest
    private let program: Program
    private let repository: PolicyRepository

    private var folder: String { program.folder.path }

    init() async throws {
        cluster = try ClusterUnderTest()
        program = try Program()
        repository = try await PolicyRepository()
        try await SyslogReceiverProcess.makeCertificates(in: program.folder.path)
    }

    private func words(_ port: Int, instance: String) -> [String] {
        [
            "run", "--interval", "500ms", "--ship-to", "syslog", "--ship-url", "tls://127.0.0.1:\(port)",
            "--ship-ca-file", "\(folder)/authority.crt", "--ship-stalled-after", "1s",
        ] + program.flags(repository: repository, cluster: cluster, instance: instance)
    }

    private func commitTeam(_ namespace: String) async throws {
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
    }

    /// Changes something by hand and waits until it is as it was.
    private func drift(in namespace: String) async throws {
        let role = ObjectID(.role, namespace: namespace, name: "reader")
        let version = try #require(try await cluster.object(role))["metadata"]?["uid"]
        try await cluster.delete(role)
        try await eventually("the role is made again") {
            let now = try await cluster.object(role)?["metadata"]?["uid"]
            return now != nil && now != version
        }
    }

    private func sequences() async throws -> Set<Int> {
        Set(try await program.entries().compactMap { $0["sequence"]?.integer.map(Int.init) })
    }

    @Test func everyEntryArrivesUpToTheLast() async throws {
        try await commitTeam("e2e-ship-a")
        var receiver = try SyslogReceiverProcess(in: folder)
        let port = receiver.port
        let run = try RunningProgram(program, words(port, instance: "ship-a"))
        try await run.untilItSays("Synced")
        try await drift(in: "e2e-ship-a")
        receiver.crash()
        try await drift(in: "e2e-ship-a")
        receiver = try SyslogReceiverProcess(in: folder, port: port)
        try await eventually("what was written meanwhile arrives in: \(run.text)") {
            try await sequences() == SyslogReceiverProcess.sequences(in: folder)
        }
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        let entries = try await program.entries()
        try await eventually("the last entry arrived") {
            try SyslogReceiverProcess.sequences(in: folder) == Set(1...entries.count)
        }
        let reasons = try SyslogReceiverProcess.received(in: folder).joined().map(\.messageID)
        #expect(reasons.contains("DriftCorrected") && reasons.contains("Stopped"), "\(reasons)")
    }

    @Test func aReceiverThatIsAwayHoldsUpNothingAndIsToldOnce() async throws {
        try await commitTeam("e2e-ship-b")
        var receiver = try SyslogReceiverProcess(in: folder)
        let port = receiver.port
        receiver.crash()
        let run = try RunningProgram(program, words(port, instance: "ship-b"))
        try await run.untilItSays("Synced")
        try await drift(in: "e2e-ship-b")
        let stalled = ["--reason", "ShippingStalled"]
        try await eventually("an incident in: \(run.text)") { try await !program.entries(stalled).isEmpty }
        let status = try await program.run(["status", "--journal", program.journal])
        #expect(status.status == 1)
        #expect(status.output.contains("ShippingStalled"), "\(status.output)")
        let message = try await program.entries(stalled).first?["message"]?.string ?? ""
        #expect(
            message.hasPrefix("nothing of the journal has reached syslog at 127.0.0.1:\(port) for 1 s: "), "\(message)")

        // The time between two attempts has grown to some seconds by now.
        receiver = try SyslogReceiverProcess(in: folder, port: port)
        try await run.untilItSays("Shipping goes on")
        try await eventually("all arrives") {
            try await sequences() == SyslogReceiverProcess.sequences(in: folder)
        }
        try await eventually("the incident is over") {
            try await program.run(["status", "--journal", program.journal]).status == 0
        }
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        #expect(try await program.entries(stalled).count == 1, "one entry for one standstill")
        let told = run.text.split(separator: "\n").count { $0.contains("Shipping failed") }
        #expect(told == 1, "a failure that goes on is told once: \(run.text)")
    }

    @Test func aReceiverThatSaysNothingDelaysTheEndBySecondsOnly() async throws {
        try await commitTeam("e2e-ship-c")
        let receiver = try SyslogReceiverProcess(in: folder, .silent)
        let run = try RunningProgram(program, words(receiver.port, instance: "ship-c"))
        try await run.untilItSays("Synced")
        try await drift(in: "e2e-ship-c")
        let began = ContinuousClock.now
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    /// A broken cursor would end `journal ship`; it must not end enforcement.
    @Test func aCursorOfAnotherJournalIsToldAndStopsNothing() async throws {
        try await commitTeam("e2e-ship-d")
        let receiver = try SyslogReceiverProcess(in: folder)
        try #"{"journal":"0123","sequence":2}"#.write(
            toFile: program.journal + ".syslog-cursor", atomically: true, encoding: .utf8)
        let run = try RunningProgram(program, words(receiver.port, instance: "ship-d"))
        try await run.untilItSays("Synced")
        try await drift(in: "e2e-ship-d")
        try await run.untilItSays("is of another journal")
        try await eventually("an incident") { try await !program.entries(["--reason", "ShippingStalled"]).isEmpty }
        try await run.stop()
        #expect(run.status == 0, "\(run.text)")
        #expect(try SyslogReceiverProcess.sequences(in: folder).isEmpty)
        // Nobody is told of it any more where nothing is to be sent.
        let plain = try RunningProgram(
            program, ["run"] + program.flags(repository: repository, cluster: cluster, instance: "ship-d"))
        try await plain.untilItSays("Synced")
        try await plain.stop()
        #expect(try await program.run(["status", "--journal", program.journal]).status == 0)
    }
}

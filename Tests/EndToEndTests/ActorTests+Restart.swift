import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// The program is killed between the event and the entry.
extension ActorTests {
    private var role: ObjectID { ObjectID(.role, namespace: namespace, name: "reader") }

    private var flags: [String] {
        program.flags(repository: repository, cluster: cluster, instance: "audit-restart")
    }

    private func start(_ words: [String] = [], flags: [String]? = nil) throws -> RunningProgram {
        try RunningProgram(program, ["run", "--interval", "1s"] + words + (flags ?? self.flags))
    }

    private func has(_ file: String) -> Bool {
        let isThere = FileManager.default.fileExists(atPath: folder + "/" + file)
        if !isThere { print("left out: this cluster has no \(file)") }
        return isThere
    }

    private func drift() async throws {
        try await cluster.mergePatch(role, #"{"metadata":{"labels":{"app":"forged"}},"rules":[]}"#)
    }

    /// Waits until the one correction has its actor, who is proven to be alice.
    private func untilAliceIsProven() async throws {
        try await eventually(within: .seconds(60), "the drift's actor is identified") {
            try await identified().contains { $0["actor"]?["certainty"] == "proven" }
        }
        let correction = try #require(try await corrections().last)
        let found = try #require(try await identified().last)
        #expect(found["actor"]?["name"] == "alice", "\(found)")
        #expect(found["actor"]?["certainty"] == "proven", "\(found)")
        #expect(found["refersTo"] == correction["sequence"], "\(found)")
        #expect(found["auditID"]?.string?.isEmpty == false, "\(found)")
    }

    /// The API server forgets what it was thanked for: the events must be on the disk by then.
    @Test(.timeLimit(.minutes(4))) func anEventThatWasTakenBeforeACrashExplainsAnEntryAfterIt() async throws {
        guard has("audit.port") else { return }
        let port = try String(contentsOfFile: folder + "/audit.port", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        // By the client certificate alone, where the API server has one for this.
        let access =
            has("pki/audit.crt")
            ? ["--audit-client-ca-file", folder + "/pki/ca.crt", "--audit-client-name", "kube-apiserver-audit"]
            : ["--audit-token-file", folder + "/audit.token"]
        let audit =
            [
                "--audit-listen", "127.0.0.1:\(port)", "--audit-cert-file", folder + "/pki/apiserver.crt",
                "--audit-key-file", folder + "/pki/apiserver.key",
            ] + access
        let first = try start()
        try await first.untilItSays("Synced")
        try await first.stop()
        #expect(try await corrections().isEmpty)

        // One that takes events and enforces nothing: it cannot fetch what is declared.
        var idle = flags
        for (flag, value) in [("--repo", "/nonexistent"), ("--cache", program.folder.path + "/other-cache")] {
            idle[try #require(idle.firstIndex(of: flag)) + 1] = value
        }
        let taking = try start(audit, flags: idle)
        try await taking.untilItSays("Taking audit events")
        try await drift()
        let kept = program.journal + "-audit-events"
        try await eventually(within: .seconds(60), "the event is kept") {
            guard FileManager.default.fileExists(atPath: kept) else { return false }
            // Controllers write in the namespace as well.
            return try String(contentsOfFile: kept, encoding: .utf8).split(separator: "\n")
                .contains { $0.contains(namespace) && $0.contains(#""alice""#) }
        }
        try await taking.crash()
        #expect(try await corrections().isEmpty)

        // The webhook goes to another program now, so that what is found can only come from the file.
        let last = try start(["--audit-log", program.folder.path + "/absent.log"])
        try await untilAliceIsProven()
        try await last.stop()
        #expect(try await identified().count == 1)
    }

    /// A drift is corrected and the program killed before anything is known of who did it.
    @Test(.timeLimit(.minutes(4))) func anEntryFromBeforeACrashIsExplainedByTheAuditLogAfterIt() async throws {
        guard has("audit.log") else { return }
        let first = try start()
        try await first.untilItSays("Synced")
        try await drift()
        try await eventually(within: .seconds(60), "the drift is corrected") { try await !corrections().isEmpty }
        try await first.crash()
        #expect(try await identified().isEmpty)

        let log = ["--audit-log", folder + "/audit.log"]
        for round in 1...2 {
            // The second start finds what the first has recorded, and records nothing twice.
            let running = try start(log)
            try await running.untilItSays("Synced")
            try await untilAliceIsProven()
            if round == 2 {
                // Another drift shows that it has read the log to here.
                try await drift()
                try await eventually(within: .seconds(60), "the other drift is explained") {
                    try await identified().count >= 2
                }
            }
            try await running.crash()
        }
        let about = try await identified().compactMap { $0["refersTo"]?.integer }
        #expect(about.count == 2 && Set(about).count == 2, "\(about)")
        let report = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(report.status == 0, "\(report.output)")
    }
}

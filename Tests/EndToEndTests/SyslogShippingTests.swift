import Foundation
import TestSupport
import Testing

/// Sending a journal to a syslog receiver over TLS, which acknowledges nothing.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "there is no python3"))
struct SyslogShippingTests {
    private let program: Program
    private var folder: String { program.folder.path }

    init() async throws {
        program = try Program()
        try await SyslogReceiverProcess.makeCertificates(in: program.folder.path)
    }

    private func words(_ port: Int, authority: String = "authority") -> [String] {
        [
            "journal", "ship", "--to", "syslog", "--url", "tls://127.0.0.1:\(port)", "--ca-file",
            "\(folder)/\(authority).crt", "--journal", program.journal, "--batch", "50",
        ]
    }

    @Test(.timeLimit(.minutes(4))) func nothingIsLostWhoeverIsKilled() async throws {
        let entries = 2_000
        try await writeSampleJournal(program.journal, entries: entries)
        var receiver = try SyslogReceiverProcess(in: folder, .slow)
        let port = receiver.port
        var shipper = try RunningProgram(program, words(port), named: "ship")
        var kills = 0
        var random = SplitMix64(seed: UInt64.random(in: 0..<1000))
        while try SyslogReceiverProcess.sequences(in: folder).count < entries, kills < 12 {
            let goal = min(
                entries,
                try SyslogReceiverProcess.sequences(in: folder).count + Int.random(in: 20...200, using: &random))
            try await eventually(within: .seconds(60), "\(goal) entries arrive in: \(shipper.text)") {
                try SyslogReceiverProcess.sequences(in: folder).count >= goal
            }
            kills += 1
            // Twice the receiver for each time the sender: it is the receiver who may take something with it.
            if kills.isMultiple(of: 3) {
                try await shipper.crash()
                shipper = try RunningProgram(program, words(port), named: "ship")
            } else {
                receiver.crash()
                receiver = try SyslogReceiverProcess(in: folder, port: port, .slow)
            }
        }
        // The last connection may be a lost one, and its entries with it: the sender sees that by itself.
        try await eventually(within: .seconds(90), "all arrive") {
            try SyslogReceiverProcess.sequences(in: folder) == Set(1...entries)
        }
        try await shipper.stop()
        #expect(shipper.status == 0, "\(shipper.text)")

        let connections = try SyslogReceiverProcess.received(in: folder)
        let messages = connections.joined()
        #expect(Set(messages.map { $0.parameters["journal"] }).count == 1)
        #expect(messages.allSatisfy { $0.messageID == "Synced" && $0.hostname == "ship" })
        for connection in connections {
            let sequences = connection.compactMap { $0.parameters["sequence"].flatMap { Int($0) } }
            #expect(sequences == sequences.sorted(), "in order on each connection")
        }
        print("syslog: \(entries) entries, \(kills) kills, \(messages.count - entries) sent twice")
    }

    @Test func allIsSentOnceWhereNothingBreaks() async throws {
        try await writeSampleJournal(program.journal, entries: 120)
        let receiver = try SyslogReceiverProcess(in: folder, .mutual)
        let identity = ["--cert-file", "\(folder)/client.crt", "--key-file", "\(folder)/client.key"]
        for _ in 0..<2 {
            let outcome = try await program.run(words(receiver.port) + identity + ["--once"])
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        try await eventually("the receiver has written all") {
            try SyslogReceiverProcess.sequences(in: folder).count == 120
        }
        let messages = try SyslogReceiverProcess.received(in: folder).joined()
        #expect(messages.count == 120, "nothing is sent twice")
    }

    private func cursors() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: program.folder.path).filter { $0.hasSuffix("-cursor") }
    }

    @Test func withoutTheCertificateThatIsWantedNothingCountsAsSent() async throws {
        try await writeSampleJournal(program.journal, entries: 3)
        let receiver = try SyslogReceiverProcess(in: folder, .mutual)
        let shipper = try RunningProgram(program, words(receiver.port), named: "ship")
        try await shipper.untilItSays("Shipping ")
        try await shipper.stop()
        #expect(try cursors() == [], "\(shipper.text)")
    }

    @Test func aReceiverOfAnotherAuthorityGetsNothing() async throws {
        try await writeSampleJournal(program.journal, entries: 3)
        let receiver = try SyslogReceiverProcess(in: folder)
        let shipper = try RunningProgram(program, words(receiver.port, authority: "other"), named: "ship")
        try await shipper.untilItSays("Shipping stands still")
        try await shipper.stop()
        #expect(shipper.text.contains("send to tls://127.0.0.1:\(receiver.port): SSL certificate problem"))
        #expect(shipper.text.contains("--ca-file"))
        #expect(try SyslogReceiverProcess.sequences(in: folder).isEmpty)
        #expect(try cursors() == [])
    }

    @Test(arguments: [
        ("https://127.0.0.1:6514", "no address with tls://"), ("tls://u:hunter2@127.0.0.1", "user name or a password"),
        ("tls://127.0.0.1/path", "after the port"), ("tls://", "no address with tls://"),
    ]) func anAddressThatIsNoneIsRefused(_ url: String, _ words: String) async throws {
        let outcome = try await program.run(
            ["journal", "ship", "--to", "syslog", "--url", url, "--journal", program.journal])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(!outcome.errors.contains("hunter2"))
    }
}

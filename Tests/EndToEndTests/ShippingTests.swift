import Foundation
import JSON
import Journal
import Manifest
import Reconciler
import TestSupport
import Testing

/// Sending a journal on, while whoever sends and whoever receives are killed.
@Suite struct ShippingTests {
    /// Takes Splunk's HEC events as that protocol has them, and answers only when they are on the disk.
    private static let receiver = """
        import http.server, json, os, sys
        log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path.split("?")[0] != "/services/collector/event" or self.headers["Authorization"] != "Splunk s3cret":
                    return self.answer(403, {"text": "Invalid token", "code": 4})
                decoder, lines = json.JSONDecoder(), []
                while body:
                    event, end = decoder.raw_decode(body)
                    body = body[end:].lstrip()
                    assert event["event"]["sequence"] == int(event["fields"]["sequence"])
                    lines.append("%s %d\\n" % (event["fields"]["journal"], event["event"]["sequence"]))
                os.write(log, "".join(lines).encode())
                os.fsync(log)
                self.answer(200, {"text": "Success", "code": 0})
            def answer(self, status, tree):
                text = json.dumps(tree).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            def log_message(self, *words): pass
        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
        server = Server(("127.0.0.1", int(sys.argv[1])), Receiver)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "there is no python3"),
        .timeLimit(.minutes(4)))
    func nothingIsLostWhoeverIsKilled() async throws {
        let program = try Program()
        let entries = 3_000
        try await writeSampleJournal(program.journal, entries: entries)
        let token = program.folder.path + "/token"
        try "s3cret\n".write(toFile: token, atomically: true, encoding: .utf8)
        let log = program.folder.path + "/received"
        try "".write(toFile: log, atomically: true, encoding: .utf8)
        var receiver = try PythonServer(Self.receiver, ["0", log])
        let port = receiver.port
        let words = [
            "journal", "ship", "--to", "splunk", "--url", "http://127.0.0.1:\(port)", "--token-file", token,
            "--journal",
            program.journal, "--batch", "20",
        ]
        var random = SplitMix64(seed: UInt64.random(in: 0..<1000))
        var kills = 0
        var shipper = try RunningProgram(program, words, named: "ship")
        while try received(log).count < entries, kills < 24 {
            let goal = min(entries, try received(log).count + Int.random(in: 20...200, using: &random))
            try await eventually(within: .seconds(60), "\(goal) entries arrive") { try received(log).count >= goal }
            kills += 1
            if kills.isMultiple(of: 2) {
                receiver.crash()
                receiver = try PythonServer(Self.receiver, [String(port), log])
            } else {
                try await shipper.crash()
                shipper = try RunningProgram(program, words, named: "ship")
            }
        }
        try await shipper.crash()
        let last = try await program.run(words + ["--once"])
        #expect(last.status == 0, "\(last.errors)")
        receiver.crash()

        let lines = try received(log)
        let sequences = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(Set(sequences) == Set(1...entries), "nothing is lost")
        #expect(Set(lines.map { $0.prefix(32) }).count == 1, "a duplicate has the same journal and sequence")
        var seen = 0
        for sequence in sequences {
            #expect(sequence <= seen + 1, "entry \(sequence) comes before \(seen + 1)")
            seen = max(seen, sequence)
        }
        print("shipping: \(entries) entries, \(kills) kills, \(lines.count - entries) sent twice")
    }

    @Test func aCursorOfAnotherJournalIsRefused() async throws {
        let program = try Program()
        try await writeSampleJournal(program.journal, entries: 3)
        let cursor = program.folder.path + "/cursor"
        try #"{"journal":"0123","sequence":2}"#.write(toFile: cursor, atomically: true, encoding: .utf8)
        let words = [
            "journal", "ship", "--to", "loki", "--url", "http://127.0.0.1:9", "--journal", program.journal, "--cursor",
            cursor,
        ]
        let outcome = try await program.run(words)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("is of another journal"), "\(outcome.errors)")
    }

    private func received(_ log: String) throws -> [Substring] {
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    }
}

/// A journal with so many plain entries.
func writeSampleJournal(_ path: String, entries: Int) async throws {
    let journal = try await SQLiteJournal.open(
        JournalConfiguration(path: path, instance: "ship", cluster: "test", build: "test"))
    try await withThrowingTaskGroup { group in
        for number in 1...entries {
            group.addTask {
                _ = try await journal.record(
                    EntryDraft(
                        at: Timestamp(microsecondsSinceEpoch: 1_772_366_400_000_000 + Int64(number)), kind: .event,
                        reason: .synced, outcome: .succeeded, message: "entry \(number)"), owned: .unchanged)
            }
        }
        try await group.waitForAll()
    }
    await journal.close()
}

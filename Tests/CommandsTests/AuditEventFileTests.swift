import AuditEvents
import Commands
import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// The events that outlive a restart, on a real disk.
@Suite struct AuditEventFileTests {
    private let folder: ScratchDirectory
    private var path: String { folder.path + "/journal.sqlite-audit-events" }

    init() throws { folder = try ScratchDirectory() }

    private func file(cluster: String = "a", maximumBytes: Int = 1 << 20) -> AuditEventFile {
        AuditEventFile(path: path, cluster: cluster, maximumBytes: maximumBytes)
    }

    private func event(_ number: Int) throws -> AuditEvent {
        let text = """
            {"level":"Metadata","auditID":"\(number)","stage":"ResponseComplete","verb":"patch","requestURI":"/x",
            "user":{"username":"alice"},"sourceIPs":["10.0.0.1"],"userAgent":"kubectl","responseStatus":{"code":200},
            "objectRef":{"resource":"namespaces","name":"n","apiVersion":"v1"},
            "stageTimestamp":"2026-01-01T00:00:00.000000Z"}
            """
        return try #require(
            AuditReader(ourUser: nil).readLog(Array(text.replacing("\n", with: "").utf8)).events.first)
    }

    private func events(_ numbers: ClosedRange<Int>) throws -> [AuditEvent] { try numbers.map(event) }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try folder.write(text, to: "journal.sqlite-audit-events")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private func ids(_ content: AuditEventFile.Content) -> [String] { content.events.map(\.auditID) }

    @Test func whatWasAppendedIsThereAfterwards() async throws {
        let first = file()
        #expect(await first.load().events.isEmpty)
        _ = try await first.append(try events(1...2))
        _ = try await first.append([])
        _ = try await first.append(try events(3...3))
        let content = await file().load()
        #expect(content.events == (try events(1...3)))
        #expect(content.trouble == nil && content.damaged == 0 && content.ofOtherClusters == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// A crash may cut the last line off wherever it likes; what comes after it must not be lost with it.
    @Test func aLineThatWasCutOffIsTheOnlyOneThatIsLost() async throws {
        _ = try await file().append(try events(1...2))
        let whole = try String(contentsOfFile: path, encoding: .utf8)
        let first = try #require(whole.firstIndex(of: "\n"))
        for length in stride(from: whole.distance(from: whole.startIndex, to: first) + 2, to: whole.count - 1, by: 97) {
            try write(String(whole.prefix(length)))
            let reopened = file()
            let content = await reopened.load()
            #expect(ids(content) == ["1"] && content.damaged == 1)
            _ = try await reopened.append(try events(3...3))
            #expect(ids(await file().load()) == ["1", "3"])
        }
    }

    @Test func damageIsToldAndPassedOver() async throws {
        _ = try await file().append(try events(1...2))
        _ = try await file(cluster: "b").append(try events(3...3))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let deep = String(repeating: "[", count: 100_000)
        try write("rubbish\n\(lines[0])\n{}\n\u{0}\n\(lines[2])\n\(deep)\n\(lines[1])\n")
        let content = await file().load()
        #expect(ids(content) == ["1", "2"])
        #expect(content.damaged == 4 && content.ofOtherClusters == 1)
    }

    @Test func whatOthersMayWriteIsNotBelieved() async throws {
        _ = try await file().append(try events(1...1))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for mode in [0o620, 0o602] {
            try write(text, mode: mode)
            let content = await file().load()
            #expect(content.events.isEmpty && content.trouble != nil)
        }
        try FileManager.default.removeItem(atPath: path)
        try folder.write(text, to: "elsewhere")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.path + "/elsewhere")
        #expect(await file().load().trouble != nil)
        await #expect(throws: AuditEventFile.Failure.self) { try await file().append(try events(2...2)) }
        // Written anew it is a file of ours.
        let anew = file()
        try await anew.rewrite(try events(5...5))
        _ = try await anew.append(try events(6...6))
        #expect(ids(await file().load()) == ["5", "6"])
        #expect(try String(contentsOfFile: folder.path + "/elsewhere", encoding: .utf8) == text)
    }

    @Test func itIsBoundedAndTheNewestStay() async throws {
        let small = file(maximumBytes: 8192)
        var isLarge = false
        var number = 0
        while !isLarge {
            number += 1
            isLarge = try await small.append(try events(number...number))
            try #require(number < 100)
        }
        try await small.rewrite(try events(1...number))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count <= 4096)
        let kept = ids(await file().load())
        #expect(kept.last == String(number) && kept.count > 1 && kept.count < number)
        // Where nobody writes it anew, it is full at last.
        await #expect(throws: AuditEventFile.Failure.self) {
            for number in 1...100 { _ = try await small.append(try events(number...number)) }
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count <= 16384)
    }

    @Test func whatCouldNotBeKeptIsKeptLater() async throws {
        let absent = AuditEventFile(path: folder.path + "/later/events", cluster: "a")
        await #expect(throws: AuditEventFile.Failure.self) { try await absent.append(try events(1...1)) }
        // Also where the next batch brings nothing: the one before was not answered with success.
        await #expect(throws: AuditEventFile.Failure.self) { try await absent.append([]) }
        try FileManager.default.createDirectory(atPath: folder.path + "/later", withIntermediateDirectories: false)
        _ = try await absent.append(try events(2...2))
        let content = await AuditEventFile(path: folder.path + "/later/events", cluster: "a").load()
        #expect(ids(content) == ["1", "2"])
    }
}

import Commands
import Foundation
import TestSupport
import Testing

/// A log file that grows, is renamed away and begun anew, as API servers do it, and worse.
@Suite struct LogTailTests {
    private let folder: ScratchDirectory
    private var path: String { folder.path + "/audit.log" }

    init() throws { folder = try ScratchDirectory() }

    private func append(_ text: String, to name: String = "audit.log") throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/" + name))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private func rename(to name: String) throws {
        try FileManager.default.moveItem(atPath: path, toPath: folder.path + "/" + name)
    }

    /// All that comes until there is nothing new.
    private func rest(_ tail: LogTail) throws -> String {
        var bytes: [UInt8] = []
        while let lines = try tail.read() { bytes += lines }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [1, 3, 1000]) func wholeLinesComeOnce(_ pieceBytes: Int) throws {
        try folder.write("one\ntw", to: "audit.log")
        let tail = LogTail(path: path, pieceBytes: pieceBytes)
        #expect(try rest(tail) == "one\n")
        #expect(try rest(tail) == "")
        try append("o\n\nthree\nfo")
        #expect(try rest(tail) == "two\n\nthree\n")
        try append("ur\n")
        #expect(try rest(tail) == "four\n")
    }

    @Test(arguments: [1, 4, 1000]) func aRenamedFileIsReadToItsEndBeforeTheNewOne(_ pieceBytes: Int) throws {
        try folder.write("one\n", to: "audit.log")
        let tail = LogTail(path: path, pieceBytes: pieceBytes)
        #expect(try rest(tail) == "one\n")
        try append("two\n")
        try rename(to: "audit-1.log")
        // The writer may still write between renaming and beginning anew.
        #expect(try rest(tail) == "two\n")
        try append("three\nfour without an end", to: "audit-1.log")
        try folder.write("five\n", to: "audit.log")
        #expect(try rest(tail) == "three\nfour without an end\nfive\n")
        try rename(to: "audit-2.log")
        try folder.write("six\n", to: "audit.log")
        #expect(try rest(tail) == "six\n")
        #expect(tail.truncations == 0 && tail.longLines == 0)
    }

    @Test func aFileThatIsCutOffIsReadFromItsBeginning() throws {
        try folder.write("one\ntwo\nthr", to: "audit.log")
        let tail = LogTail(path: path)
        #expect(try rest(tail) == "one\ntwo\n")
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: 0)
        try handle.close()
        try append("new\n")
        #expect(try rest(tail) == "new\n")
        #expect(tail.truncations == 1)
    }

    @Test func onlyTheEndOfALongFileIsReadAtTheStart() throws {
        let lines = (1...1000).map { "line \($0)\n" }.joined()
        try folder.write(lines, to: "audit.log")
        let read = try rest(LogTail(path: path, maximumStartBytes: 100, pieceBytes: 16))
        #expect(lines.hasSuffix(read) && read.hasPrefix("line ") && (80...100).contains(read.utf8.count))
        // A new file after it is read whole.
        let tail = LogTail(path: path, maximumStartBytes: 0)
        #expect(try rest(tail) == "")
        try rename(to: "audit-1.log")
        try folder.write(lines, to: "audit.log")
        #expect(try rest(tail) == lines)
    }

    @Test func aLineThatIsTooLongIsLeftOutAndCounted() throws {
        let long = String(repeating: "x", count: 500)
        try folder.write("one\n\(long)\ntwo\n\(long)", to: "audit.log")
        let tail = LogTail(path: path, maximumLineBytes: 100, pieceBytes: 16)
        #expect(try rest(tail) == "one\ntwo\n")
        try append("\nthree\n")
        #expect(try rest(tail) == "three\n")
        #expect(tail.longLines == 2)
    }

    @Test func aFileMayComeLater() throws {
        let tail = LogTail(path: path)
        #expect(try tail.read() == nil)
        try folder.write("one\n", to: "audit.log")
        #expect(try rest(tail) == "one\n")
        try FileManager.default.removeItem(atPath: path)
        #expect(try tail.read() == nil)
        try folder.write("two\n", to: "audit.log")
        #expect(try rest(tail) == "two\n")
    }

    @Test func whatIsNoFileIsToldAndTriedAgain() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let tail = LogTail(path: path)
        for _ in 0..<2 { #expect(throws: LogTail.Failure.self) { try tail.read() } }
        try FileManager.default.removeItem(atPath: path)
        try folder.write("one\n", to: "audit.log")
        #expect(try rest(tail) == "one\n")
    }
}

import ChildProcess
import Foundation
import Testing

/// The process itself, whose calls block: each test does so on a thread of its own.
@Suite struct ChildProcessTests {
    /// What a conversation with a child came to.
    private struct Outcome: Equatable, Sendable {
        var output = ""
        var ending: ChildProcess.Ending?
        var hasEnd = false
    }

    private static func start(_ script: String) throws(ChildProcessError) -> ChildProcess {
        try ChildProcess("sh", ["-c", script], environment: searchPath)
    }

    /// Reads until `text` is there or the stream ends; true at its end.
    private static func read(
        _ child: borrowing ChildProcess, into output: inout String, until text: String? = nil
    ) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while text.map({ !output.contains($0) }) ?? true {
            let ready = child.poll(forWriting: false, forReading: true, forReadingError: false, wait: .seconds(10))
            guard ready.canRead else { return false }
            switch buffer.withUnsafeMutableBytes({ child.read(into: $0) }) {
            case .bytes(let count): output += String(decoding: buffer[..<count], as: UTF8.self)
            case .nothingYet: continue
            case .end: return true
            }
        }
        return false
    }

    @Test func speaksWithAChildInTurns() async throws {
        let outcome = await onThread { () -> Result<Outcome, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                var child = try Self.start("while read line; do echo \"<$line>\"; done; echo bye; exit 4")
                var outcome = Outcome()
                for word in ["one", "two"] {
                    _ = Array("\(word)\n".utf8).withUnsafeBytes { child.write($0) }
                    _ = Self.read(child, into: &outcome.output, until: "<\(word)>\n")
                }
                child.closeInput()
                outcome.hasEnd = Self.read(child, into: &outcome.output)
                outcome.ending = child.end(within: .seconds(10))
                return outcome
            }
        }
        #expect(try outcome.get() == Outcome(output: "<one>\n<two>\nbye\n", ending: .exited(4), hasEnd: true))
    }

    /// The shell's child holds the other end of the pipe: the end of the stream proves that it is gone as well.
    @Test func endingItTakesTheWholeGroup() async throws {
        let outcome = await onThread { () -> Result<Outcome, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                var child = try Self.start("trap '' TERM; sleep 1000 & echo up; wait")
                var outcome = Outcome()
                _ = Self.read(child, into: &outcome.output, until: "up\n")
                outcome.ending = child.end(within: .zero)
                outcome.hasEnd = Self.read(child, into: &outcome.output)
                return outcome
            }
        }
        #expect(try outcome.get() == Outcome(output: "up\n", ending: .killed(signal: SIGKILL), hasEnd: true))
    }

    @Test func aChildThatIsLetGoIsKilled() async throws {
        let line = try LifeLine()
        let script = line.held + "sleep 1000 & echo up; wait"
        let outcome = await onThread { () -> Result<Outcome, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                let child = try Self.start(script)
                var outcome = Outcome()
                outcome.hasEnd = Self.read(child, into: &outcome.output, until: "up\n")
                return outcome
            }
        }
        #expect(try outcome.get() == Outcome(output: "up\n"))
        #expect(await line.isLetGo())
    }

    @Test func itsIdIsThatOfItsGroup() async throws {
        let ids = await onThread { () -> Result<[Int32], ChildProcessError> in
            Result { () throws(ChildProcessError) in
                var child = try Self.start("read line")
                let ids = [child.processID, getpgid(child.processID)]
                _ = child.end(within: .zero)
                return ids
            }
        }
        let found = try ids.get()
        #expect(found.first == found.last)
        #expect(found.first != getpgrp())
    }

    @Test func aWaitForAStreamHasAnEnd() async throws {
        let isTimedOut = await onThread { () -> Result<Bool, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                let child = try Self.start("read line")
                return child.poll(
                    forWriting: false, forReading: true, forReadingError: true, wait: .milliseconds(1)
                ).isTimedOut
            }
        }
        #expect(try isTimedOut.get())
    }

    /// Not at once: another child that is just being started holds the pipe until it becomes its program.
    @Test func writingToAChildThatIsGoneSaysSo() async throws {
        let isRefused = await onThread { () -> Result<Bool, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                var child = try Self.start("exit 0")
                _ = child.end(within: .seconds(10))
                while child.poll(forWriting: true, forReading: false, forReadingError: false, wait: .seconds(10))
                    .canWrite
                {
                    if [1, 2, 3].withUnsafeBytes({ child.write($0) }) == nil { return true }
                }
                return false
            }
        }
        #expect(try isRefused.get())
    }

    @Test func nothingIsWrittenAfterTheInputWasClosed() async throws {
        let count = await onThread { () -> Result<Int?, ChildProcessError> in
            Result { () throws(ChildProcessError) in
                var child = try Self.start("read line")
                child.closeInput()
                child.closeInput()
                return [1, 2, 3].withUnsafeBytes { child.write($0) }
            }
        }
        #expect(try count.get() == nil)
    }
}

import ChildProcess
import Foundation
import Testing

/// A server in Python that prints its port; it ends with whoever holds it, and after a quarter of an hour.
///
/// `@unchecked Sendable`: only touched by the test that owns it.
final class PythonServer: @unchecked Sendable {
    private var process: ChildProcess
    let port: Int

    /// - Parameter script: Prints its port on a line of its own, once it listens.
    init(_ script: String, _ arguments: [String]) throws {
        let process = try ChildProcess(
            "python3", ["-c", "import signal\nsignal.alarm(900)\n" + script] + arguments,
            environment: ProcessInfo.processInfo.environment)
        var line: [UInt8] = []
        let end = ContinuousClock.now + .seconds(60)
        reading: while !line.contains(UInt8(ascii: "\n")), ContinuousClock.now < end {
            _ = process.poll(forWriting: false, forReading: true, forReadingError: false, wait: .milliseconds(100))
            var buffer = [UInt8](repeating: 0, count: 64)
            switch buffer.withUnsafeMutableBytes({ process.read(into: $0) }) {
            case .bytes(let count): line += buffer[..<count]
            case .nothingYet: continue
            case .end: break reading
            }
        }
        port = try #require(
            Int(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)))
        self.process = process
    }

    func signal(_ number: Int32) { kill(process.processID, number) }

    /// Ends it at once, and returns when it is gone.
    func crash() {
        kill(process.processID, SIGKILL)
        _ = process.end(within: .seconds(10))
    }
}

import Foundation
import Synchronization

/// What a child process that ran to its end left behind.
package struct ChildProcessResult: Sendable {
    package var ending: ChildProcess.Ending
    package var output: [UInt8]
    package var errorOutput: [UInt8]

    package var outputText: String { String(decoding: output, as: UTF8.self) }
    package var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

/// Runs a program to its end on a thread of its own and gives back what it wrote.
///
/// The child and everything it started are killed at the deadline, when the task is cancelled, and when it writes more
/// than `maximumOutputBytes` to one of its streams. What it left running is not waited for, even where that holds its
/// streams open.
package func runChildProcess(
    _ program: String, _ arguments: [String], environment: [String: String], directory: String? = nil,
    input: [UInt8] = [], maximumOutputBytes: Int = 1 << 20, deadline: Duration
) async throws(ChildProcessError) -> ChildProcessResult {
    let isCancelled = CancellationFlag()
    let result: Result<ChildProcessResult, ChildProcessError> = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            // A thread of its own: waiting here must not take one of the few threads of the cooperative pool.
            Thread.detachNewThread {
                do throws(ChildProcessError) {
                    let result = try runBlocking(
                        program, arguments, environment: environment, directory: directory, input: input,
                        maximumOutputBytes: maximumOutputBytes, deadline: deadline, isCancelled: isCancelled)
                    continuation.resume(returning: .success(result))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
    } onCancel: {
        isCancelled.set()
    }
    return try result.get()
}

/// A flag that one thread sets and another looks at.
package final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)

    package init() {}

    package func set() { value.store(true, ordering: .releasing) }
    package var isSet: Bool { value.load(ordering: .acquiring) }
}

private func runBlocking(
    _ program: String, _ arguments: [String], environment: [String: String], directory: String?, input: [UInt8],
    maximumOutputBytes: Int, deadline: Duration, isCancelled: CancellationFlag
) throws(ChildProcessError) -> ChildProcessResult {
    let end = ContinuousClock.now + deadline
    var child = try ChildProcess(program, arguments, environment: environment, directory: directory)
    var written = 0
    var isInputOpen = true
    if input.isEmpty {
        child.closeInput()
        isInputOpen = false
    }
    var output: [UInt8] = []
    var errorOutput: [UInt8] = []
    var isOutputOpen = true
    var isErrorOpen = true
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var lastRead: ContinuousClock.Instant?
    while isOutputOpen || isErrorOpen {
        // What the child wrote before its end is in the pipes already.
        if lastRead == nil, child.hasExited { lastRead = .now + .milliseconds(200) }
        if let lastRead, .now >= lastRead { break }
        let left = end - ContinuousClock.now
        guard left > .zero else {
            throw ChildProcessError(kind: .timedOut, program: program, detail: "still running after \(deadline)")
        }
        guard !isCancelled.isSet else {
            throw ChildProcessError(kind: .cancelled, program: program, detail: "cancelled")
        }
        let ready = child.poll(
            forWriting: isInputOpen, forReading: isOutputOpen, forReadingError: isErrorOpen,
            wait: min(left, .milliseconds(100)))
        if ready.canWrite, isInputOpen {
            let count = input[written...].withUnsafeBytes { child.write($0) }
            written += count ?? 0
            if count == nil || written == input.count {
                child.closeInput()
                isInputOpen = false
            }
        }
        if ready.canRead, isOutputOpen {
            isOutputOpen = drain(child, into: &output, through: &buffer, fromErrorOutput: false)
        }
        if ready.canReadError, isErrorOpen {
            isErrorOpen = drain(child, into: &errorOutput, through: &buffer, fromErrorOutput: true)
        }
        guard output.count <= maximumOutputBytes, errorOutput.count <= maximumOutputBytes else {
            throw ChildProcessError(
                kind: .tooMuchOutput, program: program, detail: "wrote more than \(maximumOutputBytes) bytes")
        }
    }
    let ending = child.end(within: max(end - ContinuousClock.now, .zero))
    if ending == .killed(signal: SIGKILL), ContinuousClock.now >= end {
        throw ChildProcessError(kind: .timedOut, program: program, detail: "still running after \(deadline)")
    }
    return ChildProcessResult(ending: ending, output: output, errorOutput: errorOutput)
}

/// Appends what can be read now; false at the end of the stream.
private func drain(
    _ child: borrowing ChildProcess, into bytes: inout [UInt8], through buffer: inout [UInt8], fromErrorOutput: Bool
) -> Bool {
    let result = buffer.withUnsafeMutableBytes { child.read(into: $0, fromErrorOutput: fromErrorOutput) }
    switch result {
    case .bytes(let count):
        bytes.append(contentsOf: buffer[..<count])
        return true
    case .nothingYet: return true
    case .end: return false
    }
}

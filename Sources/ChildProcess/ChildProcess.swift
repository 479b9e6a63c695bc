internal import CSpawn
import Foundation

/// A child process in a process group of its own, with pipes to its standard streams.
///
/// It is ended with everything it started by killing its group. All calls may block for at most the time they are given,
/// so they belong on a thread that may wait, never on the cooperative pool. Not copyable: the pipes have one owner, and a
/// child that is let go is killed and reaped.
package struct ChildProcess: ~Copyable {
    /// The process id, which is also the id of its group.
    package let processID: Int32
    private var input: Int32
    private let output: Int32
    private let errorOutput: Int32
    private var isReaped = false

    /// Starts a program found on the search path of `environment`, or named by a path.
    ///
    /// - Parameter environment: The child's whole environment; nothing is inherited.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String], directory: String? = nil
    ) throws(ChildProcessError) {
        guard let path = findExecutable(program, searchPath: environment["PATH"]) else {
            throw ChildProcessError(kind: .notFound, program: program, detail: "no such program on the search path")
        }
        var pipes: [Int32] = []
        func closeAll() { for descriptor in pipes { close(descriptor) } }
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard shim_spawn_pipe(&pair, O_CLOEXEC) == 0 else {
                let reason = systemMessage(errno)
                closeAll()
                throw ChildProcessError(kind: .notStarted, program: program, detail: "make a pipe: \(reason)")
            }
            pipes += pair
        }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, pipes[0], 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[3], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[5], 2)
        _ = shim_spawn_close_from(&actions, 3)
        if let directory { _ = shim_spawn_change_directory(&actions, directory) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        _ = signalsPrepared
        var child: pid_t = 0
        let result = posix_spawn(&child, path, &actions, &attributes, words, variables)
        guard result == 0 else {
            closeAll()
            throw ChildProcessError(kind: .notStarted, program: program, detail: systemMessage(result))
        }
        close(pipes[0])
        close(pipes[3])
        close(pipes[5])
        processID = child
        input = pipes[1]
        output = pipes[2]
        errorOutput = pipes[4]
        for descriptor in [input, output, errorOutput] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
    }

    deinit {
        if !isReaped {
            kill(-processID, SIGKILL)
            var status: Int32 = 0
            while waitpid(processID, &status, 0) == -1, errno == EINTR {}
        }
        if input >= 0 { close(input) }
        close(output)
        close(errorOutput)
    }

    // MARK: Streams

    /// What became ready within a wait.
    package struct Readiness: Sendable {
        package var canWrite = false
        package var canRead = false
        package var canReadError = false
        package var isTimedOut: Bool { !canWrite && !canRead && !canReadError }
    }

    /// Waits until one of the wanted streams can be used, for no longer than `wait`.
    package func poll(forWriting: Bool, forReading: Bool, forReadingError: Bool, wait: Duration) -> Readiness {
        var descriptors: [pollfd] = []
        if forWriting, input >= 0 { descriptors.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
        if forReading { descriptors.append(pollfd(fd: output, events: Int16(POLLIN), revents: 0)) }
        if forReadingError { descriptors.append(pollfd(fd: errorOutput, events: Int16(POLLIN), revents: 0)) }
        let (seconds, attoseconds) = wait.components
        let milliseconds = max(0, min(seconds, 86_400) * 1000 + attoseconds / 1_000_000_000_000_000)
        var readiness = Readiness()
        guard !descriptors.isEmpty,
            Foundation.poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds)) > 0
        else { return readiness }
        for descriptor in descriptors where descriptor.revents != 0 {
            if descriptor.fd == input { readiness.canWrite = true }
            if descriptor.fd == output { readiness.canRead = true }
            if descriptor.fd == errorOutput { readiness.canReadError = true }
        }
        return readiness
    }

    /// Writes as much as fits now; nil where the child has closed its input.
    package func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard input >= 0 else { return nil }
        let count = Foundation.write(input, bytes.baseAddress, bytes.count)
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    /// Tells the child that no more input comes.
    package mutating func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    package enum ReadResult: Sendable { case bytes(Int), nothingYet, end }

    /// Reads what is there now.
    package func read(into buffer: UnsafeMutableRawBufferPointer, fromErrorOutput: Bool = false) -> ReadResult {
        let count = Foundation.read(fromErrorOutput ? errorOutput : output, buffer.baseAddress, buffer.count)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EINTR ? .nothingYet : .end
    }

    // MARK: End

    /// How a child ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
        /// The system kept it from us, as where somebody else waits for our children: never a success.
        case unknown
    }

    /// Whether the child itself has ended, whatever it started and left running.
    package var hasExited: Bool {
        var facts = siginfo_t()
        let result = waitid(P_PID, id_t(processID), &facts, WEXITED | WNOHANG | WNOWAIT)
        // Without an end to report the facts stay empty.
        return result == -1 ? errno != EINTR : facts.si_signo != 0
    }

    /// Waits for the child for no longer than `wait`, then kills its whole group.
    package mutating func end(within wait: Duration) -> Ending {
        let deadline = ContinuousClock.now + wait
        // Whatever the child left running in its group goes with it.
        defer {
            kill(-processID, SIGKILL)
            isReaped = true
        }
        var status: Int32 = 0
        var pause: UInt32 = 200
        while true {
            let result = waitpid(processID, &status, WNOHANG)
            if result == processID { break }
            if result == -1, errno != EINTR { return .unknown }
            if ContinuousClock.now >= deadline {
                kill(-processID, SIGKILL)
                while waitpid(processID, &status, 0) == -1 {
                    guard errno == EINTR else { return .unknown }
                }
                break
            }
            usleep(pause)
            pause = min(pause * 2, 10_000)
        }
        // The layout of a wait status: the signal in the low seven bits, the exit status in the byte above.
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
    }
}

/// A child process could not be started, or not be used to its end.
package struct ChildProcessError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable { case notFound, notStarted, timedOut, tooMuchOutput, cancelled }

    package var kind: Kind
    package var program: String
    package var detail: String

    package init(kind: Kind, program: String, detail: String) {
        self.kind = kind
        self.program = program
        self.detail = detail
    }

    package var description: String { "run \(program): \(detail)" }
}

/// Makes this process fit to have children, once.
///
/// A child that closes its input must not end us; and where whoever started us ignores SIGCHLD, the system would throw
/// away how our children end.
private let signalsPrepared: Bool = {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)
    return true
}()

private func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

private func findExecutable(_ program: String, searchPath: String?) -> String? {
    if program.contains("/") { return isExecutableFile(program) ? program : nil }
    let folders = (searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    return folders.lazy.map { "\($0)/\(program)" }.first(where: isExecutableFile)
}

/// A folder may be entered, which is the same permission.
private func isExecutableFile(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

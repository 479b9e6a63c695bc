import ChildProcess
import Foundation

/// The conversation with `git-upload-pack` or `git-receive-pack`, as Git does it.
///
/// On another machine that goes through OpenSSH's own program. What is pushed into a folder of this machine goes through
/// `git` too: libgit2 by itself writes into bare repositories only, and passes over their hooks.
final class ProcessStream: GitStream {
    private let fetch: FetchContext
    private var child: ChildProcess
    /// How the program is called in errors.
    private let name: String
    private var receivedBytes = 0
    private var sentBytes = 0
    private var errorText: [UInt8] = []

    init(_ fetch: FetchContext) throws(GitError) {
        self.fetch = fetch
        let service = fetch.purpose.service
        let environment = fetch.environment.filter { ["PATH", "HOME", "LANG"].contains($0.key) }
        guard fetch.url.scheme == .ssh else {
            name = service
            // A path that begins with a dash would be an option.
            let path = fetch.url.path.hasPrefix("-") ? "./\(fetch.url.path)" : fetch.url.path
            do throws(ChildProcessError) {
                child = try ChildProcess("git", [String(service.dropFirst(4)), path], environment: environment)
            } catch {
                throw GitError(
                    kind: .other, operation: fetch.operation, detail: error.description,
                    hint: "Install Git (Debian: git).")
            }
            return
        }
        name = "ssh"
        let login = (fetch.url.user.map { "\($0)@" } ?? "") + fetch.url.host
        // The path is quoted for the shell on the other side.
        let quoted = "'" + fetch.url.path.replacingOccurrences(of: "'", with: "'\\''") + "'"
        do throws(ChildProcessError) {
            child = try ChildProcess(
                "ssh", fetch.sshArguments + ["--", login, "\(service) \(quoted)"],
                environment: environment)
        } catch {
            throw GitError(
                kind: .other, operation: fetch.operation, detail: error.description,
                hint: "Install OpenSSH's client (Debian: openssh-client).")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
        guard !fetch.isOver else { return }
        sentBytes += bytes.count
        guard sentBytes <= FetchContext.maximumSentBytes else {
            throw GitError(
                kind: .tooLarge, operation: fetch.operation,
                detail: "what is sent grew beyond \(FetchContext.maximumSentBytes >> 20) MiB")
        }
        var rest = bytes
        while !rest.isEmpty {
            try checkLimits()
            let ready = child.poll(forWriting: true, forReading: false, forReadingError: true, wait: .milliseconds(100))
            drainErrors(ready)
            guard ready.canWrite else { continue }
            guard let count = child.write(rest) else { throw ended() }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(GitError) -> Int {
        let begun = ContinuousClock.now
        while true {
            try checkLimits()
            guard ContinuousClock.now - begun < fetch.limits.stall else {
                throw GitError(
                    kind: .timedOut, operation: fetch.operation, detail: "no byte came for \(fetch.limits.stall)",
                    hint: "Check that the Git server answers; \(fetch.retryHint)")
            }
            let ready = child.poll(
                forWriting: false, forReading: true, forReadingError: isErrorOpen, wait: .milliseconds(100))
            drainErrors(ready)
            guard ready.canRead else { continue }
            switch child.read(into: buffer) {
            case .bytes(let count):
                receivedBytes += count
                guard receivedBytes <= fetch.limits.maximumBytes else {
                    throw GitError(
                        kind: .tooLarge, operation: fetch.operation,
                        detail: "the server sends more than the \(fetch.limits.maximumBytes) bytes allowed",
                        hint: "Follow a smaller repository.")
                }
                return count
            case .nothingYet: continue
            case .end:
                // Whatever ssh has to say about it comes on its error output.
                for _ in 0..<20 where isErrorOpen {
                    drainErrors(
                        child.poll(forWriting: false, forReading: false, forReadingError: true, wait: .milliseconds(50))
                    )
                }
                if receivedBytes == 0 || !errorText.isEmpty { throw ended() }
                return 0
            }
        }
    }

    /// Lets the other side come to its end after the last word, as its hooks may still run.
    ///
    /// What it says is passed over: the report has come.
    func finish(within wait: Duration) {
        child.closeInput()
        let end = min(ContinuousClock.now + wait, fetch.deadline)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < end, !fetch.isCancelled.isSet {
            let ready = child.poll(
                forWriting: false, forReading: true, forReadingError: isErrorOpen, wait: .milliseconds(100))
            drainErrors(ready)
            guard ready.canRead else { continue }
            if case .end = buffer.withUnsafeMutableBytes({ child.read(into: $0) }) { return }
        }
    }

    private var isErrorOpen = true

    private func drainErrors(_ ready: ChildProcess.Readiness) {
        guard ready.canReadError else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let result = buffer.withUnsafeMutableBytes { child.read(into: $0, fromErrorOutput: true) }
        switch result {
        case .bytes(let count): if errorText.count < 16_384 { errorText += buffer[..<count] }
        case .nothingYet: break
        case .end: isErrorOpen = false
        }
    }

    private func checkLimits() throws(GitError) {
        if let error = fetch.mustEnd { throw error }
    }

    private func ended() -> GitError {
        let text = String(decoding: errorText, as: UTF8.self)
            .split(whereSeparator: \.isNewline).map(String.init)
            .filter { !$0.hasPrefix("@@@") && !$0.isEmpty }
            .joined(separator: "; ")
        let (kind, hint): (GitError.Kind, String) =
            if text.contains("Host key verification failed") || text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED")
            {
                (
                    .untrustedServer,
                    "Compare the server's host key with the one in the known-hosts file, and correct the file only if it is right."
                )
            } else if text.contains("Permission denied") {
                (
                    .authentication,
                    "Check that the key is right and may \(fetch.purpose == .push ? "push to" : "read") this repository."
                )
            } else {
                (.network, "Check the address, and that the server offers \(fetch.purpose.service).")
            }
        let detail = text.isEmpty ? "\(name) ended without a word" : "\(name): \(text.prefix(1000))"
        return GitError(kind: kind, operation: fetch.operation, detail: detail, hint: hint)
    }
}

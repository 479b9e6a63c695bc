import ChildProcess
import Foundation

/// The conversation with `git-upload-pack` on another machine, through OpenSSH's own program, as Git does it.
final class SSHStream: GitStream {
    private let fetch: FetchContext
    private var child: ChildProcess
    private var receivedBytes = 0
    private var errorText: [UInt8] = []

    init(_ fetch: FetchContext) throws(GitError) {
        self.fetch = fetch
        let login = (fetch.url.user.map { "\($0)@" } ?? "") + fetch.url.host
        // The path is quoted for the shell on the other side.
        let quoted = "'" + fetch.url.path.replacingOccurrences(of: "'", with: "'\\''") + "'"
        do throws(ChildProcessError) {
            child = try ChildProcess(
                "ssh", fetch.sshArguments + ["--", login, "git-upload-pack \(quoted)"],
                environment: fetch.environment.filter { ["PATH", "HOME", "LANG"].contains($0.key) })
        } catch {
            throw GitError(
                kind: .other, operation: "fetch \(fetch.url)", detail: error.description,
                hint: "Install OpenSSH's client (Debian: openssh-client).")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
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
                    kind: .timedOut, operation: "fetch \(fetch.url)", detail: "no byte came for \(fetch.limits.stall)",
                    hint: "Check that the Git server answers; it is tried again by itself.")
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
                        kind: .tooLarge, operation: "fetch \(fetch.url)",
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
                (.authentication, "Check that the key is right and may read this repository.")
            } else {
                (.network, "Check the address, and that the server offers git-upload-pack.")
            }
        let detail = text.isEmpty ? "ssh ended without a word" : "ssh: \(text.prefix(1000))"
        return GitError(kind: kind, operation: "fetch \(fetch.url)", detail: detail, hint: hint)
    }
}

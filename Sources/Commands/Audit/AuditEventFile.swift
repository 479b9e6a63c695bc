package import AuditEvents
import Dispatch
import Foundation
import Glibc
import JSON
import Manifest

/// The audit events of the last hour, in a file beside the journal.
///
/// Context: once a batch was answered with 200, the API server forgets it, while the entry that it explains may be written
/// only after a restart. Choice: one line of JSON an event, appended and durable before the answer, written anew now and
/// then. Given up: a place in the journal, which keeps evidence for ever, while these are kept for an hour.
///
/// `@unchecked Sendable`: everything mutable is only touched on `queue`, which also keeps a slow disk off the pool of
/// threads that all tasks share.
package final class AuditEventFile: @unchecked Sendable {
    /// What the file held.
    package struct Content: Sendable {
        package var events: [AuditEvent] = []
        /// Lines that are not what was written: the last one where a crash cut it off, and others where somebody else wrote.
        package var damaged = 0
        /// Events of another cluster, which say nothing of this one.
        package var ofOtherClusters = 0
        /// Why nothing could be read, or nothing written anew; the file is not needed to go on.
        package var trouble: String?
    }

    package struct Failure: Error, Sendable {
        package var message: String
        package var hint: String { "Make room on the disk, or give the folder back its permissions." }
    }

    package let path: String
    private let cluster: String
    private let maximumBytes: Int
    private let queue = DispatchQueue(label: "bylaw.audit-events")
    private var descriptor: Int32 = -1
    private var bytes = 0
    /// Not durable yet, because it could not be written.
    private var waiting: [UInt8] = []
    /// What became durable since a rewriting began, which its events lack.
    private var sinceRewriting: [UInt8]?
    /// Whether the file may end in the middle of a line.
    private var endsWithinLine = false

    /// - Parameters:
    ///   - cluster: Whose events these are; those of another in the same file are left out.
    ///   - maximumBytes: How large the file may become; after ``rewrite(_:)`` it has at most half of that.
    package init(path: String, cluster: String, maximumBytes: Int = 32 << 20) {
        self.path = path
        self.cluster = cluster
        self.maximumBytes = max(4096, maximumBytes)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Reads what was kept; nothing about the file is an error.
    package func load() async -> Content { await onQueue { self.read() } }

    /// Keeps events durably, and those of before that could not be kept.
    ///
    /// - Returns: Whether the file has become so large that it should be written anew.
    package func append(_ events: [AuditEvent]) async throws(Failure) -> Bool {
        let lines = events.flatMap(line)
        return try await onQueue { () -> Result<Bool, Failure> in
            self.waiting += lines
            if self.waiting.count > self.maximumBytes {
                // What cannot be written must not fill the memory: the oldest make room.
                let rest = self.waiting.suffix(self.maximumBytes / 2).drop { $0 != 0x0a }
                self.waiting = Array(rest.dropFirst())
            }
            return Result { () throws(Failure) in try self.writeWaiting() }
        }.get()
    }

    /// To be called before the events are collected that ``rewrite(_:)`` gets: what is appended from now on stays as well.
    package func beginRewriting() async { await onQueue { self.sinceRewriting = [] } }

    /// Replaces the whole file, at once or not at all; the oldest events make room where they are too many.
    package func rewrite(_ events: [AuditEvent]) async throws(Failure) {
        var kept: [[UInt8]] = []
        var size = 0
        for event in events.reversed() {
            let line = line(event)
            size += line.count
            guard size <= maximumBytes / 2 else { break }
            kept.append(line)
        }
        let content = kept.reversed().flatMap { $0 }
        try await onQueue { () -> Result<Void, Failure> in
            Result { () throws(Failure) in try self.replace(with: content) }
        }.get()
    }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
    }

    private func line(_ event: AuditEvent) -> [UInt8] {
        let tree: Tree = ["cluster": .string(cluster), "event": event.kept]
        return tree.jsonBytes() + [0x0a]
    }

    // MARK: On the queue

    private func read() -> Content {
        var content = Content()
        let source = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard source >= 0 else {
            if errno != ENOENT { content.trouble = systemMessage("read") }
            return content
        }
        defer { close(source) }
        var status = stat()
        guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            status.st_mode & 0o022 == 0
        else {
            // Whoever can write it could blame anybody.
            content.trouble = "\(path) is no file that only we may write; what it holds is left out"
            return content
        }
        let size = Int(status.st_size)
        let start = max(0, size - maximumBytes)
        guard var text = readAll(source, from: start, count: size - start) else {
            content.trouble = systemMessage("read")
            return content
        }
        if start > 0 { text = Array(text.drop { $0 != 0x0a }) }
        if let last = text.last, last != 0x0a { endsWithinLine = true }
        for line in text.split(separator: 0x0a) { take(line, into: &content) }
        return content
    }

    private func take(_ line: ArraySlice<UInt8>, into content: inout Content) {
        guard
            let tree = try? parseJSON(Array(line), limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16)),
            let owner = tree["cluster"]?.string, let event = tree["event"].flatMap({ AuditEvent(kept: $0) })
        else {
            content.damaged += 1
            return
        }
        guard owner == cluster else {
            content.ofOtherClusters += 1
            return
        }
        content.events.append(event)
    }

    private func writeWaiting() throws(Failure) -> Bool {
        guard !waiting.isEmpty else { return bytes > maximumBytes }
        if descriptor < 0 {
            descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            var status = stat()
            guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
                throw Failure(message: systemMessage("open"))
            }
            bytes = Int(status.st_size)
        }
        guard bytes + waiting.count <= 2 * maximumBytes else {
            throw Failure(message: "keep audit events in \(path): it is full, and could not be written anew")
        }
        // A line that was cut off must not take the next one with it.
        let text = endsWithinLine ? [0x0a] + waiting : waiting
        endsWithinLine = true
        guard writeAll(descriptor, text), fsync(descriptor) == 0 else {
            throw Failure(message: systemMessage("keep audit events in"))
        }
        endsWithinLine = false
        bytes += text.count
        sinceRewriting? += waiting
        waiting = []
        return bytes > maximumBytes
    }

    private func replace(with content: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        let target = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard target >= 0 else { throw Failure(message: systemMessage("write anew")) }
        let content = content + (sinceRewriting ?? []) + waiting
        sinceRewriting = nil
        guard writeAll(target, content), fsync(target) == 0, rename(temporary, path) == 0 else {
            let message = systemMessage("write anew")
            close(target)
            unlink(temporary)
            throw Failure(message: message)
        }
        if descriptor >= 0 { close(descriptor) }
        descriptor = target
        bytes = content.count
        // All that is remembered is in the new file.
        waiting = []
        endsWithinLine = false
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private func systemMessage(_ what: String) -> String { "\(what) \(path): \(String(cString: strerror(errno)))" }
}

/// Reads so many bytes, or as many as there are; nil where reading failed.
private func readAll(_ descriptor: Int32, from start: Int, count: Int) -> [UInt8]? {
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
            let read = pread(
                descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(start + filled))
            if read < 0, errno == EINTR { continue }
            if read < 0 { isWhole = false }
            guard read > 0 else { return }
            filled += read
        }
    }
    return isWhole ? bytes : nil
}

private func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count {
            let written = write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            done += written
        }
        return true
    }
}

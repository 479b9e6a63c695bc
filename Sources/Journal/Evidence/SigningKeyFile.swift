import Foundation
import Glibc
package import Reconciler
package import Signatures

/// The private key that signs a journal's checkpoints, in a file that only its owner reads.
package enum SigningKeyFile {
    /// Larger than any PEM of an Ed25519 key.
    private static let maximumBytes = 65_536

    /// Reads the key; where there is no file, makes one with a new key.
    ///
    /// - Parameter mayMake: False for a key that somebody mounts: a path that is wrong must not become a new key.
    /// - Throws: ``JournalError`` where the file cannot be read or written, holds no Ed25519 key, or may be read by others.
    package static func load(_ path: String, mayMake: Bool) throws(JournalError) -> Ed25519PrivateKey {
        if let key = try find(path, mayBeAbsent: mayMake) { return key }
        return try make(path)
    }

    /// Reads the key; nil where there is no file, and need be none yet.
    ///
    /// - Throws: ``JournalError`` as ``load(_:mayMake:)``.
    package static func find(_ path: String, mayBeAbsent: Bool) throws(JournalError) -> Ed25519PrivateKey? {
        if let content = try read(path) { return try key(from: content, path) }
        guard mayBeAbsent else {
            throw JournalError(
                kind: .keyless,
                message: "read the journal's signing key \(path): there is no such file",
                hint: "Mount it there, or leave out --journal-key: then one is made beside the journal.")
        }
        return nil
    }

    private static func key(from content: [UInt8], _ path: String) throws(JournalError) -> Ed25519PrivateKey {
        do throws(KeyFailure) { return try Ed25519PrivateKey(pem: content) } catch {
            throw JournalError(
                kind: .keyless,
                message: "read the journal's signing key \(path): \(error.message)",
                hint: "Make one with openssl genpkey -algorithm ed25519, or move the file away to have a new one made.")
        }
    }

    /// Nil where there is no file.
    private static func read(_ path: String) throws(JournalError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("read", path) }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumBytes else {
            throw JournalError(
                kind: .keyless,
                message: "read the journal's signing key \(path): it is no file of a key's size",
                hint: "Name the PEM file of an Ed25519 key.")
        }
        // A Secret's volume gives files to a group of the pod's own; anybody else is too many.
        guard status.st_mode & 0o007 == 0 else {
            throw JournalError(
                kind: .keyless,
                message: "read the journal's signing key \(path): everybody on the machine may use the file",
                hint: "Take the rights away: chmod o= \(path), or defaultMode: 0440 for a mounted Secret.")
        }
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < content.count {
            let part = content.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            guard part >= 0 else { throw failure("read", path) }
            if part == 0 { break }
            count += part
        }
        return Array(content.prefix(count))
    }

    /// Under another name first, so that a crash never leaves half a key.
    private static func make(_ path: String) throws(JournalError) -> Ed25519PrivateKey {
        let made: Ed25519PrivateKey
        let content: [UInt8]
        do throws(KeyFailure) {
            made = try .generate()
            content = try made.pem()
        } catch {
            throw JournalError(
                kind: .keyless, message: "make a signing key for the journal: \(error.message)", hint: "")
        }
        let temporary = "\(path).new-\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("make", path) }
        defer { unlink(temporary) }
        let written = content.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isDurable = written == content.count && fsync(descriptor) == 0
        close(descriptor)
        // A link, because it refuses where somebody else was first.
        guard isDurable, link(temporary, path) == 0 else {
            if errno == EEXIST, let other = try read(path) { return try key(from: other, path) }
            throw failure("make", path)
        }
        // Without this a key that has signed could be gone after a power failure.
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
        return made
    }

    private static func failure(_ doing: String, _ path: String) -> JournalError {
        let code = errno
        let cause = String(cString: strerror(code))
        return JournalError(
            kind: isDisk(code) ? .unwritable : .keyless,
            message: "\(doing) the journal's signing key \(path): \(cause)",
            hint: "Give the user that runs bylaw the right to it, or name another file with --journal-key.")
    }

    /// Whether it is the volume that fails, on which the journal lies as well, and not the file.
    private static func isDisk(_ code: Int32) -> Bool { [ENOSPC, EDQUOT, EROFS, EIO].contains(code) }
}

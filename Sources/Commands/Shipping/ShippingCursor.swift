import Foundation
import Glibc
import JSON
import Manifest
import Signatures

/// How far a journal has been sent to one receiver, in a file that survives a crash.
package struct ShippingCursor: Sendable {
    package let path: String
    /// Which journal it counts in: the numbers of another one mean other entries.
    package let journal: String
    /// Where an earlier version kept it, for all receivers of a kind; nil where that does not count.
    package let earlierPath: String?

    package init(path: String, journal: String, earlierPath: String? = nil) {
        self.path = path
        self.journal = journal
        self.earlierPath = earlierPath
    }

    /// The last entry that was dealt with; nil where nothing was sent yet.
    ///
    /// Only a file that is not there is one to which nothing was sent. Then the one of an earlier version counts, which stays
    /// where it is until something was delivered: see ``store(_:)``.
    ///
    /// - Throws: ``CommandFailure`` where the file is of another journal, or cannot be read: sending all of it again, or
    ///   leaving some out, is nothing to guess.
    package func read() throws(CommandFailure) -> Int64? {
        if let sequence = try sequence(in: path) { return sequence }
        return try earlierPath.flatMap { (path) throws(CommandFailure) in try sequence(in: path) }
    }

    /// - Returns: Nil where there is no such file.
    private func sequence(in path: String) throws(CommandFailure) -> Int64? {
        guard let bytes = try content(of: path) else { return nil }
        let tree: Tree
        do {
            tree = try parseJSON(bytes)
        } catch {
            throw unreadable(path, "it is no cursor")
        }
        guard tree["journal"]?.string == journal, let sequence = tree["sequence"]?.integer else {
            throw CommandFailure(
                message: "the cursor \(path) is of another journal",
                hint: "Name another file with --cursor for this journal.")
        }
        return sequence
    }

    private func content(of path: String) throws(CommandFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            guard code == ENOENT else { throw unreadable(path, String(cString: strerror(code))) }
            return nil
        }
        defer { close(descriptor) }
        // Far more than what is ever written there.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw unreadable(path, String(cString: strerror(errno))) }
        return Array(bytes.prefix(count))
    }

    private func unreadable(_ path: String, _ why: String) -> CommandFailure {
        CommandFailure(
            message: "read the cursor \(path): \(why)",
            hint:
                "Give the right to read it, or name another file with --cursor; one that is not there yet begins with the "
                + "first entry.")
    }

    /// Keeps how far it is, durably and at once or not at all.
    ///
    /// The first receiver to which something was delivered takes over the file of an earlier version, and no other: from where
    /// that one was, another would leave entries out.
    ///
    /// - Returns: The file that was taken over now; nil where none was.
    @discardableResult
    package func store(_ sequence: Int64) throws(CommandFailure) -> String? {
        let taken = try takeOver()
        let content: Tree = ["journal": .string(journal), "sequence": .integer(sequence)]
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        let bytes = content.jsonBytes()
        let isWritten = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        let isDurable = isWritten && fsync(descriptor) == 0
        close(descriptor)
        guard isDurable, rename(temporary, path) == 0 else { throw failure() }
        return taken
    }

    /// Makes the file of an earlier version this one's, where this one has none yet.
    private func takeOver() throws(CommandFailure) -> String? {
        guard let earlierPath, try sequence(in: path) == nil, try sequence(in: earlierPath) != nil else { return nil }
        // In one step, so that a crash leaves it to one receiver.
        guard rename(earlierPath, path) == 0 else { throw failure() }
        return earlierPath
    }

    private func failure() -> CommandFailure {
        CommandFailure(
            message: "keep how far the journal has been sent in \(path): \(String(cString: strerror(errno)))",
            hint: "Give it a file in a folder that can be written; nothing more is sent until it can be kept.")
    }
}

/// The file in which it is kept how far a journal has been sent, where none is named: one for each receiver.
///
/// A receiver is its address and what it files entries under. Two may differ in the query alone, such as `?tenant=`; a token
/// may stand there too, so nothing of it can be read in the name.
package func standardCursorPath(journal path: String, kind: String, url: String, index: String) -> String {
    let address = URLComponents(string: url)
    var place = address?.path ?? ""
    if place.hasSuffix("/") { place.removeLast() }
    var words = [
        kind, address?.scheme?.lowercased() ?? "", address?.host?.lowercased() ?? "",
        address?.port.map(String.init) ?? "", place, ["elasticsearch", "splunk"].contains(kind) ? index : "",
    ]
    if let query = address?.percentEncodedQuery, !query.isEmpty { words.append(query) }
    return "\(path).\(kind)-\(sha256Hex(words.joined(separator: "\n").utf8).prefix(12))-cursor"
}

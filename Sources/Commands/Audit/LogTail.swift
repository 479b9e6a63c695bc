import Foundation
import Glibc

/// Reads what another process appends to a log file, also when the file is renamed away and begun anew, as API servers do.
///
/// Lines that are written between two looks are read whole and once, whether the file was renamed in between or not. Where
/// it was renamed twice in between, those of the second file are missed: look more often than the file fills up.
package final class LogTail {
    package struct Failure: Error, Equatable, Sendable {
        package var message: String
        package var hint: String
    }

    package let path: String
    private let maximumStartBytes: Int
    private let maximumLineBytes: Int
    private let pieceBytes: Int
    private var descriptor: Int32 = -1
    private var offset = 0
    /// The beginning of a line that has not ended yet.
    private var partial: [UInt8] = []
    private var isWithinLongLine = false
    private var isFirst = true
    /// Whether there is a file to read.
    package var isOpen: Bool { descriptor >= 0 }
    /// How many lines were longer than is allowed, and left out.
    package private(set) var longLines = 0
    /// How often the file was cut off while it was read.
    package private(set) var truncations = 0

    /// - Parameters:
    ///   - maximumStartBytes: How much of what the file holds already is read at the start.
    ///   - maximumLineBytes: Longer lines are left out.
    ///   - pieceBytes: About how much one ``read()`` gives back.
    package init(
        path: String, maximumStartBytes: Int = 8 << 20, maximumLineBytes: Int = 16 << 20, pieceBytes: Int = 1 << 20
    ) {
        self.path = path
        self.maximumStartBytes = maximumStartBytes
        self.maximumLineBytes = maximumLineBytes
        self.pieceBytes = max(1, pieceBytes)
    }

    deinit { closeFile() }

    /// The whole lines that come next; nil where there is nothing new, or no file for the moment.
    ///
    /// - Throws: ``Failure`` where the file cannot be read; the next call tries again.
    package func read() throws(Failure) -> [UInt8]? {
        if descriptor < 0 {
            guard try openFile() else { return nil }
        }
        while true {
            let piece = try readPiece()
            if !piece.isEmpty {
                let lines = wholeLines(adding: piece)
                if !lines.isEmpty { return lines }
                continue
            }
            if try wasCutOff() {
                truncations += 1
                offset = 0
                partial = []
                isWithinLongLine = false
                continue
            }
            guard try wasReplaced() else { return nil }
            // Its writer closed it before it renamed it: what is not here now will never come.
            let last = try readPiece()
            if last.isEmpty {
                closeFile()
                let rest = isWithinLongLine || partial.isEmpty ? [] : partial + [0x0a]
                partial = []
                isWithinLongLine = false
                if !rest.isEmpty { return rest }
                guard try openFile() else { return nil }
                continue
            }
            let lines = wholeLines(adding: last)
            if !lines.isEmpty { return lines }
        }
    }

    private func openFile() throws(Failure) -> Bool {
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            // It may be about to be begun anew, or for the first time.
            if errno == ENOENT { return false }
            throw failure("open")
        }
        var status = stat()
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw Failure(message: "\(path) is no regular file", hint: "Name the file that the API server logs to.")
        }
        descriptor = opened
        offset = isFirst ? max(0, Int(status.st_size) - maximumStartBytes) : 0
        // The first line is whole only where it is the file's first.
        isWithinLongLine = offset > 0
        isFirst = false
        return true
    }

    private func closeFile() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func readPiece() throws(Failure) -> [UInt8] {
        var count = -1
        let piece = [UInt8](unsafeUninitializedCapacity: pieceBytes) { buffer, filled in
            repeat {
                count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            } while count < 0
                && errno == EINTR
            filled = max(0, count)
        }
        guard count >= 0 else { throw failure("read") }
        offset += count
        return piece
    }

    /// The lines that end in a piece, the first of them with what came before; keeps the beginning of the last.
    private func wholeLines(adding piece: [UInt8]) -> [UInt8] {
        guard let end = piece.lastIndex(of: 0x0a) else {
            if !isWithinLongLine { partial += piece }
            if partial.count > maximumLineBytes {
                longLines += 1
                partial = []
                isWithinLongLine = true
            }
            return []
        }
        var lines = piece[...end]
        if isWithinLongLine { lines = lines.drop { $0 != 0x0a }.dropFirst() }
        let whole = partial + lines
        partial = Array(piece[(end + 1)...])
        isWithinLongLine = false
        return whole
    }

    private func wasCutOff() throws(Failure) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("look at") }
        return Int(status.st_size) < offset
    }

    /// Whether another file stands under the name; not where there is none for the moment.
    private func wasReplaced() throws(Failure) -> Bool {
        var named = stat()
        var held = stat()
        guard stat(path, &named) == 0 else {
            if errno == ENOENT { return false }
            throw failure("look at")
        }
        guard fstat(descriptor, &held) == 0 else { throw failure("look at") }
        return named.st_ino != held.st_ino || named.st_dev != held.st_dev
    }

    private func failure(_ what: String) -> Failure {
        Failure(
            message: "\(what) \(path): \(String(cString: strerror(errno)))",
            hint: "Let Bylaw read the API server's audit log.")
    }
}

import Glibc
import Reconciler

/// The lines of a file, one after the other, without more than one in memory.
struct LineReader: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// Longer than any entry can be.
    private static let maximumLine = 64 << 20
    private static let chunk = 1 << 20

    init(_ path: String) throws(JournalError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next line without its line break; nil at the end.
    ///
    /// The last one counts where it has no line break too.
    mutating func next() throws(JournalError) -> [UInt8]? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return Array(buffer[position..<end])
            }
            searched = buffer.count
            if isAtEnd {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                return Array(buffer[position...])
            }
            guard buffer.count - position <= Self.maximumLine else {
                throw JournalError(
                    kind: .request, message: "read \(path): it has a line longer than any entry",
                    hint: "Name an export of a journal.")
            }
            buffer.removeSubrange(..<position)
            searched -= position
            position = 0
            try fill()
        }
    }

    private mutating func fill() throws(JournalError) {
        let count = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.chunk))
        let found = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, Self.chunk) }
        guard found >= 0 else { throw Self.failure(path) }
        buffer.removeLast(Self.chunk - found)
        isAtEnd = found == 0
    }

    private static func failure(_ path: String) -> JournalError {
        JournalError(
            kind: .request, message: "read \(path): \(String(cString: strerror(errno)))",
            hint: "Check the path and its rights.")
    }
}

/// The status and the headers of an answer, put together from its lines as they come.
struct AnswerHead {
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    private var bytes = 0

    enum Progress { case unfinished, complete, tooLarge }

    /// More than any server means well.
    private static let maximumBytes = 1 << 20

    /// Takes a line: the status line of a new answer empties what came before it, and an empty line ends the headers,
    /// though not those of an interim answer.
    mutating func append(_ line: UnsafeBufferPointer<UInt8>) -> Progress {
        bytes += line.count
        guard bytes <= Self.maximumBytes else { return .tooLarge }
        var content = line[...]
        while let last = content.last, isSpace(last) { content.removeLast() }
        if content.isEmpty { return status >= 200 ? .complete : .unfinished }
        if content.starts(with: "HTTP/".utf8) {
            headers = HTTPHeaders()
            let words = content.split(separator: UInt8(ascii: " "), maxSplits: 2)
            status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0
        } else if let colon = content.firstIndex(of: UInt8(ascii: ":")) {
            headers.append(
                name: String(decoding: content[..<colon], as: UTF8.self),
                value: String(decoding: content[(colon + 1)...].drop(while: isSpace), as: UTF8.self))
        }
        return .unfinished
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}

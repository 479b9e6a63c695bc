/// A signature as a commit or tag carries it, and the bytes that it signs.
///
/// Nothing is checked yet. The bytes are cut from the raw object as Git cuts them, not as libgit2's
/// `git_commit_extract_signature` does: that one ends at a NUL, so that what follows would count as signed, and looks
/// for the header in the message too.
package struct GitSignature: Sendable, Equatable {
    /// The armoured block.
    ///
    /// It is cut off after ``maximumBytes`` and one more, so that whoever checks it can tell. Where a commit has
    /// several such headers this is all of them, one after the other.
    package var signature: String
    /// The object without its signature, byte for byte.
    package var payload: [UInt8]

    /// The size of a signature that is kept whole.
    package static let maximumBytes = 65_536

    init(signature: [UInt8], payload: [UInt8]) {
        self.signature = String(decoding: signature.prefix(Self.maximumBytes + 1), as: UTF8.self)
        self.payload = payload
    }

    /// Splits a raw commit; nil where it has no `gpgsig` header.
    ///
    /// Headers such as `gpgsig-sha256` belong to another form of the same repository and are signed by none, so they are
    /// in neither part. A `mergetag` header with the signature of a tag in it stays in the payload.
    init?(rawCommit: [UInt8]) {
        enum Header { case signature, foreignSignature, other }
        let name = Array("gpgsig".utf8)
        var signature: [UInt8] = []
        var payload: [UInt8] = []
        var isSigned = false
        var header = Header.other
        var rest = rawCommit[...]
        while let first = rest.first, first != newline {
            let line = rest[..<(rest.firstIndex(of: newline).map { $0 + 1 } ?? rest.endIndex)]
            rest = rest[line.endIndex...]
            var text = line
            if first == space {
                text = header == .signature ? line.dropFirst() : line
            } else if line.starts(with: name + [space]) {
                header = .signature
                text = line.dropFirst(name.count + 1)
            } else {
                header = line.starts(with: name) ? .foreignSignature : .other
            }
            switch header {
            case .signature:
                isSigned = true
                signature += text
            case .foreignSignature: break
            case .other: payload += text
            }
        }
        guard isSigned else { return nil }
        self.init(signature: signature, payload: payload + rest)
    }

    /// Splits a raw tag before the last line that begins a signature; nil where its message has none.
    init?(rawTag: [UInt8]) {
        let marks = ["PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE", "SSH SIGNATURE"]
            .map { Array("-----BEGIN \($0)-----".utf8) }
        var start: Int?
        var isMessage = false
        var line = rawTag[...]
        while let first = line.first {
            if first == newline { isMessage = true }
            if isMessage, marks.contains(where: { line.starts(with: $0) }) { start = line.startIndex }
            line = line.drop { $0 != newline }.dropFirst()
        }
        guard let start else { return nil }
        self.init(signature: Array(rawTag[start...]), payload: Array(rawTag[..<start]))
    }
}

private let newline = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")

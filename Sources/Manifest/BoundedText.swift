extension String {
    /// The text, or as much of it as fits with a mark that says how long it was.
    package func bounded(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let mark = "… [cut, \(utf8.count) bytes]"
        var end = utf8.index(startIndex, offsetBy: max(0, limit - mark.utf8.count))
        // Back to the beginning of the character that the limit falls into.
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + mark
    }

    /// Whether ``bounded(toBytes:)`` may have cut it.
    package var isCut: Bool { utf8.last == UInt8(ascii: "]") && contains("… [cut, ") }
}

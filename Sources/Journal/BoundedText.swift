/// What the journal keeps of texts that others wrote: commit messages, server answers, field manager names.
enum TextLimit {
    static let message = 64 << 10
    static let trailers = 64 << 10
    static let line = 4 << 10
    /// An API server takes no object larger than about 1.5 MB; this only bounds what a broken one can make us keep.
    static let content = 8 << 20
}

extension String {
    /// The text, or as much of it as fits with a mark that says how long it was.
    func bounded(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let mark = "… [cut, \(utf8.count) bytes]"
        var end = utf8.index(startIndex, offsetBy: max(0, limit - mark.utf8.count))
        // Back to the beginning of the character that the limit falls into.
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + mark
    }
}

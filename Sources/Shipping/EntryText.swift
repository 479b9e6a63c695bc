import JSON
import Manifest

/// The JSON text of an entry, made to fit.
struct EntryText: Equatable {
    var text: String
    /// Something of the entry is missing.
    var isTruncated: Bool
}

extension ShippedEntry {
    /// The entry's JSON text in at most `limit` bytes.
    ///
    /// The objects it is about go first, one after the other, as they are what makes an entry long: `omitted` then names
    /// them and the text is still JSON. Where that is not enough the text is cut, and is JSON no more.
    func text(fitting limit: Int) -> EntryText {
        var document = document
        let whole = document.jsonText()
        guard whole.utf8.count > limit else { return EntryText(text: whole, isTruncated: false) }
        var omitted: [Tree] = []
        for key in ["before", "after", "patch"] where document[key] != nil {
            document.set([key], to: nil)
            omitted.append(.string(key))
            document.set(["omitted"], to: .array(omitted))
            let shorter = document.jsonText()
            if shorter.utf8.count <= limit { return EntryText(text: shorter, isTruncated: true) }
        }
        return EntryText(text: document.jsonText().cut(toBytes: limit), isTruncated: true)
    }
}

extension String {
    /// As much of the beginning as fits, whole characters only.
    ///
    /// A character may be of any length, by combining marks; one that would take more than 64 bytes away with it is cut
    /// between two of its scalars.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: max(0, limit))
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        var boundary = end
        for _ in 0..<64 where boundary > startIndex {
            if boundary.samePosition(in: self) != nil { return String(self[..<boundary]) }
            boundary = utf8.index(before: boundary)
        }
        return boundary == startIndex ? "" : String(unicodeScalars[..<end])
    }
}

package import Policy

/// Verdicts of files by content, so that a new commit costs only what it changed.
///
/// A verdict depends on the content and, for its findings and origins, on the path. When the bound is reached the
/// files that were not asked for longest go first.
package struct VerdictCache: Sendable {
    private struct Key: Hashable {
        var blob: String
        var path: String
    }
    private struct Entry {
        var verdict: FileVerdict
        var bytes: Int
        var lastUse: Int
    }

    private static let recordBytes = 256
    private let maximumBytes: Int
    private var entries: [Key: Entry] = [:]
    private var uses = 0
    /// Of the source texts, which stand for what their verdicts take.
    package private(set) var bytes = 0

    package init(maximumBytes: Int = 128 << 20) { self.maximumBytes = maximumBytes }

    package var count: Int { entries.count }

    /// The verdict on this content at this path and the size of the file, or nil where it has to be read.
    package mutating func verdict(blob: String, path: String) -> (verdict: FileVerdict, bytes: Int)? {
        let key = Key(blob: blob, path: path)
        uses += 1
        entries[key]?.lastUse = uses
        return entries[key].map { ($0.verdict, $0.bytes - Self.recordBytes) }
    }

    /// Keeps a verdict.
    ///
    /// - Parameter bytes: The size of the file.
    package mutating func insert(_ verdict: FileVerdict, blob: String, path: String, bytes: Int) {
        uses += 1
        // A file costs its record too, or a million empty files would cost nothing.
        let cost = bytes + Self.recordBytes
        let key = Key(blob: blob, path: path)
        if let old = entries.updateValue(Entry(verdict: verdict, bytes: cost, lastUse: uses), forKey: key) {
            self.bytes -= old.bytes
        }
        self.bytes += cost
        if self.bytes > maximumBytes { evict() }
    }

    /// Makes room for a quarter of the bound at once, so that a full cache does not sort at every insertion.
    private mutating func evict() {
        for (key, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            guard bytes > maximumBytes / 4 * 3 else { break }
            entries[key] = nil
            bytes -= entry.bytes
        }
    }
}

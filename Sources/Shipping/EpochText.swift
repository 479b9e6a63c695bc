import Manifest

extension Timestamp {
    /// Whole seconds since 1970, rounded down.
    var epochSeconds: Int64 {
        let seconds = microsecondsSinceEpoch / 1_000_000
        return microsecondsSinceEpoch % 1_000_000 < 0 ? seconds - 1 : seconds
    }

    /// Nanoseconds since 1970 in decimal digits.
    ///
    /// As text, since the far ends of what a timestamp holds do not fit into 64 bits of nanoseconds.
    var epochNanosecondsText: String { microsecondsSinceEpoch == 0 ? "0" : "\(microsecondsSinceEpoch)000" }

    /// The moment, or the nearest one that RFC 3339 can write.
    var writable: Timestamp { min(max(self, .earliest), .latest) }
}

/// What is remembered of the admission policies that are in force, where that is no digest of them.
package enum KeptPrevention {
    package static let none = ""
    package static let inPart = "in part"
    /// There were none, before another replica led.
    package static let unknown = "unknown"

    /// Whether there were none, as far as that is known.
    static func areNone(_ kept: String) -> Bool { [none, unknown].contains(kept) }
}

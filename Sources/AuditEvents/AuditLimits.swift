/// What is kept of audit events at most, whatever they hold (rule M10).
package struct AuditLimits: Sendable {
    /// Events of one body or one file; what follows is counted only.
    package var maximumItems: Int
    /// Bytes of a text that says which object or user is meant.
    package var maximumNameBytes: Int
    /// Bytes of any other text.
    package var maximumTextBytes: Int
    /// Groups of a user, and source addresses.
    package var maximumListLength: Int
    /// Objects in the answer to a deletion of many.
    package var maximumCollection: Int

    /// A webhook sends 400 events at once by default (rule M1).
    package init(
        maximumItems: Int = 10_000, maximumNameBytes: Int = 4096, maximumTextBytes: Int = 512,
        maximumListLength: Int = 32, maximumCollection: Int = 500
    ) {
        self.maximumItems = max(0, maximumItems)
        self.maximumNameBytes = max(64, maximumNameBytes)
        self.maximumTextBytes = max(64, maximumTextBytes)
        self.maximumListLength = max(1, maximumListLength)
        self.maximumCollection = max(0, maximumCollection)
    }
}

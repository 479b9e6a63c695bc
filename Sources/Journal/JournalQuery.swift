package import Manifest
package import Reconciler

/// Which entries are asked for; everything that is set has to hold.
package struct JournalQuery: Sendable, Equatable {
    package enum Order: Sendable, Equatable { case newestFirst, oldestFirst }

    package var instance: String?
    package var cluster: String?
    /// Inclusive.
    package var since: Timestamp?
    /// Exclusive.
    package var until: Timestamp?
    package var objectKind: String?
    package var namespace: String?
    package var name: String?
    /// The whole CamelCase word.
    package var reason: String?
    package var isIncidentOnly = false
    /// A commit id, or the beginning of one.
    package var revision: String?
    /// Any part of the author's name or address, whatever the case.
    package var author: String?
    /// Words in the texts of the entry.
    package var text: TextSearch?
    package var outcome: EntryOutcome?
    package var action: ActionKind?
    /// Only entries after this one.
    package var afterSequence: Int64?
    /// The most entries that come back, 1 to ``maximumLimit``.
    package var limit = 100
    package var order = Order.newestFirst
    /// Whether `before`, `after` and `patch` are read too.
    package var includesContent = true

    package static let maximumLimit = 100_000

    package init() {}

    /// Whether it leaves entries out, apart from where it begins.
    package var isFiltered: Bool {
        instance != nil || cluster != nil || since != nil || until != nil || objectKind != nil || namespace != nil
            || name != nil || reason != nil || isIncidentOnly || revision != nil || author != nil || outcome != nil
            || action != nil || text != nil
    }

    /// Whether it asks for less than every entry.
    var hasFilter: Bool { isFiltered || afterSequence != nil }
}

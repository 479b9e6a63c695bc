/// One time of being the leader among replicas, as the Lease counts them.
package struct LeaderTerm: Equatable, Sendable {
    /// The uid of the Lease.
    package var lease: String
    /// How often it has changed hands; a holder that takes up its own lease again keeps the number.
    package var transitions: Int64

    package init(lease: String, transitions: Int64) {
        self.lease = lease
        self.transitions = transitions
    }

    /// What a journal remembers that was found to be behind, until it knows again what is in force: no term follows it.
    static let overtaken = LeaderTerm(lease: "overtaken", transitions: 0)

    /// As the journal remembers it under ``MemoryKey/leaderTerm``.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, let transitions = Int64(words[0]) else { return nil }
        self.init(lease: String(words[1]), transitions: transitions)
    }

    var text: String { "\(transitions) \(lease)" }

    /// Whether nobody can have led between a term and this one.
    ///
    /// - Parameter last: The last term that a journal knows; nil where it knows none, as one that was written before there
    ///   were several replicas.
    func follows(_ last: LeaderTerm?) -> Bool {
        guard let last else { return transitions == 0 }
        return lease == last.lease && (last.transitions...(last.transitions + 1)).contains(transitions)
    }
}

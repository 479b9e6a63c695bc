/// What became of a batch.
package struct DeliveryOutcome: Sendable, Equatable {
    package enum Next: Sendable, Equatable {
        case goOn
        /// The receiver cannot take it now; nothing is wrong with what was sent.
        case retry(after: Duration?, why: String)
        /// The receiver will never take the entry named, or one of the batch that it does not name.
        case rejected(sequence: Int64?, why: String)
        /// The receiver took the batch but threw `count` of its entries away, does not say which, and must not be sent
        /// them again.
        case dropped(count: Int64, why: String)
        /// The connection is gone, and with it perhaps entries that had been taken for delivered: everything after this
        /// sequence is sent again.
        case lost(after: Int64, why: String)
        /// The token or the address is wrong: trying again does not help before somebody changes something. Slowly it is
        /// tried all the same, as the change may be made on the receiver's side.
        case stop(why: String, hint: String)
    }

    /// Everything up to this sequence has arrived; nil where nothing of the batch has, or nothing is known of it.
    package var deliveredThrough: Int64?
    /// What to do about the rest of the batch.
    package var next: Next

    package init(deliveredThrough: Int64? = nil, next: Next) {
        self.deliveredThrough = deliveredThrough
        self.next = next
    }

    /// All of a batch has arrived.
    package static func delivered(_ entries: [ShippedEntry]) -> DeliveryOutcome {
        DeliveryOutcome(deliveredThrough: entries.last?.sequence, next: .goOn)
    }

    /// There was no answer: whether anything arrived is not known, so all of it is sent again.
    package static func unanswered(_ why: String) -> DeliveryOutcome {
        DeliveryOutcome(next: .retry(after: nil, why: quoted(why)))
    }

    /// There was no answer, and there will be none before somebody changes something.
    package static func stopped(_ why: String, _ hint: String) -> DeliveryOutcome {
        DeliveryOutcome(next: .stop(why: quoted(why), hint: hint))
    }

    /// The connection is gone; see ``Next/lost(after:why:)``.
    package static func lost(after sequence: Int64, _ why: String) -> DeliveryOutcome {
        DeliveryOutcome(next: .lost(after: sequence, why: quoted(why)))
    }
}

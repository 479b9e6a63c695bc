/// What became of a span, for whoever counts them.
package enum SpanFate: String, Sendable, CaseIterable {
    case sent
    /// There was no room for it any more, or no time.
    case dropped
    /// The receiver does not want it.
    case refused
}

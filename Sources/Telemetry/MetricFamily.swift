/// What one metric means, whatever its labels.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable {
        /// Only grows, until the program is started anew.
        case counter
        /// Goes up and down.
        case gauge
        /// Says what something is; its value is always 1.
        case info
        /// Counts what was observed, by how large it was.
        case histogram
    }

    /// Without the ending that its kind has in an exposition (`_total`, `_info`); ends with its unit, if it has one.
    package var name: String
    package var kind: Kind
    /// One sentence without its full stop.
    package var help: String
    /// The names of its labels, in the order in which they are written.
    package var labels: [String]
    /// The upper bounds of a histogram's buckets, ascending, each of them inside; what is above the last one has no own.
    package var bounds: [Double]

    package init(
        _ name: String, _ kind: Kind, _ help: String, labels: [String] = [], bounds: [Double] = []
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.bounds = bounds
    }
}

import Synchronization

/// Keeps the values of metrics, for any task that counts and whoever asks for all of them.
package final class MetricRegistry: Sendable {
    /// What a family may have: labels are chosen so that there are far fewer, and one mistake must not fill the memory of
    /// whoever scrapes.
    package static let maximumSeries = 1000

    private typealias Series = [[String]: MetricSample]

    private let families: [MetricFamily]
    private let values: Mutex<[String: Series]>

    /// - Parameter families: In the order in which they are written.
    package init(_ families: [MetricFamily]) {
        self.families = families
        values = Mutex(
            Dictionary(
                families.map { ($0.name, Self.unused($0)) },
                uniquingKeysWith: { first, _ in first }))
    }

    /// Adds to a counter or a gauge; 0 makes it known before it ever happens.
    ///
    /// - Parameter labels: By name; what is missing is empty, and what the family does not have is left out.
    package func add(_ amount: Double = 1, to family: MetricFamily, _ labels: [String: String] = [:]) {
        change(family, labels) { $0.value += amount }
    }

    /// Sets a gauge or an info, or a counter that something else counts.
    package func set(_ family: MetricFamily, to value: Double, _ labels: [String: String] = [:]) {
        change(family, labels) { $0.value = value }
    }

    /// Counts one observation in a histogram.
    package func observe(_ amount: Double, in family: MetricFamily, _ labels: [String: String] = [:]) {
        // Few bounds, and most observations are small: looking at one after the other is quicker than halving.
        let bucket = family.bounds.firstIndex { amount <= $0 }
        change(family, labels) { sample in
            sample.value += amount
            sample.count += 1
            if let bucket { sample.buckets[bucket] += 1 }
        }
    }

    /// Makes the series of a histogram known before anything was observed.
    package func declare(_ family: MetricFamily, _ labels: [String: String]) { change(family, labels) { _ in } }

    /// Forgets all series of a family: what they are about is no more.
    package func clear(_ family: MetricFamily) { values.withLock { $0[family.name] = Self.unused(family) } }

    /// What a family tells before anything was counted.
    private static func unused(_ family: MetricFamily) -> Series {
        family.labels.isEmpty ? [[]: MetricSample(family)] : [:]
    }

    private func change(
        _ family: MetricFamily, _ labels: [String: String], _ change: (inout MetricSample) -> Void
    ) {
        var key = family.labels.map { labels[$0] ?? "" }
        values.withLock { values in
            if let series = values[family.name], series[key] == nil, series.count >= Self.maximumSeries {
                key = family.labels.map { _ in "other" }
            }
            change(&values[family.name, default: [:]][key, default: MetricSample(family)])
        }
    }

    /// All of them as text.
    package func exposition(_ format: ExpositionFormat) -> String {
        let values = values.withLock { $0 }
        var text = ""
        for family in families {
            let series = (values[family.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            text += format.render(family, series.map { (labels: $0.key, sample: $0.value) })
        }
        return text + format.ending
    }
}

/// The value of one series.
struct MetricSample: Sendable {
    /// Of a histogram the sum of what was observed.
    var value = 0.0
    /// How often something was observed; only of a histogram.
    var count: UInt64 = 0
    /// How many observations fell into each bucket and into none before it.
    var buckets: [UInt64]

    init(_ family: MetricFamily) { buckets = Array(repeating: 0, count: family.bounds.count) }
}

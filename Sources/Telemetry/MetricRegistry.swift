import Synchronization

/// Keeps the values of metrics, for any task that counts and whoever asks for all of them.
package final class MetricRegistry: Sendable {
    /// What a family may have: labels are chosen so that there are far fewer, and one mistake must not fill the memory of
    /// whoever scrapes.
    package static let maximumSeries = 1000

    private typealias Series = [[String]: Double]

    private let families: [MetricFamily]
    private let values: Mutex<[String: Series]>

    /// - Parameter families: In the order in which they are written.
    package init(_ families: [MetricFamily]) {
        self.families = families
        values = Mutex(
            Dictionary(
                families.map { ($0.name, $0.labels.isEmpty ? [[]: 0] : [:]) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Adds to a counter or a gauge; 0 makes it known before it ever happens.
    ///
    /// - Parameter labels: By name; what is missing is empty, and what the family does not have is left out.
    package func add(_ amount: Double = 1, to family: MetricFamily, _ labels: [String: String] = [:]) {
        change(family, labels) { $0 += amount }
    }

    /// Sets a gauge or an info.
    package func set(_ family: MetricFamily, to value: Double, _ labels: [String: String] = [:]) {
        change(family, labels) { $0 = value }
    }

    private func change(_ family: MetricFamily, _ labels: [String: String], _ change: (inout Double) -> Void) {
        var key = family.labels.map { labels[$0] ?? "" }
        values.withLock { values in
            if let series = values[family.name], series[key] == nil, series.count >= Self.maximumSeries {
                key = family.labels.map { _ in "other" }
            }
            change(&values[family.name, default: [:]][key, default: 0])
        }
    }

    /// All of them as text.
    package func exposition(_ format: ExpositionFormat) -> String {
        let values = values.withLock { $0 }
        var text = ""
        for family in families {
            let series = (values[family.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            text += format.render(family, series.map { (labels: $0.key, value: $0.value) })
        }
        return text + format.ending
    }
}

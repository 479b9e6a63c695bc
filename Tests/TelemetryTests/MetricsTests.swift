import Telemetry
import Testing

@Suite struct MetricsTests {
    private static let requests = MetricFamily(
        "app_requests", .counter, "What was asked\nfor, as \"C:\\\"", labels: ["verb", "code"])
    private static let depth = MetricFamily("app_queue_depth", .gauge, "What waits")
    private static let build = MetricFamily("app_build", .info, "The version", labels: ["version"])

    private func registry() -> MetricRegistry { MetricRegistry([Self.requests, Self.depth, Self.build]) }

    /// As the two formats' own documents have it.
    @Test func bothFormats() {
        let registry = registry()
        registry.add(to: Self.requests, ["verb": "get", "code": "200"])
        registry.add(2.5, to: Self.requests, ["verb": "get", "code": "200"])
        registry.add(to: Self.requests, ["verb": "a\"b\\c\nd"])
        registry.set(Self.depth, to: 3)
        registry.set(Self.depth, to: 2)
        registry.set(Self.build, to: 1, ["version": "1.2"])
        #expect(
            registry.exposition(.openMetrics) == #"""
                # HELP app_requests What was asked\nfor, as \"C:\\\"
                # TYPE app_requests counter
                app_requests_total{verb="a\"b\\c\nd",code=""} 1
                app_requests_total{verb="get",code="200"} 3.5
                # HELP app_queue_depth What waits
                # TYPE app_queue_depth gauge
                app_queue_depth 2
                # HELP app_build The version
                # TYPE app_build info
                app_build_info{version="1.2"} 1
                # EOF

                """#)
        #expect(
            registry.exposition(.prometheus) == #"""
                # HELP app_requests_total What was asked\nfor, as "C:\\"
                # TYPE app_requests_total counter
                app_requests_total{verb="a\"b\\c\nd",code=""} 1
                app_requests_total{verb="get",code="200"} 3.5
                # HELP app_queue_depth What waits
                # TYPE app_queue_depth gauge
                app_queue_depth 2
                # HELP app_build_info The version
                # TYPE app_build_info gauge
                app_build_info{version="1.2"} 1

                """#)
    }

    private static let sizes = MetricFamily(
        "app_size_bytes", .histogram, "How large", labels: ["kind"], bounds: [0.5, 1, 10])

    /// As the formats' documents have it: each bucket holds the smaller ones, its bound is inside.
    @Test func aHistogramInBothFormats() {
        let registry = MetricRegistry([Self.sizes])
        registry.declare(Self.sizes, ["kind": "none"])
        for size in [0.25, 1, 1.5, 10, 11] { registry.observe(size, in: Self.sizes, ["kind": "some"]) }
        let samples = { (one: String, ten: String) in
            """
            app_size_bytes_bucket{kind="none",le="0.5"} 0
            app_size_bytes_bucket{kind="none",le="\(one)"} 0
            app_size_bytes_bucket{kind="none",le="\(ten)"} 0
            app_size_bytes_bucket{kind="none",le="+Inf"} 0
            app_size_bytes_sum{kind="none"} 0
            app_size_bytes_count{kind="none"} 0
            app_size_bytes_bucket{kind="some",le="0.5"} 1
            app_size_bytes_bucket{kind="some",le="\(one)"} 2
            app_size_bytes_bucket{kind="some",le="\(ten)"} 4
            app_size_bytes_bucket{kind="some",le="+Inf"} 5
            app_size_bytes_sum{kind="some"} 23.75
            app_size_bytes_count{kind="some"} 5

            """
        }
        let head = "# HELP app_size_bytes How large\n# TYPE app_size_bytes histogram\n"
        #expect(registry.exposition(.prometheus) == head + samples("1", "10"))
        #expect(registry.exposition(.openMetrics) == head + samples("1.0", "10.0") + "# EOF\n")
    }

    @Test func aHistogramWithoutLabelsIsThereFromTheBeginning() {
        let waits = MetricFamily("app_wait_seconds", .histogram, "How long", bounds: [1])
        #expect(
            MetricRegistry([waits]).exposition(.prometheus).contains(
                "app_wait_seconds_bucket{le=\"1\"} 0\napp_wait_seconds_bucket{le=\"+Inf\"} 0\n"))
    }

    @Test func whatHasNoLabelsIsThereFromTheBeginning() {
        #expect(registry().exposition(.prometheus).contains("app_queue_depth 0\n"))
        #expect(!registry().exposition(.prometheus).contains("app_requests_total{"))
    }

    @Test(arguments: [
        (2.0, "2"), (-1, "-1"), (0.1, "0.1"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (1e300, "1e+300"),
    ])
    func numbers(_ value: Double, _ text: String) {
        let registry = registry()
        registry.set(Self.depth, to: value)
        #expect(registry.exposition(.openMetrics).contains("app_queue_depth \(text)\n"))
    }

    @Test func thereAreNeverMoreSeriesThanABound() {
        let registry = registry()
        for number in 0..<(MetricRegistry.maximumSeries + 500) {
            registry.add(to: Self.requests, ["verb": "v\(number)"])
        }
        let lines = registry.exposition(.prometheus).split(separator: "\n").filter {
            $0.hasPrefix("app_requests_total{")
        }
        #expect(lines.count == MetricRegistry.maximumSeries + 1)
        #expect(lines.contains(#"app_requests_total{verb="other",code="other"} 500"#))
        // Those that are known go on.
        registry.add(to: Self.requests, ["verb": "v7"])
        #expect(registry.exposition(.prometheus).contains(#"app_requests_total{verb="v7",code=""} 2"#))
    }

    @Test func whatIsClearedIsNotToldAnyMore() {
        let registry = registry()
        registry.add(to: Self.requests, ["verb": "get"])
        registry.set(Self.build, to: 1, ["version": "1.2"])
        registry.clear(Self.requests)
        #expect(!registry.exposition(.prometheus).contains("verb="))
        #expect(registry.exposition(.prometheus).contains("version=\"1.2\""))
        registry.add(to: Self.requests, ["verb": "list"])
        #expect(registry.exposition(.prometheus).contains(#"app_requests_total{verb="list",code=""} 1"#))
    }

    @Test func nothingIsLostWhenManyCount() async {
        let registry = registry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { registry.add(to: Self.requests, ["verb": "get"]) } }
            }
        }
        #expect(registry.exposition(.prometheus).contains(#"app_requests_total{verb="get",code=""} 8000"#))
    }

    @Test(arguments: [
        (nil, ExpositionFormat.prometheus), ("*/*", .prometheus), ("text/plain;version=0.0.4", .prometheus),
        ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.6", .openMetrics),
        ("text/plain;version=0.0.4;q=1, application/openmetrics-text;q=0", .prometheus),
        ("application/openmetrics-text; q=0.0", .prometheus), ("Application/OpenMetrics-Text", .openMetrics),
        ("text/plain, application/openmetrics-textual", .prometheus),
    ])
    func theClientChooses(_ accept: String?, _ format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }
}

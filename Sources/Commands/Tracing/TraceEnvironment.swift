import Foundation

/// What the environment variables of OpenTelemetry say of where traces go ("Environment Variable Specification", "OTLP
/// Exporter").
///
/// They are often set for all programs of a cluster alike. So a mistake in one of them is a warning and never an error,
/// and what asks for another protocol than OTLP over HTTP leads to no traces.
package struct TraceEnvironment: Sendable, Equatable {
    /// Where traces go; nil: nowhere.
    package private(set) var url: String?
    /// Whether the path of the protocol is added to it: an address for traces alone is taken as it is.
    package private(set) var addsPath = true
    package private(set) var headers: [Pair] = []
    /// A file with certificates to trust.
    package private(set) var authorities: String?
    /// What is said of the program besides what it says itself; `service.name` among it.
    package private(set) var resource: [Pair] = []
    package private(set) var warnings: [String] = []

    package struct Pair: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(_ environment: [String: String]) {
        /// Empty is as if it were not set.
        func text(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        /// The one for traces alone comes first.
        func exporter(_ name: String) -> String? {
            text("OTEL_EXPORTER_OTLP_TRACES_" + name) ?? text("OTEL_EXPORTER_OTLP_" + name)
        }
        if let own = text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            url = own
            addsPath = false
        } else {
            url = text("OTEL_EXPORTER_OTLP_ENDPOINT")
        }
        if text("OTEL_SDK_DISABLED")?.lowercased() == "true" { url = nil }
        if let exporters = text("OTEL_TRACES_EXPORTER"),
            !exporters.split(separator: ",").contains(where: { $0.trimmingCharacters(in: .whitespaces) == "otlp" })
        {
            url = nil
        }
        if let name = exporter("PROTOCOL"), name == "grpc", url != nil {
            url = nil
            warnings.append(
                "the environment asks for traces over gRPC, which Bylaw does not speak: no traces are sent; set "
                    + "OTEL_EXPORTER_OTLP_PROTOCOL to http/json and the endpoint to the collector's port for HTTP")
        }
        authorities = exporter("CERTIFICATE")
        headers = exporter("HEADERS").map { pairs(in: $0, of: "OTEL_EXPORTER_OTLP_HEADERS") } ?? []
        resource =
            text("OTEL_RESOURCE_ATTRIBUTES").map { pairs(in: $0, of: "OTEL_RESOURCE_ATTRIBUTES") } ?? []
        if let name = text("OTEL_SERVICE_NAME") {
            resource.removeAll { $0.name == "service.name" }
            resource.append(Pair("service.name", name))
        }
    }

    /// Leaves the address of the environment aside, for a reason that is told.
    package mutating func refuse(_ why: String) {
        url = nil
        warnings.append(why)
    }

    /// Reads `key=value,key=value`, where whatever has a meaning there is percent-encoded (W3C Baggage).
    ///
    /// A mistake leaves out all of it, as half of it could mean something else. No value is repeated, since it may be a
    /// secret.
    private mutating func pairs(in text: String, of variable: String) -> [Pair] {
        var pairs: [Pair] = []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard sides.count == 2, !sides[0].isEmpty, let name = sides[0].removingPercentEncoding,
                let value = sides[1].removingPercentEncoding
            else {
                warnings.append("\(variable) is not read as key=value,key=value and left aside")
                return []
            }
            pairs.append(Pair(name, value))
        }
        return pairs
    }
}

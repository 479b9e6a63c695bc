import Arguments
import Foundation
import HTTPClient
import Reconciler
import Shipping
import StatusServer
import Telemetry
import Tracing

extension Flags {
    /// Where the traces of syncs are sent.
    static let traces: [FlagDescription] = [
        FlagDescription(
            "trace-endpoint", .text, valueName: "URL",
            "send a trace of each sync there: an OTLP/HTTP collector's address, without the path of the protocol; off: none. "
                + "Where it is not given OpenTelemetry's environment variables count, such as OTEL_EXPORTER_OTLP_ENDPOINT"
        ),
        FlagDescription(
            "trace-headers-file", .text, valueName: "F",
            "a file with headers for the collector, such as Authorization: Bearer TOKEN, one a line"),
        FlagDescription("trace-ca-file", .text, valueName: "F", "PEM certificates to trust in place of the system's"),
        FlagDescription(
            "trace-cert-file", .text, valueName: "F", "the PEM certificate that is shown to the collector"),
        FlagDescription("trace-key-file", .text, valueName: "F", "the PEM key of that certificate"),
    ]
}

extension Wiring {
    /// What sends traces on; nil where none are asked for.
    ///
    /// - Parameters:
    ///   - cluster: Its name in the journal.
    ///   - metrics: Nil where nobody counts.
    func spanExporter(
        instance: String, cluster: String, logger: Logger, metrics: ControllerMetrics? = nil
    ) throws -> SpanExporter? {
        var defaults = TraceEnvironment(environment)
        let flag = arguments.text("trace-endpoint")
        if flag == "off" { return nil }
        let delivery =
            try flag.map { try traceDelivery(to: $0, addsPath: true, defaults, instance, cluster) }
            ?? traceDelivery(&defaults, instance, cluster)
        if flag == nil { for warning in defaults.warnings { logger.log(.warning, "Traces", [("detail", warning)]) } }
        guard let delivery else { return nil }
        return SpanExporter(
            limits: SpanExportLimits(), logger: logger.adding([("receiver", delivery.place)]),
            noteSpans: { metrics?.noteSpans($0, $1) }, noteExport: { metrics?.noteTraceExport(isDone: $0) },
            deliver: delivery.deliver)
    }

    /// To where the environment says; a mistake there is told and ends nothing.
    private func traceDelivery(
        _ defaults: inout TraceEnvironment, _ instance: String, _ cluster: String
    ) -> TraceDelivery? {
        guard let url = defaults.url else { return nil }
        do {
            return try traceDelivery(to: url, addsPath: defaults.addsPath, defaults, instance, cluster)
        } catch {
            let failure = commandFailure(error)
            defaults.refuse(
                "no traces are sent to where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says: "
                    + failure.message)
            return nil
        }
    }

    private func traceDelivery(
        to url: String, addsPath: Bool, _ defaults: TraceEnvironment, _ instance: String, _ cluster: String
    ) throws -> TraceDelivery {
        let (address, host) = try receiverURL(
            url, flag: "trace-endpoint", schemes: ["https", "http"], example: "https://HOST:4318",
            secretFlag: "trace-headers-file")
        // What the environment says for its own collector, secrets among it, is not for another one.
        let isNamed = arguments.text("trace-endpoint") != nil
        let headers =
            try arguments.text("trace-headers-file").map {
                try readTraceHeaders(String(decoding: try readFile($0), as: UTF8.self), file: $0)
            } ?? (isNamed ? [] : defaults.headers.map { DeliveryHeader($0.name, $0.value) })
        // What a program knows of itself is overridden by what its environment says, as OpenTelemetry has it.
        let own =
            [
                SpanAttribute("service.name", "bylaw"), SpanAttribute("service.version", bylawVersion),
                SpanAttribute("service.instance.id", instance), SpanAttribute("k8s.cluster.name", cluster),
            ] + (hostName().map { [SpanAttribute("host.name", $0)] } ?? [])
        let given = Set(defaults.resource.map(\.name))
        return TraceDelivery(
            place: "otlp at \(host)\(address.port.map { ":\($0)" } ?? "")",
            receiver: OTLPTraceReceiver(address: ReceiverAddress(url: url, headers: headers), addsPath: addsPath),
            resource: own.filter { !given.contains($0.key) }
                + defaults.resource.map { SpanAttribute($0.name, $0.value) },
            exchanger: HTTPExchanger(
                tls: try receiverTLS(prefix: "trace-", authorities: isNamed ? nil : defaults.authorities),
                proxy: .environment,
                userAgent: "bylaw/\(bylawVersion)", maximumConnections: 1))
    }

    /// What the controller is told of tracing; nil where nothing is traced.
    func tracer(_ exporter: SpanExporter?, instance: String, cluster: String) -> Tracer? {
        exporter.map { exporter in
            Tracer(
                attributes: [
                    SpanAttribute("bylaw.instance", instance), SpanAttribute("bylaw.cluster", cluster),
                    SpanAttribute("bylaw.path", arguments.text("path") ?? ""),
                    SpanAttribute("bylaw.repository", shownRepository),
                ],
                randomBits: { UInt64.random(in: .min ... .max) }, take: { exporter.take($0) })
        }
    }

    /// The repository's address without user and password, also where it is written as `USER@HOST:PATH`.
    private var shownRepository: String {
        let address = arguments.text("repo") ?? ""
        guard !address.contains("://") else { return redactedURL(address) }
        return address.lastIndex(of: "@").map { String(address[address.index(after: $0)...]) } ?? address
    }
}

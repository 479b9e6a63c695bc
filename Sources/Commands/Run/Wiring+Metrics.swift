import Arguments
import HTTPServer
import StatusServer
import Telemetry

extension Wiring {
    /// Serves metrics from now on; nil where no address is given.
    func metricsListener(_ metrics: ControllerMetrics, logger: Logger) throws -> HTTPListener? {
        guard let text = arguments.text("metrics-listen") else { return nil }
        let (address, port) = try listeningAddress(text, flag: "metrics-listen")
        do throws(ListenerError) {
            let listener = try HTTPListener(
                address: address, port: port,
                limits: ListenerLimits(
                    maximumConnections: 16, maximumConnectionsPerAddress: 4, maximumBodyBytes: 0,
                    idleTimeout: .seconds(10), unprovenTimeout: .seconds(5)),
                precheck: refuseMetricsRequest
            ) { request in answerMetrics(request, from: metrics.registry) }
            logger.log(.notice, "Serving metrics", [("address", address), ("port", String(listener.port))])
            return listener
        } catch {
            throw CommandFailure(message: error.message, hint: "Choose another --metrics-listen address or port.")
        }
    }
}

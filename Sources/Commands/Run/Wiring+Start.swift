import Arguments
import Telemetry

extension Wiring {
    /// Refuses what `bylaw run` could not begin with, before anything is begun or ended for it.
    ///
    /// Looks at the flags and at the files that they name, and at nothing that is only there while something runs: whether
    /// a port is free, the cluster answers or the journal can be opened shows at the beginning.
    ///
    /// - Throws: What a start with the same flags would be refused for, or would wait for somebody to put right.
    func expectStart() throws {
        let instance = try instance()
        _ = try source()
        let endpoint = try endpoint()
        _ = try statusPlace()
        _ = try leadership(instance: instance, endpoint: endpoint) { _ in }
        _ = try statusHost()
        _ = try checkpointConfigMap()
        _ = try checkpointURL()
        _ = try retentionPolicy(arguments)
        try expectSigningKey()
        try expectAuditListener()
        _ = try holdPlace(instance: instance)
        let shipping = ShippingFlags(wiring: self, prefix: "ship-")
        if let kind = try shipping.kind { _ = try shipping.delivery(kind) }
        _ = try webhookPlace()
        _ = try auditPlace()
        let silent = Logger(level: .error, fields: [], now: { "" }, sink: { _ in })
        _ = try spanExporter(instance: instance, cluster: clusterName(endpoint), logger: silent)
        _ = try policySyncRecorder(endpoint, instance: instance, logger: silent)
    }
}

import Foundation
package import Manifest

/// Reads how to reach a cluster as kubectl does: the given file, else the files of `KUBECONFIG`, else the service
/// account of the pod we are in, else `~/.kube/config`.
///
/// - Parameters:
///   - path: A kubeconfig file that was named explicitly; it has to exist.
///   - context: The context to use in place of the file's current one.
///   - uptime: The clock by which credentials become old.
///   - time: The time of day, for credentials that tell their end.
///   - serviceAccount: The folder of the pod's service account.
package func findClusterEndpoint(
    kubeconfig path: String?, context: String?, environment: [String: String],
    uptime: @escaping @Sendable () -> Duration = systemUptime,
    time: @escaping @Sendable () -> Timestamp = systemTime,
    serviceAccount: String = "/var/run/secrets/kubernetes.io/serviceaccount"
) throws(ClusterConfigurationError) -> ClusterEndpoint {
    let listed = environment["KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    let paths: [String]
    if let path {
        paths = [path]
    } else if let listed {
        paths = listed.split(separator: ":").map(String.init)
    } else if let endpoint = try inClusterEndpoint(
        environment: environment, directory: serviceAccount, uptime: uptime, time: time)
    {
        guard context == nil else {
            throw ClusterConfigurationError(
                message: "a context was named, but inside a pod there is no kubeconfig",
                hint: "Leave --context out, or name a kubeconfig.")
        }
        return endpoint
    } else if let home = environment["HOME"], !home.isEmpty {
        paths = [home + "/.kube/config"]
    } else {
        paths = []
    }
    var merged: Kubeconfig?
    // A missing file is passed over, as kubectl does; it is an error only where nothing is left.
    for path in paths where FileManager.default.fileExists(atPath: path) {
        let config = try Kubeconfig(file: path)
        if merged == nil { merged = config } else { merged?.merge(config) }
    }
    guard let merged else {
        let places = paths.isEmpty ? "" : " at \(paths.joined(separator: ", "))"
        throw ClusterConfigurationError(
            message: "no kubeconfig\(places)",
            hint: "Name one with --kubeconfig or KUBECONFIG, or run inside a cluster.")
    }
    return try merged.endpoint(context: context, environment: environment, uptime: uptime, time: time)
}

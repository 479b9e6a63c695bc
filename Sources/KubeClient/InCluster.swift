import Foundation
import HTTPClient
package import Manifest

/// The service account of the pod we run in, or nil outside of one (rule A7).
///
/// The address is usually a bare one: it is verified against the addresses in the server's certificate.
package func inClusterEndpoint(
    environment: [String: String], directory: String = "/var/run/secrets/kubernetes.io/serviceaccount",
    uptime: @escaping @Sendable () -> Duration = systemUptime, time: @escaping @Sendable () -> Timestamp = systemTime
) throws(ClusterConfigurationError) -> ClusterEndpoint? {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"],
        !host.isEmpty, !port.isEmpty
    else { return nil }
    guard let number = Int(port), (1...65_535).contains(number) else {
        throw ClusterConfigurationError(
            message: "KUBERNETES_SERVICE_PORT is no port: \(port)", hint: "Unset it, or name a kubeconfig.")
    }
    let tokenPath = directory + "/token"
    guard FileManager.default.fileExists(atPath: tokenPath) else {
        throw ClusterConfigurationError(
            message: "this looks like a pod, but it has no service account token at \(tokenPath)",
            hint: "Set automountServiceAccountToken: true on the pod, or name a kubeconfig.")
    }
    let namespacePath = directory + "/namespace"
    var namespace = ""
    if FileManager.default.fileExists(atPath: namespacePath) {
        let bytes = try readBounded(namespacePath, maximumBytes: 4096, what: "the pod's namespace")
        namespace = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let address = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    var endpoint = ClusterEndpoint(
        server: "https://\(address):\(number)", name: "in-cluster", namespace: namespace,
        certificateAuthorities: .path(directory + "/ca.crt"),
        proxy: .variables(environment.filter { $0.key.lowercased().hasSuffix("_proxy") }),
        credentials: CredentialSource(
            .tokenFile(tokenPath, fallback: nil), uptime: uptime, time: time, environment: environment))
    endpoint.isInCluster = true
    return endpoint
}

/// Where a symbolic link of the policy repository leads, by its words alone.
///
/// A link is never followed. One that leads to a file of the same folder which is no manifest, such as a licence, is
/// passed over; every other one is a finding, whatever its name: manifests, or a folder of them, may have stood there, and
/// to pass over them in silence would take their objects out of the cluster (rule H9).
///
/// - Parameters:
///   - link: Below the configured path, with `/`.
///   - target: What the link holds.
/// - Returns: The path below the configured path, or nil where it leads out of it, to a manifest, or is a manifest by name.
package func harmlessTarget(of link: String, leadingTo target: String) -> String? {
    guard !target.isEmpty, !target.hasPrefix("/"), !isManifestPath(link) else { return nil }
    var parts = link.split(separator: "/").dropLast().map(String.init)
    for part in target.split(separator: "/") where part != "." {
        if part != ".." {
            parts.append(String(part))
        } else if parts.popLast() == nil {
            return nil
        }
    }
    let path = parts.joined(separator: "/")
    return path.isEmpty || isManifestPath(path) ? nil : path
}

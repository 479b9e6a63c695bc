import Policy

/// Whether a file of the policy repository counts as a manifest: `.yaml`, `.yml` and `.json`, in any letter case.
///
/// Files and folders whose names begin with a dot do not count, as with Git's and the pipelines' own files.
///
/// - Parameter path: Below the configured path, with `/`.
package func isManifestPath(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard let name = parts.last, isLookedAt(path), let dot = name.lastIndex(of: "."), dot > name.startIndex
    else { return false }
    return ["yaml", "yml", "json"].contains(name[name.index(after: dot)...].lowercased())
}

/// Whether no part of a path begins with a dot: what stands there is looked at, be it a manifest or a folder.
package func isLookedAt(_ path: String) -> Bool { !path.split(separator: "/").contains { $0.hasPrefix(".") } }

/// Whether a file's name is meant as that of the repository's configuration, and is not.
func isMisnamedConfiguration(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name != RepositoryConfiguration.fileName
        && ["bylaw.yaml", "bylaw.yml", "bylaw.json"].contains(name.lowercased())
}

import Manifest

/// For which clusters a revision is, and which of its folders each of them gets.
///
/// A repository is for many clusters where its configuration lists them, or where a folder `base` and folders
/// `clusters/NAME` stand at its path. Everything else is for one cluster, whatever that is called.
///
/// All paths begin at the repository's root, as those of the files do.
package struct RepositoryLayout: Sendable {
    /// Who says which clusters there are.
    package enum Authority: Sendable { case configuration, folders, nobody }

    /// The repository's path; empty for its root.
    package let folder: String
    /// In the order of the list, or of the folders' names; empty where the repository is for one cluster.
    package let clusters: [ClusterDeclaration]
    package let authority: Authority
    /// The folders that hold any file.
    private let existingFolders: Set<String>
    /// The folders that some cluster gets.
    private let sharedFolders: Set<String>

    /// - Parameters:
    ///   - configuration: Of this revision; nil where it has none.
    ///   - paths: Of all files, also of those that are no manifests: they show which folders there are.
    package init(configuration: RepositoryConfiguration?, paths: some Sequence<String>, folder: String = "") {
        self.folder = folder
        existingFolders = Self.folders(of: paths)
        let listed = configuration?.clusters ?? []
        if !listed.isEmpty {
            authority = .configuration
            clusters = listed.map { cluster in
                var cluster = cluster
                cluster.folders = cluster.folders.map { Self.path($0, in: folder) }
                return cluster
            }
        } else {
            let base = Self.path("base", in: folder)
            let names = existingFolders.contains(base) ? Self.clusterFolders(in: existingFolders, at: folder) : []
            authority = names.isEmpty ? .nobody : .folders
            clusters = names.map {
                ClusterDeclaration(name: $0, folders: [base, Self.path("clusters/\($0)", in: folder)])
            }
        }
        sharedFolders = Set(clusters.lazy.flatMap(\.folders))
    }

    package var isForManyClusters: Bool { !clusters.isEmpty }

    package func cluster(named name: String) -> ClusterDeclaration? {
        clusters.first { $0.name.hasSameBytes(as: name) }
    }

    /// Whether a file has to be read for one cluster: those of its folders, and those that need a finding.
    ///
    /// - Parameter cluster: Nil where none is named; in a repository for many clusters nothing is declared then.
    package func needs(_ path: String, for cluster: String?) -> Bool {
        guard isForManyClusters, !path.hasSameBytes(as: configurationFile) else { return true }
        let owners = folders(getting: path)
        guard let cluster = cluster.flatMap({ self.cluster(named: $0) }) else { return false }
        return owners.isEmpty || owners.contains { cluster.folders.contains($0) }
    }

    package var configurationFile: String { Self.path(RepositoryConfiguration.fileName, in: folder) }

    func path(_ name: String) -> String { Self.path(name, in: folder) }
    func exists(_ folder: String) -> Bool { existingFolders.contains(folder) }

    /// The folders of clusters that a file, or what stands in a folder's place, belongs to.
    func folders(getting path: String) -> [String] {
        Self.ancestors(of: path).filter(sharedFolders.contains)
    }

    /// The clusters that get a file; all of them where it is nobody's own.
    func clusters(getting path: String) -> [ClusterDeclaration] {
        let owners = folders(getting: path)
        guard !owners.isEmpty else { return clusters }
        return clusters.filter { $0.folders.contains(where: owners.contains) }
    }

    // MARK: Paths

    private static func path(_ name: String, in folder: String) -> String {
        folder.isEmpty ? name : "\(folder)/\(name)"
    }

    /// A path and the folders above it, the outermost first.
    private static func ancestors(of path: String) -> [String] {
        let bytes = path.utf8
        return bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map { String(path[..<$0]) } + [path]
    }

    private static func folders(of paths: some Sequence<String>) -> Set<String> {
        var found: Set<String> = []
        var last: Substring = ""
        for path in paths {
            guard let end = path.lastIndex(of: "/") else { continue }
            var parent = path[..<end]
            // Most files stand beside the one before.
            guard parent != last else { continue }
            last = parent
            while found.insert(String(parent)).inserted, let end = parent.lastIndex(of: "/") { parent = parent[..<end] }
        }
        return found
    }

    private static func clusterFolders(in folders: Set<String>, at folder: String) -> [String] {
        let prefix = Array(path("clusters/", in: folder).utf8)
        return folders.filter { $0.utf8.starts(with: prefix) }
            .map { String(decoding: $0.utf8.dropFirst(prefix.count), as: UTF8.self) }
            .filter { !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") }
            .sorted { $0.precedesByBytes($1) }
    }
}

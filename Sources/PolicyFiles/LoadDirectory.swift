import Foundation
package import Policy

/// A folder of manifests, read and judged.
package struct DirectoryLoad: Sendable {
    /// One for each manifest, in the order of their paths.
    package var verdicts: [FileVerdict]
    /// Empty where any finding is an error, and where several clusters were looked at.
    package var state: DeclaredState
    /// Of all files, in the order of files and places.
    package var findings: [Finding]
    /// What each cluster would get that was looked at; empty where the repository is not for many.
    package var clusters: [ClusterOutcome] = []

    /// Of all clusters that were looked at.
    package var objectCount: Int {
        clusters.isEmpty ? state.objects.count : clusters.reduce(0) { $0 + $1.objectCount }
    }
}

/// A path that cannot be read as a policy repository at all.
package struct DirectoryError: Error, Equatable, Sendable {
    package var path: String
    /// What is wrong, one sentence without a full stop.
    package var message: String
    /// What to do next, one sentence.
    package var hint: String
}

/// Reads the manifests of a folder and the folders below it, or one single file.
///
/// Paths in the findings begin below the folder. What cannot be read is an error finding, never passed over; links and
/// submodules are treated as in a revision, see ``harmlessTarget(of:leadingTo:)``. Blocks while it reads.
///
/// - Parameter cluster: In a repository for many clusters the one to look at; all of them where none is named.
/// - Throws: ``DirectoryError`` where there is nothing at `path` or it cannot be opened.
package func loadDirectory(
    at path: String, cluster: String? = nil, limits: RepositoryLimits = RepositoryLimits()
) throws(DirectoryError) -> DirectoryLoad {
    var walk = DirectoryWalk(root: path, limits: limits, kinds: .managed)
    try walk.run()
    let configuration = walk.verdicts.first { $0.file == RepositoryConfiguration.fileName }?.configuration
    let layout = RepositoryLayout(configuration: configuration, paths: walk.foldersWithFiles.map { $0 + "/" })
    let assembly = RepositoryAssembly(walk.verdicts, in: layout)
    guard layout.isForManyClusters, cluster.map({ layout.cluster(named: $0) != nil }) ?? true else {
        let (state, findings) = judgedState(of: assembly, for: cluster)
        return DirectoryLoad(verdicts: walk.verdicts, state: state, findings: findings)
    }
    let names = cluster.map { [$0] } ?? layout.clusters.map(\.name)
    var load = DirectoryLoad(verdicts: walk.verdicts, state: DeclaredState(), findings: [])
    for name in names {
        let (state, findings) = judgedState(of: assembly, for: name)
        load.clusters.append(ClusterOutcome(name: name, objectCount: state.objects.count, findings: findings))
        if names.count == 1 { load.state = state }
    }
    load.findings = cluster == nil ? assembly.merged(load.clusters) : load.clusters.flatMap(\.findings)
    return load
}

/// What a cluster is to hold, where it may be that: nothing at all is refused, as a revision would be.
private func judgedState(
    of assembly: RepositoryAssembly, for cluster: String?
) -> (state: DeclaredState, findings: [Finding]) {
    var (state, findings) = assembly.state(for: cluster)
    if state.objects.isEmpty, !findings.contains(where: { $0.severity == .error }) {
        findings +=
            refusal(
                of: ".", "nothing is declared here; such a revision is refused, and nothing is deleted",
                hint: "Check the path: manifests are the files that end in .yaml, .yml or .json."
            ).findings
    }
    return (state, findings)
}

/// Reads manifests of any kind from several folders and files, as one set of objects.
///
/// What cannot be read is an error finding. Paths in findings and origins begin with the path that was named.
///
/// - Parameter defaultNamespace: For namespaced objects that name none.
/// - Throws: ``DirectoryError`` for the first path that cannot be opened.
package func loadManifests(
    at paths: [String], defaultNamespace: String
) throws(DirectoryError) -> DirectoryLoad {
    var verdicts: [FileVerdict] = []
    for path in paths {
        var walk = DirectoryWalk(root: path, limits: .analysis, kinds: .any(defaultNamespace: defaultNamespace))
        try walk.run()
        verdicts += walk.verdicts
    }
    let (state, findings) = assembleDeclaredState(verdicts)
    return DirectoryLoad(verdicts: verdicts, state: state, findings: findings)
}

private struct DirectoryWalk {
    let root: String
    let limits: RepositoryLimits
    let kinds: AcceptedKinds
    var verdicts: [FileVerdict] = []
    /// As Git would keep them: it knows a folder by its files only.
    private(set) var foldersWithFiles: Set<String> = []
    private var waiting: [ManifestBytes] = []
    private var waitingBytes = 0
    private var bytesRead = 0
    private var filesRead = 0
    private var isExhausted = false
    private let files = FileManager.default

    init(root: String, limits: RepositoryLimits, kinds: AcceptedKinds) {
        self.root = root
        self.limits = limits
        self.kinds = kinds
    }

    mutating func run() throws(DirectoryError) {
        switch kind(of: root, followingLinks: true) {
        case .folder:
            guard files.isReadableFile(atPath: root) else { throw unreadable("the folder cannot be opened") }
            visitFolder("", depth: 0)
        case .file:
            // Whoever names one file means that file, whatever it is called.
            visitFile(name(of: root), at: root)
        case .missing: throw unreadable("there is no such file or folder")
        case .link, .other: throw unreadable("it is neither a file nor a folder")
        }
        judge()
        verdicts.sort { $0.file.utf8.lexicographicallyPrecedes($1.file.utf8) }
    }

    private func unreadable(_ message: String) -> DirectoryError {
        DirectoryError(path: root, message: message, hint: "Check the path and its permissions.")
    }

    private mutating func visitFolder(_ folder: String, depth: Int) {
        guard depth <= limits.maximumFolderDepth else {
            verdicts.append(
                refusal(
                    of: folder, "folders stand more than \(limits.maximumFolderDepth) deep",
                    hint: "Flatten the folders."))
            return
        }
        let entries: [String]
        do {
            entries = try files.contentsOfDirectory(atPath: absolute(folder)).sorted()
        } catch {
            verdicts.append(
                refusal(
                    of: folder, "the folder cannot be read: \(error.localizedDescription)",
                    hint: "Check the permissions of the folder."))
            return
        }
        // Git keeps such a folder as a submodule, and nothing of what is in it.
        guard folder.isEmpty || !entries.contains(".git") else {
            verdicts.append(unfollowedLink(path: folder))
            return
        }
        if entries.contains(where: { $0.hasPrefix(".") }) { foldersWithFiles.insert(folder) }
        for entry in entries where !entry.hasPrefix(".") && !isExhausted {
            visit(folder.isEmpty ? entry : "\(folder)/\(entry)", in: folder, depth: depth)
        }
    }

    private mutating func visit(_ path: String, in folder: String, depth: Int) {
        let kind = kind(of: absolute(path), followingLinks: false)
        if kind != .folder { foldersWithFiles.insert(folder) }
        switch kind {
        case .folder: visitFolder(path, depth: depth + 1)
        case .file: if isManifestPath(path) { visitFile(path, at: absolute(path)) }
        case .link: visitLink(path)
        case .missing:
            // A folder may stand there, so the name does not tell whether it matters.
            verdicts.append(refusal(of: path, "cannot be examined", hint: "Check the permissions of its folder."))
        case .other:
            guard isManifestPath(path) else { return }
            verdicts.append(refusal(of: path, "this is no regular file", hint: "Put a file in its place."))
        }
    }

    private mutating func visitLink(_ path: String) {
        let target = try? files.destinationOfSymbolicLink(atPath: absolute(path))
        guard let target, let found = harmlessTarget(of: path, leadingTo: target), isPlainFile(found) else {
            verdicts.append(unfollowedLink(path: path))
            return
        }
    }

    /// Whether a file stands at a path without a link on the way.
    private func isPlainFile(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.indices.allSatisfy { index in
            let kind = kind(of: absolute(parts[...index].joined(separator: "/")), followingLinks: false)
            return index == parts.count - 1 ? kind == .file : kind == .folder
        }
    }

    private mutating func visitFile(_ path: String, at absolutePath: String) {
        // Below the repository, or as a person reaches it where several paths are read at once.
        let shown = kinds == .managed ? path : absolutePath
        filesRead += 1
        guard filesRead <= limits.maximumFiles else {
            return exhaust(path, "there are more than \(limits.maximumFiles) manifests")
        }
        guard let handle = FileHandle(forReadingAtPath: absolutePath) else {
            verdicts.append(
                refusal(of: path, "the file cannot be opened", hint: "Check the permissions of the file."))
            return
        }
        defer { try? handle.close() }
        let data: Data
        do {
            data = try handle.read(upToCount: limits.maximumFileBytes + 1) ?? Data()
        } catch {
            verdicts.append(
                refusal(
                    of: path, "the file cannot be read: \(error.localizedDescription)",
                    hint: "Check the permissions of the file."))
            return
        }
        bytesRead += data.count
        guard bytesRead <= limits.maximumTotalBytes else {
            return exhaust(path, "the manifests together are larger than \(limits.maximumTotalBytes) bytes")
        }
        waiting.append(ManifestBytes(path: shown, bytes: [UInt8](data)))
        waitingBytes += data.count
        if waiting.count == 512 || waitingBytes > 8 << 20 { judge() }
    }

    /// Judges what was read: not each file by itself, so that all cores have work, and not all at once, so that the texts
    /// do not pile up.
    private mutating func judge() {
        verdicts += readManifestFiles(waiting, limits: limits, accepting: kinds)
        waiting = []
        waitingBytes = 0
    }

    private mutating func exhaust(_ path: String, _ message: String) {
        isExhausted = true
        verdicts.append(refusal(of: path, message, hint: "Point Bylaw at a folder that holds only policy."))
    }

    private enum Kind { case file, folder, link, other, missing }

    private func kind(of path: String, followingLinks: Bool) -> Kind {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return .missing }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        default: .other
        }
    }

    private func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }
    private func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}

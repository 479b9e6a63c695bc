import Git
import Policy
import PolicyFiles

/// The manifests of a tree.
extension GitRevisionSource {
    /// For which clusters a revision is, as its own configuration and folders say.
    func layout(
        of files: [GitTreeEntry]
    ) async throws(GitError) -> (layout: RepositoryLayout, configuration: FileVerdict?, parsedCount: Int) {
        let entry = files.first { $0.path == RepositoryConfiguration.fileName && $0.kind == .file }
        var read: (verdicts: [FileVerdict], parsedCount: Int) = ([], 0)
        if let entry { read = try await verdicts(of: [entry]) { _ in true } }
        let layout = RepositoryLayout(
            configuration: read.verdicts.first?.configuration, paths: files.lazy.map { self.fullPath($0.path) },
            folder: folder)
        return (layout, read.verdicts.first, read.parsedCount)
    }

    /// Judges each manifest; what was judged before with the same bytes under the same path is not read again.
    ///
    /// - Parameter isNeeded: By the path from the repository's root; other files are passed over.
    func verdicts(
        of files: [GitTreeEntry], where isNeeded: (String) -> Bool
    ) async throws(GitError) -> (verdicts: [FileVerdict], parsedCount: Int) {
        let limits = configuration.repositoryLimits
        let harmless = try await linksToOtherFiles(in: files)
        // A link or submodule may stand where a folder with manifests stood: it is a finding whatever its name, or a whole
        // folder of policies would silently be gone (rule H9).
        let manifests = files.filter {
            (isManifestPath($0.path) || $0.kind != .file && isLookedAt($0.path) && !harmless.contains($0.path))
                && isNeeded(fullPath($0.path))
        }
        guard manifests.count <= limits.maximumFiles else {
            throw GitError(
                kind: .tooLarge, operation: "read the policy repository",
                detail: "it has \(manifests.count) manifest files, more than the \(limits.maximumFiles) allowed",
                hint: "Narrow the path with --path.")
        }
        var verdicts: [FileVerdict?] = []
        var missing: [(index: Int, entry: GitTreeEntry)] = []
        var totalBytes = 0
        for entry in manifests {
            let path = fullPath(entry.path)
            if entry.kind != .file {
                verdicts.append(unfollowedLink(path: path))
            } else if let known = cache.verdict(blob: entry.blob, path: path) {
                verdicts.append(known.verdict)
                totalBytes += known.bytes
            } else {
                missing.append((verdicts.count, entry))
                verdicts.append(nil)
            }
        }
        for start in stride(from: 0, to: missing.count, by: 100) {
            guard !Task.isCancelled else {
                throw GitError(kind: .cancelled, operation: "read the policy repository", detail: "cancelled")
            }
            let batch = missing[start..<min(start + 100, missing.count)]
            let blobs = try await repository.blobs(batch.map(\.entry.blob), maximumBytes: limits.maximumFileBytes)
            var read: [(index: Int, blob: String, file: ManifestBytes)] = []
            for ((index, entry), bytes) in zip(batch, blobs) {
                let path = fullPath(entry.path)
                guard let bytes else {
                    verdicts[index] = oversizedFile(path: path, limits: limits)
                    continue
                }
                totalBytes += bytes.count
                guard totalBytes <= limits.maximumTotalBytes else {
                    throw GitError(
                        kind: .tooLarge, operation: "read the policy repository",
                        detail: "its manifests have more than the \(limits.maximumTotalBytes) bytes allowed",
                        hint: "Narrow the path with --path.")
                }
                read.append((index, entry.blob, ManifestBytes(path: path, bytes: bytes)))
            }
            for (read, verdict) in zip(read, readManifestFiles(read.map(\.file), limits: limits)) {
                cache.insert(verdict, blob: read.blob, path: read.file.path, bytes: read.file.bytes.count)
                verdicts[read.index] = verdict
            }
            // A large repository must not keep the few threads of the pool from others.
            await Task.yield()
        }
        return (verdicts.compactMap { $0 }, missing.count)
    }

    /// Symbolic links that lead to a file of the same tree which is no manifest, such as a licence.
    private func linksToOtherFiles(in files: [GitTreeEntry]) async throws(GitError) -> Set<String> {
        let links = files.filter { $0.kind == .symbolicLink && isLookedAt($0.path) && !isManifestPath($0.path) }
        guard !links.isEmpty else { return [] }
        let others = Set(files.lazy.filter { $0.kind == .file && !isManifestPath($0.path) }.map(\.path))
        let targets = try await repository.blobs(links.map(\.blob), maximumBytes: 4096)
        var harmless: Set<String> = []
        for (link, target) in zip(links, targets) {
            guard let target,
                let path = harmlessTarget(of: link.path, leadingTo: String(decoding: target, as: UTF8.self)),
                others.contains(path)
            else { continue }
            harmless.insert(link.path)
        }
        return harmless
    }

    /// The path from the repository's root, which is what findings show.
    func fullPath(_ path: String) -> String {
        folder.isEmpty ? path : "\(folder)/\(path)"
    }

    /// The folder of the manifests from the repository's root; empty for the root.
    package nonisolated var folder: String {
        configuration.path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }
}

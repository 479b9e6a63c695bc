import Dispatch
package import Policy

/// One file that was read and not yet judged.
package struct ManifestBytes: Sendable {
    /// As findings name it; its ending decides between JSON and YAML.
    package var path: String
    package var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Judges several files at once, on all cores.
///
/// Blocks until all are judged, so it is given no more than what takes a few milliseconds where others wait.
///
/// - Returns: One verdict for each file, in their order.
package func readManifestFiles(
    _ files: [ManifestBytes], limits: RepositoryLimits = RepositoryLimits(), accepting kinds: AcceptedKinds = .managed
) -> [FileVerdict] {
    let empty = FileVerdict(file: "")
    return [FileVerdict](unsafeUninitializedCapacity: files.count) { buffer, count in
        buffer.initialize(repeating: empty)
        // Each iteration writes an element of its own.
        nonisolated(unsafe) let verdicts = buffer
        DispatchQueue.concurrentPerform(iterations: files.count) { index in
            let file = files[index]
            verdicts[index] = readManifestFile(
                path: file.path, bytes: file.bytes, limits: limits, accepting: kinds)
        }
        count = files.count
    }
}

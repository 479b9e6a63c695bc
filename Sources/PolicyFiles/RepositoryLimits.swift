import JSON
import YAML

/// Bounds on what is read of a policy repository; beyond them there is a finding, never a crash or a stall.
package struct RepositoryLimits: Sendable, Equatable {
    package var maximumFileBytes: Int
    /// Of all manifests together.
    package var maximumTotalBytes: Int
    package var maximumFiles: Int
    package var maximumDocumentsPerFile: Int
    /// How many folders deep files are looked for.
    package var maximumFolderDepth: Int

    /// For manifests that a person names for one analysis, and for dumps of whole clusters.
    package static let analysis = RepositoryLimits(
        maximumFileBytes: 256 << 20, maximumTotalBytes: 512 << 20, maximumFiles: 100_000,
        maximumDocumentsPerFile: 200_000)

    package init(
        maximumFileBytes: Int = 1 << 20, maximumTotalBytes: Int = 64 << 20, maximumFiles: Int = 20_000,
        maximumDocumentsPerFile: Int = 10_000, maximumFolderDepth: Int = 64
    ) {
        self.maximumFileBytes = maximumFileBytes
        self.maximumTotalBytes = maximumTotalBytes
        self.maximumFiles = maximumFiles
        self.maximumDocumentsPerFile = maximumDocumentsPerFile
        self.maximumFolderDepth = maximumFolderDepth
    }
}

extension RepositoryLimits {
    /// By the size of the text: a small one with aliases must not become a large tree.
    func yaml(forBytes count: Int) -> YAMLLimits {
        YAMLLimits(
            maximumBytes: maximumFileBytes, maximumExpandedNodes: max(1_000_000, count),
            maximumExpandedBytes: max(16 << 20, 2 * count),
            maximumDocuments: max(10_000, maximumDocumentsPerFile))
    }

    var json: JSONLimits { JSONLimits(maximumBytes: maximumFileBytes, maximumDepth: 100) }
}

/// Bounds on what is read of a policy repository; beyond them there is a finding, never a crash or a stall.
package struct RepositoryLimits: Sendable, Equatable {
    package var maximumFileBytes: Int
    /// Of all manifests together.
    package var maximumTotalBytes: Int
    package var maximumFiles: Int
    package var maximumDocumentsPerFile: Int
    /// How many folders deep files are looked for.
    package var maximumFolderDepth: Int

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

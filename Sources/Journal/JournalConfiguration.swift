package import Signatures

/// Whose journal is opened, and where.
package struct JournalConfiguration: Sendable {
    /// The database file; its folder must exist.
    ///
    /// Beside it lie `-wal`, `-shm` and `.lock` files of the same name.
    package var path: String
    package var instance: String
    package var cluster: String
    /// The version of this program: an entry's runbook is the one that this version carries.
    package var build: String
    /// How long a write waits for a program that is not ours and holds a lock.
    package var busyTimeout: Duration
    /// The most that the file may grow to; nil leaves it to the disk.
    package var maximumBytes: Int64?
    /// A file up to this size is checked for damage as a whole when it is opened.
    package var maximumCheckedBytes: Int64
    /// Signs the checkpoints; without one there are none.
    package var signingKey: Ed25519PrivateKey?
    /// Told of each write how long it took until it had reached the disk, and whether it has; it has to be quick.
    package var noteWrite: @Sendable (Duration, _ isDone: Bool) -> Void

    package init(
        path: String, instance: String, cluster: String, build: String, busyTimeout: Duration = .seconds(5),
        maximumBytes: Int64? = nil, maximumCheckedBytes: Int64 = 128 << 20, signingKey: Ed25519PrivateKey? = nil,
        noteWrite: @escaping @Sendable (Duration, _ isDone: Bool) -> Void = { _, _ in }
    ) {
        self.path = path
        self.instance = instance
        self.cluster = cluster
        self.build = build
        self.busyTimeout = busyTimeout
        self.maximumBytes = maximumBytes
        self.maximumCheckedBytes = maximumCheckedBytes
        self.signingKey = signingKey
        self.noteWrite = noteWrite
    }
}

import ChildProcess
import Foundation
import TestSupport
import Testing

/// A small volume of its own, in a mount namespace of its own: it is gone with the process that holds it.
final class JournalVolume: @unchecked Sendable {
    // Everything is set in the initializer.
    private let holder: Process
    private let input: Pipe
    private let folder: ScratchDirectory
    /// Where it is mounted, inside the namespace.
    let path: String
    private let source: Source

    enum Source {
        /// Memory, with a size in KiB.
        case memory(kibibytes: Int)
        /// An ext4 file system of 16 MiB in a file.
        case disk
    }

    static let isRoot = geteuid() == 0
    static let canMount = works(isRoot ? ["unshare", "-m", "true"] : ["unshare", "-rm", "true"])
    static let mountAbsence = "skipped: no right to mount a volume here (root, or user namespaces)"
    static let canUseDisks = isRoot && canMount && works(["losetup", "--find"]) && works(["mkfs.ext4", "-V"])
    static let diskAbsence = "skipped: no right to mount a file as a disk here (root, a loop device, mkfs.ext4)"

    init(_ source: Source) async throws {
        self.source = source
        folder = try ScratchDirectory(named: "bylaw-e2e-volume")
        path = folder.path + "/volume"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let preparation: String
        switch source {
        case .memory: preparation = ""
        case .disk:
            let image = folder.path + "/image"
            preparation = "truncate --size 16M \(image) && mkfs.ext4 -q \(image) && "
        }
        let output = Pipe()
        (holder, input) = (Process(), Pipe())
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let mount = Self.mountCommand(source, folder: folder.path, path: path)
        // It lives as long as the other end of its input.
        holder.arguments =
            ["unshare", Self.isRoot ? "-m" : "-rm", "sh", "-c", "\(preparation)\(mount) && echo ready && exec cat"]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        let answer = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        try #require(answer == "ready\n", "\(mount): \(answer)")
    }

    deinit { kill(holder.processIdentifier, SIGKILL) }

    /// What starts a program where the volume is mounted.
    var launcher: [String] {
        ["nsenter"] + (Self.isRoot ? [] : ["--user", "--preserve-credentials"])
            + ["--mount", "--target", "\(holder.processIdentifier)"]
    }

    var journal: String { path + "/journal.sqlite" }

    /// Runs a shell command beside the volume.
    @discardableResult
    func shell(_ command: String) async throws -> ChildProcessResult {
        try await runChildProcess(
            "env", launcher + ["sh", "-c", command], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            deadline: .seconds(60))
    }

    func must(_ command: String) async throws {
        let result = try await shell(command)
        try #require(result.ending == .exited(0), "\(command): \(result.errorText)")
    }

    /// Takes every byte that is left.
    func fill() async throws {
        let result = try await shell("dd if=/dev/zero of=\(path)/filler bs=4096")
        try #require(result.errorText.contains("No space left on device"), "\(result.errorText)")
    }

    func free() async throws { try await must("rm \(path)/filler") }

    func unmount() async throws { try await must("umount \(path)") }

    func mount() async throws { try await must(Self.mountCommand(source, folder: folder.path, path: path)) }

    private static func mountCommand(_ source: Source, folder: String, path: String) -> String {
        switch source {
        case .memory(let size): "mount -t tmpfs -o size=\(size)k,mode=700 tmpfs \(path)"
        case .disk: "mount -o loop \(folder)/image \(path)"
        }
    }

    private static func works(_ command: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

import Foundation
import Journal
import Signatures

/// Merging the journals of two replicas that took turns, and verifying the history.
func measureMerging(entries count: Int, in folder: String) async throws {
    let paths = ["\(folder)/bylaw-0.db", "\(folder)/bylaw-1.db"]
    var keys: [KnownKey] = []
    for (replica, path) in paths.enumerated() {
        let key = try Ed25519PrivateKey.generate()
        keys.append(.bare(key.publicKey))
        let journal = try await BenchmarkEntries.open(path, key: key)
        for turn in stride(from: 1 + replica * 10_000, to: count, by: 20_000) {
            try await BenchmarkEntries.write(turn..<min(count, turn + 10_000), to: journal, tasks: 256)
            _ = try await journal.checkpoint(at: BenchmarkEntries.start)
        }
        await journal.close()
    }
    let before = peakMemory()
    let history = folder + "/history.db"
    var merged: MergeReport?
    let merging = try await seconds {
        merged = try await JournalMerge.merge(
            MergeRequest(journals: paths, verification: VerificationRequest(keys: keys, comparesIndexes: false)),
            into: history)
    }
    var answer: VerificationReport?
    let verifying = try await seconds {
        answer = try await JournalVerifier.verify(history, VerificationRequest(keys: keys, comparesIndexes: false))
    }
    let size = (try FileManager.default.attributesOfItem(atPath: history)[.size] as? Int) ?? 0
    report(
        "merged \(merged?.entryCount ?? 0) entries in \(rounded(merging)) s, verified through "
            + "\(answer?.provenThrough ?? 0) in \(rounded(verifying)) s, findings: \(answer?.findings.map(\.message) ?? []), "
            + "\(size >> 20) MiB; memory at most \(before) before and \(peakMemory()) after")
}

/// The most memory that this process has had, as the kernel writes it.
private func peakMemory() -> String {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return "unknown" }
    return line.dropFirst("VmHWM:".count).trimmingCharacters(in: .whitespaces)
}

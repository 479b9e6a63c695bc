import Foundation
import Journal
import Manifest
import Reconciler
import SQLite
import Signatures
import TransparencyLog

/// Figures of the journal in one run: durable entries with and without the tree, verification and queries of a large one,
/// and every tampering of a smaller one.
///
/// Words: the number of entries of the large journal, that of the one that is tampered with, and that of the journals that are
/// merged; 0 leaves a part out.
let words = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
let largeCount = words.first ?? 1_000_000
let tamperedCount = words.dropFirst().first ?? 10_000
let mergedCount = words.dropFirst(2).first ?? 1_000_000
let folder = FileManager.default.temporaryDirectory.path + "/bylaw-bench-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }

if largeCount > 0 || tamperedCount > 0 { try await compareGroupCommit(in: folder) }
if largeCount > 0 { try await measureLargeJournal(entries: largeCount, in: folder) }
if tamperedCount > 0 { try await tamperWithEveryRow(entries: tamperedCount, in: folder) }
if mergedCount > 0 { try await measureMerging(entries: mergedCount, in: folder) }

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .seconds(1)
}

func report(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

import Foundation
import Journal
import Manifest
import Reconciler
import Signatures
import TransparencyLog

/// Verification, proofs and filters over a large journal.
func measureLargeJournal(entries count: Int, in folder: String) async throws {
    let path = folder + "/large.db"
    let key = try Ed25519PrivateKey.generate()
    let journal = try await BenchmarkEntries.open(path, key: key)
    let writing = try await seconds {
        for start in stride(from: 1, to: count, by: 10_000) {
            try await BenchmarkEntries.write(start..<min(count, start + 10_000), to: journal, tasks: 256)
            _ = try await journal.checkpoint(at: BenchmarkEntries.start)
        }
    }
    let checkpoint = try await journal.checkpoint(at: BenchmarkEntries.start)
    await journal.close()
    let size = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    report("\(checkpoint.checkpoint.size) entries written in \(Int(writing)) s, \(size >> 20) MiB")

    for _ in 1...3 {
        var answer: VerificationReport?
        let time = try await seconds {
            answer = try await JournalVerifier.verify(
                path,
                VerificationRequest(keys: [.bare(key.publicKey)], checkpoints: [checkpoint], comparesIndexes: false))
        }
        report(
            "verified through \(answer?.provenThrough ?? 0) in \(rounded(time)) s, \(answer?.checkpointCount ?? 0) "
                + "checkpoints, findings: \(answer?.findings.map(\.message) ?? [])")
    }
    let opening = try await seconds { await (try await BenchmarkEntries.open(path, key: key)).close() }
    report("opened for writing in \(Int(opening * 1000)) ms")
    let reader = try await JournalReader.open(path)
    let proving = try await seconds {
        for sequence in stride(from: Int64(1), to: checkpoint.checkpoint.size, by: Int(checkpoint.checkpoint.size / 20))
        {
            _ = try await reader.proof(of: sequence)
        }
    }
    report("a proof in \(Int(proving * 1000 / 20)) ms")
    for (name, query) in filters() {
        var found = 0
        var times: [Double] = []
        for _ in 1...5 { times.append(try await seconds { found = try await reader.entries(query).count }) }
        report("filter \(name): \(found) entries, \(rounded((times.max() ?? 0) * 1000)) ms at most of 5")
    }
    await reader.close()
}

private func filters() -> [(String, JournalQuery)] {
    func query(_ change: (inout JournalQuery) -> Void) -> JournalQuery {
        var query = JournalQuery()
        change(&query)
        return query
    }
    return [
        ("newest", query { _ in }),
        ("incidents", query { $0.isIncidentOnly = true }),
        ("reason and namespace", query { ($0.reason, $0.namespace) = ("DriftCorrected", "team-50") }),
        ("one object", query { ($0.objectKind, $0.namespace, $0.name) = ("Role", "team-7", "reader-7") }),
        ("a name that is nowhere", query { $0.name = "nobody" }),
        (
            "author and a day",
            query {
                $0.author = "lima"
                ($0.since, $0.until) = (Timestamp("2026-03-03T00:00:00Z"), Timestamp("2026-03-04T00:00:00Z"))
            }
        ),
        ("words that every entry has", query { $0.text = TextSearch("git declares") }),
        ("a name's beginning", query { $0.text = TextSearch("reader-477*") }),
        ("a name among the contents", query { $0.text = TextSearch("reader-4711") }),
        ("a word and a rare reason", query { ($0.text, $0.reason) = (TextSearch("lima"), "SigningKeyChanged") }),
        ("a word and a namespace", query { ($0.text, $0.namespace) = (TextSearch("services"), "team-50") }),
        ("a word that is nowhere", query { $0.text = TextSearch("nobody") }),
        ("outcome held", query { $0.outcome = .held }),
        ("a commit's beginning", query { $0.revision = "01234" }),
    ]
}

func rounded(_ number: Double) -> String { String(format: "%.2f", number) }

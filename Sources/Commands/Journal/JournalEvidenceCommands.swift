import Arguments
import Foundation
import JSON
import Journal
import Manifest
import Reconciler
import Signatures
import TransparencyLog

/// The flags of the commands that compare a journal with what was kept elsewhere.
private let knownKeys = FlagDescription(
    "key", .text, valueName: "K",
    "a public key that you know from elsewhere: NAME+ID+BASE64, or a file with that or a PEM; those that the journal "
        + "names where it is not given", isRepeatable: true)

/// For commands that compare journals.
let journalEvidenceFlags = [
    knownKeys,
    FlagDescription(
        "checkpoint", .text, valueName: "F", "a checkpoint that was kept elsewhere, such as out of the logs",
        isRepeatable: true),
]

let journalVerifyCommand = Command(
    description: CommandDescription(
        name: "journal verify", summary: "is the journal, an export or a proof what was written?",
        details:
            "Reads every entry, hashes it anew, and compares the tree over all of them with the signed checkpoints; names the "
            + "first entry that was changed, removed, inserted or reordered, and a tail that was cut off. FILE is a "
            + "journal, a merged history, a whole export, or what bylaw journal prove gave. Needs no cluster, and beside a running "
            + "controller it takes no lock. Give a key and a checkpoint that were kept elsewhere: who can write the "
            + "whole journal can write its keys too.",
        positionals: [PositionalDescription(name: "FILE", isRequired: false)],
        flags: journalEvidenceFlags + [
            FlagDescription(
                "deep", .isSet,
                "compare the indexes of a journal of more than 128 MiB too, through which lists find entries; takes as much memory"
            ),
            Flags.journal, Flags.output, Flags.config,
        ],
        examples: [
            "bylaw journal verify --key bylaw.pub --checkpoint last-month.txt",
            "bylaw journal verify --key bylaw.pub entry-42.json",
        ],
        exitStatuses: [(0, "nothing was changed"), (1, "something was, or nothing is proven"), (2, "an error")])
) { invocation in
    let arguments = invocation.arguments
    let path = arguments.positionals.first ?? Wiring(invocation).journalPath
    var request = try verificationRequest(arguments)
    request.now = systemNow()
    request.comparesIndexes = arguments.isSet("deep") ? true : nil
    let kind = try kindOfFile(path)
    if kind == .proof { return try verifyProof(path, request, invocation) }
    let report =
        kind == .journal
        ? try await JournalVerifier.verify(path, request) : try JournalVerifier.verifyExport(path, request)
    invocation.terminal.write(
        arguments.text("output") == "json"
            ? verificationTree(report).indentedJSON() + "\n" : renderVerification(report, path: path))
    return report.isIntact ? ExitStatus.success : ExitStatus.findings
}

let journalProveCommand = Command(
    description: CommandDescription(
        name: "journal prove", summary: "one entry with the proof that it is in the journal",
        details:
            "Writes a JSON document with the entry, the hashes that lead from it to the root, and the signed checkpoint over "
            + "that root. Whoever has the public key verifies it with bylaw journal verify, without the journal.",
        positionals: [PositionalDescription(name: "SEQ", isRequired: true)], flags: [Flags.journal, Flags.config],
        examples: ["bylaw journal prove 42 > entry-42.json"],
        exitStatuses: [(0, "it was written"), (2, "there is no such entry, no checkpoint covers it, or an error")])
) { invocation in
    let reader = try await JournalReader.open(Wiring(invocation).journalPath)
    let sequence = try await reader.entry(named: invocation.arguments.positionals.first ?? "").sequence
    let proof = try await reader.proof(of: sequence)
    await reader.close()
    invocation.terminal.write(try proof.document().indentedJSON() + "\n")
    return ExitStatus.success
}

let journalCheckpointCommand = Command(
    description: CommandDescription(
        name: "journal checkpoint", summary: "sign what the journal holds now",
        details:
            "Prints a signed checkpoint (C2SP tlog-checkpoint) over all entries. Keep it where whoever can write the journal "
            + "cannot: bylaw journal verify --checkpoint shows later that nothing up to there was changed or cut off.",
        flags: [Flags.journal, Flags.journalKey, Flags.config], examples: ["bylaw journal checkpoint > today.txt"],
        exitStatuses: [(0, "it was signed"), (2, "the journal does not fit its last checkpoint, or an error")])
) { invocation in
    let wiring = Wiring(invocation)
    let key = try wiring.signingKey(mayMake: false)
    let reader = try await JournalReader.open(wiring.journalPath)
    let signed = try await reader.signCheckpoint(with: key)
    await reader.close()
    invocation.terminal.write(signed.note.description)
    return ExitStatus.success
}

let journalKeyCommand = Command(
    description: CommandDescription(
        name: "journal key", summary: "the public keys that have signed the journal's checkpoints",
        details: "The newest last. Keep them elsewhere, and give them to auditors.",
        flags: [Flags.journal, Flags.config], examples: ["bylaw journal key > bylaw.pub"],
        exitStatuses: [(0, "there is one"), (1, "there is none yet"), (2, "an error")])
) { invocation in
    let reader = try await JournalReader.open(Wiring(invocation).journalPath)
    let keys = try await reader.checkpointKeys()
    await reader.close()
    for key in keys { invocation.terminal.write(printable(key) + "\n") }
    return keys.isEmpty ? ExitStatus.findings : ExitStatus.success
}

// MARK: Files

/// What is compared with, as ``journalEvidenceFlags`` name it.
func verificationRequest(_ arguments: ParsedArguments) throws -> VerificationRequest {
    VerificationRequest(
        keys: try arguments.all("key").flatMap(readKeys),
        checkpoints: try arguments.all("checkpoint").map(readCheckpoint))
}

private enum VerifiedFile { case journal, export, proof }

private func kindOfFile(_ path: String) throws(CommandFailure) -> VerifiedFile {
    guard let handle = FileHandle(forReadingAtPath: path), let start = try? handle.read(upToCount: 4096) else {
        throw CommandFailure(
            message: "read \(path): it is not there or cannot be read",
            hint: "Name a journal, a whole export, or a proof that bylaw journal prove wrote.")
    }
    if start.starts(with: Array("SQLite format 3\0".utf8)) { return .journal }
    // A proof is one document over several lines, an export one document a line.
    return start.first == UInt8(ascii: "{") && start.dropFirst().first == UInt8(ascii: "\n") ? .proof : .export
}

private func readSmallFile(_ path: String, _ what: String) throws(CommandFailure) -> String {
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: 64 << 20) else {
        throw CommandFailure(
            message: "read \(what) \(path): it is not there or cannot be read", hint: "Check the path.")
    }
    return String(decoding: data, as: UTF8.self)
}

private func readKeys(_ word: String) throws(CommandFailure) -> [KnownKey] {
    let isFile = FileManager.default.fileExists(atPath: word)
    let text = isFile ? try readSmallFile(word, "the key") : word
    do throws(NoteFailure) { return try KnownKey.read(text) } catch {
        throw CommandFailure(
            message: "--key \(isFile ? word : "…"): \(error.message)",
            hint: "Give the line of bylaw journal key, or a PEM that openssl pkey -pubout wrote; a file may hold it.")
    }
}

private func readCheckpoint(_ path: String) throws(CommandFailure) -> SignedCheckpoint {
    let text = try readSmallFile(path, "the checkpoint")
    do throws(NoteFailure) { return try SignedCheckpoint(text) } catch {
        throw CommandFailure(
            message: "--checkpoint \(path): \(error.message)", hint: "Give a file that bylaw journal checkpoint wrote.")
    }
}

// MARK: Answers

private func verifyProof(
    _ path: String, _ request: VerificationRequest, _ invocation: Invocation
) throws -> Int32 {
    guard !request.keys.isEmpty else {
        throw CommandFailure(
            message: "verify \(path): a proof says nothing without the public key of the journal",
            hint: "Give it with --key; bylaw journal key prints it where the journal is.")
    }
    let proof: EntryProof
    do {
        proof = try EntryProof(try parseJSON(Array(try readSmallFile(path, "the proof").utf8)))
    } catch let error as NoteFailure {
        throw CommandFailure(message: "read the proof \(path): \(error.message)", hint: "")
    } catch let error as JSONError {
        throw CommandFailure(message: "read the proof \(path): \(error)", hint: "")
    }
    let isJSON = invocation.arguments.text("output") == "json"
    do throws(NoteFailure) {
        try proof.verify(with: request.keys)
    } catch {
        invocation.terminal.write(
            isJSON
                ? renderAnswer(
                    kind: "JournalProofVerification",
                    [
                        ("sequence", .integer(proof.sequence)), ("isProven", false),
                        ("message", .string(error.message)),
                    ])
                : "\(printable(path)): entry \(proof.sequence) is NOT proven: \(printable(error.message))\n")
        return ExitStatus.findings
    }
    let checkpoint = proof.bundle.checkpoint.checkpoint
    invocation.terminal.write(
        isJSON
            ? renderAnswer(
                kind: "JournalProofVerification",
                [
                    ("sequence", .integer(proof.sequence)), ("isProven", true),
                    ("origin", .string(checkpoint.origin)), ("size", .integer(checkpoint.size)),
                ])
            : "\(printable(path)): entry \(proof.sequence) of \(checkpoint.origin) is as it was written"
                + " (one of \(checkpoint.size) entries that are signed)\n")
    return ExitStatus.success
}

private func verificationTree(_ report: VerificationReport) -> Tree {
    var tree: Tree = [
        "apiVersion": "bylaw.dev/v1", "kind": "JournalVerification", "origin": .string(report.origin),
        "isIntact": .bool(report.isIntact), "lastSequence": .integer(report.lastSequence),
        "provenThrough": .integer(report.provenThrough), "removedThrough": .integer(report.removedThrough),
        "keptBelow": .integer(Int64(report.keptCount)), "checkpoints": .integer(Int64(report.checkpointCount)),
        "unknownCheckpoints": .integer(Int64(report.unknownCheckpointCount)),
        "areIndexesChecked": .bool(report.areIndexesChecked),
        "keys": .array(report.keys.map { .string($0.description) }), "areKeysItsOwn": .bool(report.areKeysItsOwn),
        "findings": .array(
            report.findings.map { finding in
                var tree: Tree = ["kind": .string(finding.kind.rawValue), "message": .string(finding.message)]
                if let entries = finding.entries {
                    tree.set(["firstEntry"], to: .integer(entries.lowerBound))
                    tree.set(["lastEntry"], to: .integer(entries.upperBound))
                }
                if let log = finding.log { tree.set(["log"], to: .string(log)) }
                return tree
            }),
    ]
    if !report.logs.isEmpty { tree.set(["logs"], to: .array(report.logs.map(verificationTree))) }
    return tree
}

private func renderVerification(_ report: VerificationReport, path: String) -> String {
    var lines: [String] = []
    for finding in report.findings { lines.append("\(finding.kind.rawValue): \(printable(finding.message))") }
    let proven =
        report.provenThrough == 0
        ? "no entry is proven" : "entries 1 to \(report.provenThrough) are as they were written"
    lines.append(
        "\(printable(path)): \(report.isIntact ? "" : "NOT INTACT; ")\(proven)"
            + " (\(report.lastSequence) entries, \(report.checkpointCount) checkpoints hold)")
    if report.provenThrough < report.lastSequence, report.isIntact, report.logs.isEmpty {
        lines.append(
            "    entries \(report.provenThrough + 1) to \(report.lastSequence) fit their own hashes, and no checkpoint covers them"
        )
    }
    if report.removedThrough > 0 {
        lines.append(
            "    up to entry \(report.removedThrough) retention has removed what nothing in force depends on; \(report.keptCount)"
                + " entries stayed")
    }
    if report.logs.isEmpty { lines.append("    it is \(printable(report.origin))") }
    for log in report.logs {
        lines.append(
            "    it has \(printable(log.origin)): \(log.lastSequence) entries, of which 1 to \(log.provenThrough) are as they "
                + "were written" + (log.removedThrough > 0 ? ", after retention up to \(log.removedThrough)" : ""))
    }
    if !report.areIndexesChecked, report.isIntact, !report.isOfExport {
        lines.append("    the indexes, through which lists find entries, were not compared (--deep)")
    }
    if report.unknownCheckpointCount > 0 {
        lines.append("    \(report.unknownCheckpointCount) checkpoints are signed with keys that were not given")
    }
    for key in report.keys { lines.append("    signed with \(printable(key.description))") }
    if report.areKeysItsOwn, !report.keys.isEmpty {
        lines.append(
            "    the keys are those that the journal itself names: compare them with one kept elsewhere (--key)")
    }
    return lines.map { $0 + "\n" }.joined()
}

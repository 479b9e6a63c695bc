package import Reconciler
import Signatures
import TransparencyLog

extension JournalVerifier {
    /// Verifies a whole export, as ``JournalReader/exportPage(after:through:)`` and its end write it.
    ///
    /// Whose journal it is, its checkpoints say; where it has none, those that are given.
    package static func verifyExport(
        _ path: String, _ request: VerificationRequest
    ) throws(JournalError) -> VerificationReport {
        do throws(JournalFailure) {
            let content = try ExportContent(path)
            return try report(on: content, request)
        } catch {
            throw JournalError(error, doing: "verify", path: path)
        }
    }

    private static func report(
        on content: ExportContent, _ request: VerificationRequest
    ) throws(JournalFailure) -> VerificationReport {
        let origin = request.checkpoints.first?.checkpoint.origin ?? content.checkpoints.first?.checkpoint.origin
        var check = try checkpointCheck(origin ?? "", request, ownKeys: content.keys)
        for checkpoint in content.checkpoints { check.add(checkpoint, isGiven: false) }
        for checkpoint in request.checkpoints { check.add(checkpoint, isGiven: true) }
        // The sizes are known only now, so the entries are read a second time.
        let run = try content.check(wantedSizes: check.sizes)
        var findings = [run.finding].compactMap { $0 }
        if let problem = content.cutProblem { findings.append(TamperFinding(.damaged, nil, problem)) }
        var tree = AssembledTree(hasher: try newHasher())
        let judged: (provenThrough: Int64, count: Int, findings: [TamperFinding])
        do throws(HashingFailure) {
            judged = try check.judge(last: run.last, isComplete: run.finding == nil, suspects: []) {
                size throws(HashingFailure) in
                try tree.root(size: size, blockRoots: run.check.blockRoots, edges: run.check.edges)
            }
        } catch {
            throw .hashing
        }
        findings += judged.findings + check.findings
        findings += try unsignedCut(content.cut, check, provenThrough: judged.provenThrough, beside: findings)
        findings.sort { ($0.entries?.lowerBound ?? .max) < ($1.entries?.lowerBound ?? .max) }
        var report = VerificationReport(
            origin: origin ?? "", lastSequence: run.last, provenThrough: judged.provenThrough,
            checkpointCount: judged.count, keys: check.signers, areKeysItsOwn: request.keys.isEmpty,
            unknownCheckpointCount: check.unknownCount, findings: findings)
        report.isOfExport = true
        report.addCut(content.cut)
        report.addUnproven(request, time: nil)
        return report
    }
}

/// An export on the disk.
private struct ExportContent {
    var path: String
    var keys: [String] = []
    var checkpoints: [SignedCheckpoint] = []
    /// What retention removed; nil where nothing, and where no entry says what its line does.
    var cut: JournalCut?
    var cutProblem: String?

    init(_ path: String) throws(JournalFailure) {
        self.path = path
        var isExport = false
        var told: (entry: Int64, through: Int64)?
        try forEachLine { (_, content) throws(JournalFailure) in
            switch content {
            case .entry(let encoding, let sequence, _):
                if let entry = told?.entry, entry == sequence { cut = JournalCut(encoding, entry: entry) }
            case .cut(let entry, let through): told = told ?? (entry, through)
            case .cutBlock, nil: break
            case .key(let key): keys.append(key)
            case .checkpoint(let note):
                do throws(NoteFailure) { checkpoints.append(try SignedCheckpoint(note)) } catch {
                    throw .checkpoint("a checkpoint in it cannot be read: \(error.message)")
                }
            }
            if content != nil { isExport = true }
            return true
        }
        if let told, cut?.through != told.through {
            cut = nil
            cutProblem =
                "its first line says that entries up to \(told.through) were removed, and entry \(told.entry) does not"
        }
        guard isExport else { throw .unreadable("it is neither a journal nor a whole export of one, nor a proof") }
    }

    func check(
        wantedSizes: [Int64]
    ) throws(JournalFailure) -> (check: EntryStreamCheck, last: Int64, finding: TamperFinding?) {
        let hasher = try newHasher()
        var check = EntryStreamCheck(first: 1, wantedSizes: wantedSizes, cut: cut, hasher: hasher)
        // The hashes of the block that is read; what is removed in it stands in no line.
        var block: (index: Int64, leaves: [UInt8]) = (-1, [])
        func passRemoved(before sequence: Int64) throws(JournalFailure) {
            try check.passRemoved(before: sequence) { (sequence) throws(JournalFailure) in
                let (index, place) = (sequence - 1).quotientAndRemainder(dividingBy: JournalFrontier.blockSize)
                return index == block.index ? CutLeaves.leaf(Int(place), of: block.leaves) : nil
            }
        }
        var finding: TamperFinding?
        var last: Int64 = 0
        var scratch = EntryEncoding()
        try forEachLine { (line, content) throws(JournalFailure) in
            if case .cutBlock(let index, let leaves) = content, finding == nil, check.stop == nil {
                try passRemoved(before: block.index * JournalFrontier.blockSize + JournalFrontier.blockSize + 1)
                block = (index: index, leaves: leaves)
                return true
            }
            guard case .entry(let encoding, let sequence, let recorded) = content else {
                guard content == nil else { return true }
                finding =
                    finding
                    ?? TamperFinding(
                        .changed, check.expected...check.expected,
                        "line \(line), where entry \(check.expected) belongs, is none that an export has")
                return true
            }
            last = max(last, min(sequence, JournalVerifier.maximumSequence))
            guard check.stop == nil, finding == nil else { return true }
            try passRemoved(before: sequence)
            guard check.stop == nil else { return true }
            _ = try check.take(sequence, recorded: recorded, in: &scratch) { (form) throws(JournalFailure) in
                form = encoding
            }
            return true
        }
        if finding == nil, let stop = check.stop {
            let place = check.expected
            finding = try TamperClassification(last: last, hasher: hasher).classify(
                stop, next: { () throws(JournalFailure) in try standing(afterPlace: place) },
                recordedElsewhere: { (visit) throws(JournalFailure) in
                    try forEachLine { (_, content) throws(JournalFailure) in
                        guard case .entry(_, let sequence, let recorded) = content else { return true }
                        return try visit(sequence, recorded)
                    }
                })
        }
        return (check, last, finding)
    }

    /// The entry on the line behind the one where entry `place` belongs.
    private func standing(
        afterPlace place: Int64
    ) throws(JournalFailure) -> TamperClassification.Standing? {
        var seen: Int64 = 0
        var found: TamperClassification.Standing?
        try forEachLine { (_, content) throws(JournalFailure) in
            guard case .entry(let encoding, _, let recorded) = content else { return true }
            seen += 1
            guard seen == place + 1 else { return true }
            found = TamperClassification.Standing(encoding: encoding, recorded: recorded)
            return false
        }
        return found
    }

    private func forEachLine(
        _ visit: (Int, ExportLine.Content?) throws(JournalFailure) -> Bool
    ) throws(JournalFailure) {
        var number = 0
        var failure: JournalFailure?
        do throws(JournalError) {
            var reader = try LineReader(path)
            while let line = try reader.next() {
                number += 1
                guard !line.isEmpty else { continue }
                do throws(JournalFailure) { if try !visit(number, ExportLine.read(line)) { return } } catch {
                    failure = error
                    break
                }
            }
        } catch {
            throw .unreadable(error.message)
        }
        if let failure { throw failure }
    }
}

import Manifest

extension VerificationReport {
    /// How old an entry may be that no checkpoint covers: the controller signs one a minute, a sync at its end.
    private static var patience: Duration { .seconds(3600) }

    /// Tells what nothing proves, where nothing worse was found.
    ///
    /// - Parameter time: When the first entry was written that no checkpoint covers.
    mutating func addUnproven(_ request: VerificationRequest, time: Timestamp?) {
        guard findings.isEmpty, checkpointCount == 0 || provenThrough < lastSequence else { return }
        if provenThrough == 0 {
            let isAskedFor = !request.keys.isEmpty || !request.checkpoints.isEmpty
            guard lastSequence > 0 || isAskedFor else { return }
            findings.append(
                TamperFinding(
                    .unsigned, nil, "no checkpoint that a known key has signed covers any entry: nothing is proven"))
            return
        }
        guard let now = request.now, let time, time.advanced(by: Self.patience) < now else { return }
        findings.append(
            TamperFinding(
                .unsigned, (provenThrough + 1)...lastSequence,
                "entries \(provenThrough + 1) to \(lastSequence) are covered by no checkpoint, although the first was written at "
                    + "\(time): nothing proves them"))
    }
}

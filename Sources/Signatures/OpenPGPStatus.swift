internal import ChildProcess

/// What gpg says on its status descriptor, as `doc/DETAILS` of its sources describes it.
///
/// Only whole lines that begin with its mark count. Lines end with a line feed and nothing else: what Unicode calls an
/// end besides may be part of a user id.
struct OpenPGPStatus {
    private struct Line {
        var keyword: String
        var words: [String]
        /// Everything after the keyword and the first word: a user id, which may hold spaces.
        var text: String
    }

    private let lines: [Line]

    init(_ output: [UInt8]) {
        let mark = Array("[GNUPG:] ".utf8)
        lines = output.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.starts(with: mark) else { return nil }
            let parts = line.dropFirst(mark.count).split(
                separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
            guard let keyword = parts.first else { return nil }
            return Line(
                keyword: String(decoding: keyword, as: UTF8.self),
                words: line.dropFirst(mark.count + keyword.count).split(separator: UInt8(ascii: " "))
                    .map { String(decoding: $0, as: UTF8.self) },
                text: parts.count > 2 ? decodePercent(parts[2]) : "")
        }
    }

    var hasImportedKeys: Bool { lines.contains { $0.keyword == "IMPORT_OK" } }

    /// One of these stands for each signature.
    private static let outcomes: Set<String> = ["GOODSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG"]

    /// What may stand beside a good signature without saying anything against it.
    ///
    /// A key that has expired or is revoked may be another one of the same owner.
    private static let companions: Set<String> = [
        "NEWSIG", "KEY_CONSIDERED", "SIG_ID", "GOODSIG", "VALIDSIG", "KEYEXPIRED", "KEYREVOKED", "NOTATION_NAME",
        "NOTATION_FLAGS", "NOTATION_DATA", "POLICY_URL", "PROGRESS", "VERIFICATION_COMPLIANCE_MODE", "TRUST_UNDEFINED",
        "TRUST_MARGINAL", "TRUST_FULLY", "TRUST_ULTIMATE",
    ]

    func verdict(ending: ChildProcess.Ending) -> SignatureVerdict {
        let outcomes = lines.filter { Self.outcomes.contains($0.keyword) }
        for keyword in ["NEWSIG", "VALIDSIG"] where count(keyword) > 1 {
            return .bad("there is more than one OpenPGP signature")
        }
        guard outcomes.count <= 1 else { return .bad("there is more than one OpenPGP signature") }
        guard let outcome = outcomes.first else {
            // So gpg ends where the input is no detached signature, at times without a word on this stream.
            return ending == .exited(2) && (lines.isEmpty || count("NODATA") > 0 || count("UNEXPECTED") > 0)
                ? .bad("there is no OpenPGP signature that gpg could read")
                : .uncheckable("gpg ended without a verdict: \(ending)")
        }
        let key = "OpenPGP key \(fingerprint ?? outcome.words.first.map { boundedLine($0, maximumBytes: 64) } ?? "?")"
        switch outcome.keyword {
        case "GOODSIG": return good(outcome, key: key, ending: ending)
        case "EXPSIG": return .expired("the signature of \(key) has expired")
        case "EXPKEYSIG": return .expired("\(key) has expired")
        case "REVKEYSIG": return .revoked("\(key) is revoked")
        case "BADSIG": return .bad("the signature of \(key) does not fit what it is said to sign")
        default: return unchecked(outcome)
        }
    }

    private func good(_ outcome: Line, key: String, ending: ChildProcess.Ending) -> SignatureVerdict {
        if let odd = lines.first(where: { !Self.companions.contains($0.keyword) }) {
            return .bad(
                "gpg calls the signature of \(key) good, but also says \(boundedLine(odd.keyword, maximumBytes: 64))")
        }
        // So gpg ends where the block holds more than the signature, which is still good.
        if ending == .exited(1) || ending == .exited(2) {
            return .bad("gpg calls the signature of \(key) good, but refuses what stands beside it")
        }
        guard ending == .exited(0), let fingerprint, count("VALIDSIG") == 1 else {
            return .uncheckable("gpg calls the signature of \(key) good, but does not end as if it were")
        }
        let name = boundedLine(outcome.text)
        return .trusted(
            Signer(name: name, email: mailAddress(in: name), fingerprint: fingerprint, format: .openPGP))
    }

    /// The words are: key id, two algorithms, class, time, reason, fingerprint.
    private func unchecked(_ outcome: Line) -> SignatureVerdict {
        let word = outcome.words.count > 6 && outcome.words[6] != "-" ? outcome.words[6] : outcome.words.first ?? "?"
        let key = "OpenPGP key \(boundedLine(word, maximumBytes: 64))"
        // GPG_ERR_NO_PUBKEY.
        if outcome.words.count > 5, outcome.words[5] == "9" { return .untrusted("\(key) is not in the key ring") }
        return .bad("gpg does not accept how the signature of \(key) was made")
    }

    /// The primary key's fingerprint: the tenth word, or the first where an old gpg leaves it out.
    private var fingerprint: String? {
        guard let words = lines.first(where: { $0.keyword == "VALIDSIG" })?.words else { return nil }
        guard let text = words.count > 9 ? words[9] : words.first else { return nil }
        let isFingerprint = [40, 64].contains(text.utf8.count) && text.utf8.allSatisfy(isHexadecimal)
        return isFingerprint ? text : nil
    }

    private func count(_ keyword: String) -> Int { lines.count { $0.keyword == keyword } }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
    default: false
    }
}

/// The text in which gpg wrote `%0A` and the like for bytes that would break its lines.
private func decodePercent(_ bytes: ArraySlice<UInt8>) -> String {
    var decoded: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), rest.count >= 2,
            let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        {
            decoded.append(value)
            rest = rest.dropFirst(2)
        } else {
            decoded.append(byte)
        }
    }
    return String(decoding: decoded, as: UTF8.self)
}

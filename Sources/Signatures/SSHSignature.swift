internal import ChildProcess

/// Signatures made with `ssh-keygen`, judged by `ssh-keygen`.
///
/// A trusted one takes two runs: whose key it may be, then whether it is theirs. `ssh-keygen` ends with the same status
/// whatever is wrong, so only for a signature that is not trusted do further runs find out why; what they say can no
/// longer make it a trusted one.
extension SignatureVerifier {
    func verifySSH(
        payload: [UInt8], armor: [UInt8], tools: SignatureTools
    ) async throws(Uncheckable) -> SignatureVerdict {
        let folder = try PrivateFolder(in: tools.temporaryFolder)
        let check = SSHCheck(
            payload: payload, signatureFile: try folder.write(armor, to: "signature"), folder: folder, tools: tools)
        guard let allowed = keys.allowedSignersFile else {
            switch try await check.key() {
            case .bad(let reason): return .bad(reason)
            case .key(let fingerprint):
                return .untrusted(
                    "no allowed-signers file is given that could say whose the SSH key \(fingerprint) is")
            }
        }
        try requireReadable(allowed, "the allowed-signers file")
        if let revoked = keys.revokedKeysFile { try requireReadable(revoked, "the file of revoked keys") }
        return try await check.judge(allowed: allowed, revoked: keys.revokedKeysFile)
    }
}

/// One signature and what it is said to sign.
private struct SSHCheck {
    let payload: [UInt8]
    let signatureFile: String
    /// Kept for as long as its file is used.
    let folder: PrivateFolder
    let tools: SignatureTools

    /// A key with more principals than these is looked at no further.
    private static let maximumPrincipals = 32

    func judge(allowed: String, revoked: String?) async throws(Uncheckable) -> SignatureVerdict {
        let found = try await principals(allowed)
        var complaints = found.complaints
        for principal in found.names.prefix(Self.maximumPrincipals) {
            let answer = try await verify(as: principal, allowed: allowed, revoked: revoked)
            if answer.ending == .exited(0) {
                guard let fingerprint = Self.fingerprint(in: answer, after: "for \(principal) with") else {
                    throw Uncheckable(reason: "ssh-keygen calls the signature good in words that are not known here")
                }
                let name = boundedLine(principal)
                return .trusted(
                    Signer(name: name, email: mailAddress(in: name), fingerprint: fingerprint, format: .ssh))
            }
            complaints += Self.lines(answer.errorOutput)
        }
        return try await reason(complaints: complaints, allowed: allowed, revoked: revoked)
    }

    // MARK: Trust

    /// The names that the file gives the key; the signature itself is not looked at.
    private func principals(_ allowed: String) async throws(Uncheckable) -> (names: [String], complaints: [String]) {
        let answer = try await tools.run("ssh-keygen", ["-Y", "find-principals", "-f", allowed, "-s", signatureFile])
        let complaints = Self.lines(answer.errorOutput)
        // The file may have changed since it was looked at.
        guard !complaints.contains(where: { $0.hasPrefix("Unable to ") }) else { throw Self.unknownAnswer(answer) }
        switch answer.ending {
        case .exited(0):
            // A name that could not be shown as it is comes from a certificate and is nobody's; one with an exclamation
            // mark is what a pattern leaves out.
            let names = Self.lines(answer.output).filter { !$0.hasPrefix("!") && boundedLine($0) == $0 }
            return (names, complaints)
        case .exited(255) where complaints.last == "No principal matched.": return ([], complaints.dropLast())
        default: throw Self.unknownAnswer(answer)
        }
    }

    private func verify(
        as principal: String, allowed: String, revoked: String?, isVerbose: Bool = false
    ) async throws(Uncheckable) -> ChildProcessResult {
        // `-I` takes the next word whatever it begins with.
        var arguments = ["-Y", "verify", "-n", "git", "-f", allowed, "-I", principal, "-s", signatureFile]
        if let revoked { arguments += ["-r", revoked] }
        if isVerbose { arguments.append("-vvv") }
        let answer = try await tools.run("ssh-keygen", arguments, input: payload)
        switch answer.ending {
        case .exited(0): return answer
        case .exited(255) where Self.lines(answer.output) == ["Could not verify signature."]: return answer
        default: throw Self.unknownAnswer(answer)
        }
    }

    // MARK: Reasons

    enum KeyAnswer { case key(String), bad(String) }

    /// Whether the signature fits, whoever made it, and the fingerprint of the key that did.
    func key() async throws(Uncheckable) -> KeyAnswer {
        let answer = try await tools.run(
            "ssh-keygen", ["-Y", "check-novalidate", "-n", "git", "-s", signatureFile], input: payload)
        if answer.ending == .exited(0), let fingerprint = Self.fingerprint(in: answer, after: "with") {
            return .key(fingerprint)
        }
        guard answer.ending == .exited(255), Self.lines(answer.output) == ["Could not verify signature."] else {
            throw Self.unknownAnswer(answer)
        }
        let words = Self.lines(answer.errorOutput)
        if words.contains(where: { $0.hasSuffix("incorrect signature") }) {
            return .bad("the SSH signature does not fit what it is said to sign")
        }
        if words.contains(where: { $0.hasSuffix("namespace does not match") }) {
            return .bad("the SSH signature was made for another use than Git")
        }
        return .bad("the SSH signature cannot be read: \(boundedLine(words.first ?? "", maximumBytes: 200))")
    }

    /// Why a signature that is not trusted is not.
    private func reason(
        complaints: [String], allowed: String, revoked: String?
    ) async throws(Uncheckable) -> SignatureVerdict {
        let fingerprint: String
        switch try await key() {
        case .bad(let reason): return .bad(reason)
        case .key(let text): fingerprint = text
        }
        let key = "SSH key \(fingerprint)"
        if let revoked, try await isRevoked(allowed: allowed, revoked: revoked) { return .revoked("\(key) is revoked") }
        if let line = complaints.first(where: { $0.contains(": key has expired: ") }) {
            // Without the time of the check: the same refusal has to read the same each time.
            return .expired("\(key) has expired: valid-before \(Self.ending(of: line, after: "valid-before "))")
        }
        if let line = complaints.first(where: { $0.contains(": key is not yet valid: ") }) {
            return .expired("\(key) is not yet valid: valid-after \(Self.ending(of: line, after: "valid-after "))")
        }
        if complaints.contains(where: { $0.contains(": key is not permitted for use in signature namespace") }) {
            return .untrusted("\(allowed) does not allow \(key) to sign for Git")
        }
        if complaints.contains(where: { $0.hasSuffix(": no valid principals found") }) {
            return .untrusted(
                "the certificate of \(key) is not valid now for any principal that \(allowed) allows its authority")
        }
        guard let complaint = complaints.first(where: { $0.hasPrefix(allowed + ":") }) else {
            return .untrusted("\(key) is not in \(allowed)")
        }
        // Whoever wrote the file may have meant that line to name this very key.
        return .untrusted("\(key) is not in \(allowed), which has a mistake: \(boundedLine(complaint))")
    }

    /// Whether a file of revoked keys names the key; that is looked at before any principal.
    private func isRevoked(allowed: String, revoked: String) async throws(Uncheckable) -> Bool {
        let answer = try await verify(as: "nobody", allowed: allowed, revoked: revoked, isVerbose: true)
        let words = "sshkey_check_revoked: "
        guard let line = Self.lines(answer.errorOutput).last(where: { $0.contains(words) }) else { return false }
        let outcome = Self.ending(of: line, after: words)
        guard outcome == "Key is revoked" else {
            throw Uncheckable(reason: "the file of revoked keys \(revoked) cannot be used: \(outcome)")
        }
        return true
    }

    // MARK: What ssh-keygen says

    private static func fingerprint(in answer: ChildProcessResult, after words: String) -> String? {
        let start = "Good \"git\" signature \(words) "
        let lines = lines(answer.output)
        guard lines.count == 1, let line = lines.first, line.hasPrefix(start) else { return nil }
        let rest = line.dropFirst(start.count).split(separator: " ", omittingEmptySubsequences: false)
        guard rest.count == 3, rest[1] == "key", rest[2].hasPrefix("SHA256:") else { return nil }
        return String(rest[2])
    }

    private static func ending(of line: String, after words: String) -> String {
        guard let range = line.firstRange(of: words) else { return "" }
        return boundedLine(String(line[range.upperBound...]), maximumBytes: 200)
    }

    /// Ends of lines as the tool writes them: what Unicode calls one besides may be part of a name.
    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n")).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
    }

    private static func unknownAnswer(_ answer: ChildProcessResult) -> Uncheckable {
        let words = boundedLine(lines(answer.errorOutput).first ?? "no word of why", maximumBytes: 200)
        return Uncheckable(reason: "ssh-keygen failed: \(words)")
    }
}

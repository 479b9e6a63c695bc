import Foundation
import Signatures
import TestSupport
import Testing

/// Keys of `ssh-keygen` in a folder of their own.
private struct SSHKeys {
    let folder: ScratchDirectory

    init() throws { folder = try ScratchDirectory(named: "bylaw-ssh") }

    func make(_ name: String, type: String = "ed25519") async throws {
        try await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", file(name)])
    }

    func file(_ name: String) -> String { folder.path + "/" + name }

    /// The public key, as it stands in an allowed-signers file.
    func line(_ name: String) throws -> String {
        try String(contentsOfFile: file(name) + ".pub", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func fingerprint(_ name: String) async throws -> String {
        let words = String(decoding: try await run("ssh-keygen", ["-l", "-f", file(name) + ".pub"]), as: UTF8.self)
        return words.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    }

    /// - Parameter key: The name of a key, or of a certificate's file.
    func sign(_ bytes: [UInt8] = payload, with key: String, namespace: String = "git") async throws -> String {
        let name = "message-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        try await run("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", file(key), file(name)])
        return try String(contentsOfFile: file(name) + ".sig", encoding: .utf8)
    }

    /// Lets an authority say who a key belongs to; gives back the name of the certificate's file.
    func certify(_ name: String, by authority: String, as principals: String, valid: String) async throws -> String {
        try await run(
            "ssh-keygen",
            ["-q", "-s", file(authority), "-I", "id", "-n", principals, "-V", valid, file(name) + ".pub"])
        return name + "-cert.pub"
    }

    func verify(
        _ signature: String, of bytes: [UInt8] = payload, allowed: String, revoked: String? = nil
    ) async throws -> SignatureVerdict {
        let keys = TrustedKeys(
            allowedSignersFile: try folder.write(allowed, to: "allowed_signers"), revokedKeysFile: revoked)
        let verdict = await (try folder.verifier(keys)).verify(payload: bytes, signature: signature)
        #expect(try folder.leftovers().isEmpty, "private folders go")
        return verdict
    }
}

/// What `ssh-keygen` says, and what is made of it.
@Suite(.timeLimit(.minutes(2))) struct SSHSignatureTests {
    private let keys: SSHKeys

    init() async throws {
        keys = try SSHKeys()
        try await keys.make("ann")
    }

    @Test(arguments: ["ed25519", "ecdsa", "rsa"]) func aKeyOfTheFileIsTrusted(_ type: String) async throws {
        try await keys.make("key", type: type)
        let verdict = try await keys.verify(
            keys.sign(with: "key"), allowed: "# Ours\n\nann@example.com \(keys.line("key"))\n")
        let fingerprint = try await keys.fingerprint("key")
        let signer = Signer(
            name: "ann@example.com", email: "ann@example.com", fingerprint: fingerprint, format: .ssh)
        #expect(verdict == .trusted(signer))
        #expect(fingerprint.hasPrefix("SHA256:"))
    }

    @Test func endsOfLinesMayBeThoseOfWindows() async throws {
        let signature = try await keys.sign(with: "ann").replacingOccurrences(of: "\n", with: "\r\n")
        #expect(try await keys.verify(signature, allowed: "ann@x \(keys.line("ann"))\n").signer?.name == "ann@x")
    }

    struct Names: CustomTestStringConvertible {
        var principals: String
        var name: String
        var email: String
        var testDescription: String { principals }
    }

    @Test(arguments: [
        Names(principals: "ann@x,second@x", name: "ann@x", email: "ann@x"),
        Names(principals: "!bob@x,*@x", name: "*@x", email: ""),
        Names(principals: "\"Ann Author <ann@x>\"", name: "Ann Author <ann@x>", email: "ann@x"),
        Names(principals: "ann", name: "ann", email: ""),
        Names(principals: "-Oprint-pubkey,-rnothing", name: "-Oprint-pubkey", email: ""),
        Names(principals: "-", name: "-", email: ""),
    ])
    func theFirstPrincipalIsTheName(_ example: Names) async throws {
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "\(example.principals) \(keys.line("ann"))\n")
        #expect(verdict.signer?.name == example.name)
        #expect(verdict.signer?.email == example.email)
    }

    @Test func whatWasChangedIsBad() async throws {
        let signature = try await keys.sign(with: "ann")
        let allowed = "ann@x \(try keys.line("ann"))\n"
        for changed in [payload + [0x0a], Array(payload.dropLast()), [], payload + [0, 1]] {
            let verdict = try await keys.verify(signature, of: changed, allowed: allowed)
            #expect(verdict == .bad("the SSH signature does not fit what it is said to sign"))
        }
    }

    @Test func aSignatureForAnotherUseIsBad() async throws {
        let verdict = try await keys.verify(
            keys.sign(with: "ann", namespace: "file"), allowed: "ann@x \(keys.line("ann"))\n")
        #expect(verdict == .bad("the SSH signature was made for another use than Git"))
    }

    @Test func brokenArmourIsBad() async throws {
        var lines = try await keys.sign(with: "ann").split(separator: "\n").map(String.init)
        lines.remove(at: 1)
        let verdict = try await keys.verify(
            lines.joined(separator: "\n"), allowed: "ann@x \(keys.line("ann"))\n")
        #expect(verdict.kind == "bad")
        #expect(verdict.reason.hasPrefix("the SSH signature cannot be read: "))
    }

    @Test func aKeyThatNobodyVouchesForIsUntrustedAndNamed() async throws {
        try await keys.make("eve")
        let verdict = try await keys.verify(keys.sign(with: "eve"), allowed: "ann@x \(keys.line("ann"))\n")
        let fingerprint = try await keys.fingerprint("eve")
        #expect(verdict == .untrusted("SSH key \(fingerprint) is not in \(keys.file("allowed_signers"))"))
    }

    @Test func aMistakeInTheFileIsTold() async throws {
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "ann@x valid-until=\"2030\" \(keys.line("ann"))\n")
        #expect(verdict.kind == "untrusted")
        #expect(verdict.reason.contains("which has a mistake: "))
        #expect(verdict.reason.contains("allowed_signers:1: "))
    }

    @Test(arguments: [
        ("valid-before=\"20200101\"", "has expired: valid-before "),
        ("valid-after=\"20990101\"", "is not yet valid: valid-after "),
        ("valid-after=\"20100101\",valid-before=\"20200101Z\"", "has expired: valid-before "),
    ])
    func theTimeThatCountsIsNow(_ options: String, _ words: String) async throws {
        let verdict = try await keys.verify(keys.sign(with: "ann"), allowed: "ann@x \(options) \(keys.line("ann"))\n")
        let fingerprint = try await keys.fingerprint("ann")
        #expect(verdict.kind == "expired")
        #expect(verdict.reason.hasPrefix("SSH key \(fingerprint) \(words)"), "\(verdict)")
        let changed = try await keys.verify(
            keys.sign(with: "ann"), of: [1], allowed: "ann@x \(options) \(keys.line("ann"))\n")
        #expect(changed.kind == "bad", "what does not fit is worth less than an expired key")
    }

    @Test func anExpiredLineDoesNotHideAValidOne() async throws {
        let line = try keys.line("ann")
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "old@x valid-before=\"20200101\" \(line)\nnew@x \(line)\n")
        #expect(verdict.signer?.name == "new@x")
    }

    @Test func aLineForOtherUsesIsNotEnough() async throws {
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "ann@x namespaces=\"file\" \(keys.line("ann"))\n")
        #expect(verdict.kind == "untrusted")
        #expect(verdict.reason.contains("does not allow SSH key SHA256:"))
    }

    // MARK: Revocation

    @Test(arguments: [false, true]) func aRevokedKeyIsTold(_ isBinary: Bool) async throws {
        let revoked = keys.file("revoked")
        if isBinary {
            try await run("ssh-keygen", ["-q", "-k", "-f", revoked, keys.file("ann.pub")])
        } else {
            try await keys.make("other")
            try keys.folder.write("# Lost\n\(keys.line("other"))\n\(keys.line("ann"))\n", to: "revoked")
        }
        let signature = try await keys.sign(with: "ann")
        let fingerprint = try await keys.fingerprint("ann")
        for allowed in [
            "ann@x \(try keys.line("ann"))\n", "", "ann@x valid-before=\"20200101\" \(try keys.line("ann"))\n",
        ] {
            let verdict = try await keys.verify(signature, allowed: allowed, revoked: revoked)
            #expect(verdict == .revoked("SSH key \(fingerprint) is revoked"))
        }
        try await keys.make("bob")
        let other = try await keys.verify(
            keys.sign(with: "bob"), allowed: "bob@x \(keys.line("bob"))\n", revoked: revoked)
        #expect(other.signer?.name == "bob@x")
    }

    @Test func anEmptyListRevokesNothing() async throws {
        let revoked = try keys.folder.write("", to: "revoked")
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "ann@x \(keys.line("ann"))\n", revoked: revoked)
        #expect(verdict.signer?.name == "ann@x")
    }

    @Test func aListThatCannotBeReadTrustsNobody() async throws {
        let revoked = try keys.folder.write("no key\n", to: "revoked")
        let verdict = try await keys.verify(
            keys.sign(with: "ann"), allowed: "ann@x \(keys.line("ann"))\n", revoked: revoked)
        #expect(verdict == .uncheckable("the file of revoked keys \(revoked) cannot be used: invalid format"))
    }

    // MARK: Certificates

    @Test func anAuthorityVouchesForThePrincipalsOfItsCertificates() async throws {
        try await keys.make("authority")
        let certificate = try await keys.certify("ann", by: "authority", as: "ann@x,ann@y", valid: "-1d:+52w")
        let signature = try await keys.sign(with: certificate)
        let line = try keys.line("authority")
        let trusted = try await keys.verify(signature, allowed: "*@x cert-authority \(line)\n")
        let fingerprint = try await keys.fingerprint("ann")
        #expect(
            trusted == .trusted(Signer(name: "ann@x", email: "ann@x", fingerprint: fingerprint, format: .ssh)))
        let stranger = try await keys.verify(signature, allowed: "*@z cert-authority \(line)\n")
        #expect(stranger.kind == "untrusted", "the authority may not vouch for these")
        let noAuthority = try await keys.verify(signature, allowed: "*@x \(line)\n")
        #expect(noAuthority.kind == "untrusted", "the line is for the key itself")
        let revoked = try keys.folder.write(line + "\n", to: "revoked")
        let verdict = try await keys.verify(signature, allowed: "*@x cert-authority \(line)\n", revoked: revoked)
        #expect(verdict == .revoked("SSH key \(fingerprint) is revoked"), "with the authority all it certified goes")
    }

    @Test(arguments: ["20200101:20200201", "20990101:20990201"])
    func aCertificateCountsOnlyWhileItIsValid(_ period: String) async throws {
        try await keys.make("authority")
        let certificate = try await keys.certify("ann", by: "authority", as: "ann@x", valid: period)
        let verdict = try await keys.verify(
            keys.sign(with: certificate), allowed: "ann@x cert-authority \(keys.line("authority"))\n")
        #expect(verdict.kind == "untrusted")
        #expect(verdict.reason.contains("is not valid now for any principal"))
    }

    @Test func aPrincipalOfTwoLinesIsNobody() async throws {
        try await keys.make("authority")
        let certificate = try await keys.certify("ann", by: "authority", as: "eve@x\nann@x", valid: "-1d:+52w")
        let verdict = try await keys.verify(
            keys.sign(with: certificate), allowed: "*@x cert-authority \(keys.line("authority"))\n")
        #expect(verdict.signer == nil)
    }
}

import Foundation
import Signatures
import TestSupport
import Testing

/// What needs no real tool: the form of a signature, missing files and tools, and tools that say strange things.
@Suite(.timeLimit(.minutes(2))) struct SignatureVerifierTests {
    private let folder: ScratchDirectory

    init() throws { folder = try ScratchDirectory(named: "bylaw-signatures") }

    private static let ssh = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
    private static let openPGP = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"

    private func verify(
        _ signature: String, _ keys: TrustedKeys = TrustedKeys(), searchPath: String? = nil,
        deadline: Duration = .seconds(30)
    ) async throws -> SignatureVerdict {
        let verifier = try folder.verifier(keys, searchPath: searchPath, deadline: deadline)
        return await verifier.verify(payload: payload, signature: signature)
    }

    // MARK: Form

    @Test(arguments: ["", "\n", " \r\n\n"]) func nothingIsUnsigned(_ signature: String) async throws {
        #expect(try await verify(signature) == .unsigned)
    }

    @Test(arguments: [
        ("-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n", "untrusted", "X.509"),
        ("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n", "bad", "OpenPGP message"),
        ("-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n\(openPGP)", "bad", "OpenPGP message"),
        ("words", "bad", "neither"), ("x\n\(ssh)", "bad", "neither"), ("\n\(ssh)", "bad", "neither"),
        (ssh + ssh, "bad", "more than one"), (openPGP + openPGP, "bad", "more than one"),
        (ssh + openPGP, "bad", "more than one"), (ssh + "x\n", "bad", "does not end"),
        ("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----\n", "bad", "does not end"),
        ("-----BEGIN SSH SIGNATURE-----\n", "bad", "does not end"),
        (ssh.replacingOccurrences(of: "AAAA", with: "AA\0AA"), "bad", "control characters"),
        (ssh.replacingOccurrences(of: "AAAA", with: "AA\u{1b}[1mAA"), "bad", "control characters"),
    ])
    func whatCouldBeReadInTwoWaysIsRefused(_ signature: String, _ kind: String, _ words: String) async throws {
        let verdict = try await verify(signature, searchPath: folder.path)
        #expect(verdict.kind == kind)
        #expect(verdict.reason.contains(words), "\(verdict)")
    }

    @Test func aSignatureOfHostileSizeIsRefused() async throws {
        let long = Self.ssh.replacingOccurrences(of: "AAAA", with: String(repeating: "A", count: 65_536))
        #expect(try await verify(long) == .bad("the signature has more than 65536 bytes"))
    }

    // MARK: Missing

    @Test func withoutAToolNothingCanBeChecked() async throws {
        let file = try folder.write("x", to: "file")
        let keys = TrustedKeys(allowedSignersFile: file, keyRingFile: file)
        for path in [folder.path, ""] {
            #expect(
                try await verify(Self.ssh, keys, searchPath: path)
                    == .uncheckable("there is no ssh-keygen on the search path (Debian: openssh-client)"))
            #expect(
                try await verify(Self.openPGP, keys, searchPath: path)
                    == .uncheckable("there is no gpg on the search path (Debian: gpg)"))
        }
        #expect(try folder.leftovers().isEmpty)
    }

    @Test func aMissingFileIsNamed() async throws {
        let file = try folder.write("", to: "file")
        let missing = folder.path + "/missing"
        let cases: [(String, TrustedKeys, String)] = [
            (Self.ssh, TrustedKeys(allowedSignersFile: missing), "the allowed-signers file"),
            (Self.ssh, TrustedKeys(allowedSignersFile: folder.path), "the allowed-signers file"),
            (
                Self.ssh, TrustedKeys(allowedSignersFile: file, revokedKeysFile: missing),
                "the file of revoked keys"
            ),
            (Self.openPGP, TrustedKeys(keyRingFile: missing), "the key ring"),
            (Self.openPGP, TrustedKeys(keyRingFile: folder.path), "the key ring"),
        ]
        for (signature, keys, what) in cases {
            let path = what == "the file of revoked keys" ? keys.revokedKeysFile : keys.allowedSignersFile
            let name = path ?? keys.keyRingFile ?? ""
            #expect(
                try await verify(signature, keys) == .uncheckable("\(what) \(name) is missing or cannot be read"))
        }
    }

    @Test func aFormatWithoutItsFileIsUntrusted() async throws {
        let file = try folder.write("", to: "file")
        let verdict = try await verify(Self.openPGP, TrustedKeys(allowedSignersFile: file))
        #expect(verdict == .untrusted("it is an OpenPGP signature, and no key ring is given that could say whose"))
        let path = try folder.searchPath(
            replacing: "ssh-keygen", with: "echo 'Good \"git\" signature with ED25519 key SHA256:abc'")
        #expect(
            try await verify(Self.ssh, TrustedKeys(keyRingFile: file), searchPath: path)
                == .untrusted("no allowed-signers file is given that could say whose the SSH key SHA256:abc is"))
    }

    @Test(arguments: ["while :; do :; done", "while :; do :; done & wait"])
    func aToolThatDoesNotEndIsEnded(_ script: String) async throws {
        let file = try folder.write("x", to: "file")
        let keys = TrustedKeys(allowedSignersFile: file, keyRingFile: file)
        for (signature, tool) in [(Self.ssh, "ssh-keygen"), (Self.openPGP, "gpg")] {
            let path = try folder.searchPath(replacing: tool, with: script)
            let verdict = try await verify(signature, keys, searchPath: path, deadline: .milliseconds(300))
            #expect(verdict == .uncheckable("\(tool) did not end within 0.3 seconds"))
        }
    }

    @Test func aToolThatWritesWithoutEndIsEnded() async throws {
        let file = try folder.write("x", to: "file")
        let keys = TrustedKeys(allowedSignersFile: file, keyRingFile: file)
        for (signature, tool) in [(Self.ssh, "ssh-keygen"), (Self.openPGP, "gpg")] {
            let path = try folder.searchPath(replacing: tool, with: "exec yes")
            let verdict = try await verify(signature, keys, searchPath: path)
            #expect(verdict == .uncheckable("\(tool): wrote more than 1048576 bytes"))
        }
    }

    // MARK: Strange answers

    /// What `ssh-keygen` says of the signature after it has found one principal, and the verdict on that.
    ///
    /// Said of the search for principals it never leads to trust.
    @Test(arguments: [
        ("echo 'Good \"git\" signature for ann@x with X key SHA256:a'", "trusted"),
        ("echo 'Good \"git\" signature for ann@x with X key SHA256:a'; exit 255", "uncheckable"),
        ("echo 'Good \"git\" signature for eve@x with X key SHA256:a'", "uncheckable"),
        ("echo 'Good \"file\" signature for ann@x with X key SHA256:a'", "uncheckable"),
        ("echo 'Good \"git\" signature for ann@x with X key SHA256:a with X key SHA256:a'", "uncheckable"),
        ("echo 'Good \"git\" signature for ann@x with X key SHA256:a'; echo more", "uncheckable"),
        ("echo fine", "uncheckable"), ("exit 0", "uncheckable"), ("exit 255", "uncheckable"),
        ("kill -9 $$", "uncheckable"), ("echo 'No user exists for uid 12345' >&2; exit 255", "uncheckable"),
    ])
    func onlyTheExactWordsOfSSHKeygenAreTrusted(_ script: String, _ kind: String) async throws {
        let file = try folder.write("x", to: "file")
        for search in ["echo ann@x", script] {
            let path = try folder.searchPath(
                replacing: "ssh-keygen", with: "case $2 in find*) \(search);; *) \(script);; esac")
            let verdict = try await verify(Self.ssh, TrustedKeys(allowedSignersFile: file), searchPath: path)
            #expect(verdict.kind == (search == script ? "uncheckable" : kind), "\(verdict)")
        }
    }

    struct Status: CustomTestStringConvertible {
        var testDescription: String
        var lines: [String]
        var exit = 0
        var kind: String
    }

    private static let fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567"
    private static let new = "[GNUPG:] NEWSIG"
    private static let good = "[GNUPG:] GOODSIG 89ABCDEF01234567 Ann <ann@x>"
    private static let valid =
        "[GNUPG:] VALIDSIG \(fingerprint) 2026-01-01 1 0 4 0 22 8 00 \(fingerprint)"

    @Test(arguments: [
        Status(testDescription: "as it should be", lines: [new, good, valid], kind: "trusted"),
        Status(testDescription: "good without a fingerprint", lines: [new, good], kind: "uncheckable"),
        Status(testDescription: "good, but refused", lines: [new, good, valid], exit: 2, kind: "bad"),
        Status(testDescription: "good, then broken off", lines: [new, good, valid], exit: 3, kind: "uncheckable"),
        Status(testDescription: "a fingerprint alone", lines: [new, valid], kind: "uncheckable"),
        Status(
            testDescription: "a fingerprint that is none",
            lines: [good, valid.replacingOccurrences(of: "0123456789ABCDEF0123", with: "x")], kind: "uncheckable"),
        Status(testDescription: "twice good", lines: [new, good, valid, good], kind: "bad"),
        Status(testDescription: "two fingerprints", lines: [new, good, valid, valid], kind: "bad"),
        Status(testDescription: "two signatures", lines: [new, new, good, valid], kind: "bad"),
        Status(testDescription: "good and bad", lines: [good, valid, "[GNUPG:] BADSIG 1 Eve"], kind: "bad"),
        Status(
            testDescription: "good and unknown", lines: [good, valid, "[GNUPG:] ERRSIG 1 22 8 00 1 9 -"], kind: "bad"),
        Status(
            testDescription: "good, but something else is broken", lines: [good, valid, "[GNUPG:] NODATA 4"],
            kind: "bad"),
        Status(
            testDescription: "good, and a word of the future", lines: [good, valid, "[GNUPG:] HOLD 1"], kind: "bad"),
        Status(testDescription: "never to be trusted", lines: [good, valid, "[GNUPG:] TRUST_NEVER"], kind: "bad"),
        Status(
            testDescription: "another key has expired", lines: ["[GNUPG:] KEYEXPIRED 1", good, valid], kind: "trusted"),
        Status(testDescription: "words within a line", lines: ["gpg: \(good)", "x\(valid)"], kind: "uncheckable"),
        Status(
            testDescription: "words behind what Unicode calls a line's end",
            lines: ["gpg: Ann\u{2028}\(good)\u{2028}\(valid)", "Ann\u{85}\(good)", "Ann\r\(valid)"],
            kind: "uncheckable"),
        Status(testDescription: "nothing", lines: [], kind: "uncheckable"),
        Status(testDescription: "no signature", lines: ["[GNUPG:] NODATA 1"], exit: 2, kind: "bad"),
        Status(
            testDescription: "it cannot open a file", lines: ["[GNUPG:] FAILURE verify 1"], exit: 2, kind: "uncheckable"
        ),
        Status(
            testDescription: "not in the ring", lines: [new, "[GNUPG:] ERRSIG 1 22 8 00 1 9 -"], exit: 2,
            kind: "untrusted"),
        Status(
            testDescription: "an unknown algorithm", lines: [new, "[GNUPG:] ERRSIG 1 99 8 00 1 4 -"], exit: 2,
            kind: "bad"),
        Status(testDescription: "revoked", lines: [new, "[GNUPG:] REVKEYSIG 1 Ann", valid], kind: "revoked"),
        Status(testDescription: "an expired key", lines: [new, "[GNUPG:] EXPKEYSIG 1 Ann", valid], kind: "expired"),
        Status(testDescription: "an expired signature", lines: [new, "[GNUPG:] EXPSIG 1 Ann", valid], kind: "expired"),
    ])
    func onlyOneUndoubtedStatusIsTrusted(_ example: Status) async throws {
        let text = example.lines.map { $0 + "\n" }.joined()
        let status = try folder.write(text, to: "status")
        let ring = try folder.write("x", to: "ring")
        let path = try folder.searchPath(
            replacing: "gpg",
            with: """
                case " $* " in
                *" --import "*) echo '[GNUPG:] IMPORT_OK 1 \(Self.fingerprint)';;
                *) cat '\(status)'; exit \(example.exit);;
                esac
                """)
        let verdict = try await verify(Self.openPGP, TrustedKeys(keyRingFile: ring), searchPath: path)
        #expect(verdict.kind == example.kind, "\(verdict)")
        if let signer = verdict.signer {
            #expect(
                signer
                    == Signer(name: "Ann <ann@x>", email: "ann@x", fingerprint: Self.fingerprint, format: .openPGP))
        }
    }
}

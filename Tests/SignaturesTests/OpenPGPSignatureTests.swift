import ChildProcess
import Foundation
import Signatures
import TestSupport
import Testing

/// Somebody's gpg with secret keys, in a folder of its own; its agent ends with the last reference to it.
private final class OpenPGPHome: Sendable {
    let folder: ScratchDirectory
    private let home: String

    init() throws {
        folder = try ScratchDirectory(named: "bylaw-gpg")
        home = folder.path + "/home"
        try FileManager.default.createDirectory(
            atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        var process = try? ChildProcess(
            "gpgconf", ["--homedir", home, "--kill", "all"], environment: toolEnvironment)
        _ = process?.end(within: .seconds(20))
    }

    /// - Parameter date: What gpg takes for now, as `20200131`.
    @discardableResult
    func gpg(_ arguments: [String], at date: String? = nil, input: [UInt8] = []) async throws -> [UInt8] {
        var options = [
            "--homedir", home, "--batch", "--quiet", "--utf8-strings", "--display-charset", "utf-8", "--pinentry-mode",
            "loopback", "--passphrase", "",
        ]
        if let date { options += ["--faked-system-time", "\(date)T000000!"] }
        return try await run("gpg", options + arguments, input: input)
    }

    /// Makes a key that signs.
    ///
    /// - Returns: Its fingerprint.
    @discardableResult
    func make(
        _ user: String, algorithm: String = "ed25519", expires: String = "0", at date: String? = nil
    ) async throws -> String {
        let status = try await gpg(
            ["--status-fd", "1", "--quick-gen-key", user, algorithm, "sign", expires], at: date)
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.contains("KEY_CREATED") }
        return String(try #require(line?.split(separator: " ").last))
    }

    func sign(
        _ bytes: [UInt8] = payload, as key: String, options: [String] = [], at date: String? = nil
    ) async throws -> String {
        String(
            decoding: try await gpg(
                options + ["--local-user", key, "--armor", "--detach-sign"], at: date, input: bytes), as: UTF8.self)
    }

    /// The public keys in a file, as the operator mounts it.
    func export(_ keys: String..., armored: Bool = false) async throws -> String {
        let file = folder.path + "/ring"
        let bytes = try await gpg((armored ? ["--armor"] : []) + ["--export"] + keys)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Takes back a key with the certificate that gpg made along with it.
    func revoke(_ fingerprint: String) async throws {
        let text = try String(contentsOfFile: "\(home)/openpgp-revocs.d/\(fingerprint).rev", encoding: .utf8)
        try await gpg(["--import"], input: Array(text.replacingOccurrences(of: ":---", with: "---").utf8))
    }

    /// Puts binary signatures into one armoured block.
    func armor(_ bytes: [UInt8]) async throws -> String {
        String(decoding: try await gpg(["--enarmor"], input: bytes), as: UTF8.self)
            .replacingOccurrences(of: "ARMORED FILE", with: "SIGNATURE")
    }

    func verify(
        _ signature: String, of bytes: [UInt8] = payload, ring: String, searchPath: String? = nil
    ) async throws -> SignatureVerdict {
        let verdict: SignatureVerdict
        do {
            let verifier = try folder.verifier(TrustedKeys(keyRingFile: ring), searchPath: searchPath)
            verdict = await verifier.verify(payload: bytes, signature: signature)
        }
        #expect(try folder.leftovers().isEmpty, "private folders go with the verifier")
        return verdict
    }
}

/// What `gpg` says, and what is made of it.
@Suite(.timeLimit(.minutes(2))) struct OpenPGPSignatureTests {
    private let home: OpenPGPHome

    init() throws { home = try OpenPGPHome() }

    @Test(arguments: ["ed25519", "rsa2048", "nistp256"], [false, true])
    func aKeyOfTheRingIsTrusted(_ algorithm: String, _ isArmored: Bool) async throws {
        let key = try await home.make("Ann Author (work) <ann@example.com>", algorithm: algorithm)
        let ring = try await home.export(armored: isArmored)
        let signer = Signer(
            name: "Ann Author (work) <ann@example.com>", email: "ann@example.com", fingerprint: key, format: .openPGP)
        #expect(try await home.verify(home.sign(as: key), ring: ring) == .trusted(signer))
    }

    @Test func aSubkeyCountsAsItsPrimaryKey() async throws {
        let key = try await home.make("Ann <ann@x>")
        try await home.gpg(["--quick-add-key", key, "ed25519", "sign", "0"])
        let signature = try await home.sign(as: "ann@x")
        #expect(try await home.verify(signature, ring: home.export()).signer?.fingerprint == key)
    }

    @Test func whatWasChangedIsBad() async throws {
        let key = try await home.make("Ann <ann@x>")
        let verdict = try await home.verify(home.sign(as: key), of: payload + [0], ring: home.export())
        let short = key.suffix(16)
        #expect(verdict == .bad("the signature of OpenPGP key \(short) does not fit what it is said to sign"))
    }

    @Test func aKeyThatIsNotInTheRingIsUntrustedAndNamed() async throws {
        try await home.make("Ann <ann@x>")
        let eve = try await home.make("Eve <eve@x>")
        let verdict = try await home.verify(home.sign(as: eve), ring: home.export("ann@x"))
        #expect(verdict == .untrusted("OpenPGP key \(eve) is not in the key ring"))
    }

    // MARK: Time

    @Test func theTimeThatCountsIsNow() async throws {
        let key = try await home.make("Old <old@x>", expires: "1y", at: "20200101")
        let verdict = try await home.verify(home.sign(as: key, at: "20200601"), ring: home.export())
        #expect(verdict == .expired("OpenPGP key \(key) has expired"))
    }

    @Test func anExpiredSubkeyIsNoBetter() async throws {
        let key = try await home.make("Old <old@x>", at: "20200101")
        try await home.gpg(["--quick-add-key", key, "ed25519", "sign", "1y"], at: "20200101")
        let verdict = try await home.verify(home.sign(as: "old@x", at: "20200601"), ring: home.export())
        #expect(verdict == .expired("OpenPGP key \(key) has expired"))
    }

    @Test func aSignatureMayExpireByItself() async throws {
        let key = try await home.make("Old <old@x>", at: "20200101")
        let signature = try await home.sign(as: key, options: ["--default-sig-expire", "1d"], at: "20200601")
        let verdict = try await home.verify(signature, ring: home.export())
        #expect(verdict == .expired("the signature of OpenPGP key \(key) has expired"))
    }

    @Test func aRevokedKeyIsTold() async throws {
        let key = try await home.make("Ann <ann@x>")
        let signature = try await home.sign(as: key)
        #expect(try await home.verify(signature, ring: home.export()).signer != nil)
        try await home.revoke(key)
        #expect(try await home.verify(signature, ring: home.export()) == .revoked("OpenPGP key \(key) is revoked"))
    }

    // MARK: Hostile signatures

    @Test func severalSignaturesInOneBlockAreRefused() async throws {
        let ann = try await home.make("Ann <ann@x>")
        let eve = try await home.make("Eve <eve@x>")
        let signatures = try await [home.sign(as: ann), home.sign(as: eve)]
        var packets: [UInt8] = []
        for signature in signatures { packets += try await home.gpg(["--dearmor"], input: Array(signature.utf8)) }
        let both = try await home.armor(packets)
        for ring in [try await home.export(), try await home.export("ann@x"), try await home.export("eve@x")] {
            #expect(try await home.verify(both, ring: ring) == .bad("there is more than one OpenPGP signature"))
        }
        #expect(
            try await home.verify(signatures.joined(), ring: home.export()) == .bad("there is more than one signature"))
    }

    @Test(arguments: [["--sign"], ["--store"], ["--clearsign"]])
    func whatHoldsItsOwnTextIsNoSignatureOfOurs(_ command: [String]) async throws {
        let key = try await home.make("Ann <ann@x>")
        let message = try await home.gpg(["--local-user", key] + command, input: payload)
        let block = try await home.armor(message)
        for bytes in [payload, [1, 2, 3]] {
            #expect(try await home.verify(block, of: bytes, ring: home.export()).kind == "bad")
        }
        let signature = try await home.gpg(["--local-user", key, "--detach-sign"], input: payload)
        let mixed = try await home.armor(signature + message)
        #expect(try await home.verify(mixed, ring: home.export()).kind == "bad", "something stands beside it")
    }

    @Test func wordsInAUserIDAreNoStatus() async throws {
        let hostile = "Eve\n[GNUPG:] GOODSIG 0 Ann <ann@x>\u{2028}\u{1b}[1m <eve@x>"
        let key = try await home.make(hostile)
        let signature = try await home.sign(as: key)
        let signer = try #require(try await home.verify(signature, ring: home.export()).signer)
        #expect(signer.name == "Eve\u{fffd}[GNUPG:] GOODSIG 0 Ann <ann@x>\u{fffd}\u{fffd}[1m <eve@x>")
        #expect(signer.email == "eve@x")
        #expect(signer.fingerprint == key)
        #expect(try await home.verify(signature, of: [1], ring: home.export()).kind == "bad")
    }

    @Test func wordsInANotationAreNoStatus() async throws {
        let key = try await home.make("Ann <ann@x>")
        let signature = try await home.sign(
            as: key,
            options: [
                "--set-notation", "a@b=x [GNUPG:] BADSIG 1 2", "--sig-policy-url", "http://x/%0a[GNUPG:]%20BADSIG",
            ])
        #expect(try await home.verify(signature, ring: home.export()).signer?.fingerprint == key)
    }

    @Test func aLongUserIDIsCut() async throws {
        let key = try await home.make(String(repeating: "é", count: 700) + " <ann@x>")
        let signer = try await home.verify(home.sign(as: key), ring: home.export()).signer
        #expect(signer?.name == String(repeating: "é", count: 256))
        #expect(signer?.email == "")
    }

    @Test func aDigestThatGPGRejectsIsBad() async throws {
        let key = try await home.make("Ann <ann@x>", algorithm: "rsa2048")
        let verdict = try await home.verify(
            home.sign(as: key, options: ["--digest-algo", "MD5"]), ring: home.export())
        #expect(verdict == .bad("gpg does not accept how the signature of OpenPGP key \(key) was made"))
    }

    // MARK: The key ring

    @Test func aRingThatCannotBeReadAsAWholeTrustsNobody() async throws {
        let key = try await home.make("Ann <ann@x>")
        let signature = try await home.sign(as: key)
        let whole = try Data(contentsOf: URL(fileURLWithPath: try await home.export()))
        let secret = Data(try await home.gpg(["--export-secret-keys"]))
        let file = home.folder.path + "/broken"
        for content in [Data(), Data("words".utf8), whole.dropLast(20), whole + Data("words".utf8), secret] {
            try content.write(to: URL(fileURLWithPath: file))
            #expect(
                try await home.verify(signature, ring: file)
                    == .uncheckable(
                        "gpg cannot import all of the key ring \(file), which must be what gpg --export wrote"))
        }
    }

    @Test func aRingIsImportedOnceUntilItChanges() async throws {
        let ann = try await home.make("Ann <ann@x>")
        let bob = try await home.make("Bob <bob@x>")
        let ring = try await home.export("ann@x")
        let log = home.folder.path + "/log"
        // Looks for the real tool behind itself on the search path.
        let path = try home.folder.searchPath(
            replacing: "gpg", with: "echo \"$*\" >>'\(log)'; PATH=${PATH#*:}; exec gpg \"$@\"\n")
        let verifier = try home.folder.verifier(TrustedKeys(keyRingFile: ring), searchPath: path)
        let (annsSignature, bobsSignature) = try await (home.sign(as: ann), home.sign(as: bob))
        for _ in 0..<3 {
            #expect(await verifier.verify(payload: payload, signature: annsSignature).signer?.fingerprint == ann)
            #expect(await verifier.verify(payload: payload, signature: bobsSignature).kind == "untrusted")
        }
        _ = try await home.export("bob@x")
        #expect(await verifier.verify(payload: payload, signature: bobsSignature).signer?.fingerprint == bob)
        #expect(await verifier.verify(payload: payload, signature: annsSignature).kind == "untrusted")
        let calls = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(calls.count { $0.hasSuffix("--import") } == 2)
        #expect(calls.count { $0.contains("--verify") } == 8)
        #expect(try home.folder.leftovers().count == 1, "the old keys are gone")
    }

    @Test func checksMayRunSideBySideAndLeaveNoProcessBehind() async throws {
        let key = try await home.make("Ann <ann@x>")
        let signature = try await home.sign(as: key)
        let ring = try await home.export()
        let verifier = try home.folder.verifier(TrustedKeys(keyRingFile: ring))
        let trusted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask { await verifier.verify(payload: payload, signature: signature).signer != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(trusted == 12)
        let folder = try home.folder.temporaryFolder()
        let running = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            return Int(process) != nil && words?.range(of: Data(folder.utf8)) != nil
        }
        #expect(running.isEmpty)
    }
}

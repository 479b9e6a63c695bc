internal import ChildProcess
import Foundation

/// Signatures made with `gpg`, judged by `gpg` against the operator's key ring alone.
///
/// Each key in that ring is trusted: the operator put it there, so `gpg`'s web of trust has no say.
extension SignatureVerifier {
    func verifyOpenPGP(
        payload: [UInt8], armor: [UInt8], tools: SignatureTools
    ) async throws(Uncheckable) -> SignatureVerdict {
        guard let ring = keys.keyRingFile else {
            return .untrusted("it is an OpenPGP signature, and no key ring is given that could say whose")
        }
        let home = try await keyRing.home(for: ring, tools: tools)
        let folder = try PrivateFolder(in: tools.temporaryFolder)
        let file = try folder.write(armor, to: "signature")
        // Nothing writes to the key ring any more, so a lock that a killed gpg left behind must not hold up the next.
        let answer = try await tools.run(
            "gpg", gpgOptions(home: home.path) + ["--lock-never", "--verify", file, "-"], input: payload)
        return withExtendedLifetime((home, folder)) { OpenPGPStatus(answer.output).verdict(ending: answer.ending) }
    }
}

/// What each run of gpg is told.
///
/// No settings of the machine, no network, and no helper processes: reading public keys needs none.
private func gpgOptions(home: String) -> [String] {
    [
        "--no-options", "--batch", "--no-tty", "--no-autostart", "--disable-dirmngr", "--status-fd=1",
        "--no-auto-key-locate", "--no-auto-key-retrieve", "--no-auto-check-trustdb", "--trust-model", "always",
        "--homedir", home,
    ]
}

/// The home folder of gpg with the operator's keys, made anew when the content of the key ring changes.
///
/// Checks that come before the first import has ended each make their own; the last one is kept.
actor KeyRingCache {
    private static let maximumBytes = 16 << 20
    private var kept: (digest: String, home: PrivateFolder)?

    func home(for file: String, tools: SignatureTools) async throws(Uncheckable) -> PrivateFolder {
        let what = "the key ring"
        try requireReadable(file, what)
        guard let content = FileManager.default.contents(atPath: file) else {
            throw Uncheckable(reason: "\(what) \(file) is missing or cannot be read")
        }
        guard content.count <= Self.maximumBytes else {
            throw Uncheckable(reason: "\(what) \(file) has more than \(Self.maximumBytes) bytes")
        }
        let digest = sha256Hex(content)
        if let kept, kept.digest == digest, !digest.isEmpty { return kept.home }
        let home = try PrivateFolder(in: tools.temporaryFolder)
        let answer = try await tools.run("gpg", gpgOptions(home: home.path) + ["--import"], input: [UInt8](content))
        // Half a key ring may lack the very revocation that counts.
        guard answer.ending == .exited(0), OpenPGPStatus(answer.output).hasImportedKeys else {
            throw Uncheckable(
                reason: "gpg cannot import all of \(what) \(file), which must be what gpg --export wrote")
        }
        kept = (digest, home)
        return home
    }
}

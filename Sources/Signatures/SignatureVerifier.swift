internal import ChildProcess

/// The files that say whose signatures count.
///
/// They come from the operator, never from the repository whose commits they judge.
package struct TrustedKeys: Sendable {
    /// As in `ssh-keygen`'s manual under ALLOWED SIGNERS.
    package var allowedSignersFile: String?
    /// A key revocation list, or a plain list of public keys; it counts for SSH signatures only.
    package var revokedKeysFile: String?
    /// What `gpg --export` wrote, armoured or not; revocations come with the keys.
    package var keyRingFile: String?

    package init(allowedSignersFile: String? = nil, revokedKeysFile: String? = nil, keyRingFile: String? = nil) {
        self.allowedSignersFile = allowedSignersFile
        self.revokedKeysFile = revokedKeysFile
        self.keyRingFile = keyRingFile
    }
}

/// Judges the signatures of commits and tags as Git does: with `ssh-keygen` and `gpg`.
///
/// The programs that people sign with also decide here, so that each kind of key works and their fixes are ours. What
/// is given up is speed, a few short processes for each signature, and independence from what they print; so a signature
/// is trusted only where the tool's exit status *and* its words say so, and all that is not understood is not trusted.
///
/// What counts is the time of the check. The date in a commit is the signer's own claim: whoever stole a key that has
/// expired since would write an older one.
///
/// The files are read for each check, so that they can be replaced at any time. A key ring is imported once for as long
/// as its content stays the same, into a private folder that goes with the last copy of this value.
package struct SignatureVerifier: Sendable {
    let keys: TrustedKeys
    let keyRing = KeyRingCache()
    private let environment: [String: String]
    private let deadline: Duration

    /// - Parameters:
    ///   - environment: Of it the tools get the search path and the time zone; `TMPDIR` says where private folders go.
    ///   - deadline: For all that one check runs, together.
    package init(keys: TrustedKeys, environment: [String: String], deadline: Duration = .seconds(20)) {
        self.keys = keys
        self.environment = environment
        self.deadline = deadline
    }

    /// Judges one signature.
    ///
    /// - Parameters:
    ///   - payload: What is said to be signed, byte for byte.
    ///   - signature: The armoured block; empty where there is none.
    package func verify(payload: [UInt8], signature: String) async -> SignatureVerdict {
        let tools = SignatureTools(environment: environment, limit: deadline)
        do throws(Uncheckable) {
            switch SignatureArmor.read(signature) {
            case .refused(let verdict): return verdict
            case .ssh(let armor): return try await verifySSH(payload: payload, armor: armor, tools: tools)
            case .openPGP(let armor): return try await verifyOpenPGP(payload: payload, armor: armor, tools: tools)
            }
        } catch {
            return .uncheckable(error.reason)
        }
    }
}

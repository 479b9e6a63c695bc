import ChildProcess
import Foundation
import Git
import Signatures
import TestSupport
import Testing

/// Signatures that the `git` command made, taken from a clone and judged; and objects that it would never write.
@Suite(.timeLimit(.minutes(2))) struct SignatureExtractionTests {
    let remote: ScratchRemote

    init() async throws { remote = try await ScratchRemote() }

    // MARK: Signers

    /// Lets the remote's `git` sign with a new SSH key, and gives back who is trusted then.
    private func signWithSSH() async throws -> TrustedKeys {
        let key = remote.folder.path + "/key"
        try runShell("ssh-keygen -q -t ed25519 -N '' -C '' -f '\(key)'")
        for (name, value) in [
            ("gpg.format", "ssh"), ("user.signingkey", key), ("commit.gpgsign", "true"), ("tag.gpgsign", "true"),
        ] { try await remote.git("config", name, value) }
        let line = try String(contentsOfFile: key + ".pub", encoding: .utf8)
        return TrustedKeys(allowedSignersFile: try remote.folder.write("ann@example.com \(line)", to: "allowed"))
    }

    /// Lets the remote's `git` sign with a new OpenPGP key.
    private func signWithOpenPGP() async throws -> TrustedKeys {
        let folder = remote.folder.path
        let program = folder + "/gpg.sh"
        try runShell(
            """
            set -e
            mkdir -m 700 '\(folder)/gpg'
            cat > '\(program)' <<'END'
            #!/bin/sh
            exec gpg --homedir '\(folder)/gpg' --batch "$@"
            END
            chmod +x '\(program)'
            '\(program)' --quiet --passphrase '' --quick-gen-key 'Ann <ann@example.com>' ed25519 sign 0
            '\(program)' --export --armor > '\(folder)/ring'
            """)
        for (name, value) in [
            ("gpg.program", program), ("user.signingkey", "ann@example.com"), ("commit.gpgsign", "true"),
            ("tag.gpgsign", "true"),
        ] { try await remote.git("config", name, value) }
        return TrustedKeys(keyRingFile: folder + "/ring")
    }

    private func endAgent() throws { try runShell("gpgconf --homedir '\(remote.folder.path)/gpg' --kill all") }

    private func judge(_ signature: GitSignature?, _ keys: TrustedKeys) async throws -> SignatureVerdict {
        let signature = try #require(signature)
        let verifier = SignatureVerifier(keys: keys, environment: ProcessInfo.processInfo.environment)
        return await verifier.verify(payload: signature.payload, signature: signature.signature)
    }

    private func isTrusted(_ signature: GitSignature?, _ keys: TrustedKeys) async throws -> Bool {
        guard case .trusted(let signer) = try await judge(signature, keys) else { return false }
        return signer.email == "ann@example.com"
    }

    /// Writes a raw commit or tag and points a reference to it.
    private func write(_ raw: [UInt8], as type: String = "commit", to reference: String = "refs/heads/main")
        async throws
        -> String
    {
        let file = remote.folder.path + "/object"
        try Data(raw).write(to: URL(fileURLWithPath: file))
        let id = try await remote.git("hash-object", "-t", type, "-w", "--literally", file)
        try await remote.git("update-ref", reference, id)
        return id
    }

    private func raw(_ id: String, _ type: String = "commit") async throws -> [UInt8] {
        let result = try await runChildProcess(
            "git", ["cat-file", type, id], environment: ProcessInfo.processInfo.environment, directory: remote.path,
            deadline: .seconds(30))
        return result.output
    }

    private func fetched(_ id: String) async throws -> GitSignature? {
        let clone = try remote.clone(cache: remote.folder.path + "/\(UUID().uuidString)")
        #expect(try await clone.fetch(.branch("main")).id == id)
        return try await clone.signature(ofCommit: id)
    }

    // MARK: Commits and tags as people make them

    @Test func aCommitSignedWithSSHIsTrusted() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words\n\nReviewed-by: Bob <bob@example.com>", ["a": "a"])
        #expect(try await isTrusted(fetched(id), keys))
    }

    @Test func aCommitAndATagSignedWithOpenPGPAreTrusted() async throws {
        let keys = try await signWithOpenPGP()
        let id = try await remote.commit("Words", ["a": "a"])
        try await remote.git("tag", "--sign", "--message", "Release", "v1")
        try endAgent()
        #expect(try await isTrusted(fetched(id), keys))
        let clone = try remote.clone()
        #expect(try await clone.fetch(.tag("v1")).id == id)
        #expect(try await isTrusted(clone.signature(ofTag: "v1", on: id), keys))
    }

    @Test func anUnsignedCommitHasNoSignature() async throws {
        let id = try await remote.commit("Words\n\ngpgsig -----BEGIN SSH SIGNATURE-----\n x", ["a": "a"])
        #expect(try await fetched(id) == nil)
    }

    @Test(arguments: ["v1", "release/2026"]) func aSignedTagIsTrusted(_ name: String) async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        try await remote.git("tag", "--sign", "--message", "Release\n\n-----BEGIN nothing-----", name)
        let clone = try remote.clone()
        #expect(try await clone.fetch(.tag(name)).id == id)
        #expect(try await isTrusted(clone.signature(ofTag: name, on: id), keys))
        let theirs = try GitRepository(readingCloneAt: remote.path, environment: [:])
        #expect(try await isTrusted(theirs.signature(ofTag: name, on: id), keys), "in somebody's clone")
    }

    @Test func aTagWithoutASignatureHasNone() async throws {
        let id = try await remote.commit("Words")
        try await remote.git("tag", "light")
        try await remote.git("tag", "--annotate", "--message", "Words", "annotated")
        let clone = try remote.clone()
        for name in ["annotated", "light"] {
            #expect(try await clone.fetch(.tag(name)).id == id)
            #expect(try await clone.signature(ofTag: name, on: id) == nil)
        }
    }

    @Test func aTagIsOnlyWhatItsSignerCalledIt() async throws {
        _ = try await signWithSSH()
        let id = try await remote.commit("Words")
        try await remote.git("tag", "--sign", "--message", "Release", "v1")
        try await remote.git("update-ref", "refs/tags/v2", try await remote.git("rev-parse", "refs/tags/v1"))
        let clone = try remote.clone()
        #expect(try await clone.fetch(.tag("v2")).id == id)
        let error = await gitError { try await clone.signature(ofTag: "v2", on: id) }
        #expect(error?.description == "read the tag v2: it was signed under another name and copied to this one")
        #expect(error?.kind == .noSuchReference)
    }

    @Test func aTagCountsForItsOwnCommitOnly() async throws {
        _ = try await signWithSSH()
        let old = try await remote.commit("Old")
        try await remote.git("tag", "--sign", "--message", "Release", "v1")
        try await remote.git("tag", "--sign", "--message", "Of a tag", "nested", "v1")
        let new = try await remote.commit("New")
        let clone = try remote.clone()
        #expect(try await clone.fetch(.tag("v1")).id == old)
        #expect(try await clone.fetch(.branch("main")).id == new)
        let error = await gitError { try await clone.signature(ofTag: "v1", on: new) }
        #expect(error?.detail == "its signature is for something else than commit \(new)")
        #expect(try await clone.fetch(.tag("nested")).id == old)
        #expect(await gitError { try await clone.signature(ofTag: "nested", on: old) }?.kind == .noSuchReference)
        #expect(await gitError { try await clone.signature(ofTag: "nested", on: "x") } != nil)
        let other = try remote.clone(cache: remote.folder.path + "/other")
        _ = try await other.fetch(.branch("main"))
        #expect(await gitError { try await other.signature(ofTag: "v1", on: old) }?.kind == .noSuchReference)
    }

    @Test func aMergeKeepsTheTagItMerged() async throws {
        let keys = try await signWithSSH()
        try await remote.commit("Base", ["a": "a"])
        try await remote.git("checkout", "--quiet", "-b", "side")
        try await remote.commit("Side", ["b": "b"])
        try await remote.git("tag", "--sign", "--message", "Side", "side-1")
        try await remote.git("checkout", "--quiet", "main")
        try await remote.commit("Main", ["c": "c"])
        try await remote.git("merge", "--quiet", "--no-ff", "--message", "Merge", "side-1")
        let id = try await remote.git("rev-parse", "HEAD")
        let signature = try #require(try await fetched(id))
        #expect(String(decoding: signature.payload, as: UTF8.self).contains("\nmergetag object "))
        #expect(try await isTrusted(signature, keys))
        // Without a signature of its own the commit has none, whatever the tag in it has.
        let unsigned = try await write(signature.payload)
        #expect(try await fetched(unsigned) == nil)
    }

    // MARK: Hostile objects

    /// The parts of a signed commit: what stands before its signature's header, the header, and what follows.
    private func parts(_ id: String) async throws -> (head: String, header: String, tail: String) {
        let text = String(decoding: try await raw(id), as: UTF8.self)
        let start = try #require(text.range(of: "gpgsig "))
        let end = try #require(text.range(of: "-----END SSH SIGNATURE-----\n"))
        return (
            String(text[..<start.lowerBound]), String(text[start.lowerBound..<end.upperBound]),
            String(text[end.upperBound...])
        )
    }

    @Test func whatFollowsANULIsSignedToo() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        let changed = try await write(raw(id) + [0] + Array("Bylaw-Approved: all\n".utf8))
        let signature = try #require(try await fetched(changed))
        #expect(signature.payload.contains(0))
        guard case .bad = try await judge(signature, keys) else {
            Issue.record("what was added is not signed")
            return
        }
    }

    @Test func otherHeadersStayWhereTheyAre() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        let (head, header, tail) = try await parts(id)
        let encoded = try await write(Array("\(head)\(header)encoding UTF-8\n\(tail)".utf8))
        let signature = try #require(try await fetched(encoded))
        #expect(String(decoding: signature.payload, as: UTF8.self) == "\(head)encoding UTF-8\n\(tail)")
        guard case .bad = try await judge(signature, keys) else {
            Issue.record("the header is not signed")
            return
        }
        // A header for another form of the repository is no part of what is signed, as Git has it.
        let foreign = try await write(Array("\(head)gpgsig-sha256 x\n y\n\(header)\(tail)".utf8))
        #expect(try await isTrusted(fetched(foreign), keys))
        let alone = try await write(Array("\(head)gpgsig-sha256 x\n y\n\(tail)".utf8))
        #expect(try await fetched(alone) == nil)
    }

    @Test func severalSignaturesAreRefused() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        let (head, header, tail) = try await parts(id)
        let twice = try await write(Array((head + header + header + tail).utf8))
        #expect(try await judge(fetched(twice), keys) == .bad("there is more than one signature"))
    }

    @Test func aSignatureMayEndItsLinesLikeWindows() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        let (head, header, tail) = try await parts(id)
        let changed = try await write(
            Array((head + header.replacingOccurrences(of: "\n", with: "\r\n") + tail).utf8))
        #expect(try await isTrusted(fetched(changed), keys))
    }

    @Test func aSignatureOfHostileSizeIsCutOffAndRefused() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        let (head, _, tail) = try await parts(id)
        let lines = String(repeating: " " + String(repeating: "A", count: 70) + "\n", count: 20_000)
        let changed = try await write(
            Array("\(head)gpgsig -----BEGIN SSH SIGNATURE-----\n\(lines) -----END SSH SIGNATURE-----\n\(tail)".utf8))
        let signature = try #require(try await fetched(changed))
        #expect(signature.signature.utf8.count == GitSignature.maximumBytes + 1)
        #expect(try await judge(signature, keys) == .bad("the signature has more than 65536 bytes"))
        let message = [UInt8](repeating: 0x61, count: 4 << 20)
        let huge = try await write(Array((head + tail).utf8) + message)
        #expect(await gitError { try await fetched(huge) }?.kind == .tooLarge)
    }

    @Test func aParentBehindTheSignatureIsNoCommit() async throws {
        _ = try await signWithSSH()
        try await remote.commit("Base")
        let id = try await remote.commit("Words")
        let (head, header, tail) = try await parts(id)
        let parent = try #require(head.range(of: "parent "))
        let (before, after) = (head[..<parent.lowerBound], head[parent.lowerBound...])
        // Its payload is that of the commit that was signed, but readers would see no parent.
        let file = remote.folder.path + "/object"
        try Data("\(before)\(header)\(after)\(tail)".utf8).write(to: URL(fileURLWithPath: file))
        let changed = try await remote.git("hash-object", "-t", "commit", "-w", "--literally", file)
        let theirs = try GitRepository(readingCloneAt: remote.path, environment: [:])
        #expect(await gitError { try await theirs.signature(ofCommit: changed) } != nil)
    }

    @Test func onlyTheLastSignatureOfATagIsCutOff() async throws {
        let keys = try await signWithSSH()
        let id = try await remote.commit("Words")
        try await remote.git("tag", "--sign", "--message", "Release", "v1")
        let tag = try await raw("v1", "tag")
        let signature = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
        _ = try await write(tag + Array(signature.utf8), as: "tag", to: "refs/tags/v1")
        let clone = try remote.clone()
        _ = try await clone.fetch(.tag("v1"))
        let found = try #require(try await clone.signature(ofTag: "v1", on: id))
        #expect(found.signature == signature)
        #expect(found.payload == tag)
        // Words behind the signature are signed by nobody.
        _ = try await write(tag + Array("More words\n".utf8), as: "tag", to: "refs/tags/v1")
        _ = try await clone.fetch(.tag("v1"))
        let verdict = try await judge(clone.signature(ofTag: "v1", on: id), keys)
        #expect(verdict == .bad("the signature's block does not end where the signature does"))
    }
}

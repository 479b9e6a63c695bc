import Signatures
import Testing
import TransparencyLog

@Suite struct CheckpointTests {
    /// The example of the specification of checkpoints, with the key that is published beside it.
    @Test func thePublishedExampleIsRead() throws {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
            + "\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        let signed = try SignedCheckpoint(text)
        #expect(signed.checkpoint.origin == "example.com/behind-the-sofa")
        #expect(signed.checkpoint.size == 20_852_163)
        #expect(signed.note.signatures.map(\.keyID) == [[0x03, 0x3d, 0xe0, 0xae]])
        #expect(signed.note.description == text)
    }

    /// The key of the Go project's own notes, with the note of its tests (golang.org/x/mod/sumdb/note).
    @Test func aNoteOfAnotherProgramIsVerified() throws {
        let key = try VerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        let note = try SignedNote(
            """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.

            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

            """)
        #expect(try note.verify(with: [key]) == [key])
        #expect(key.description == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        var changed = note
        changed.text += "So there.\n"
        #expect(throws: NoteFailure.self) { try changed.verify(with: [key]) }
    }

    @Test func whatIsSignedIsVerifiedWithThatKeyAlone() throws {
        let signer = try NoteSigner(name: "bylaw.dev/journal/1", key: .generate())
        let stranger = try NoteSigner(name: "bylaw.dev/journal/1", key: .generate())
        let checkpoint = Checkpoint(origin: "bylaw.dev/journal/1", size: 3, root: try SHA256Hasher().leaf([1]))
        let signed = try SignedCheckpoint(checkpoint, signer: signer)
        let read = try SignedCheckpoint(signed.note.description)
        #expect(read == signed)
        #expect(read.checkpoint == checkpoint)
        try read.note.verify(with: [stranger.verifier, signer.verifier])
        let failure = #expect(throws: NoteFailure.self) { try read.note.verify(with: [stranger.verifier]) }
        #expect(failure?.message.contains("no key that was given has signed it") == true)
    }

    @Test func aKeySurvivesItsFileAndItsText() throws {
        let key = try Ed25519PrivateKey.generate()
        let again = try Ed25519PrivateKey(pem: key.pem())
        #expect(again.publicKey == key.publicKey)
        #expect(again.publicKey.isSigner(of: [1, 2], signature: try key.sign([1, 2])))
        let verifier = try VerifierKey(name: "log", publicKey: key.publicKey)
        #expect(try VerifierKey(verifier.description) == verifier)
        #expect("\(key)" == "an Ed25519 private key")
    }

    @Test(arguments: [
        "", "\n", "a\n", "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} log AAAAAAA=\n",
        "log\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} log AAAAAAA=\n",
        "log\n1\nCsUYapGG\n\n\u{2014} log AAAAAAA=\n", "log\n1\n\n\u{2014} log AAAAAAA=\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n- log AAAAAAA=\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} log AAAAAAA\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} log AAAA\n",
        "log\r\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} log AAAAAAA=\n",
    ])
    func whatIsNoCheckpointIsRefused(_ text: String) {
        #expect(throws: NoteFailure.self) { _ = try SignedCheckpoint(text) }
    }

    @Test(arguments: [
        "", "log", "log+00000000+", "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ])
    func whatIsNoKeyIsRefused(_ text: String) {
        #expect(throws: NoteFailure.self) { _ = try VerifierKey(text) }
    }

    @Test func aBundleProvesItsEntryAndNoOther() throws {
        let signer = try NoteSigner(name: "log", key: .generate())
        let hasher = try SHA256Hasher()
        let entries = ["a", "b"].map { Array($0.utf8) }
        let leaves = try entries.map { try hasher.leaf($0) }
        let checkpoint = Checkpoint(origin: "log", size: 2, root: try hasher.node(leaves[0], leaves[1]))
        let bundle = InclusionBundle(
            index: 1, proof: [leaves[0]], checkpoint: try SignedCheckpoint(checkpoint, signer: signer))
        let read = try InclusionBundle(bundle.description)
        #expect(read == bundle)
        try read.verify(entries[1], with: [signer.verifier])
        #expect(throws: NoteFailure.self) { try read.verify(entries[0], with: [signer.verifier]) }
        #expect(throws: NoteFailure.self) { _ = try InclusionBundle("c2sp.org/tlog-proof@v1\nindex x\n") }
    }
}

internal import CCrypto

/// libcrypto refused a digest, which it does only where it has no memory or its provider forbids the algorithm.
package struct HashingFailure: Error, Equatable, Sendable {
    package init() {}
}

/// SHA-256 over bytes that come in parts, again and again without looking the algorithm up anew.
package final class SHA256Hasher {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() throws(HashingFailure) {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else { throw HashingFailure() }
        guard let context = EVP_MD_CTX_new() else {
            EVP_MD_free(algorithm)
            throw HashingFailure()
        }
        self.algorithm = algorithm
        self.context = context
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else { throw HashingFailure() }
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(algorithm)
    }

    /// Adds bytes to what will be digested.
    package func update(_ bytes: UnsafeRawBufferPointer) throws(HashingFailure) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw HashingFailure() }
    }

    package func update(_ bytes: [UInt8]) throws(HashingFailure) {
        guard EVP_DigestUpdate(context, bytes, bytes.count) == 1 else { throw HashingFailure() }
    }

    package func update(_ digest: SHA256Digest) throws(HashingFailure) {
        guard digest.withUnsafeBytes({ EVP_DigestUpdate(context, $0.baseAddress, $0.count) }) == 1 else {
            throw HashingFailure()
        }
    }

    /// The digest of everything since the last one; the next begins empty.
    package func finish() throws(HashingFailure) -> SHA256Digest {
        var isDone = false
        let digest = SHA256Digest { bytes in
            isDone = EVP_DigestFinal_ex(context, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), nil) == 1
        }
        guard isDone, EVP_DigestInit_ex2(context, algorithm, nil) == 1 else { throw HashingFailure() }
        return digest
    }

    /// Forgets what was added, so that the next digest begins empty.
    package func restart() throws(HashingFailure) {
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else { throw HashingFailure() }
    }
}

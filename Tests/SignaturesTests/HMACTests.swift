import Signatures
import Testing

@Suite struct HMACTests {
    /// A case of RFC 4231, section 4.
    struct Vector: CustomTestStringConvertible {
        var testDescription: String
        var key: [UInt8]
        var message: [UInt8]
        /// In hexadecimal; case 5 gives only the first half.
        var code: String
    }

    static let vectors = [
        Vector(
            testDescription: "case 1", key: repeated(0x0b, 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            testDescription: "case 2: a key shorter than the code", key: Array("Jefe".utf8),
            message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            testDescription: "case 3", key: repeated(0xaa, 20), message: repeated(0xdd, 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            testDescription: "case 4", key: Array(0x01...0x19), message: repeated(0xcd, 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            testDescription: "case 5: truncated", key: repeated(0x0c, 20), message: Array("Test With Truncation".utf8),
            code: "a3b6167473100ee06e0c796c2955552b"),
        Vector(
            testDescription: "case 6: a key longer than a block", key: repeated(0xaa, 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            testDescription: "case 7: both longer than a block", key: repeated(0xaa, 131),
            message: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    @Test(arguments: vectors) func agreesWithTheStandardsVectors(_ vector: Vector) throws {
        let code = try #require(hmacSHA256(vector.message, key: vector.key))
        #expect(code.count == 32)
        #expect(code.map { hexadecimal($0) }.joined().hasPrefix(vector.code))
    }

    @Test func takesAnEmptyKeyAndAnEmptyMessage() throws {
        let code = try #require(hmacSHA256([], key: []))
        #expect(
            code.map { hexadecimal($0) }.joined() == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test(
        arguments: [
            ([], [], true), ([1, 2, 3], [1, 2, 3], true), ([1, 2, 3], [1, 2, 4], false),
            ([9, 2, 3], [1, 2, 3], false),
            ([1, 2, 3], [1, 2], false), ([], [0], false),
        ] as [([UInt8], [UInt8], Bool)])
    func comparesWholeRunsOfBytes(left: [UInt8], right: [UInt8], isEqual: Bool) {
        #expect(isEqualInConstantTime(left, right) == isEqual)
    }
}

private func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
}

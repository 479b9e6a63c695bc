import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// Our reader and writer beside Foundation's, over documents that no person would think of.
@Suite struct FoundationAgreementTests {
    @Test(arguments: 1...8)
    func foundationReadsWhatWeWrite(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<250 {
            let tree = randomTree(using: &random)
            for text in [tree.jsonText(), tree.indentedJSON()] {
                let value = try #require(foundationRead(Array(text.utf8)), "\(text)")
                #expect(agree(tree, value), "\(text)")
            }
        }
    }

    @Test(arguments: 1...8)
    func weReadWhatFoundationWrites(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<250 {
            let tree = randomTree(using: &random)
            for options in [JSONSerialization.WritingOptions.fragmentsAllowed, [.fragmentsAllowed, .prettyPrinted]] {
                let data = try JSONSerialization.data(withJSONObject: foundationValue(tree), options: options)
                #expect(try parseJSON([UInt8](data)) == tree, "\(String(decoding: data, as: UTF8.self))")
            }
        }
    }

    /// 16,000 damaged documents: accepted by both with one meaning, or refused by both.
    ///
    /// Left out is where the two differ on purpose: Foundation refuses lone surrogates and bytes that are not UTF-8,
    /// which Go's decoder reads. Foundation also takes a comma before a closing bracket; ours must not.
    @Test(arguments: 1...16)
    func judgesDamagedDocumentsAsFoundationDoes(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed &* 7919)
        var accepted = 0
        for _ in 0..<1000 {
            let bytes = damage(randomTree(using: &random).jsonBytes(), with: syntax, using: &random)
            let text = String(decoding: bytes, as: UTF8.self)
            guard Array(text.utf8) == bytes, !text.lowercased().contains("\\ud") else { continue }
            do throws(JSONError) {
                let tree = try parseJSON(bytes)
                accepted += 1
                let value = foundationRead(bytes)
                #expect(value.map { agree(tree, $0) } == true, "\(text)")
            } catch {
                #expect(
                    foundationRead(bytes) == nil || isCommaBeforeBracket(bytes, error.offset), "\(error) in \(text)")
            }
        }
        #expect((100..<900).contains(accepted), "too few or too many of the documents are still sound")
    }

    /// 20,000 inputs, of any bytes and cut anywhere: each ends in a value or in an error inside the text.
    @Test(arguments: 1...20)
    func survivesEveryDamage(_ seed: UInt64) {
        var random = SplitMix64(seed: seed &* 104_729)
        let everyByte = Array(UInt8.min...UInt8.max)
        var astray: [[UInt8]] = []
        for _ in 0..<1000 {
            var bytes = damage(randomTree(using: &random).jsonBytes(), with: everyByte, using: &random)
            bytes.removeLast(Int.random(in: 0...bytes.count / 4, using: &random))
            if !isReadConsistently(bytes) { astray.append(bytes) }
        }
        #expect(astray.isEmpty)
    }

    /// Whether the two readers agree where both read, and the canonical form of what was read is stable.
    ///
    /// Only the byte order mark is the strict reader's own.
    private func isReadConsistently(_ bytes: [UInt8]) -> Bool {
        let strict = parseJSONDocument(bytes)
        guard strict.documents.count + strict.problems.count == 1 else { return false }
        do throws(JSONError) {
            let lenient = try parseJSON(bytes)
            let canonical = lenient.jsonBytes()
            let isStable = try parseJSON(canonical).jsonBytes() == canonical
            return isStable && strict.documents.allSatisfy { $0.tree == lenient }
        } catch {
            let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
            return (0...bytes.count).contains(error.offset) && (strict.documents.isEmpty || isMarked)
        }
    }

    private let syntax = Array("{}[]\":,\\/ \t\n\r0123456789+-.eEtrufalsn\u{1}x".utf8)

    /// Changes, adds, takes away, doubles or swaps a few bytes.
    private func damage(_ bytes: [UInt8], with alphabet: [UInt8], using random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            let byte = alphabet.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] = byte
            case 1: bytes.insert(byte, at: index)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(bytes[index], at: index)
            default: bytes.swapAt(index, Int.random(in: 0..<bytes.count, using: &random))
            }
        }
        return bytes
    }

    private func isCommaBeforeBracket(_ bytes: [UInt8], _ offset: Int) -> Bool {
        guard offset < bytes.count, [UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[offset]) else { return false }
        let spaces = Array(" \t\n\r".utf8)
        return bytes[..<offset].last { !spaces.contains($0) } == UInt8(ascii: ",")
    }
}

import Manifest
import TestSupport

/// Values of every kind, with the strings and numbers that readers and writers stumble over.
///
/// Doubles always have a fraction: a whole one is written like an integer, and reads back as one.
func randomTree(using random: inout SplitMix64, depth: Int = 0) -> Tree {
    switch Int.random(in: 0..<(depth < 4 ? 12 : 7), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int64.random(in: -1000...1000, using: &random))
    case 3: return .integer([.min, .max, Int64(UInt32.max), 0].randomElement(using: &random) ?? 0)
    case 4: return .unsigned(UInt64.random(in: UInt64(Int64.max) + 1...(.max), using: &random))
    case 5: return .double(Double(Int.random(in: -1_000_000...1_000_000, using: &random)) * 2 + 0.25)
    case 6: return .string(randomString(using: &random))
    case 7...8:
        return .array(
            (0..<Int.random(in: 0...5, using: &random)).map { _ in randomTree(using: &random, depth: depth + 1) })
    default:
        var members = Members()
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            members[randomString(using: &random)] = randomTree(using: &random, depth: depth + 1)
        }
        return .object(members)
    }
}

private let pieces = [
    "a", "key", "metadata", " ", "\"", "\\", "/", "\n", "\r", "\t", "\u{8}", "\u{c}", "\u{0}", "\u{1f}", "\u{7f}",
    "\u{e9}",
    "\u{2028}", "\u{fffd}", "\u{ffff}", "\u{1f600}", "\u{10ffff}", "{}", "[1,2]", "null", "12345678",
    "\u{4e2d}\u{6587}",
]

private func randomString(using random: inout SplitMix64) -> String {
    (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
}

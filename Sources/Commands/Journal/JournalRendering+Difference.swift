import JSON
import Manifest

/// What changed between two states of an object, path by path: `-` stood there before, `+` stands there after.
///
/// Deterministic. Elements of a list are matched, so that one that was put in front does not show every other as
/// changed. The server's own counters are left out: they change with every write.
///
/// - Returns: Empty where there is neither a before nor an after.
func renderDifference(from before: Tree?, to after: Tree?, isColoured: Bool) -> String {
    let lines: [DifferenceLine]
    let heading: String
    switch (before.map(withoutCounters), after.map(withoutCounters)) {
    case (nil, nil): return ""
    case (nil, let after?):
        heading = "Created:"
        lines = DifferenceLine.lines(after, at: .root, sign: "+")
    case (let before?, nil):
        heading = "Deleted:"
        lines = DifferenceLine.lines(before, at: .root, sign: "-")
    case (let before?, let after?):
        lines = DifferenceLine.difference(before, after, at: .root)
        guard !lines.isEmpty else { return "No change in content.\n" }
        heading = "Changed (- before, + after):"
    }
    return heading + "\n"
        + lines.map { line in
            let colour: Terminal.Style? = line.sign == "-" ? .red : line.sign == "+" ? .green : nil
            let text = "\(line.sign) \(line.text)"
            return "  \(isColoured ? colour?.wrap(text) ?? text : text)\n"
        }.joined()
}

private func withoutCounters(_ tree: Tree) -> Tree {
    var tree = tree
    for counter in ["resourceVersion", "generation", "managedFields"] { tree.set(["metadata", counter], to: nil) }
    return tree
}

/// One line of a difference.
struct DifferenceLine: Equatable {
    var sign: Character
    /// Path and value, safe for a terminal.
    var text: String

    /// A value longer than this is split into its parts.
    private static let longest = 88
    /// Beyond this many comparisons the elements of two lists are compared by their place.
    private static let maximumComparisons = 1_000_000

    private init(_ sign: Character, _ path: FieldPath, _ value: String) {
        self.sign = sign
        text = printable(path.steps.isEmpty ? value : "\(path): \(value)")
    }

    /// A whole value, in as many lines as it takes to stay readable.
    static func lines(_ value: Tree, at path: FieldPath, sign: Character) -> [DifferenceLine] {
        let text = value.jsonText()
        let isShort = text.count <= longest && !path.steps.isEmpty
        switch value {
        case .object(let members) where !isShort && !members.isEmpty:
            return members.flatMap { lines($0.value, at: path.member($0.key), sign: sign) }
        case .array(let elements) where !isShort && !elements.isEmpty:
            return elements.enumerated().flatMap { lines($1, at: path.index($0), sign: sign) }
        default:
            return [DifferenceLine(sign, path, text)]
        }
    }

    /// The lines that lead from one value to another; none where they are equal.
    static func difference(_ before: Tree, _ after: Tree, at path: FieldPath) -> [DifferenceLine] {
        switch (before, after) {
        case _ where before == after: return []
        case (.object(let before), .object(let after)):
            let keys = Members((before.keys + after.keys).map { ($0, Tree.null) }).keys
            return keys.flatMap { key in
                difference(before[key], after[key], at: path.member(key), and: path.member(key))
            }
        case (.array(let before), .array(let after)):
            return alignment(before, after).flatMap { pair in
                difference(
                    pair.before.map { before[$0] }, pair.after.map { after[$0] },
                    at: path.index(pair.before ?? 0), and: path.index(pair.after ?? 0))
            }
        default:
            return lines(before, at: path, sign: "-") + lines(after, at: path, sign: "+")
        }
    }

    private static func difference(
        _ before: Tree?, _ after: Tree?, at beforePath: FieldPath, and afterPath: FieldPath
    ) -> [DifferenceLine] {
        switch (before, after) {
        case (nil, nil): []
        case (let before?, nil): lines(before, at: beforePath, sign: "-")
        case (nil, let after?): lines(after, at: afterPath, sign: "+")
        case (let before?, let after?): difference(before, after, at: afterPath)
        }
    }

    /// Which element of one list stands for which of the other: a longest common subsequence, and between its
    /// elements what was changed in place, pair by pair.
    private static func alignment(_ before: [Tree], _ after: [Tree]) -> [(before: Int?, after: Int?)] {
        var pairs: [(before: Int?, after: Int?)] = []
        var (left, right) = (0, 0)
        func pairUp(_ leftEnd: Int, _ rightEnd: Int) {
            while left < leftEnd || right < rightEnd {
                pairs.append((left < leftEnd ? left : nil, right < rightEnd ? right : nil))
                if left < leftEnd { left += 1 }
                if right < rightEnd { right += 1 }
            }
        }
        for (keptLeft, keptRight) in commonSubsequence(before, after) {
            pairUp(keptLeft, keptRight)
            left = keptLeft + 1
            right = keptRight + 1
        }
        pairUp(before.count, after.count)
        return pairs
    }

    private static func commonSubsequence(_ before: [Tree], _ after: [Tree]) -> [(Int, Int)] {
        let (product, overflows) = before.count.multipliedReportingOverflow(by: after.count)
        guard !overflows, product <= maximumComparisons else { return [] }
        var length = [[Int]](repeating: [Int](repeating: 0, count: after.count + 1), count: before.count + 1)
        for left in before.indices.reversed() {
            for right in after.indices.reversed() {
                length[left][right] =
                    before[left] == after[right]
                    ? length[left + 1][right + 1] + 1 : max(length[left + 1][right], length[left][right + 1])
            }
        }
        var kept: [(Int, Int)] = []
        var (left, right) = (0, 0)
        while left < before.count, right < after.count {
            if before[left] == after[right] {
                kept.append((left, right))
                left += 1
                right += 1
            } else if length[left + 1][right] >= length[left][right + 1] {
                left += 1
            } else {
                right += 1
            }
        }
        return kept
    }
}

extension FieldPath {
    /// A member, written as a key where its name is not a plain word.
    fileprivate func member(_ name: String) -> FieldPath {
        let isWord =
            !name.isEmpty
            && name.utf8.allSatisfy {
                $0 == 0x5f || (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
            }
        return isWord ? field(name) : key(name)
    }
}

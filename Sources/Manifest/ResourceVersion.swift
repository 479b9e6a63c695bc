/// Whether one resource version came before another of the same kind.
///
/// They are strings of digits without a fixed width, and may be compared as numbers within one resource type only
/// (rule C5). What is not of that form counts as older, so that news is never thrown away.
package func isOlder(_ version: String, than other: String) -> Bool {
    let left = version.utf8.drop { $0 == UInt8(ascii: "0") }
    let right = other.utf8.drop { $0 == UInt8(ascii: "0") }
    func isNumber(_ digits: Substring.UTF8View) -> Bool {
        digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    guard isNumber(left), isNumber(right) else { return !version.hasSameBytes(as: other) }
    if left.count != right.count { return left.count < right.count }
    return left.lexicographicallyPrecedes(right)
}

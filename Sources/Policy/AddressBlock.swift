/// A block of IP addresses, such as `10.0.0.0/8` or `2001:db8::/32`.
package struct AddressBlock: Sendable, Hashable {
    /// The first address of the block; one of version 4 stands in the lowest 32 bits.
    package let base: UInt128
    package let prefixLength: Int
    package let isVersion6: Bool
    /// What stood before the slash, which may have bits set beyond the prefix.
    private let address: UInt128
    private let hasLeadingZeros: Bool

    /// Reads a block as leniently as the oldest servers did: zeros may lead, bits may be set beyond the prefix.
    package init?(_ text: String) {
        guard text.utf8.count <= 64, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let head = text.utf8[..<slash]
        let tail = text.utf8[text.utf8.index(after: slash)...]
        guard !tail.isEmpty, tail.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(String(decoding: tail, as: UTF8.self))
        else { return nil }
        var hasLeadingZeros = tail.count > 1 && tail.first == UInt8(ascii: "0")
        if let version4 = parseVersion4(head) {
            hasLeadingZeros = hasLeadingZeros || version4.hasLeadingZeros
            address = UInt128(version4.address)
            isVersion6 = false
        } else if let version6 = parseVersion6(head) {
            hasLeadingZeros = hasLeadingZeros || version6.hasLeadingZeros
            address = version6.address
            isVersion6 = true
        } else {
            return nil
        }
        let width = isVersion6 ? 128 : 32
        guard length <= width else { return nil }
        self.hasLeadingZeros = hasLeadingZeros
        prefixLength = length
        let hostBits = UInt128(width - length)
        base = hostBits == 128 ? 0 : (address >> hostBits) << hostBits
    }

    /// What the API server has against the spelling of a new block since its strict rules came (rule E19).
    package var strictProblem: String? {
        if hasLeadingZeros { return "must not have leading 0s in IP or prefix length" }
        if isVersion6, address >> 32 == 0xFFFF { return "must not have an IPv4-mapped IPv6 address" }
        if address != base { return "must not have bits set beyond the prefix length" }
        return nil
    }

    /// Whether the other block lies in this one and is smaller.
    package func strictlyContains(_ other: AddressBlock) -> Bool {
        guard isVersion6 == other.isVersion6, prefixLength < other.prefixLength else { return false }
        let hostBits = UInt128((isVersion6 ? 128 : 32) - prefixLength)
        return hostBits == 128 || base >> hostBits == other.base >> hostBits
    }
}

private func parseVersion4(_ bytes: Substring.UTF8View) -> (address: UInt32, hasLeadingZeros: Bool)? {
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    var hasLeadingZeros = false
    for part in parts {
        guard !part.isEmpty, part.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(decoding: part, as: UTF8.self)), number <= 255
        else { return nil }
        if part.count > 1, part.first == UInt8(ascii: "0") { hasLeadingZeros = true }
        address = address << 8 | UInt32(number)
    }
    return (address, hasLeadingZeros)
}

/// Reads eight groups of hexadecimal digits, of which one run may be `::` and the last two may be written as version 4.
private func parseVersion6(_ bytes: Substring.UTF8View) -> (address: UInt128, hasLeadingZeros: Bool)? {
    let text = Array(bytes)
    var groups: [UInt16] = []
    var gap: Int?
    var hasLeadingZeros = false
    var index = 0
    if text.starts(with: [0x3A, 0x3A]) {
        gap = 0
        index = 2
    }
    while index < text.count {
        guard groups.count < 8 else { return nil }
        let end = text[index...].firstIndex(of: 0x3A) ?? text.count
        let group = text[index..<end]
        if group.contains(UInt8(ascii: ".")) {
            guard end == text.count, groups.count <= 6,
                let tail = parseVersion4(Substring(String(decoding: group, as: UTF8.self)).utf8)
            else { return nil }
            hasLeadingZeros = tail.hasLeadingZeros
            groups += [UInt16(tail.address >> 16), UInt16(tail.address & 0xFFFF)]
            index = end
            break
        }
        guard (1...4).contains(group.count), group.allSatisfy(isHexadecimal),
            let number = UInt16(String(decoding: group, as: UTF8.self), radix: 16)
        else { return nil }
        groups.append(number)
        index = end
        guard index < text.count else { break }
        index += 1
        if index == text.count { return nil }
        if text[index] == 0x3A {
            guard gap == nil else { return nil }
            gap = groups.count
            index += 1
        }
    }
    if let gap {
        guard groups.count < 8 else { return nil }
        groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    return (groups.reduce(0) { $0 << 16 | UInt128($1) }, hasLeadingZeros)
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
}

extension AddressBlock: CustomStringConvertible {
    /// The canonical spelling: RFC 5952 for version 6, and version 4 for what is only mapped to version 6.
    package var description: String {
        guard isVersion6 else { return "\(dotted(UInt32(truncatingIfNeeded: base)))/\(prefixLength)" }
        if base >> 32 == 0xFFFF, prefixLength >= 96 {
            return "\(dotted(UInt32(truncatingIfNeeded: base)))/\(prefixLength - 96)"
        }
        return "\(colons(base))/\(prefixLength)"
    }

    private func dotted(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 0xFF) }.joined(separator: ".")
    }

    /// Eight groups without leading zeros, of which the first longest run of two or more zeros becomes `::`.
    private func colons(_ address: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: address >> UInt128(112 - 16 * $0)) }
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > longest.count { longest = start..<end }
            start = end + 1
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard longest.count > 1 else { return joined(groups[...]) }
        return "\(joined(groups[..<longest.lowerBound]))::\(joined(groups[longest.upperBound...]))"
    }
}

package import Policy

/// Addresses of one version from one to another, both included.
struct AddressRange: Hashable, Sendable {
    var isVersion6: Bool
    var lower: UInt128
    var upper: UInt128

    static let everyVersion4 = AddressRange(isVersion6: false, lower: 0, upper: 0xFFFF_FFFF)
    static let everyVersion6 = AddressRange(isVersion6: true, lower: 0, upper: .max)

    func intersection(_ other: AddressRange) -> AddressRange? {
        let lower = max(lower, other.lower)
        let upper = min(upper, other.upper)
        guard isVersion6 == other.isVersion6, lower <= upper else { return nil }
        return AddressRange(isVersion6: isVersion6, lower: lower, upper: upper)
    }

    /// What remains without some ranges that may overlap each other and reach beyond this one.
    func subtracting(_ others: some Sequence<AddressRange>) -> [AddressRange] {
        var rest: [AddressRange] = []
        var start = lower
        for other in others.compactMap(intersection).sorted(by: { $0.lower < $1.lower }) {
            if other.lower > start {
                rest.append(AddressRange(isVersion6: isVersion6, lower: start, upper: other.lower - 1))
            }
            guard other.upper < upper else { return rest }
            start = max(start, other.upper + 1)
        }
        return rest + [AddressRange(isVersion6: isVersion6, lower: start, upper: upper)]
    }

    /// The fewest blocks that together are this range.
    ///
    /// Without blocks of IPv4 addresses mapped to IPv6: no packet carries them, and they would be printed as IPv4.
    var blocks: [AddressBlock] {
        let width = isVersion6 ? 128 : 32
        var blocks: [AddressBlock] = []
        var start = lower
        while true {
            var hostBits = min(start.trailingZeroBitCount, width)
            while start | Self.mask(hostBits) > upper { hostBits -= 1 }
            let end = start | Self.mask(hostBits)
            if !isVersion6 || start >> 32 != 0xFFFF || hostBits > 32,
                let block = AddressBlock(base: start, prefixLength: width - hostBits, isVersion6: isVersion6)
            {
                blocks.append(block)
            }
            guard end < upper else { return blocks }
            start = end + 1
        }
    }

    private static func mask(_ bits: Int) -> UInt128 { bits >= 128 ? .max : (1 << UInt128(bits)) - 1 }

    /// Ranges in order, those that touch made one, as the fewest blocks.
    static func blocks(_ ranges: some Sequence<AddressRange>) -> [AddressBlock] {
        var merged: [AddressRange] = []
        let ordered = ranges.sorted { ($0.isVersion6 ? 1 : 0, $0.lower) < ($1.isVersion6 ? 1 : 0, $1.lower) }
        for range in ordered {
            if let last = merged.last, last.isVersion6 == range.isVersion6,
                last.upper == .max || range.lower <= last.upper + 1
            {
                merged[merged.count - 1].upper = max(last.upper, range.upper)
            } else {
                merged.append(range)
            }
        }
        return merged.flatMap(\.blocks)
    }
}

extension AddressBlock {
    /// Reads a single address, such as `10.0.0.1`, as the block that holds only it.
    package init?(address text: String) {
        self.init(text + (text.utf8.contains(UInt8(ascii: ":")) ? "/128" : "/32"))
    }

    init?(base: UInt128, prefixLength: Int, isVersion6: Bool) {
        let address =
            isVersion6
            ? (0..<8).map { String(UInt16(truncatingIfNeeded: base >> UInt128(112 - 16 * $0)), radix: 16) }
                .joined(separator: ":")
            : [24, 16, 8, 0].map { String(base >> UInt128($0) & 0xFF) }.joined(separator: ".")
        self.init("\(address)/\(prefixLength)")
    }

    /// Its first and last address.
    ///
    /// What is only mapped to version 6 is version 4, as it is for the server's own library.
    var range: AddressRange {
        let width = isVersion6 ? 128 : 32
        let hostBits = UInt128(width - prefixLength)
        let upper = hostBits >= 128 ? UInt128.max : base | ((1 << hostBits) - 1)
        guard isVersion6, prefixLength >= 96, base >> 32 == 0xFFFF else {
            return AddressRange(isVersion6: isVersion6, lower: base, upper: upper)
        }
        return AddressRange(isVersion6: false, lower: base & 0xFFFF_FFFF, upper: upper & 0xFFFF_FFFF)
    }

    /// Whether every address of the other block is in this one.
    package func contains(_ other: AddressBlock) -> Bool {
        range.intersection(other.range) == other.range
    }
}

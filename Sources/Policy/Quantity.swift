/// An amount of a resource, such as `500m`, `1.5Gi` or `2e3`, held exactly.
///
/// The API server compares quantities by value and stores one spelling of each (rule E8): `1000m` becomes `1`,
/// `1024Mi` becomes `1Gi`, `0.5Gi` becomes `512Mi`. ``description`` is that spelling, so that what Bylaw sends is what
/// it later reads. Amounts beyond 10^29 are refused, although the server would take them: it spells them wrongly.
package struct Quantity: Sendable {
    /// How the amount was written, which decides how it is spelled again.
    package enum Format: Sendable, Equatable { case decimal, binary, exponent }

    /// The value in billionths, which is the finest step that Kubernetes knows.
    private var nanos: Int128
    package var format: Format

    /// Reads the text of a quantity; nil where the API server would not take it.
    package init?(_ text: String) {
        var reader = QuantityReader(text)
        guard let parsed = reader.read() else { return nil }
        self = parsed
    }

    init(nanos: Int128, format: Format) {
        self.nanos = nanos
        self.format = format
    }

    package static let zero = Quantity(nanos: 0, format: .decimal)
    package static let one = Quantity(nanos: nanosPerUnit, format: .decimal)

    package var isNegative: Bool { nanos < 0 }
    package var isWhole: Bool { nanos % Self.nanosPerUnit == 0 }

    /// The value as a number for ratios and messages; exact up to 15 digits.
    package var approximateValue: Double { Double(nanos) / Double(Self.nanosPerUnit) }

    /// The value in whole thousandths, rounded away from zero, as the server stores it in quotas and limits.
    package var roundedToThousandths: Quantity {
        let step = Self.nanosPerUnit / 1000
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: step)
        guard remainder != 0 else { return self }
        return Quantity(nanos: (quotient + (nanos < 0 ? -1 : 1)) * step, format: format)
    }

    static let nanosPerUnit: Int128 = 1_000_000_000
}

extension Quantity: Comparable {
    /// By value alone: `1000m` equals `1`.
    package static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    package static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }
}

extension Quantity: CustomStringConvertible {
    /// The spelling that the API server gives the amount.
    package var description: String {
        guard nanos != 0 else { return "0" }
        let unit = Self.nanosPerUnit
        switch format {
        case .binary where isWhole && (nanos >= 1024 * unit || nanos <= -1024 * unit): return binaryDescription
        case .binary, .decimal: return decimalDescription { Self.decimalSuffixes[$0] }
        case .exponent: return decimalDescription { $0 == 0 ? "" : "e\($0)" }
        }
    }

    private static let decimalSuffixes: [Int: String] = [
        -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E",
    ]

    /// As few digits as possible before an exponent that is a multiple of three.
    private func decimalDescription(_ suffix: (Int) -> String?) -> String {
        var mantissa = nanos
        var exponent = -9
        while mantissa % 1000 == 0, suffix(exponent + 3) != nil, exponent < 27 {
            mantissa /= 1000
            exponent += 3
        }
        return "\(mantissa)\(suffix(exponent) ?? "")"
    }

    private var binaryDescription: String {
        var value = nanos / Self.nanosPerUnit
        var power = 0
        let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        while value % 1024 == 0, power + 1 < suffixes.count {
            value /= 1024
            power += 1
        }
        return "\(value)\(suffixes[power])"
    }
}

/// Reads one quantity: sign, digits with at most one point, and a suffix or an exponent.
private struct QuantityReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Digits beyond this many cannot change the value by as much as the finest step.
    private static let maximumDigits = 36
    private static let maximumInput = 4096

    mutating func read() -> Quantity? {
        guard !bytes.isEmpty, bytes.count <= Self.maximumInput else { return nil }
        var isNegative = false
        if bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+") {
            isNegative = bytes[0] == UInt8(ascii: "-")
            position = 1
        }
        let whole = readDigits()
        var fraction: ArraySlice<UInt8> = []
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            fraction = readDigits()
        }
        guard !(whole.isEmpty && fraction.isEmpty), let suffix = readSuffix(),
            let magnitude = nanos(whole: whole, fraction: fraction, suffix: suffix)
        else { return nil }
        var format = suffix.format
        // The server calls an amount between 0 and 1 decimal, whatever its suffix was.
        if format == .binary, magnitude < Quantity.nanosPerUnit { format = .decimal }
        return Quantity(nanos: isNegative ? -magnitude : magnitude, format: format)
    }

    private mutating func readDigits() -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    private struct Suffix {
        var format: Quantity.Format
        /// A power of two for a binary suffix, else a power of ten.
        var power: Int
    }

    private static let suffixes: [String: Suffix] = [
        "": Suffix(format: .decimal, power: 0), "n": Suffix(format: .decimal, power: -9),
        "u": Suffix(format: .decimal, power: -6), "m": Suffix(format: .decimal, power: -3),
        "k": Suffix(format: .decimal, power: 3), "M": Suffix(format: .decimal, power: 6),
        "G": Suffix(format: .decimal, power: 9), "T": Suffix(format: .decimal, power: 12),
        "P": Suffix(format: .decimal, power: 15), "E": Suffix(format: .decimal, power: 18),
        "Ki": Suffix(format: .binary, power: 10), "Mi": Suffix(format: .binary, power: 20),
        "Gi": Suffix(format: .binary, power: 30), "Ti": Suffix(format: .binary, power: 40),
        "Pi": Suffix(format: .binary, power: 50), "Ei": Suffix(format: .binary, power: 60),
    ]

    private func readSuffix() -> Suffix? {
        let rest = bytes[position...]
        if rest.count <= 2, let known = Self.suffixes[String(decoding: rest, as: UTF8.self)] { return known }
        guard let first = rest.first, first == UInt8(ascii: "e") || first == UInt8(ascii: "E"),
            let exponent = Int32(String(decoding: rest.dropFirst(), as: UTF8.self))
        else { return nil }
        return Suffix(format: .exponent, power: Int(exponent))
    }

    private func nanos(whole: ArraySlice<UInt8>, fraction: ArraySlice<UInt8>, suffix: Suffix) -> Int128? {
        suffix.format == .binary
            ? binaryNanos(whole: whole, fraction: fraction, power: suffix.power)
            : decimalNanos(digits: whole + fraction, power: suffix.power - fraction.count + 9)
    }

    /// `digits` times ten to the `power`, any fraction rounded up.
    private func decimalNanos(digits: ArraySlice<UInt8>, power: Int) -> Int128? {
        var power = power
        let (read, dropped, isInexact) = number(digits)
        var value = read
        power += dropped
        guard value != 0 || isInexact else { return 0 }
        if power >= 0 {
            guard power <= 38, !isInexact else { return nil }
            for _ in 0..<power {
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                guard !overflow else { return nil }
                value = product
            }
            return value
        }
        guard power >= -38 else { return 1 }
        return dividedRoundingUp(value, byPowerOfTen: -power, isInexact: isInexact)
    }

    /// Binary amounts end at the largest 64-bit number, as they do on the server.
    private func binaryNanos(whole: ArraySlice<UInt8>, fraction: ArraySlice<UInt8>, power: Int) -> Int128 {
        let unit = Quantity.nanosPerUnit
        let largest = Int128(Int64.max) * unit
        let (units, droppedUnits, _) = number(whole)
        let (parts, _, isInexact) = number(fraction.prefix(18))
        guard droppedUnits == 0, units <= Int128(Int64.max) >> Int128(power) else { return largest }
        let places = min(fraction.count, 18)
        var scaled = parts << Int128(power)
        for _ in places..<max(places, 9) { scaled *= 10 }
        let isCut = isInexact || fraction.dropFirst(18).contains { $0 != UInt8(ascii: "0") }
        let remainder = dividedRoundingUp(scaled, byPowerOfTen: max(places, 9) - 9, isInexact: isCut)
        return min((units << Int128(power)) * unit + remainder, largest)
    }

    /// The value of the digits, how many of the last ones were left out, and whether one of these was not zero.
    private func number(_ digits: ArraySlice<UInt8>) -> (value: Int128, dropped: Int, isInexact: Bool) {
        var value: Int128 = 0
        var significant = 0
        var dropped = 0
        var isInexact = false
        for digit in digits {
            let number = Int128(digit - 0x30)
            if significant == Self.maximumDigits {
                dropped += 1
                isInexact = isInexact || number != 0
            } else {
                value = value * 10 + number
                if value != 0 { significant += 1 }
            }
        }
        return (value, dropped, isInexact)
    }

    private func dividedRoundingUp(_ value: Int128, byPowerOfTen power: Int, isInexact: Bool) -> Int128 {
        var divisor: Int128 = 1
        for _ in 0..<power { divisor *= 10 }
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return quotient + (remainder != 0 || isInexact ? 1 : 0)
    }
}

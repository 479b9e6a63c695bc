/// The id of a trace: 128 bits, of which one at least is set.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// - Parameters:
    ///   - high: By chance, as the other half: nothing else keeps the traces of many programs apart.
    ///   - low: 0 becomes 1 where both are 0, which means no trace.
    package init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = high == 0 && low == 0 ? 1 : low
    }

    /// 32 hexadecimal digits in lower case.
    package var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// The id of a span within its trace: 64 bits, of which one at least is set.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
    private let bits: UInt64

    /// - Parameter bits: By chance; 0 becomes 1, since 0 means no span.
    package init(_ bits: UInt64) { self.bits = bits == 0 ? 1 : bits }

    /// 16 hexadecimal digits in lower case.
    package var description: String { hexadecimal(bits) }
}

private func hexadecimal(_ bits: UInt64) -> String {
    let digits = String(bits, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

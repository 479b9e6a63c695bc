import Manifest

/// A transport protocol that a NetworkPolicy may name.
package enum TransportProtocol: String, Sendable, CaseIterable, Comparable {
    case tcp = "TCP"
    case udp = "UDP"
    case sctp = "SCTP"

    /// Where its ports begin on the one line that ``PortSet`` lays all ports on.
    fileprivate var start: UInt32 {
        switch self {
        case .tcp: 0
        case .udp: 65_536
        case .sctp: 131_072
        }
    }

    fileprivate var everyPort: PortSet.Span { PortSet.Span(lower: start + 1, upper: start + 65_535) }

    package static func < (left: TransportProtocol, right: TransportProtocol) -> Bool { left.start < right.start }
}

/// The name of a container port, which stands for a number that only the pod knows.
package struct NamedPort: Hashable, Sendable, Comparable {
    package var transport: TransportProtocol
    package var name: String

    package init(_ transport: TransportProtocol, _ name: String) {
        self.transport = transport
        self.name = name
    }

    package static func < (left: NamedPort, right: NamedPort) -> Bool {
        left.transport == right.transport
            ? left.name.precedesByBytes(right.name) : left.transport < right.transport
    }
}

/// A set of ports from 1 to 65535, each with its protocol.
///
/// It may also hold names of ports, for pods of which nobody knows what number the name is (``UnknownPods``). A name is
/// one of the ports of its protocol: whoever has all of them has it, otherwise it is in the set only by name.
/// Canonical: equal sets have equal parts.
package struct PortSet: Hashable, Sendable {
    /// Ports of one protocol that follow each other, both ends included.
    fileprivate struct Span: Hashable {
        var lower: UInt32
        var upper: UInt32
    }

    /// In order, without overlap, none touching the next; port 0 parts the protocols.
    fileprivate var spans: [Span]
    /// In order; none of a protocol of which all ports are there.
    fileprivate var names: [NamedPort]

    private init(spans: [Span], names: [NamedPort]) {
        self.spans = spans
        guard !names.isEmpty else {
            self.names = []
            return
        }
        let whole = TransportProtocol.allCases.filter { spans.contains($0.everyPort) }
        self.names = names.filter { !whole.contains($0.transport) }
    }

    package static let none = PortSet(spans: [], names: [])
    package static let all = PortSet(spans: TransportProtocol.allCases.map(\.everyPort), names: [])

    /// Every port of one protocol.
    package init(_ transport: TransportProtocol) {
        self.init(spans: [transport.everyPort], names: [])
    }

    /// Ports of one protocol; what is no port number is left out.
    package init(_ transport: TransportProtocol, _ ports: ClosedRange<Int>) {
        let lower = max(1, ports.lowerBound)
        let upper = min(65_535, ports.upperBound)
        guard lower <= upper else {
            self = .none
            return
        }
        self.init(
            spans: [Span(lower: transport.start + UInt32(lower), upper: transport.start + UInt32(upper))], names: [])
    }

    package init(_ name: NamedPort) { self.init(spans: [], names: [name]) }

    package var isEmpty: Bool { spans.isEmpty && names.isEmpty }

    package func contains(_ transport: TransportProtocol, _ port: Int) -> Bool {
        !intersection(PortSet(transport, port...port)).isEmpty
    }

    /// Whether everything in the other set is in this one.
    package func contains(_ other: PortSet) -> Bool { other.subtracting(self).isEmpty }

    /// Those of some names that the set holds, by name or with all ports of their protocol.
    private func named(among candidates: [NamedPort]) -> Set<NamedPort> {
        let whole = TransportProtocol.allCases.filter { spans.contains($0.everyPort) }
        let own = Set(names)
        return Set(candidates.filter { whole.contains($0.transport) || own.contains($0) })
    }
}

extension PortSet {
    package func union(_ other: PortSet) -> PortSet {
        if isEmpty || other == .all || self == other { return other }
        return other.isEmpty || self == .all ? self : Self.union([self, other])
    }

    /// Everything that any of the sets holds.
    package static func union(_ sets: [PortSet]) -> PortSet {
        var merged: [Span] = []
        for span in sets.flatMap(\.spans).sorted(by: { $0.lower < $1.lower }) {
            if let last = merged.last, span.lower <= last.upper + 1 {
                merged[merged.count - 1].upper = max(last.upper, span.upper)
            } else {
                merged.append(span)
            }
        }
        let names = sets.flatMap(\.names)
        return PortSet(spans: merged, names: names.count < 2 ? names : Set(names).sorted())
    }

    package mutating func formUnion(_ other: PortSet) { self = union(other) }

    package func intersection(_ other: PortSet) -> PortSet {
        var common: [Span] = []
        var (left, right) = (0, 0)
        while left < spans.count, right < other.spans.count {
            let lower = max(spans[left].lower, other.spans[right].lower)
            let upper = min(spans[left].upper, other.spans[right].upper)
            if lower <= upper { common.append(Span(lower: lower, upper: upper)) }
            if spans[left].upper < other.spans[right].upper { left += 1 } else { right += 1 }
        }
        guard !names.isEmpty || !other.names.isEmpty else { return PortSet(spans: common, names: []) }
        let shared = named(among: other.names).union(other.named(among: names))
        return PortSet(spans: common, names: shared.sorted())
    }

    /// What only this set holds; a name that is taken from all ports of its protocol leaves them as they are.
    package func subtracting(_ other: PortSet) -> PortSet {
        var rest: [Span] = []
        var index = 0
        for span in spans {
            var lower = span.lower
            while index < other.spans.count, other.spans[index].upper < lower { index += 1 }
            var next = index
            while next < other.spans.count, other.spans[next].lower <= span.upper, lower <= span.upper {
                if other.spans[next].lower > lower {
                    rest.append(Span(lower: lower, upper: other.spans[next].lower - 1))
                }
                lower = other.spans[next].upper + 1
                next += 1
            }
            if lower <= span.upper { rest.append(Span(lower: lower, upper: span.upper)) }
        }
        guard !names.isEmpty else { return PortSet(spans: rest, names: []) }
        let taken = other.named(among: names)
        return PortSet(spans: rest, names: names.filter { !taken.contains($0) })
    }
}

extension PortSet {
    /// One line of a list of ports.
    package enum Entry: Hashable, Sendable {
        /// All ports of the protocol.
        case every(TransportProtocol)
        case range(TransportProtocol, ClosedRange<Int>)
        case named(NamedPort)
    }

    /// In order of protocol and number, the names last.
    package var entries: [Entry] {
        spans.map { span in
            let transport = TransportProtocol.allCases.last { $0.start < span.lower } ?? .tcp
            if span == transport.everyPort { return .every(transport) }
            return .range(transport, Int(span.lower - transport.start)...Int(span.upper - transport.start))
        } + names.map { .named($0) }
    }
}

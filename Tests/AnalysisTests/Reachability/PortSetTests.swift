import Analysis
import Manifest
import TestSupport
import Testing

@Suite struct PortSetTests {
    private let web = PortSet(.tcp, 80...80)
    private let http = PortSet(NamedPort(.tcp, "http"))

    @Test func portsThatTouchBecomeOneRange() {
        let union = PortSet(.tcp, 82...90).union(web).union(PortSet(.tcp, 81...81))
        #expect(union == PortSet(.tcp, 80...90))
        #expect(union.description == "TCP 80-90")
    }

    @Test func theLastPortOfOneProtocolDoesNotTouchTheFirstOfTheNext() {
        let union = PortSet(.tcp, 65_535...65_535).union(PortSet(.udp, 1...1))
        #expect(union.entries == [.range(.tcp, 65_535...65_535), .range(.udp, 1...1)])
    }

    @Test func allPortsAreThoseOfTheThreeProtocols() {
        let union = TransportProtocol.allCases.reduce(PortSet.none) { $0.union(PortSet($1)) }
        #expect(union == .all)
        #expect(PortSet(.tcp, 1...65_535) == PortSet(.tcp))
        #expect(PortSet.all.subtracting(PortSet(.udp)).description == "TCP, SCTP")
    }

    @Test func numbersThatAreNoPortsAreLeftOut() {
        #expect(PortSet(.tcp, -5...0).isEmpty)
        #expect(PortSet(.tcp, 70_000...80_000).isEmpty)
        #expect(PortSet(.sctp, Int.min...Int.max) == PortSet(.sctp))
    }

    @Test func takesARangeOutOfTheMiddle() {
        let rest = PortSet(.tcp, 1...100).union(PortSet(.udp)).subtracting(PortSet(.tcp, 40...60))
        #expect(rest.entries == [.range(.tcp, 1...39), .range(.tcp, 61...100), .every(.udp)])
    }

    @Test func aNameIsOneOfThePortsOfItsProtocol() {
        #expect(http.union(PortSet(.tcp)) == PortSet(.tcp))
        #expect(http.intersection(.all) == http)
        #expect(http.intersection(PortSet(.udp)).isEmpty)
        #expect(http.intersection(web).isEmpty)
        #expect(http.subtracting(.all).isEmpty)
        #expect(http.union(web).subtracting(web) == http)
        #expect(http.union(web).description == "TCP 80,http")
    }

    @Test func isWrittenAsAPolicyWritesIt() {
        #expect(PortSet.all.tree == nil)
        #expect(PortSet.none.tree == [])
        let ports = web.union(PortSet(.udp)).union(PortSet(.tcp, 8000...8080)).union(http)
        #expect(
            ports.tree == [
                ["protocol": "TCP", "port": 80], ["protocol": "TCP", "port": 8000, "endPort": 8080],
                ["protocol": "UDP"], ["protocol": "TCP", "port": "http"],
            ])
    }

    /// Against sets of single ports.
    @Test func agreesWithPlainSets() {
        var random = SplitMix64(seed: 7)
        for _ in 0..<2_000 {
            let (left, plainLeft) = Self.randomSet(&random)
            let (right, plainRight) = Self.randomSet(&random)
            #expect(left.union(right) == Self.ports(plainLeft.union(plainRight)))
            #expect(left.intersection(right) == Self.ports(plainLeft.intersection(plainRight)))
            #expect(left.subtracting(right) == Self.ports(plainLeft.subtracting(plainRight)))
            #expect(left.contains(right) == plainLeft.isSuperset(of: plainRight))
        }
    }

    private struct Port: Hashable {
        var transport: TransportProtocol
        var number: Int
    }

    private static func ports(_ plain: Set<Port>) -> PortSet {
        plain.reduce(.none) { $0.union(PortSet($1.transport, $1.number...$1.number)) }
    }

    private static func randomSet(_ random: inout SplitMix64) -> (PortSet, Set<Port>) {
        var set = PortSet.none
        var plain: Set<Port> = []
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let transport = TransportProtocol.allCases.randomElement(using: &random) ?? .tcp
            let lower = Int.random(in: 1...20, using: &random)
            let upper = Int.random(in: lower...20, using: &random)
            set = set.union(PortSet(transport, lower...upper))
            plain.formUnion((lower...upper).map { Port(transport: transport, number: $0) })
        }
        return (set, plain)
    }
}

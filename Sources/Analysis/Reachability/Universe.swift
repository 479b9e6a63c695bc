import Manifest
import Policy

/// Everything that traffic can come from or go to, put into elements that no policy in play can tell apart.
///
/// The first elements are pods, in the order of their namespaces, so that what a policy selects lies close together;
/// the others are classes of addresses. Made for one state or for two that are compared: then it holds the pods that
/// are in both, and pods of one element are alike on either side.
struct Universe: Sendable {
    /// In order.
    let ends: [ReachabilityEnd]
    private let elementOfEnd: [ReachabilityEnd: Int]
    /// The places in ``ends`` of what is in each element of pods.
    let members: [[Int]]
    let space: AddressSpace

    var count: Int { members.count + space.classCount }
    let pods: ElementSet
    let addresses: ElementSet
    let everything: ElementSet

    init(_ sides: [WorkloadFolding], space: AddressSpace) {
        let first = sides.first?.traits ?? [:]
        let ends = first.keys.filter { end in sides.allSatisfy { $0.traits[end] != nil } }
        let keyed = ends.map { (end: $0, place: sides.first?.traits[$0]?.namespace ?? "") }
            .sorted {
                $0.place.hasSameBytes(as: $1.place) ? $0.end < $1.end : $0.place.precedesByBytes($1.place)
            }
        var known: [[EndpointTraits]: Int] = [:]
        var elementOfEnd: [ReachabilityEnd: Int] = [:]
        var members: [[Int]] = []
        for (position, end) in keyed.map(\.end).enumerated() {
            let traits = sides.compactMap { $0.traits[end] }
            let element = known[traits] ?? members.count
            if element == members.count {
                known[traits] = element
                members.append([])
            }
            members[element].append(position)
            elementOfEnd[end] = element
        }
        self.ends = keyed.map(\.end)
        self.elementOfEnd = elementOfEnd
        self.members = members
        self.space = space
        pods = ElementSet(0..<members.count)
        addresses = ElementSet(members.count..<members.count + space.classCount)
        everything = ElementSet(0..<members.count + space.classCount)
    }

    /// The elements that hold an end: one for pods, perhaps more for a block of addresses, none for what is not known.
    func elements(of end: ReachabilityEnd) -> [Int] {
        switch end {
        case .workload, .unknownPods: elementOfEnd[end].map { [$0] } ?? []
        case .external(let block): space.classes(in: block.range).map { members.count + $0 }
        }
    }

    /// A pod that stands for its element.
    func representative(of element: Int) -> ReachabilityEnd? {
        members.indices.contains(element) ? members[element].first.map { ends[$0] } : nil
    }
}

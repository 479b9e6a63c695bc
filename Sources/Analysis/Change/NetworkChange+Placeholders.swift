import Manifest

/// Which pods that nobody has listed a finding speaks of.
extension NetworkChange {
    /// Whether some pods stand for a namespace that is declared and speaks for itself.
    ///
    /// A placeholder of namespaces with some labels goes where each declared namespace with those labels is told of anyway,
    /// or is cut off by its own policies. It stays where a declared one could do before what the placeholder newly can: then
    /// a selector became wider, and whoever has the labels next is let in.
    ///
    /// - Parameter wasOpen: Whether there was traffic before, or is afterwards where something closes.
    private func isDeclared(_ end: ReachabilityEnd, wasOpen: (ReachabilityEnd) -> Bool) -> Bool {
        guard case .unknownPods(let pods) = end, pods.namespace == nil, !pods.namespaceLabels.values.isEmpty else {
            return false
        }
        let declared = namespaceLabels.filter { labels in
            pods.namespaceLabels.values.allSatisfy { key, value in
                labels[key].map { $0 == value || value == UnknownPods.anyValue } ?? false
            }
        }
        let names = Set(declared.compactMap { $0["kubernetes.io/metadata.name"] })
        guard !names.isEmpty else { return false }
        return !names.allSatisfy { name in (podsByNamespace[name] ?? []).contains(where: wasOpen) }
    }

    func spoken(
        _ sources: [ReachabilityEnd], _ destinations: [ReachabilityEnd], in model: ReachabilityModel
    ) -> (sources: [ReachabilityEnd], destinations: [ReachabilityEnd]) {
        func isOpen(_ from: ReachabilityEnd, _ to: ReachabilityEnd) -> Bool {
            model.ports(from: from, to: to).map { !$0.isEmpty } ?? false
        }
        return (
            sources.filter { source in
                !isDeclared(source) { pod in destinations.prefix(8).contains { isOpen(pod, $0) } }
            },
            destinations.filter { destination in
                !isDeclared(destination) { pod in sources.prefix(8).contains { isOpen($0, pod) } }
            }
        )
    }
}

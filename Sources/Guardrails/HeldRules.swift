import Analysis

/// The rules that hold for one bearer, in the whole cluster and in each namespace where it has more.
struct HeldRules {
    private var everywhere: [PolicyRule] = []
    private var byNamespace: [String: [PolicyRule]] = [:]

    init(of identity: AccessIdentity, in model: AccessModel) {
        for binding in model.bindings(naming: identity) {
            let rules = model.roles[binding.role]?.rules ?? []
            if binding.scope.isEmpty {
                everywhere += rules
            } else {
                byNamespace[binding.scope, default: []] += rules
            }
        }
    }

    /// Whether all of some rights are held for the whole cluster.
    func cover(_ requests: [AccessRequest]) -> Bool { requests.allSatisfy(everywhere.allow) }

    /// The rights among some that are held by these rules and not by later ones: those for the whole cluster, and those of
    /// single namespaces that are not lost for the whole cluster.
    ///
    /// What is given for some names only is asked for by these names.
    func lost(_ requests: [AccessRequest], with later: HeldRules) -> [AccessRequest] {
        let lostEverywhere = requests.flatMap { request in
            everywhere.asked(request).filter { everywhere.allow($0) && !later.everywhere.allow($0) }
        }
        let known = Set(lostEverywhere)
        return lostEverywhere
            + byNamespace.keys.sorted().flatMap { namespace in
                let before = everywhere + (byNamespace[namespace] ?? [])
                let after = later.everywhere + (later.byNamespace[namespace] ?? [])
                return requests.flatMap { request in
                    before.asked(request.in(namespace)).filter {
                        before.allow($0) && !after.allow($0) && !known.contains($0.in(""))
                    }
                }
            }
    }
}

extension [PolicyRule] {
    fileprivate func allow(_ request: AccessRequest) -> Bool { contains { $0.allows(request) } }

    /// A right as it is given: as a whole, or for each of some names; enough of a rule's, should somebody list very many.
    fileprivate func asked(_ request: AccessRequest) -> [AccessRequest] {
        guard !allow(request), request.name.isEmpty else { return [request] }
        let limited = filter { rule in rule.resourceNames.first.map { rule.allows(request.named($0)) } ?? false }
        return Set(limited.flatMap { $0.resourceNames.prefix(1000) }).sorted().map { request.named($0) }
    }
}

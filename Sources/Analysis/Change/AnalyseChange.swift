import Manifest
package import Policy

/// What an analysis of a change has to know beside the two states.
package struct ChangeOptions: Sendable {
    /// Namespaces where rights weigh as much as in the whole cluster: `kube-system`, and the reconciler's own.
    package var privilegedNamespaces: Set<String>
    /// Whether the states hold what a cluster holds, or only what a repository declares.
    package var knowsCluster: Bool
    /// What `latest` means in Pod Security labels; `latest` where no cluster is known.
    package var clusterVersion: PodSecurityVersion

    package init(
        privilegedNamespaces: Set<String> = ["kube-system"], knowsCluster: Bool = false,
        clusterVersion: PodSecurityVersion = .latest
    ) {
        self.privilegedNamespaces = privilegedNamespaces
        self.knowsCluster = knowsCluster
        self.clusterVersion = clusterVersion
    }
}

/// A change from one state to another, whose meaning can be asked for area by area.
///
/// The areas are independent of each other, so whoever has several cores may ask for them at once.
package struct ChangeAnalysis: Sendable {
    private let change: StateChange
    private let options: ChangeOptions
    /// How many objects of the two sides differ.
    package let changedObjects: Int

    /// - Parameter context: What is in the cluster beside what the two sides declare; it counts on both.
    package init(
        base: SecurityState, head: SecurityState, context: SecurityState = SecurityState(),
        options: ChangeOptions = ChangeOptions()
    ) {
        var (before, after) = (base, head)
        for (id, object) in context.objects {
            // What the repository takes over is in the cluster before; what it no longer declares is deleted.
            if base[id] == nil { before[id] = head[id] == nil ? object : object.canonical }
            if head[id] == nil, base[id] == nil { after[id] = object }
        }
        change = StateChange(base: before.withKubernetesDefaults, head: after.withKubernetesDefaults)
        changedObjects = change.edits.count
        self.options = options
    }

    /// What the change means in one area, in no order.
    package func findings(in area: FindingArea) -> [ChangeFinding] {
        guard !change.edits.isEmpty else { return [] }
        switch area {
        case .access:
            let access = AccessChange(change, options: options)
            return access.findings() + EscalationChange(access: access).findings()
                + BindingChange(access: access, options: options).findings()
        case .network: return NetworkChange(change)?.findings() ?? []
        case .podSecurity: return PodSecurityChange(change: change, options: options).findings()
        case .baseline: return BaselineChange(change: change).findings()
        }
    }
}

/// Says what a change from one state to another means for security; what means the same says nothing.
///
/// - Returns: The findings of all areas in order, each once.
package func analyseChange(
    base: SecurityState, head: SecurityState, context: SecurityState = SecurityState(),
    options: ChangeOptions = ChangeOptions()
) -> [ChangeFinding] {
    let analysis = ChangeAnalysis(base: base, head: head, context: context, options: options)
    return Set(FindingArea.allCases.flatMap(analysis.findings)).sorted()
}

extension StateObject {
    /// In the form in which declared objects stand, so that the same content is no change.
    fileprivate var canonical: StateObject {
        guard let resource = id.resource else { return self }
        return StateObject(id: id, tree: canonicalLive(tree, of: resource), origin: origin)
    }
}

import Manifest

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

/// Says what a change from one state to another means for security; what means the same says nothing.
///
/// - Parameters:
///   - context: What is in the cluster beside what the two sides declare; it counts on both.
/// - Returns: The findings in order.
package func analyseChange(
    base: SecurityState, head: SecurityState, context: SecurityState = SecurityState(),
    options: ChangeOptions = ChangeOptions()
) -> [ChangeFinding] {
    func completed(_ side: SecurityState, _ other: SecurityState) -> SecurityState {
        var state = side
        for (id, object) in context.objects where side[id] == nil && other[id] == nil { state[id] = object }
        return state.withKubernetesDefaults
    }
    let change = StateChange(base: completed(base, head), head: completed(head, base))
    guard !change.edits.isEmpty else { return [] }
    let access = AccessChange(change, options: options)
    let findings =
        access.findings() + EscalationChange(access: access).findings()
        + BindingChange(access: access, options: options).findings()
        + PodSecurityChange(change: change, options: options).findings()
        + (NetworkChange(change)?.findings() ?? [])
        + BaselineChange(change: change, head: access.head).findings()
    return Set(findings).sorted()
}

package import Manifest
package import Planning
import Policy

/// What the admission policies of a revision mean to one who only looks on.
package struct PreventionOutlook: Sendable {
    /// Whether a controller would put policies in force that were not when one looked last.
    package var isDue: Bool
    /// Which objects a controller would leave alone now; nil where nothing refuses that anybody says so.
    package var breakGlass: BreakGlass?

    /// - Parameter kept: What the journal remembers under ``MemoryKey/keptPrevention``: the policies that were in force when
    ///   a controller looked last.
    package init(
        _ enforced: EnforcedState, user: OwnAccess.User, ownership: Ownership, kept: String?, at now: Timestamp,
        canonical: Canonical
    ) {
        guard case .known(let identity) = user else {
            self.init(isDue: false, breakGlass: nil)
            return
        }
        let wanted = enforced.wantedPolicies(for: identity, ownership: ownership)
        let isInForce = !wanted.isEmpty && kept == canonical.digest(.array(wanted))
        self.init(
            isDue: !wanted.isEmpty && !isInForce,
            breakGlass: isInForce ? enforced.configuration.breakGlass(at: now) : nil)
    }

    private init(isDue: Bool, breakGlass: BreakGlass?) {
        self.isDue = isDue
        self.breakGlass = breakGlass
    }
}

extension EnforcedState {
    /// The admission policies that the revision asks for, with our marker; none where it asks for none.
    func wantedPolicies(for user: UserIdentity, ownership: Ownership) -> [Tree] {
        let settings = PreventionSettings(configuration, instance: ownership.instance, bylawUser: user.name)
        return settings.map(preventionObjects)?.map { tree in
            ownership.marked(tree, id: tree.policyID)
        } ?? []
    }
}

extension RepositoryConfiguration {
    /// Which objects may be kept from being put right, where nobody but the group can say so.
    func breakGlass(at now: Timestamp) -> BreakGlass? {
        guard let prevention, prevention.breakGlassGroup != nil else { return nil }
        return BreakGlass(now: now, longest: prevention.breakGlassLongest)
    }
}

import Guardrails
import Manifest
import Planning
import Policy

extension Controller {
    /// For so long after a change of our rights what they forbid is tried again soon: the API server's authorizer learns of
    /// a role or binding a moment later than a watch.
    private static let timeToTakeEffect = Duration.seconds(30)

    /// How seldom that is begun anew: whoever touches a role again and again must not have everything tried each time.
    ///
    /// What
    /// changes in between is seen by the attempts that go on until ``timeToTakeEffect``.
    private static let quietTime = Duration.seconds(10)

    /// Tries what was forbidden again at once, where a role or binding may have made the difference (rule L8).
    ///
    /// That is what gives Bylaw rights, and the role that a forbidden binding refers to: while somebody has widened it,
    /// nobody may bind it who does not hold all of that.
    func reconsiderForbidden(after id: ObjectID) {
        guard !forbidden.isEmpty, id.resource.map(Resource.ofAccess.contains) == true, let enforced,
            rightsChangedAt.map({ surroundings.uptime() - $0 >= Self.quietTime }) ?? true
        else { return }
        if mayGiveRights(id, enforced) {
            rightsChangedAt = surroundings.uptime()
            for other in forbidden { tryAgain(other) }
            return
        }
        for other in forbidden {
            guard let declared = enforced.objects[other],
                ObjectID(roleReferencedBy: declared.tree, in: other.namespace) == id
            else { continue }
            rightsChangedAt = surroundings.uptime()
            tryAgain(other)
        }
    }

    /// Looks again at a role that was left alone as our own, where others may have something by it now: by a binding that
    /// refers to it, or an aggregated role that gathers it.
    func reconsiderOwn(after object: LiveObject) {
        guard case .known(let identity) = user, let account = identity.serviceAccount else { return }
        let names = OwnAccess.ownNames(of: account)
        var roles: [ObjectID] = []
        if object.id.isBinding {
            roles = [ObjectID(roleReferencedBy: object.tree, in: object.id.namespace)].compactMap { $0 }
        } else if object.id.resource == .clusterRole, object.tree["aggregationRule"] != nil {
            roles = names.map { ObjectID(.clusterRole, name: $0) }
        }
        for role in roles where names.contains(role.name) && role != object.id && live[role] != nil { consider(role) }
    }

    /// When a forbidden change is tried again, whose failure alone would put it off until something changes.
    func nextAttempt(afterForbidden next: NextAttempt) -> NextAttempt {
        guard let rightsChangedAt, surroundings.uptime() - rightsChangedAt < Self.timeToTakeEffect else { return next }
        return .afterBackOff
    }

    private func tryAgain(_ id: ObjectID) {
        failureCounts[id] = nil
        queue.addUrgent(id)
    }

    private func mayGiveRights(_ id: ObjectID, _ enforced: EnforcedState) -> Bool {
        guard case .known(let identity) = user else { return false }
        if let object = live[id], id.resource == .roleBinding || id.resource == .clusterRoleBinding {
            return identity.isNamed(by: object.tree, in: id.namespace)
        }
        guard Resource.ofAccess.allSatisfy(live.isKnown) else { return false }
        let live = live
        let closedWorld = ClosedWorld(enforced.configuration.scopes) { enforced.scopedNamespace($0, live: live) }
        return ownRights.rights(
            of: identity, live: live, by: enforced, ownership: ownership, closedWorld: closedWorld
        ).givers.contains(id)
    }
}

import Manifest
import Policy

extension RevisionGuard {
    /// Holds a change of the configuration that protects less, or removes more; what is held of it stays as it was.
    mutating func judgeConfiguration() {
        let id = RepositoryConfiguration.id
        let before = baseConfiguration
        let change = ConfigurationChange(old: before, new: configuration)
        let loosened = isFirstStart ? [] : change.loosened
        let isLooseningHeld = !loosened.isEmpty && !isApproved(id, by: Guardrail.configurationLoosened.rawValue)
        let removes = change.enforcesMore ? removals(by: configuration.scopes, besides: before.scopes) : []
        let ofOthers = ofUnnamedInstances(removes)
        let isEnforcingHeld =
            change.enforcesMore && (!isApproved(id, by: Guardrail.scopeEnforced.rawValue) || !ofOthers.isEmpty)
        if isLooseningHeld {
            hold(
                id, .configurationLoosened,
                "the change of \(id.name) loosens what is in force: \(loosened.joined(separator: "; "))")
        }
        if isEnforcingHeld {
            hold(
                id, .scopeEnforced,
                "the change of \(id.name) would remove what is not declared in more scopes: \(describe(removes))"
                    + wordsForUnnamedInstances(ofOthers),
                removes: removes)
        }
        if isLooseningHeld {
            let clusters = configuration.clusters
            configuration = before
            configuration.clusters = clusters
        } else if isEnforcingHeld {
            // What is enforced already stays so, where the scopes are the same otherwise.
            if question.configurationInForce == nil {
                configuration.scopes = configuration.scopes.reportingOnly
            } else {
                configuration.scopes = before.scopes
                configuration.managedKinds.formIntersection(before.managedKinds)
            }
        }
    }

    /// Whether nothing was ever enforced here: then there is nothing to loosen.
    private var isFirstStart: Bool { question.configurationInForce == nil && question.leftBehind.isEmpty }

    /// What the configuration is compared with.
    ///
    /// Where an earlier run has left objects and the record of what was in force is lost, it is the standard one; who may
    /// approve has to be taken from the revision, or nobody ever could.
    private var baseConfiguration: RepositoryConfiguration {
        if let known = question.configurationInForce { return known }
        var base = RepositoryConfiguration.standard
        base.guardrails.approvers = configuration.guardrails.approvers
        return base
    }
}

import Manifest

/// What Kubernetes' own parts must be able to write, or a cluster comes to a halt.
///
/// By user name and not by a group: `system:serviceaccounts:kube-system` holds every add-on, and `system:masters` every
/// administrator's certificate. Each may do only what it is there for. The controller manager itself is among them
/// because it does its controllers' work under its own name where it runs without
/// `--use-service-account-credentials`.
enum ControlPlane {
    /// The API server's own loopback user.
    ///
    /// It makes the bootstrap roles and bindings at its start and ends itself where that fails, so a policy that stood
    /// in its way could keep a cluster from ever starting again: it is never even asked about.
    static let server = "system:apiserver"

    static let manager = "system:kube-controller-manager"

    private static func controller(_ name: String) -> String { "system:serviceaccount:kube-system:\(name)" }

    private static func isUser(_ names: String...) -> String { isOne("variables.user", of: names) }

    private static let isServiceAccount = "\(PreventionExpressions.resource) == 'serviceaccounts'"

    /// One term for each thing that one of them does.
    static var writes: [String] {
        [
            // Deletes what its owner left behind, and rewrites owners and finalizers on the way.
            allOf([
                isUser(controller("generic-garbage-collector"), manager),
                anyOf([PreventionExpressions.isDelete, "variables.isMeaningKept"]),
            ]),
            // Empties a namespace that somebody was allowed to delete.
            allOf([isUser(controller("namespace-controller"), manager), PreventionExpressions.isDelete]),
            // Fills the rules of an aggregated ClusterRole; which roles it takes them from stays as it is.
            allOf([
                isUser(controller("clusterrole-aggregation-controller"), manager),
                "request.operation == 'UPDATE'", "\(PreventionExpressions.resource) == 'clusterroles'",
                "has(variables.next.aggregationRule)", "variables.gainsNoTie",
                "variables.labels == variables.oldLabels", "variables.changedAnnotations.size() == 0",
                "variables.changedFields.all(k, k == 'rules')",
            ]),
            // Gives each namespace the account that pods use by default.
            allOf([
                isUser(controller("service-account-controller"), manager), "request.operation == 'CREATE'",
                isServiceAccount, "variables.name == 'default'",
            ]),
            // Makes the accounts of its own controllers.
            allOf([
                isUser(manager), "request.operation == 'CREATE'", isServiceAccount,
                "variables.namespace == 'kube-system'",
            ]),
            // Its token controller takes deleted token Secrets out of their account.
            allOf([
                isUser(manager), "request.operation == 'UPDATE'", isServiceAccount, "variables.gainsNoTie",
                "variables.labels == variables.oldLabels", "variables.changedAnnotations.size() == 0",
                "variables.changedFields.all(k, k == 'secrets')",
            ]),
        ]
    }
}

package import Manifest

/// What a policy repository says about itself, in the file `bylaw.yaml` at its path; strict where it says nothing.
package struct RepositoryConfiguration: Sendable, Hashable {
    /// The name of the file.
    package static let fileName = "bylaw.yaml"
    package static let apiVersion = "bylaw.dev/v1"
    package static let kind = "Configuration"

    package var managedKinds: Set<Resource>
    package var scopes: ScopeRules
    package var guardrails: GuardrailSettings
    /// Objects that are never written, beside those that never are.
    package var protected: [ObjectPattern]
    /// Objects that are given up in a fight with another writer instead of being put back ever again.
    package var yieldsInFights: [ObjectPattern]
    package var prevention: PreventionRequest?
    /// Empty where the folders say it, or there is only one cluster.
    package var clusters: [ClusterDeclaration]

    package init(
        managedKinds: Set<Resource> = Set(Resource.managed), scopes: ScopeRules = ScopeRules(),
        guardrails: GuardrailSettings = GuardrailSettings(), protected: [ObjectPattern] = [],
        yieldsInFights: [ObjectPattern] = [], prevention: PreventionRequest? = nil, clusters: [ClusterDeclaration] = []
    ) {
        self.managedKinds = managedKinds
        self.scopes = scopes
        self.guardrails = guardrails
        self.protected = protected
        self.yieldsInFights = yieldsInFights
        self.prevention = prevention
        self.clusters = clusters
    }

    /// What holds where there is no file.
    package static let standard = RepositoryConfiguration()

    /// What a hold on the file as a whole is about; it is no object of the cluster.
    package static let id = ObjectID(group: "bylaw.dev", kind: kind, namespace: "", name: fileName)
}

/// What has to be approved, and by whom.
package struct GuardrailSettings: Sendable, Hashable {
    package var deletions: DeletionBudget
    /// By the name of a kind of risk or of a guardrail; the kind of risk comes first.
    package var decisions: [String: GuardrailDecision]
    /// Who may approve where signatures are required.
    package var approvers: [Approver]

    package init(
        deletions: DeletionBudget = DeletionBudget(), decisions: [String: GuardrailDecision] = [:],
        approvers: [Approver] = []
    ) {
        self.deletions = deletions
        self.decisions = decisions
        self.approvers = approvers
    }
}

/// How many objects one revision may delete.
package struct DeletionBudget: Sendable, Hashable {
    package var maximum: Int
    /// Of the objects that are declared before, in whole percent.
    package var maximumPercent: Int
    /// So few are never held for their share: in a small repository one object is much of it.
    package var always: Int

    package init(maximum: Int = 50, maximumPercent: Int = 30, always: Int = 5) {
        self.maximum = maximum
        self.maximumPercent = maximumPercent
        self.always = always
    }

    /// Whether this many deletions out of so many objects are within it.
    package func allows(_ deletions: Int, of total: Int) -> Bool {
        guard deletions > 0 else { return true }
        guard deletions <= maximum else { return false }
        return deletions <= always || deletions * 100 <= maximumPercent * total
    }
}

/// Somebody who may approve.
package struct Approver: Sendable, Hashable {
    /// As the trailer names them.
    package var name: String
    /// Principals of the allowed-signers file, mail addresses of OpenPGP user ids, or fingerprints of keys.
    package var signers: [String]

    package init(name: String, signers: [String]) {
        self.name = name
        self.signers = signers
    }
}

/// That the API server itself is to refuse what Git does not declare.
package struct PreventionRequest: Sendable, Hashable {
    /// Whose members may write nevertheless, for a time; nil: nobody.
    package var breakGlassGroup: String?
    /// In seconds.
    package var breakGlassLongest: Int
    package var exemptUsers: [String]
    package var exemptGroups: [String]

    package init(
        breakGlassGroup: String? = nil, breakGlassLongest: Int = 4 * 3600, exemptUsers: [String] = [],
        exemptGroups: [String] = []
    ) {
        self.breakGlassGroup = breakGlassGroup
        self.breakGlassLongest = breakGlassLongest
        self.exemptUsers = exemptUsers
        self.exemptGroups = exemptGroups
    }
}

/// One of the clusters that a repository is for.
package struct ClusterDeclaration: Sendable, Hashable {
    package var name: String
    package var labels: Labels
    /// The folders whose objects it gets, the base first; below the repository's path.
    package var folders: [String]

    package init(name: String, labels: Labels = Labels(), folders: [String]) {
        self.name = name
        self.labels = labels
        self.folders = folders
    }
}

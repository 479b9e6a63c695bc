package import Manifest
package import Policy

/// What the API server itself is to refuse, and to whom.
///
/// It becomes ValidatingAdmissionPolicies, so no server of ours stands in the way of a request, and what they refuse
/// stays refused while we are down.
package struct PreventionSettings: Sendable, Equatable {
    package var instance: String
    /// The user name that the API server knows us by, such as `system:serviceaccount:bylaw-system:bylaw`.
    package var bylawUser: String
    /// Whose members may write nevertheless, for a time; nil: nobody.
    package var breakGlassGroup: String?
    /// The cluster-wide kinds whose undeclared objects are refused.
    package var enforcedClusterKinds: Set<Resource>
    /// In the order in which they are asked: the first that fits the kind and the namespace counts.
    package var enforcedNamespaces: [NamespaceSelection]
    /// Undeclared objects that are nobody's concern, told by what is being written.
    package var exclusions: [ObjectPattern]
    /// Who else may write everything, but not break the glass.
    package var exemptUsers: [String]
    package var exemptGroups: [String]

    package init(
        instance: String, bylawUser: String, breakGlassGroup: String? = nil,
        enforcedClusterKinds: Set<Resource> = [], enforcedNamespaces: [NamespaceSelection] = [],
        exclusions: [ObjectPattern] = [], exemptUsers: [String] = [], exemptGroups: [String] = []
    ) {
        self.instance = instance
        self.bylawUser = bylawUser
        self.breakGlassGroup = breakGlassGroup
        self.enforcedClusterKinds = enforcedClusterKinds
        self.enforcedNamespaces = enforcedNamespaces
        self.exclusions = exclusions
        self.exemptUsers = exemptUsers
        self.exemptGroups = exemptGroups
    }
}

/// Some kinds in some namespaces.
///
/// Whatever is given must fit; one without names and labels fits every namespace.
package struct NamespaceSelection: Sendable, Equatable {
    package var names: [NamePattern]?
    package var labels: LabelSelector?
    package var kinds: Set<Resource>
    /// False for an exception, which shields from the selections behind it.
    package var isEnforced: Bool

    package init(
        names: [NamePattern]? = nil, labels: LabelSelector? = nil, kinds: Set<Resource>, isEnforced: Bool = true
    ) {
        self.names = names
        self.labels = labels
        self.kinds = kinds
        self.isEnforced = isEnforced
    }
}

extension Ownership {
    /// Until when an object is to be left as the break-glass group wrote it: RFC 3339, in UTC.
    ///
    /// The API server sees to it that nobody else sets it, but its expressions have no clock, so it is for us to bound
    /// the time, and to take what is no such time for an absent annotation.
    package static let breakGlassAnnotation = "bylaw.dev/break-glass-until"
}

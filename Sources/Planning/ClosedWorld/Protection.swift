package import Manifest
package import Policy

/// What is never written, whatever a revision declares.
package struct Protection: Sendable {
    private let patterns: [ObjectPattern]
    private let ownNamespace: String?

    /// Only what is never written anywhere.
    package static let standard = Protection(patterns: [], ownNamespace: nil)

    /// - Parameters:
    ///   - patterns: What the repository protects.
    ///   - ownNamespace: Where Bylaw itself runs; nil where that is not known.
    package init(patterns: [ObjectPattern], ownNamespace: String?) {
        self.patterns = patterns
        self.ownNamespace = ownNamespace
    }

    /// Why an object is protected; nil where it is not.
    package func reason(for id: ObjectID) -> String? {
        if isNeverWritten(id) { return "it belongs to Kubernetes" }
        if let ownNamespace, id.scopeNamespace.hasSameBytes(as: ownNamespace) { return "Bylaw itself runs there" }
        if patterns.contains(where: { $0.matches(id) }) {
            return "\(RepositoryConfiguration.fileName) lists it as protected"
        }
        return nil
    }

    /// The reason to hold an action back; nil where nothing stands against it.
    func hold(_ action: Action) -> Hold? {
        guard let reason = reason(for: action.id) else { return nil }
        return Hold(
            id: action.id, reason: .protectedObject,
            message: "\(action.kind.rawValue) \(action.id) is held: it is protected, since \(reason)")
    }
}

/// Whether an object is Kubernetes' own by its name: what is in the namespaces of the control plane, and the RBAC that
/// the server makes at its start (rule E13).
func isNeverWritten(_ id: ObjectID) -> Bool {
    if isOfSystem(id.scopeNamespace) { return true }
    switch id.resource {
    case .role, .roleBinding: return id.name.hasPrefix("system:")
    case .clusterRole: return id.name.hasPrefix("system:") || KubernetesOwnObjects.userRoles.contains(id.name)
    case .clusterRoleBinding: return id.name.hasPrefix("system:") || id.name == "cluster-admin"
    default: return false
    }
}

func isOfSystem(_ namespace: String) -> Bool { namespace.hasPrefix("kube-") }

package import Manifest

/// One request that an API server says has changed something: who, what, when, and with which result.
///
/// Context: audit events are the only place where Kubernetes tells who wrote (section M). Choice: keep the few fields that
/// attribute, never a body, since bodies of Secrets are secrets. Given up: what exactly was written, which the watch shows.
///
/// Which level is needed (rules M5, M7):
/// - `Metadata` gives user, verb, object and time. That makes an attribution `likely` and never `proven`: the events do
///   not say which version of the object they made, and of a PUT only which version it replaced, if it changed anything.
/// - `RequestResponse` adds the version and uid in the answer, and is needed for `proven`. Ask for it only for kinds whose
///   bodies hold no secrets: `namespaces`, `networkpolicies`, `resourcequotas`, `limitranges` and the four kinds of RBAC,
///   with `omitManagedFields: true` to keep events small. Servers before 1.23 do not know that field; leave it out there.
/// - `Request` shows more than Metadata only of dry runs and of patches that name a version.
///
/// All texts are the server's save these, which the client chooses: ``auditID``, ``userAgent``, ``requestURI``, and every
/// source address but the last (rule M6). They are bounded, but not escaped (rule M10).
package struct AuditEvent: Sendable, Equatable {
    package enum Level: String, Sendable { case metadata = "Metadata", request = "Request", full = "RequestResponse" }

    package enum Stage: String, Sendable {
        case requestReceived = "RequestReceived"
        case responseStarted = "ResponseStarted"
        case responseComplete = "ResponseComplete"
        case panic = "Panic"
    }

    package var auditID: String
    package var stage: Stage
    package var level: Level
    /// Such as `create`, `update`, `patch`, `delete` or `deletecollection`.
    package var verb: String
    /// Who was authenticated; the impersonator, where somebody was impersonated.
    package var user: AuditUser
    package var impersonated: AuditUser?
    package var sourceIPs: [String]
    package var userAgent: String
    package var target: AuditTarget
    package var requestURI: String
    /// The HTTP status of the answer.
    package var code: Int
    /// When the request came, by the clock of the server that took it (rule M12).
    package var receivedAt: Timestamp
    /// When it was answered, by the same clock.
    package var at: Timestamp
    package var answer: AuditAnswer
    /// The version that the object must have had for the request to succeed, or nil where it went ahead in any case.
    package var condition: String?
    package var dryRun: DryRun
    /// What the authorizer says: `allow`, and which binding of which role let it happen.
    package var decision: String?
    package var reason: String?
    /// Whether the server cut the bodies off because the event was too large.
    package var isTruncated: Bool
}

extension AuditEvent {
    /// The name under which the server marks what the request changes.
    var manager: RequestManager { RequestManager(requestURI: requestURI, userAgent: userAgent) }

    /// Who acted: the impersonated user, else the authenticated one (rule M6).
    package var actor: AuditUser { impersonated ?? user }
    package var impersonator: AuditUser? { impersonated == nil ? nil : user }

    /// Whether Kubernetes itself wrote: nobody is to be blamed (rule M9).
    ///
    /// Not where somebody acts in the name of a controller.
    package var isControlPlane: Bool { impersonated == nil && user.account == .controlPlane }

    /// The address that the server saw; all others are the client's word (rule M6).
    package var sourceIP: String? { sourceIPs.last }

    /// The object in the answer, where there is one.
    var answered: AnsweredObject? { if case .object(let object) = answer { object } else { nil } }

    /// Which object it is about; nil where that is none of the managed kinds, or its name is not told.
    ///
    /// The name of an object that the server named is only in the answer.
    package var object: ObjectID? {
        guard let resource = target.managedResource else { return nil }
        let name = target.name.isEmpty ? answered?.name ?? "" : target.name
        return name.isEmpty ? nil : ObjectID(resource, namespace: target.namespace, name: name)
    }

    /// Which objects it may be about, where it names none: a deletion of many, or the creation of one that the server named.
    package var scope: AuditScope? {
        guard object == nil, target.name.isEmpty, let resource = target.managedResource else { return nil }
        return AuditScope(resource, namespace: target.namespace)
    }
}

/// The objects of one kind in one namespace, or of one kind in the whole cluster.
package struct AuditScope: Hashable, Sendable {
    package var resource: Resource
    package var namespace: String

    package init(_ resource: Resource, namespace: String) {
        self.resource = resource
        self.namespace = resource.isNamespaced ? namespace : ""
    }

    /// The scope that an object is in; nil for kinds that are not managed.
    init?(of id: ObjectID) {
        guard let resource = id.resource else { return nil }
        self.init(resource, namespace: id.namespace)
    }
}

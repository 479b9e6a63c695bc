import AuditEvents
import JSON
import Manifest

/// A moment, so many seconds after noon of a day.
func moment(_ seconds: Double) -> Timestamp {
    Timestamp(microsecondsSinceEpoch: 1_780_000_000_000_000 + Int64(seconds * 1_000_000))
}

let reader = ObjectID(.role, namespace: "team-a", name: "reader")

/// An audit event as an API server writes it; what is not given is as for a patch of a role at the level RequestResponse.
struct Sample {
    var auditID = "11111111-0000-0000-0000-000000000000"
    var stage = "ResponseComplete"
    var level = "RequestResponse"
    var verb = "patch"
    var user = "alice"
    var groups = ["system:authenticated"]
    var impersonated: String?
    var resource = Resource.role
    var namespace = "team-a"
    var name = "reader"
    var subresource = ""
    /// The version in the reference, for updates.
    var condition = ""
    var query = ""
    var userAgent = "kubectl"
    var code = 200
    var at: Double = 0
    var request: Tree?
    /// The version and uid in the answer.
    var version: String?
    var uid = "u1"
    var isTerminating = false
    var response: Tree?

    var tree: Tree {
        var target: Tree = [
            "resource": .string(resource.plural), "apiGroup": .string(resource.group), "apiVersion": "v1",
        ]
        for (key, value) in [
            ("namespace", namespace), ("name", name), ("subresource", subresource), ("resourceVersion", condition),
        ] where !value.isEmpty { target.set([key], to: .string(value)) }
        var tree: Tree = [
            "level": .string(level), "auditID": .string(auditID), "stage": .string(stage), "verb": .string(verb),
            "requestURI": .string("/apis/\(resource.group)/v1/x\(query)"),
            "user": ["username": .string(user), "groups": .array(groups.map(Tree.string))],
            "sourceIPs": ["10.0.0.1"], "userAgent": .string(userAgent), "objectRef": target,
            "responseStatus": ["metadata": [:], "code": .integer(Int64(code))],
            "requestReceivedTimestamp": .string(moment(at - 0.01).description),
            "stageTimestamp": .string(moment(at).description),
        ]
        if let impersonated { tree.set(["impersonatedUser"], to: ["username": .string(impersonated)]) }
        if let request { tree.set(["requestObject"], to: request) }
        var metadata: Tree = ["name": .string(name.isEmpty ? "reader" : name), "uid": .string(uid)]
        metadata.set(["namespace"], to: .string(namespace))
        if isTerminating { metadata.set(["deletionTimestamp"], to: .string(moment(at).description)) }
        if let version {
            metadata.set(["resourceVersion"], to: .string(version))
            tree.set(["responseObject"], to: ["kind": .string(resource.kind), "metadata": metadata])
        }
        if let response { tree.set(["responseObject"], to: response) }
        return tree
    }

    /// Read as the item of a list.
    var event: AuditEvent? { read([self]).events.first }

    /// A deletion that is answered with a Status, as by most kinds.
    static func deletion(by user: String, of uid: String = "u1", at: Double = 0) -> Sample {
        Sample(
            verb: "delete", user: user, at: at,
            response: ["kind": "Status", "status": "Success", "details": ["name": "reader", "uid": .string(uid)]])
    }

    static let namespaceController = "system:serviceaccount:kube-system:namespace-controller"
    static let controllerGroups = ["system:serviceaccounts", "system:serviceaccounts:kube-system"]
}

func read(_ samples: [Sample], ourUser: String? = "bylaw") -> AuditBatch {
    AuditReader(ourUser: ourUser).readList(list(samples.map(\.tree)))
}

func list(_ items: [Tree]) -> [UInt8] {
    let tree: Tree = ["kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": [:], "items": .array(items)]
    return tree.jsonBytes()
}

func memory(_ samples: [Sample]) -> AuditMemory {
    var memory = AuditMemory()
    memory.add(read(samples).events, at: moment(60))
    return memory
}

/// A change of the role from version 100 to 105, seen a second after the hour.
func change(
    _ kind: ObservedChange.Kind = .changed, uid: String? = "u1", before: String? = "100", after: String? = "105",
    at: Double = 1, claims: [ObservedChange.Claim] = []
) -> ObservedChange {
    ObservedChange(
        object: reader, uid: uid, kind: kind, versionBefore: before, versionAfter: after, observedAt: moment(at),
        claims: claims)
}

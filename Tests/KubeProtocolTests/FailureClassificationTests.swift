import KubeProtocol
import Manifest
import Testing

/// A refusal of the API server and what it means.
struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var status: Int
    /// The members of a Status beside the ones that each has; nil where the answer is plain text.
    var answer: Tree?
    var text: String
    var retryAfter: Int?
    var kind: APIFailure.Kind

    init(
        _ description: String, _ status: Int, reason: String = "", _ message: String, details: Tree = [:],
        retryAfter: Int? = nil, _ kind: APIFailure.Kind
    ) {
        testDescription = description
        self.status = status
        answer = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason), "details": details, "code": .integer(Int64(status)),
        ]
        text = ""
        self.retryAfter = retryAfter
        self.kind = kind
    }

    init(_ description: String, _ status: Int, text: String, retryAfter: Int? = nil, _ kind: APIFailure.Kind) {
        testDescription = description
        self.status = status
        self.text = text
        self.retryAfter = retryAfter
        self.kind = kind
    }

    var failure: APIFailure { classifyFailure(status: status, body: answer, text: text, retryAfter: retryAfter) }
}

/// A cause as it stands in `details.causes`.
private func causes(_ list: (field: String, reason: String, message: String)...) -> Tree {
    .array(
        list.map { ["field": .string($0.field), "reason": .string($0.reason), "message": .string($0.message)] })
}

/// What a refusal means is told by its body, never by its HTTP status alone (rules N5, B7, D4, D20, F1, F9, I8, G6).
@Suite struct FailureClassificationTests {
    @Test(arguments: [
        Refusal("an unknown group", 404, text: "404 page not found\n", .resourceNotServed),
        Refusal(
            "an unknown resource", 404, reason: "NotFound", "the server could not find the requested resource",
            .resourceNotServed),
        Refusal(
            "a missing object", 404, reason: "NotFound", #"networkpolicies.networking.k8s.io "x" not found"#,
            details: ["name": "x", "group": "networking.k8s.io", "kind": "networkpolicies"], .notFound),
        Refusal(
            "a missing namespace", 404, reason: "NotFound", #"namespaces "gone" not found"#,
            details: ["name": "gone", "kind": "namespaces"], .namespaceNotFound),
        Refusal(
            "a missing role of a binding", 404, reason: "NotFound",
            #"roles.rbac.authorization.k8s.io "reader" not found"#,
            details: ["name": "reader", "group": "rbac.authorization.k8s.io", "kind": "roles"], .roleNotFound),
        Refusal(
            "a missing cluster role of a binding", 404, reason: "NotFound",
            #"clusterroles.rbac.authorization.k8s.io "auditor" not found"#,
            details: ["name": "auditor", "group": "rbac.authorization.k8s.io", "kind": "clusterroles"], .roleNotFound),
        Refusal("a proxy's own page", 404, text: "<html>Not Found</html>", .resourceNotServed),
    ])
    func onlyOneKindOf404SaysThatTheObjectIsGone(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }

    @Test(arguments: [
        Refusal("a login page", 302, text: "", .resourceNotServed),
        Refusal("a load balancer's time-out", 408, text: "Request Timeout", .busy),
        Refusal(
            "a missing object with a name like a refusal", 404, reason: "NotFound",
            #"clusterroles.rbac.authorization.k8s.io "ValidatingAdmissionPolicyEditors" not found"#,
            details: ["name": "ValidatingAdmissionPolicyEditors", "kind": "validatingthings"], .notFound),
        Refusal(
            "a policy's refusal", 422, reason: "Invalid",
            #"roles "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"#, .denied),
    ])
    func whatStandsInFrontAndNamesAreNotMistakenForARefusal(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
        #expect(!refusal.failure.message.isEmpty)
    }

    @Test(arguments: [
        Refusal(
            "another manager's field", 409, reason: "Conflict",
            #"Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .spec.podSelector"#,
            details: [
                "causes": causes(
                    (".spec.podSelector", "FieldManagerConflict", #"conflict with "kubectl-edit" using v1"#))
            ], .fieldConflict),
        Refusal(
            "another version", 409, reason: "Conflict",
            #"Operation cannot be fulfilled on roles "x": the object has been modified; please apply your changes to "#
                + "the latest version and try again",
            details: ["name": "x", "group": "rbac.authorization.k8s.io", "kind": "roles"], .conflict),
        Refusal(
            "another uid", 409, reason: "Conflict",
            #"Operation cannot be fulfilled on roles "x": Precondition failed: UID in precondition: a, "#
                + "UID in object meta: b",
            details: ["name": "x", "kind": "roles"], .conflict),
        Refusal(
            "a lost race", 409, reason: "AlreadyExists", #"roles.rbac.authorization.k8s.io "x" already exists"#,
            details: ["name": "x", "kind": "roles"], .alreadyExists),
        Refusal(
            "an object that is being deleted", 409, reason: "AlreadyExists",
            #"object is being deleted: namespaces "a" already exists"#, details: ["name": "a", "kind": "namespaces"],
            .terminating),
        Refusal(
            "a uid of another object in an apply", 422, reason: "Invalid", #"Role "x" is invalid: metadata.uid"#,
            details: [
                "name": "x",
                "causes": causes(("metadata.uid", "FieldValueInvalid", #"Invalid value: "u": field is immutable"#)),
            ], .conflict),
    ])
    func conflictsAreToldApart(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }

    @Test(arguments: [
        "failed to create typed patch object (a/x; networking.k8s.io/v1, Kind=NetworkPolicy): .spec.podSelektor: "
            + "field not declared in schema",
        "failed to create typed patch object (a/x; v1, Kind=ResourceQuota): .spec.hard: duplicate entries for key [x]",
        "failed to convert new object (a/x; v1, Kind=ResourceQuota) to proper version: quantities must match the "
            + "regular expression",
        ".spec.foo: field not declared in schema",
    ])
    func aMistakeThatTheServerCallsItsOwnIsTerminal(_ message: String) {
        #expect(Refusal("", 500, message, .invalid).failure.kind == .invalid)
        #expect(
            Refusal("", 500, reason: "InternalError", message, .busy).failure.kind == .busy,
            "with a reason it is the server's own trouble")
    }

    @Test(arguments: [
        Refusal("an internal error", 500, reason: "InternalError", "Internal error occurred: x", .busy),
        Refusal("an error of etcd", 500, "etcdserver: request timed out", .busy),
        Refusal("a server time-out", 500, reason: "ServerTimeout", "try again", .busy),
        Refusal("a time-out", 504, reason: "Timeout", "Timeout: request did not complete", .busy),
        Refusal(
            "a version that is not there yet", 504, reason: "Timeout", "Too large resource version: 9, current: 5",
            details: [
                "retryAfterSeconds": 1, "causes": causes(("", "ResourceVersionTooLarge", "Too large resource version")),
            ], .busy),
        Refusal("a load balancer", 502, text: "<html>Bad Gateway</html>", .busy),
        Refusal("a server that ends", 503, text: "apiserver is shutting down", .busy),
        Refusal("fairness", 429, text: "Too many requests, please try again later.", retryAfter: 1, .busy),
        Refusal(
            "a watch cache that starts", 429, reason: "TooManyRequests", "storage is (re)initializing",
            details: ["retryAfterSeconds": 1], .busy),
    ])
    func whatMayPassIsBusy(_ refusal: Refusal) {
        #expect(refusal.failure.kind == .busy)
    }

    @Test(arguments: [
        Refusal("a bad request", 400, reason: "BadRequest", "the namespace of the object does not match", .invalid),
        Refusal("too large", 413, text: "Request entity too large: limit is 3145728", .invalid),
        Refusal("a wrong type of body", 415, reason: "UnsupportedMediaType", "the body has an unknown type", .invalid),
        Refusal(
            "an invalid field", 422, reason: "Invalid", "Role is invalid",
            details: ["causes": causes(("rules[0].verbs", "FieldValueRequired", "Required value"))], .invalid),
        Refusal("a method that is not served", 405, reason: "MethodNotAllowed", "not allowed", .resourceNotServed),
        Refusal("no credentials", 401, reason: "Unauthorized", "Unauthorized", .unauthenticated),
        Refusal("an old version", 410, reason: "Expired", "too old resource version", .expired),
        Refusal("an old version of an old server", 410, reason: "Gone", "too old resource version", .expired),
    ])
    func everythingElseFollowsTheStatus(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }

    @Test(arguments: [
        Refusal(
            "roleRef", 422, reason: "Invalid", #"RoleBinding "x" is invalid: roleRef"#,
            details: [
                "causes": causes(
                    (
                        "roleRef", "FieldValueInvalid",
                        #"Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"y"}: "#
                            + "cannot change roleRef"
                    ))
            ], .roleRefImmutable),
        Refusal(
            "a quota's scopes", 422, reason: "Invalid", "ResourceQuota is invalid",
            details: ["causes": causes(("spec.scopes", "FieldValueInvalid", "Invalid value: field is immutable"))],
            .fieldImmutable),
        // Taking these for immutable would delete the object over a typo (rule F2).
        Refusal(
            "a roleRef that lacks a name", 422, reason: "Invalid", "RoleBinding is invalid",
            details: ["causes": causes(("roleRef.name", "FieldValueRequired", "Required value"))], .invalid),
        Refusal(
            "a roleRef of an unknown kind", 422, reason: "Invalid", "RoleBinding is invalid",
            details: ["causes": causes(("roleRef", "FieldValueNotSupported", "Unsupported value"))], .invalid),
        Refusal(
            "another field that cannot change", 422, reason: "Invalid", "is invalid",
            details: ["causes": causes(("metadata.name", "FieldValueInvalid", "field is immutable"))], .invalid),
    ])
    func onlyWhatCannotChangeIsImmutable(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }

    @Test(arguments: [
        Refusal(
            "the authorizer", 403, reason: "Forbidden",
            #"roles.rbac.authorization.k8s.io "x" is forbidden: User "u" cannot patch resource "roles" in API group "#
                + #""rbac.authorization.k8s.io" in the namespace "a""#,
            details: ["name": "x", "kind": "roles"], .forbidden),
        Refusal(
            "the escalation check", 403, reason: "Forbidden",
            #"roles.rbac.authorization.k8s.io "x" is forbidden: user "u" (groups=["g"]) is attempting to grant RBAC "#
                + "permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}",
            details: ["name": "x", "kind": "roles"], .forbidden),
        Refusal(
            "an aggregation rule", 403, reason: "Forbidden",
            #"clusterroles "x" is forbidden: must have cluster-admin privileges to use the aggregationRule"#, .forbidden
        ),
        Refusal(
            "a namespace that is going", 403, reason: "Forbidden",
            #"roles "x" is forbidden: unable to create new content in namespace a because it is being terminated"#,
            details: [
                "name": "x",
                "causes": causes(("metadata.namespace", "NamespaceTerminating", "namespace a is being terminated")),
            ], .terminating),
        Refusal(
            "a namespace that stays", 403, reason: "Forbidden",
            #"namespaces "default" is forbidden: this namespace may not be deleted"#, .forbidden),
        Refusal(
            "a quota", 403, reason: "Forbidden", #"serviceaccounts "x" is forbidden: exceeded quota: q"#, .denied),
        Refusal(
            "a webhook", 403, reason: "Forbidden", #"admission webhook "w.example" denied the request: not today"#,
            .denied),
        Refusal("an authenticating proxy", 403, text: "Forbidden", .forbidden),
    ])
    func formsOf403AreToldApart(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }

    @Test(arguments: [
        Refusal("by 400", 400, #"admission webhook "w.example" denied the request: no"#, .denied),
        Refusal("by 422", 422, reason: "Invalid", #"admission webhook "w.example" denied the request: no"#, .denied),
        Refusal("by 500", 500, #"admission webhook "w.example" denied the request: no"#, .denied),
        Refusal(
            "without a word", 400, #"admission webhook "w.example" denied the request without explanation"#, .denied),
        Refusal(
            "by a policy", 422, reason: "Invalid",
            #"namespaces "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"#,
            .denied),
        Refusal(
            "a webhook out of reach", 500, reason: "InternalError",
            #"Internal error occurred: failed calling webhook "w.example": Post "https://w": connection refused"#,
            .busy),
    ])
    func admissionsRefusalIsToldFromItsAbsence(_ refusal: Refusal) {
        #expect(refusal.failure.kind == refusal.kind)
    }
}

/// What is kept of a refusal for people and for the next attempt.
@Suite struct FailureDetailTests {
    @Test func plainTextKeepsItsWordsAndItsWait() {
        let failure = classifyFailure(status: 429, body: nil, text: "Too many requests.\n", retryAfter: 3)
        #expect(failure.kind == .busy)
        #expect(failure.status == 429)
        #expect(failure.message == "Too many requests.")
        #expect(failure.retryAfter == .seconds(3))
    }

    private static let waits: [(Int?, Int64?, Int)] = [
        (nil, 4, 4), (2, 4, 2), (-5, nil, 0), (1_000_000, nil, 60), (nil, -1, 0),
    ]

    @Test(arguments: waits)
    func theWaitComesFromTheHeaderElseFromTheStatusWithinBounds(
        _ header: Int?, _ inBody: Int64?, _ seconds: Int
    ) {
        let body: Tree = ["kind": "Status", "details": inBody.map { ["retryAfterSeconds": .integer($0)] } ?? [:]]
        let failure = classifyFailure(status: 503, body: body, text: "", retryAfter: header)
        #expect(failure.retryAfter == .seconds(seconds))
    }

    @Test func withoutAWordAboutItThereIsNoWait() {
        #expect(classifyFailure(status: 503, body: nil, text: "", retryAfter: nil).retryAfter == nil)
    }

    @Test func aCauseThatIsListedTwiceIsKeptOnce() {
        let cause: Tree = ["field": "rules[0].verbs", "reason": "FieldValueRequired", "message": "verbs\nare missing"]
        let other: Tree = ["field": "rules[1].verbs", "reason": "FieldValueRequired", "message": "verbs are missing"]
        let body: Tree = ["kind": "Status", "message": "m", "details": ["causes": [cause, cause, other]]]
        let failure = classifyFailure(status: 422, body: body, text: "", retryAfter: nil)
        #expect(failure.causes.map(\.field) == ["rules[0].verbs", "rules[1].verbs"])
        #expect(failure.causes.first?.message == "verbs; are missing")
    }

    @Test func aFieldOfACauseIsShownAsTheServerWroteIt() {
        let field = ".metadata.labels.pod-security.kubernetes.io/enforce"
        let body: Tree = [
            "kind": "Status",
            "details": ["causes": [["field": .string(field), "reason": "FieldManagerConflict", "message": "c"]]],
        ]
        let failure = classifyFailure(status: 409, body: body, text: "", retryAfter: nil)
        #expect(failure.causes == [.init(field: field, reason: "FieldManagerConflict", message: "c")])
    }

    @Test func theServersWordsFitOnOneBoundedLine() {
        let refusal = Refusal("", 403, "one\ntwo\r\n\nthree", .forbidden)
        #expect(refusal.failure.message == "one; two; three")
        let text = String(repeating: "x", count: 100_000)
        let long = classifyFailure(status: 500, body: nil, text: text, retryAfter: nil)
        #expect(long.message.count <= 4100)
    }

    @Test func aBodyThatIsNoStatusDoesNotHideTheText() {
        let failure = classifyFailure(status: 502, body: ["error": "x"], text: "bad gateway", retryAfter: nil)
        #expect(failure.message == "bad gateway")
    }
}

/// `Warning` headers (rule D26).
@Suite struct WarningTests {
    @Test(arguments: [
        ([#"299 - "one""#, #"299 kube "two""#], ["one", "two"]),
        ([#"299 - "with \"quotes\" and \\""#], [#"with "quotes" and \"#]),
        ([#"299 - "text" "Tue, 15 Nov 1994 08:12:31 GMT""#], ["text"]),
        ([#"299 - "never closed"#], ["never closed"]),
        (["299 - none", ""], []),
        ([#"299 - "renée 🔒""#], ["renée 🔒"]),
    ])
    func eachHeaderGivesItsText(_ headers: [String], _ texts: [String]) {
        #expect(parseWarnings(headers) == texts)
    }
}

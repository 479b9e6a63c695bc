import JSON
import KubeProtocol
import Manifest
import Testing

@Suite struct RequestTests {
    private let id = ObjectID(.role, namespace: "a", name: "reader")

    private func body(_ request: APIRequest) throws -> Tree { try parseJSON(try #require(request.body)) }

    @Test(arguments: [
        (Resource.namespace, "", "x", "/api/v1/namespaces/x"),
        (.serviceAccount, "a", "x", "/api/v1/namespaces/a/serviceaccounts/x"),
        (.role, "a", "x", "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/x"),
        (.clusterRole, "a", "x", "/apis/rbac.authorization.k8s.io/v1/clusterroles/x"),
        (.networkPolicy, "a", "x", "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies/x"),
        // Names of RBAC objects hold nearly anything, so nothing of them may change the path (rule I10).
        (.clusterRole, "", "system:a b", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%20b"),
        (.clusterRole, "", "ü?x#y&z", "/apis/rbac.authorization.k8s.io/v1/clusterroles/%C3%BC%3Fx%23y%26z"),
        (.role, "../kube-system", "x", "/apis/rbac.authorization.k8s.io/v1/namespaces/..%2Fkube-system/roles/x"),
    ])
    func readsAnObjectAtItsPath(_ resource: Resource, _ namespace: String, _ name: String, _ path: String) {
        let request = APIRequest.read(resource, ObjectID(resource, namespace: namespace, name: name))
        #expect(request.method == .get)
        #expect(request.target == path)
        #expect(request.body == nil)
        #expect(request.verb == "read")
    }

    @Test func listsTheMostRecentStatePageByPage() {
        let first = APIRequest.list(.role)
        #expect(first.target == "/apis/rbac.authorization.k8s.io/v1/roles?limit=500")
        let next = APIRequest.list(.role, namespace: "a", limit: 50, continuing: "to/k=")
        #expect(
            next.target == "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles?limit=50&continue=to%2Fk%3D")
        // Neither with a token (rule C1) nor without one (rule C2).
        for request in [first, next] {
            #expect(!request.query.contains { $0.name.hasPrefix("resourceVersion") || $0.name == "labelSelector" })
        }
    }

    @Test func watchesFromAVersionWithBookmarksAndAnEnd() {
        let request = APIRequest.watch(.namespace, from: "4711", timeout: .seconds(300))
        #expect(request.method == .get)
        #expect(request.path == "/api/v1/namespaces")
        #expect(
            request.query.map { "\($0.name)=\($0.value)" } == [
                "watch=1", "resourceVersion=4711", "allowWatchBookmarks=true", "timeoutSeconds=300",
            ])
        #expect(request.verb == "watch")
    }

    @Test func appliesByForceUnderItsOwnName() throws {
        let request = APIRequest.apply(
            ["kind": "Role"], .role, id, fieldManager: "bylaw-a&b", expecting: nil, isDryRun: false)
        #expect(request.method == .patch)
        #expect(
            request.target
                == "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/reader?fieldManager=bylaw-a%26b&force=true")
        #expect(request.contentType == "application/apply-patch+yaml")
        #expect(try body(request) == ["kind": "Role"], "without an expected object nothing is put into the body")
        #expect(request.verb == "apply")
    }

    @Test func anApplyThatExpectsAnObjectNamesItsUIDAndVersion() throws {
        let live = try Sample.role("reader", version: "12", uid: "u-1")
        let request = APIRequest.apply(
            ["metadata": ["name": "reader", "labels": ["l": "v"]]], .role, id, fieldManager: "bylaw-x",
            expecting: live, isDryRun: false)
        #expect(
            try body(request)["metadata"]
                == ["name": "reader", "labels": ["l": "v"], "uid": "u-1", "resourceVersion": "12"])
    }

    @Test(arguments: [true, false])
    func aDryRunIsWrittenInOneWayOnly(_ isDryRun: Bool) {
        let apply = APIRequest.apply([:], .role, id, fieldManager: "b", expecting: nil, isDryRun: isDryRun)
        let create = APIRequest.create([:], .role, namespace: "a", fieldManager: "b", isDryRun: isDryRun)
        for request in [apply, create] {
            #expect(request.query.filter { $0.name == "dryRun" }.map(\.value) == (isDryRun ? ["All"] : []))
        }
    }

    @Test func aMergePatchTakesAwayWithNullOnExactlyOneVersion() throws {
        let live = try Sample.role("reader", version: "12", uid: "u-1")
        let request = APIRequest.mergePatch(
            ["spec": ["egress": .null]], .role, id, fieldManager: "bylaw-x", expecting: live)
        #expect(request.method == .patch)
        #expect(request.contentType == "application/merge-patch+json")
        #expect(request.query.map { "\($0.name)=\($0.value)" } == ["fieldManager=bylaw-x"])
        #expect(
            try body(request)
                == ["spec": ["egress": .null], "metadata": ["uid": "u-1", "resourceVersion": "12"]])
        #expect(request.verb == "patch")
    }

    @Test func aJSONPatchIsSentAsItIs() throws {
        let patch: Tree = [["op": "replace", "path": "/metadata/resourceVersion", "value": "7"]]
        let request = APIRequest.jsonPatch(patch, .role, id, fieldManager: "bylaw-x")
        #expect(request.method == .patch)
        #expect(request.contentType == "application/json-patch+json")
        #expect(try body(request) == patch)
    }

    @Test func aStatusIsReplacedByWayOfItsSubresource() throws {
        let object = ObjectID(.policySync, namespace: "a", name: "b")
        let request = APIRequest.replaceStatus(["x": 1], .policySync, object, fieldManager: "bylaw-x")
        #expect(request.target == "/apis/bylaw.dev/v1alpha1/namespaces/a/policysyncs/b/status?fieldManager=bylaw-x")
        #expect(request.isWrite && request.kubernetesVerb(of: .policySync) == "patch")
        #expect(request.contentType == "application/json-patch+json")
        #expect(try body(request) == [["op": "add", "path": "/status", "value": ["x": 1]]])
        let ours = APIRequest.replaceStatus(["x": 1], over: "a", .policySync, object, fieldManager: "bylaw-x")
        #expect(
            try body(ours) == [
                ["op": "test", "path": "/status/reporter", "value": "a"],
                ["op": "add", "path": "/status", "value": ["x": 1]],
            ])
    }

    @Test func aCreateGoesToTheCollection() throws {
        let request = APIRequest.create(
            ["kind": "Role"], .role, namespace: "a", fieldManager: "bylaw-x", isDryRun: false)
        #expect(request.method == .post)
        #expect(request.target == "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles?fieldManager=bylaw-x")
        #expect(request.contentType == "application/json")
        #expect(request.verb == "create")
    }

    @Test func deletesInTheBackgroundAndOnlyTheObjectThatWasSeen() throws {
        let live = try Sample.role("reader", version: "12", uid: "u-1")
        let request = APIRequest.delete(.role, id, expecting: live)
        #expect(request.method == .delete)
        #expect(request.query.isEmpty)
        #expect(request.contentType == "application/json")
        let options = try body(request)
        #expect(options["kind"] == "DeleteOptions")
        #expect(options["propagationPolicy"] == "Background")
        #expect(options["preconditions"] == ["uid": "u-1", "resourceVersion": "12"])
        #expect(options["orphanDependents"] == nil, "together with a policy it is refused (rule F8)")
    }

    @Test func asksWhetherItMayWithoutEmptyAttributes() throws {
        let request = APIRequest.accessReview(verb: "escalate", resource: .clusterRole)
        #expect(request.method == .post)
        #expect(request.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        #expect(
            try body(request)["spec"]?["resourceAttributes"]
                == ["verb": "escalate", "group": "rbac.authorization.k8s.io", "resource": "clusterroles"])
        let named = APIRequest.accessReview(verb: "patch", resource: .role, namespace: "a", name: "reader")
        let attributes = try body(named)["spec"]?["resourceAttributes"]
        #expect(attributes?["namespace"] == "a")
        #expect(attributes?["name"] == "reader")
    }
}

import AuditEvents
import JSON
import Manifest
import TestSupport
import Testing

/// The events that Kubernetes wrote, against what they say when read without this module.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct RecordedEventsTests {
    private static let files = [
        "anonymous_creates_namespace_foo", "attach_cluster_admin_role", "attach_pod", "create_cluster_role_pod_exec",
        "create_cluster_role_wildcard_resources", "create_cluster_role_wildcard_verbs",
        "create_cluster_role_write_privileges", "create_clusterrole", "create_clusterrolebinding", "create_configmap",
        "create_configmap_no_sensitive_values", "create_configmap_sensitive_values", "create_deployment",
        "create_kube_system_secret", "create_nginx_pod_hostnetwork",
        "create_nginx_pod_no_secctx_1st_container_privileged_2nd_container", "create_nginx_pod_nohostnetwork",
        "create_nginx_pod_privileged", "create_nginx_pod_privileged_2nd_container", "create_nginx_pod_sensitive_mount",
        "create_nginx_pod_sensitive_mount_2nd_container", "create_nginx_pod_unprivileged",
        "create_nginx_pod_unsensitive_mount", "create_nginx_service_nodeport", "create_nginx_service_nonodeport",
        "create_pod_kube_public_namespace", "create_pod_kube_system_namespace", "create_secret", "create_service",
        "create_service_account_token_secret", "create_serviceaccount", "create_serviceaccount_kube_public_namespace",
        "create_serviceaccount_kube_system_namespace", "delete_cluster_role_kube_aggregator", "delete_clusterrole",
        "delete_clusterrolebinding", "delete_configmap", "delete_deployment", "delete_namespace_foo", "delete_secret",
        "delete_service", "delete_serviceaccount", "exec_pod", "minikube_creates_namespace_foo",
        "modify_cluster_role_node_problem_detector", "some-user_creates_namespace_foo",
    ]

    private static func lines(_ file: String) throws -> [[UInt8]] {
        try Conformance.lines("audit/events/\(file).json")
    }

    private static func isChange(_ tree: Tree) -> Bool {
        tree["stage"] == "ResponseComplete" && tree["verb"] != "get" && tree[["objectRef", "subresource"]] == nil
    }

    @Test(arguments: files) func saysWhoDidWhatAsAListAndAsALog(_ file: String) throws {
        let lines = try Self.lines(file)
        let trees = try lines.map { try parseJSON($0) }
        let changes = trees.filter(Self.isChange)
        let reader = AuditReader(ourUser: nil)
        let batch = reader.readList(list(trees))
        #expect(batch == reader.readLog(try Conformance.read("audit/events/\(file).json")))
        #expect(batch.unreadable == 0)
        #expect(batch.count == trees.count)
        #expect(batch.events.count == changes.count)
        for (event, tree) in zip(batch.events, changes) {
            #expect(event.auditID == tree["auditID"]?.string)
            #expect(event.verb == tree["verb"]?.string)
            #expect(event.level.rawValue == tree["level"]?.string)
            #expect(event.user.name == tree[["user", "username"]]?.string)
            #expect(event.user.groups == (tree[["user", "groups"]]?.array ?? []).compactMap(\.string))
            #expect(event.sourceIP == tree["sourceIPs"]?.array?.last?.string)
            #expect(event.code == tree[["responseStatus", "code"]]?.integer.map { Int($0) })
            #expect(event.at == (tree["stageTimestamp"]?.string).flatMap { Timestamp($0) })
            #expect(event.target.resource == tree[["objectRef", "resource"]]?.string)
            #expect(event.target.group == tree[["objectRef", "apiGroup"]]?.string ?? "")
            #expect(event.target.name == tree[["objectRef", "name"]]?.string ?? "")
            #expect(event.target.namespace == tree[["objectRef", "namespace"]]?.string ?? "")
            #expect(event.decision == tree[["annotations", "authorization.k8s.io/decision"]]?.string)
            if case .object(let object) = event.answer {
                #expect(object.resourceVersion == tree[["responseObject", "metadata", "resourceVersion"]]?.string)
                #expect(object.uid == tree[["responseObject", "metadata", "uid"]]?.string)
            } else if case .removed(let uid) = event.answer {
                #expect(uid == tree[["responseObject", "details", "uid"]]?.string)
            } else {
                #expect(tree["responseObject"] == nil)
            }
        }
    }

    @Test func allOfThemAreRead() throws {
        let all = try Self.files.flatMap { try Self.lines($0) }
        #expect(all.count == 51)
        let batch = AuditReader(ourUser: "minikube-user").readLog(Array(all.joined(separator: [0x0a])))
        #expect(batch.unreadable == 0)
        #expect(batch.ignored[.otherStage] == 2)
        #expect(batch.ignored[.notAChange] == 1)
        #expect(batch.ignored[.ourOwn] == 34)
        #expect(batch.events.count == 14)
    }

    @Test func theHostileOneIsCountedAndLeavesTheOthersAlone() throws {
        let hostile = try parseJSON(Conformance.read("audit/events/fal_01_003.json"))
        let good = try parseJSON(Conformance.read("audit/events/create_clusterrole.json"))
        let batch = AuditReader(ourUser: nil).readList(list([hostile, good, hostile]))
        #expect(batch.unreadable == 2)
        #expect(batch.events.count == 1)
        #expect(
            AuditReader(ourUser: nil).readList(try Conformance.read("audit/events/fal_01_003.json")).unreadable == 1)
    }

    @Test func theAlarmsAreRaisedByWhatIsTakenForAChange() throws {
        // Every alarm of a write, save those of exec and attach, must be about an event that is taken.
        for line in try Conformance.lines("audit/expected.tsv").dropFirst() {
            let columns = String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
            guard columns.count > 4, columns[2] == "True", !columns[4].contains("Attach/Exec") else { continue }
            let batch = AuditReader(ourUser: nil).readLog(try Conformance.read("audit/events/\(columns[1])"))
            #expect(!batch.events.isEmpty, "\(columns[0])")
        }
    }

    @Test func theRecordedChangesAreAttributed() throws {
        let batch = AuditReader(ourUser: nil).readLog(
            Array(try Self.files.flatMap { try Self.lines($0) }.joined(separator: [0x0a])))
        let seen = try #require(Timestamp("2018-10-26T13:25:18.9Z"))
        var memory = AuditMemory(age: .seconds(86_400 * 3))
        memory.add(batch.events, at: try #require(Timestamp("2018-10-27T00:00:00Z")))
        let created = ObservedChange(
            object: ObjectID(.clusterRole, name: "some-reader"), uid: "94c25719-d922-11e8-a2e6-080027728ac4",
            kind: .created, versionAfter: "266028", observedAt: seen)
        #expect(memory.attribute(created)?.certainty == .proven)
        #expect(memory.attribute(created)?.name == "minikube-user")
        var deleted = created
        deleted.kind = .deleted
        deleted.observedAt = seen.advanced(by: .seconds(20))
        #expect(memory.attribute(deleted)?.certainty == .proven)
        #expect(memory.attribute(deleted)?.event?.verb == "delete")
        let patched = ObservedChange(
            object: ObjectID(.clusterRole, name: "system:node-problem-detector"), uid: nil, kind: .changed,
            versionAfter: "269365", observedAt: try #require(Timestamp("2018-10-26T14:11:52Z")))
        #expect(memory.attribute(patched)?.certainty == .likely)
        #expect(memory.attribute(patched)?.evidence == .answer)
    }
}

import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// `who-can`, `can`, `reach`, `pods check` and `snapshot`, through the built program.
@Suite struct AnalysisCommandTests {
    private let program: Program
    private let manifests: String

    init() throws {
        program = try Program()
        manifests = try program.folder.write(
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: reader, namespace: shop}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: readers, namespace: shop}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{kind: ServiceAccount, name: app}]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: shop}
            spec:
              template:
                metadata: {labels: {app: web}}
                spec:
                  containers:
                  - {name: c, image: i, env: [{name: PASSWORD, value: hush}], securityContext: {privileged: true}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: db, namespace: shop, labels: {app: db}}
            spec: {containers: [{name: c, image: i, ports: [{name: sql, containerPort: 5432}]}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: database, namespace: shop}
            spec: {selector: {app: db}, ports: [{port: 80, targetPort: sql}]}
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: db, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: db}}
              policyTypes: [Ingress]
              ingress:
              - from: [{podSelector: {matchLabels: {app: web}}}]
                ports: [{port: sql}, {protocol: UDP, port: 53, endPort: 60}]
            """, to: "all.yaml")
    }

    private func answer(_ arguments: String..., status: Int32 = 0) async throws -> Tree {
        let outcome = try await program.run(arguments + ["-f", manifests, "-o", "json"])
        #expect(outcome.status == status, "\(outcome.errors)")
        let tree = try parseJSON(outcome.output)
        #expect(tree["apiVersion"]?.string == "bylaw.dev/v1")
        return tree
    }

    /// The answer is a contract: these are its fields.
    @Test func whoCanNamesBindingAndRoleWithTheirPlaces() async throws {
        let answer = try await answer("who-can", "get", "secrets", "-n", "shop")
        #expect(answer["subjects"]?.array?.map { $0["kind"]?.string } == ["Group", "ServiceAccount"])
        let account = try #require(answer["subjects"]?.array?.last)
        #expect(account["name"] == "app")
        #expect(account["namespace"] == "shop")
        let via = try #require(account["via"]?.array?.first)
        #expect(
            via["binding"] == [
                "kind": "RoleBinding", "group": "rbac.authorization.k8s.io", "namespace": "shop", "name": "readers",
                "file": .string(manifests), "line": 10,
            ])
        #expect(via["role"]?["name"] == "reader")
        #expect(via["rule"] == ["verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]])
        let everywhere = try await self.answer("who-can", "get", "secrets")
        #expect(everywhere["subjects"]?.array?.count == 1, "only system:masters")
    }

    @Test func canShowsTheShortestRules() async throws {
        let answer = try await answer("can", "ServiceAccount:shop/app", "-n", "shop")
        let scope = try #require(answer["scopes"]?.array?.last)
        #expect(scope["namespace"] == "shop")
        #expect(scope["rules"] == [["verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]]])
        #expect(try await program.run(["can", "ServiceAccount:shop", "-f", manifests]).status == 2)
    }

    @Test func reachAnswersByWorkloadPortsAndBlocks() async throws {
        let answer = try await answer("reach", "shop/web", "shop/db")
        #expect(
            answer["connections"] == [
                [
                    "from": ["kind": "Deployment", "namespace": "shop", "name": "web"],
                    "to": ["kind": "Pod", "namespace": "shop", "name": "db"],
                    "ports": [
                        ["protocol": "TCP", "port": 5432], ["protocol": "UDP", "port": 53, "endPort": 60],
                    ],
                ]
            ])
        let outside = try await self.answer("reach", "external", "shop/web")
        #expect(outside["connections"]?.array?.map { $0["from"]?["cidr"]?.string } == ["0.0.0.0/0", "::/0"])
        #expect(outside["connections"]?.array?.first?["ports"] == nil)
        #expect(try await self.answer("reach", "external", "shop/db")["connections"] == [])
        let service = try await self.answer("reach", "shop/web", "Service/shop/database")
        #expect(service["connections"]?.array?.first?["ports"] == [["protocol": "TCP", "port": 5432]])
        #expect(try await program.run(["reach", "shop/none", "-f", manifests]).status == 2)
        let picture = try await program.run(["reach", "-n", "shop", "-f", manifests, "-o", "svg"])
        #expect(picture.output.hasPrefix("<svg ") && picture.output.hasSuffix("</svg>\n"))
        #expect(try await program.run(["reach", "-f", manifests, "-o", "dot"]).output.hasPrefix("digraph"))
    }

    @Test func podsCheckNamesControlAndField() async throws {
        let answer = try await answer("pods", "check", "--level", "baseline", status: 1)
        let violation = try #require(answer["violations"]?.array?.first)
        #expect(answer["violations"]?.array?.count == 1)
        #expect(violation["object"] == ["kind": "Deployment", "group": "apps", "namespace": "shop", "name": "web"])
        #expect(violation["control"] == "privileged")
        #expect(violation["field"] == "spec.template.spec.containers[0].securityContext.privileged")
        #expect(
            violation["message"]
                == "privileged (container \"c\" must not set securityContext.privileged=true)")
        #expect(violation["file"] == .string(manifests))
        #expect(try await program.run(["pods", "check", "--version", "1.29", "-f", manifests]).status == 2)
    }

    @Test func anAnswerFromAPartIsNoAnswer() async throws {
        let bad = try program.folder.write("kind: Pod\nmetadata: {name: [x]}\n", to: "bad.yaml")
        for command in [["who-can", "get", "pods"], ["reach"], ["pods", "check"]] {
            let outcome = try await program.run(command + ["-f", manifests, "-f", bad])
            #expect(outcome.status == 2, "\(command)")
            #expect(outcome.errors.contains("bad.yaml:1"), "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, Comment(rawValue: ClusterUnderTest.absence)))
    func aSnapshotAnswersAsTheClusterDoesAndHoldsNoSecret() async throws {
        let admin = try #require(ProcessInfo.processInfo.environment["BYLAW_E2E_ADMIN_KUBECONFIG"])
        let file = program.folder.path + "/snapshot.json"
        let written = try await program.run(["snapshot", file, "--kubeconfig", admin])
        #expect(written.status == 0, "\(written.errors)")
        let snapshot = try parseJSON([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
        let kinds = Set((snapshot["items"]?.array ?? []).compactMap { $0["kind"]?.string })
        #expect(kinds.isDisjoint(with: ["Secret", "ConfigMap"]))
        #expect(kinds.isSuperset(of: ["ClusterRole", "ClusterRoleBinding", "Namespace", "ServiceAccount"]))
        let question = ["who-can", "get", "secrets", "-n", "kube-system", "-o", "json"]
        let live = try await program.run(question + ["--kubeconfig", admin])
        let offline = try await program.run(question + ["-f", file])
        #expect(live.status == 0 && offline.status == 0, "\(live.errors) \(offline.errors)")
        #expect(names(try parseJSON(live.output)) == names(try parseJSON(offline.output)))
        #expect(names(try parseJSON(live.output)).count > 5)
    }

    private func names(_ answer: Tree) -> [String] {
        (answer["subjects"]?.array ?? []).map { "\($0["kind"]?.string ?? "") \($0["name"]?.string ?? "")" }
    }
}

import Analysis
import Manifest
import Testing

@Suite struct CheckWorkloadsTests {
    private static let template: Tree = [
        "metadata": ["annotations": ["container.apparmor.security.beta.kubernetes.io/c": "unconfined"]],
        "spec": [
            "containers": [["name": "c", "securityContext": ["privileged": true]]], "volumes": [["name": "bare"]],
        ],
    ]

    private func workload(_ kind: String, _ apiVersion: String, _ fields: Tree) throws -> Workload {
        var tree = fields
        tree.set(["kind"], to: .string(kind))
        tree.set(["apiVersion"], to: .string(apiVersion))
        tree.set(["metadata", "name"], to: "w")
        let object = try #require(workloadObject(tree))
        return try #require(Workload(object))
    }

    @Test(
        arguments: [
            ("Pod", "v1", Self.template, ""),
            ("Deployment", "apps/v1", ["spec": ["template": Self.template]], "spec.template."),
            (
                "CronJob", "batch/v1", ["spec": ["jobTemplate": ["spec": ["template": Self.template]]]],
                "spec.jobTemplate.spec.template."
            ),
        ] as [(String, String, Tree, String)])
    func countsFieldsFromTheWorkload(_ kind: String, _ version: String, _ fields: Tree, _ prefix: String) throws {
        let workload = try workload(kind, version, fields)
        let found = checkWorkloads([workload], level: .baseline, version: PodSecurityVersion(minor: 36))
        #expect(found.map(\.workload) == [workload.id, workload.id])
        #expect(
            found.map { $0.fields.map(\.description) } == [
                ["\(prefix)metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]"],
                ["\(prefix)spec.containers[0].securityContext.privileged"],
            ])
        #expect(found.last?.violation.fields.map(\.description) == ["spec.containers[0].securityContext.privileged"])
    }

    @Test func fillsInVolumesBeforeItLooks() throws {
        let found = checkWorkloads([try workload("Pod", "v1", Self.template)], level: .restricted, version: .latest)
        #expect(found.contains { $0.violation.control == "privileged" })
        #expect(!found.contains { $0.violation.control == "restrictedVolumes" })
    }

    @Test(arguments: [("Running", 1), ("Pending", 1), ("Succeeded", 0), ("Failed", 0)])
    func passesOverPodsThatHaveEnded(_ phase: String, _ count: Int) throws {
        let pod: Tree = ["spec": ["hostPID": true], "status": ["phase": .string(phase)]]
        let found = checkWorkloads([try workload("Pod", "v1", pod)], level: .baseline, version: .latest)
        #expect(found.count == count)
    }

    @Test func asksNothingOfPrivilegedNamespaces() throws {
        let workload = try workload("Pod", "v1", Self.template)
        #expect(checkWorkloads([workload], level: .privileged, version: .latest).isEmpty)
    }
}

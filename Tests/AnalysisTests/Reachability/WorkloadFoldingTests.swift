import Analysis
import Manifest
import Testing

/// Which pods stand for themselves, which for their owner, and which for nobody.
@Suite struct WorkloadFoldingTests {
    private static func cluster(secondPod: String, policy: String, thirdAddress: String = "10.0.0.3") -> SecurityState {
        AnalysisTests.cluster(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: a}
            spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}
            ---
            apiVersion: apps/v1
            kind: ReplicaSet
            metadata:
              {name: web-1, namespace: a, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]}
            spec: {template: {metadata: {labels: {app: web, pod-template-hash: x}}, spec: {containers: [{name: c}]}}}
            ---
            \(pod("web-1-a", "{app: web, pod-template-hash: x}", "10.0.0.1"))
            ---
            \(pod("web-1-b", secondPod, "10.0.0.2"))
            ---
            \(pod("web-1-c", "{app: web}", thirdAddress))
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: rules, namespace: a}
            spec: \(policy)
            """)
    }

    private static func pod(_ name: String, _ labels: String, _ address: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: \(name)
          namespace: a
          labels: \(labels)
          ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, controller: true}]
        spec: {containers: [{name: c}]}
        status: {podIP: \(address)}
        """
    }

    @Test func podsAreTheirTopmostOwner() {
        let model = ReachabilityModel(
            Self.cluster(secondPod: "{app: web, note: x}", policy: "{podSelector: {matchLabels: {app: web}}}"))
        #expect(model.pods == [deployment("a", "web")])
        #expect(model.end(of: ObjectID(.pod, namespace: "a", name: "web-1-b")) == deployment("a", "web"))
        #expect(model.end(of: ObjectID(.replicaSet, namespace: "a", name: "web-1")) == deployment("a", "web"))
        #expect(model.end(of: ObjectID(.pod, namespace: "a", name: "none")) == nil)
        #expect(
            model.ports(from: AnalysisTests.pod("a", "web-1-a"), to: AnalysisTests.pod("a", "web-1-b")) == PortSet.none)
    }

    @Test func aPodWithAnotherLabelThatAPolicyReadsStandsAlone() {
        let model = ReachabilityModel(
            Self.cluster(secondPod: "{app: web, debug: 'on'}", policy: "{podSelector: {matchLabels: {debug: 'on'}}}"))
        #expect(model.pods == [AnalysisTests.pod("a", "web-1-b"), deployment("a", "web")])
        #expect(model.isIsolated(AnalysisTests.pod("a", "web-1-b"), .ingress))
        #expect(!model.isIsolated(deployment("a", "web"), .ingress))
    }

    @Test func anOwnerHasTheAddressOfItsPodsWherePoliciesCannotTellThemApart() {
        let policy = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}]}]}"
        let alike = ReachabilityModel(Self.cluster(secondPod: "{app: web}", policy: policy))
        #expect(alike.pods == [deployment("a", "web")])
        #expect(alike.ports(from: deployment("a", "web"), to: deployment("a", "web")) == .all)
        let different = ReachabilityModel(
            Self.cluster(secondPod: "{app: web}", policy: policy, thirdAddress: "10.0.1.1"))
        #expect(different.pods.count == 4)
        #expect(different.ports(from: AnalysisTests.pod("a", "web-1-c"), to: deployment("a", "web")) == PortSet.none)
        #expect(different.ports(from: AnalysisTests.pod("a", "web-1-a"), to: deployment("a", "web")) == .all)
    }

    @Test func finishedPodsHaveNoTraffic() {
        let model = ReachabilityModel(
            AnalysisTests.cluster(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: done, namespace: a}
                status: {phase: Succeeded}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: failed, namespace: a}
                status: {phase: Failed}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: running, namespace: a}
                status: {phase: Running}
                """))
        #expect(model.pods == [AnalysisTests.pod("a", "running")])
        #expect(model.ports(from: AnalysisTests.pod("a", "done"), to: AnalysisTests.pod("a", "running")) == nil)
    }

    @Test func jobsAreTheirCronJobAndOwnersInACircleEndSomewhere() {
        func owned(_ kind: String, _ name: String, by owner: String, _ ownerName: String) -> String {
            """
            apiVersion: batch/v1
            kind: \(kind)
            metadata:
              name: \(name)
              namespace: a
              ownerReferences: [{apiVersion: batch/v1, kind: \(owner), name: \(ownerName), controller: true}]
            """
        }
        let nightly = """
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: nightly, namespace: a}
            ---
            \(owned("Job", "nightly-1", by: "CronJob", "nightly"))
            """
        let cronJob = ReachabilityEnd.workload(ObjectID(.cronJob, namespace: "a", name: "nightly"))
        #expect(ReachabilityModel(AnalysisTests.cluster(nightly)).pods == [cronJob])
        let circle = AnalysisTests.cluster(
            owned("Job", "x", by: "Job", "y") + "\n---\n" + owned("Job", "y", by: "Job", "x"))
        _ = ReachabilityModel(circle).connections()
    }

    @Test func podsInTheNetworkOfTheirNodeAreOnlyTheirAddress() throws {
        let model = ReachabilityModel(
            AnalysisTests.cluster([
                podTree("a", "node", labels: ["app": "x"], address: "192.0.2.1", hostNetwork: true),
                podTree("a", "plain", labels: ["app": "x"], address: "10.0.0.1"),
                [
                    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                    "metadata": ["name": "n", "namespace": "a"],
                    "spec": [
                        "podSelector": [:],
                        "ingress": [
                            ["from": [["namespaceSelector": [:]]], "ports": [["port": 80]]],
                            ["from": [["ipBlock": ["cidr": "192.0.2.0/24"]]], "ports": [["port": 81]]],
                        ],
                    ],
                ],
            ]))
        let (node, plain) = (AnalysisTests.pod("a", "node"), AnalysisTests.pod("a", "plain"))
        #expect(model.usesHostNetwork(node))
        #expect(!model.isIsolated(node, .ingress))
        #expect(model.isIsolated(plain, .ingress))
        #expect(model.ports(from: node, to: plain)?.description == "TCP 81")
        #expect(model.ports(from: plain, to: node) == .all)
        #expect(model.ports(from: plain, to: plain)?.description == "TCP 80")
    }

    @Test func everyNamespaceHasItsNameAsALabel() {
        let model = ReachabilityModel(
            AnalysisTests.cluster([
                namespaceTree("b", labels: ["kubernetes.io/metadata.name": "forged"]), podTree("b", "declared"),
                podTree("c", "undeclared"), podTree("a", "target"),
                [
                    "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                    "metadata": ["name": "n", "namespace": "a"],
                    "spec": [
                        "podSelector": [:],
                        "ingress": ["b", "c"].map { name in
                            [
                                "from": [
                                    ["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": name]]]
                                ]
                            ]
                        }.reduce([]) { .array(($0.array ?? []) + [$1]) },
                    ],
                ],
            ]))
        let target = AnalysisTests.pod("a", "target")
        #expect(model.ports(from: AnalysisTests.pod("b", "declared"), to: target) == .all)
        #expect(model.ports(from: AnalysisTests.pod("c", "undeclared"), to: target) == .all)
        #expect(model.ports(from: target, to: target) == PortSet.none)
    }
}

import Analysis
import Manifest
import Testing

@Suite struct PodSecurityControlTests {
    private func violations(
        _ spec: Tree, _ annotations: [String: String] = [:], _ level: PodSecurityLevel = .restricted,
        minor: Int = 36
    ) -> [PodSecurityViolation] {
        evaluatePodSecurity(
            spec: spec, annotations: Labels(annotations), level: level, version: PodSecurityVersion(minor: minor))
    }

    @Test func hasTheControlsOfUpstreamInItsOrder() {
        let ids = PodSecurityControl.all.map(\.id)
        #expect(ids.count == 19)
        #expect(Set(ids).count == 19)
        for level in [PodSecurityLevel.baseline, .restricted] {
            let own = PodSecurityControl.all.filter { $0.level == level }.map(\.id)
            #expect(own == own.sorted { $0.precedesByBytes($1) })
        }
    }

    @Test func refusesNothingAtPrivileged() {
        let spec: Tree = ["hostPID": true, "containers": "none"]
        #expect(violations(spec, [:], .privileged).isEmpty)
    }

    @Test func namesTheFieldsThatViolate() {
        let spec: Tree = [
            "hostNetwork": true,
            "securityContext": [
                "sysctls": [["name": "net.ipv4.tcp_syncookies"], ["name": "kernel.msgmax"]],
                "seLinuxOptions": ["user": "root", "type": "spc_t"],
            ],
            "initContainers": [["name": "i", "securityContext": ["privileged": true]]],
            "containers": [
                [
                    "name": "c", "ports": [["containerPort": 80], ["hostPort": 80]],
                    "securityContext": ["capabilities": ["add": ["CHOWN", "SYS_ADMIN"]]],
                    "lifecycle": ["preStop": ["httpGet": ["host": "a"]]],
                ]
            ],
            "ephemeralContainers": [["name": "e", "securityContext": ["procMount": "Unmasked"]]],
            "volumes": [["name": "v", "hostPath": ["path": "/"]]],
        ]
        let annotations = ["container.apparmor.security.beta.kubernetes.io/c": "unconfined"]
        let fields = violations(spec, annotations, .baseline).map { "\($0.control): \($0.fields)" }
        #expect(
            fields == [
                "appArmorProfile: [metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]]",
                "capabilities_baseline: [spec.containers[0].securityContext.capabilities.add[1]]",
                "hostNamespaces: [spec.hostNetwork]", "hostPathVolumes: [spec.volumes[0].hostPath]",
                "hostPorts: [spec.containers[0].ports[1].hostPort]",
                "hostProbesAndHostLifecycle: [spec.containers[0].lifecycle.preStop.httpGet.host]",
                "privileged: [spec.initContainers[0].securityContext.privileged]",
                "procMount: [spec.ephemeralContainers[0].securityContext.procMount]",
                "seLinuxOptions: [spec.securityContext.seLinuxOptions.type, spec.securityContext.seLinuxOptions.user]",
                "sysctls: [spec.securityContext.sysctls[1].name]",
            ])
    }

    @Test func namesTheFieldsThatAreMissing() {
        let fields = violations(["containers": [["name": "c"]]]).map { "\($0.fields)" }
        let path = "spec.containers[0].securityContext"
        #expect(
            fields == [
                "[\(path).allowPrivilegeEscalation]", "[\(path).capabilities.drop]", "[\(path).runAsNonRoot]",
                "[\(path).seccompProfile.type]",
            ])
    }

    @Test(
        arguments: [
            ("pod", "none", "spec is a string, not a map"),
            ("containers", ["containers": ["name": "c"]], "spec.containers is a map, not a list"),
            ("a container", ["containers": ["c"]], "spec.containers[0] is a string, not a map"),
            (
                "privileged", ["containers": [["securityContext": ["privileged": "yes"]]]],
                "spec.containers[0].securityContext.privileged is a string, not a boolean"
            ),
            ("host network", ["hostNetwork": 1], "spec.hostNetwork is a number, not a boolean"),
            (
                "user", ["securityContext": ["runAsUser": "0"]],
                "spec.securityContext.runAsUser is a string, not a whole number"
            ),
            (
                "host port", ["containers": [["ports": [["hostPort": .double(0.5)]]]]],
                "spec.containers[0].ports[0].hostPort is a number, not a whole number"
            ),
            (
                "capability", ["initContainers": [["securityContext": ["capabilities": ["add": [true]]]]]],
                "spec.initContainers[0].securityContext.capabilities.add[0] is a boolean, not a string"
            ),
            ("security context", ["securityContext": []], "spec.securityContext is a list, not a map"),
            ("volume source", ["volumes": [["emptyDir": true]]], "spec.volumes[0].emptyDir is a boolean, not a map"),
            (
                "sysctl", ["securityContext": ["sysctls": [["name": 1]]]],
                "spec.securityContext.sysctls[0].name is a number"
            ),
        ] as [(String, Tree, String)])
    func neverAllowsWhatItCannotRead(_ name: String, _ spec: Tree, _ detail: String) {
        for level in [PodSecurityLevel.baseline, .restricted] {
            let unreadable = violations(spec, [:], level).filter { $0.control == PodSecurityViolation.unreadable }
            #expect(unreadable.count == 1)
            #expect(unreadable.first?.detail.hasPrefix(detail) == true)
            #expect(unreadable.first?.fields.map(\.description) == [String(detail.prefix { $0 != " " })])
        }
    }

    @Test func readsNullAsAbsent() {
        let spec: Tree = [
            "hostNetwork": .null, "containers": [["name": "c", "securityContext": .null], .null], "volumes": .null,
        ]
        #expect(violations(spec, [:], .baseline).isEmpty)
        #expect(violations(spec).first?.detail.hasPrefix("containers \"c\", \"\" must set") == true)
    }

    @Test func readsAWholeNumberWithAFractionAsANumber() {
        let spec: Tree = ["securityContext": ["runAsUser": .double(0)]]
        #expect(violations(spec).map(\.control) == ["runAsUser"])
    }

    @Test func tellsNamesApartByBytes() {
        // The Kelvin sign equals the letter K in Swift.
        let capabilities: Tree = ["add": ["\u{212A}ILL"], "drop": ["ALL"]]
        let spec: Tree = ["containers": [["name": "c", "securityContext": ["capabilities": capabilities]]]]
        #expect(violations(spec, [:], .baseline).map(\.control) == ["capabilities_baseline"])
    }

    @Test func refusesVolumesOfUnknownTypes() {
        let spec: Tree = [
            "volumes": [["name": "a", "fromTheFuture": [:]], ["name": "b"], ["name": "c", "emptyDir": .null]]
        ]
        let detail = "volumes \"a\", \"b\", \"c\" use restricted volume type \"unknown\""
        #expect(violations(spec).map(\.detail) == [detail])
        let defaulted = withDefaultedVolumes(spec)
        #expect(defaulted["volumes"]?.array?[1] == ["name": "b", "emptyDir": [:]])
        #expect(violations(defaulted).map(\.detail) == ["volume \"a\" uses restricted volume type \"unknown\""])
        #expect(violations(defaulted).first?.fields.map(\.description) == ["spec.volumes[0]"])
    }

    @Test func leavesSpecificationsAloneThatNeedNoDefaults() {
        for spec in [[:], ["volumes": "none"], ["volumes": [["emptyDir": [:]], "x"]], "none", .null] as [Tree] {
            #expect(withDefaultedVolumes(spec) == spec)
        }
    }

    @Test func quotesAnnotationsAsGoDoes() {
        let key = "container.apparmor.security.beta.kubernetes.io/c"
        let detail = violations([:], [key: "a\"\\\n\u{01}é\u{2028}\u{1F600}\u{E0001}"], .baseline).first?.detail
        let quoted = #""a\"\\\n\x01é\u2028😀\U000e0001""#
        #expect(detail == "annotation must not set AppArmor profile type to \"\(key)=\(quoted)\"")
    }

    @Test func composesTheMessageOfAdmission() {
        let setting = PodSecuritySetting(.baseline, PodSecurityVersion(minor: 30))
        let spec: Tree = [
            "hostPID": true, "containers": [["name": "c", "ports": [["hostPort": 53], ["hostPort": 8080]]]],
        ]
        let message = podSecurityMessage(violations(spec, [:], .baseline), setting: setting)
        #expect(
            message == "violates PodSecurity \"baseline:v1.30\": host namespaces (hostPID=true), "
                + "hostPort (container \"c\" uses hostPorts 53, 8080)")
        #expect(podSecurityMessage([], setting: setting).isEmpty)
    }
}

import Analysis
import JSON
import Manifest
import TestSupport
import Testing
import YAML

/// Pods and verdicts of Kubernetes v1.36.2 itself.
@Suite(.enabled(if: Conformance.isPresent, Comment(rawValue: Conformance.absence)))
struct PodSecurityConformanceTests {
    /// The only pods with a volume without source, which their authors mean to be an empty directory.
    private static let podsWithBareVolume: Set<String> = [
        "restricted-pass-restrictedvolumes0-26e955e7.yaml", "restricted-pass-restrictedvolumes0-4c06c068.yaml",
        "restricted-pass-restrictedvolumes0-aa5bc770.yaml", "restricted-pass-restrictedvolumes0-ceba67bc.yaml",
    ]

    private static let allVersions = (0...36).map { PodSecurityVersion(minor: $0) } + [.latest]

    @Test func agreesWithEveryRowOfUpstreamsTestData() async throws {
        var pods: [String: PodFacts] = [:]
        var agreed = 0
        for row in try Conformance.lines("psa/expected.tsv").dropFirst() {
            await Task.yield()
            let columns = row.split(separator: UInt8(ascii: "\t")).map { String(decoding: $0, as: UTF8.self) }
            try #require(columns.count == 5)
            let level = try #require(PodSecurityLevel(rawValue: columns[0]))
            let version = try #require(PodSecurityVersion(columns[1]))
            let pod = try pods[columns[4]] ?? readPod(columns[4], defaulted: true)
            pods[columns[4]] = pod
            let violations = pod.violations(level: level, version: version)
            if violations.isEmpty == (columns[2] == "pass") {
                agreed += 1
            } else {
                Issue.record("\(columns.joined(separator: " ")): \(violations)")
            }
        }
        print("psa: \(agreed) rows agree")
        #expect(agreed == 4241)
        #expect(pods.count == 378)
    }

    @Test func agreesWithUpstreamsMessagesAtEveryVersion() async throws {
        var agreed = 0
        var bareVolumes: Set<String> = []
        for line in try Conformance.lines("psa/matrix.jsonl") {
            await Task.yield()
            let row = try parseJSON(line)
            let name = try #require(row["pod"]?.string)
            // The files were evaluated as they are written, so no defaults here.
            let pod = try readPod(name, defaulted: false)
            let restricted = PodSecuritySetting(.restricted)
            let defaulted = try readPod(name, defaulted: true)
            if message(pod, restricted) != message(defaulted, restricted) { bareVolumes.insert(name) }
            for level in [PodSecurityLevel.baseline, .restricted] {
                for range in row[level.rawValue]?.array ?? [] {
                    let first = try #require(PodSecurityVersion(range["from"]?.string ?? ""))
                    let last = try #require(PodSecurityVersion(range["to"]?.string ?? ""))
                    for version in Self.allVersions where first <= version && version <= last {
                        let setting = PodSecuritySetting(level, version)
                        let (reason, text) = message(pod, setting)
                        let detail = range["detail"]?.string
                        let expected = detail.map { "violates PodSecurity \"\(setting)\": \($0)" } ?? ""
                        if text == expected && reason == range["reason"]?.string ?? "" {
                            agreed += 1
                        } else {
                            Issue.record("\(name) \(setting): \(text) instead of \(expected)")
                        }
                    }
                }
            }
        }
        print("psa: \(agreed) verdicts of the version matrix agree")
        #expect(agreed == 378 * 2 * 38)
        #expect(bareVolumes == Self.podsWithBareVolume)
    }

    @Test func agreesWithUpstreamsUnitTestsOfEachCheck() throws {
        var agreed = 0
        for line in try Conformance.lines("psa/check-units.jsonl") {
            let unit = try parseJSON(line)
            let (id, minor) = try #require(Self.checks[unit["func"]?.string ?? ""])
            let control = try #require(PodSecurityControl.all.first { $0.id == id })
            let pod = PodFacts(spec: unit["pod"]?["spec"] ?? [:], annotations: annotations(unit["pod"]))
            let violation = control.violation(in: pod, version: PodSecurityVersion(minor: minor))
            let isAllowed = unit["allowed"]?.bool
            if (violation == nil) == isAllowed && violation?.reason ?? "" == unit["reason"]?.string
                && violation?.detail ?? "" == unit["detail"]?.string
            {
                agreed += 1
            } else {
                Issue.record("\(unit["test"]?.string ?? ""): \(String(describing: violation))")
            }
        }
        print("psa: \(agreed) unit cases agree")
        #expect(agreed == 92)
    }

    /// The check functions of the unit cases: the control, and a version at which it is this function.
    private static let checks: [String: (id: String, minor: Int)] = [
        "allowPrivilegeEscalation_1_8": ("allowPrivilegeEscalation", 8),
        "allowPrivilegeEscalation_1_25": ("allowPrivilegeEscalation", 25),
        "appArmorProfile_1_0": ("appArmorProfile", 0),
        "capabilitiesBaseline_1_0": ("capabilities_baseline", 0),
        "capabilitiesRestricted_1_22": ("capabilities_restricted", 22),
        "capabilitiesRestricted_1_25": ("capabilities_restricted", 25),
        "hostNamespaces_1_0": ("hostNamespaces", 0),
        "hostPathVolumes_1_0": ("hostPathVolumes", 0),
        "hostPorts_1_0": ("hostPorts", 0),
        "hostProbesAndHostLifecycleV1Dot34": ("hostProbesAndHostLifecycle", 34),
        "privileged_1_0": ("privileged", 0),
        "procMount_1_0": ("procMount", 0),
        "procMount1_35baseline": ("procMount", 35),
        "restrictedVolumes_1_0": ("restrictedVolumes", 0),
        "runAsNonRoot1_35": ("runAsNonRoot", 35),
        "runAsUser1_35": ("runAsUser", 35),
        "seLinuxOptions1_31": ("seLinuxOptions", 31),
        "seccompProfileBaseline_1_0": ("seccompProfile_baseline", 0),
        "seccompProfileBaseline_1_19": ("seccompProfile_baseline", 19),
        "seccompProfileRestricted_1_19": ("seccompProfile_restricted", 19),
        "seccompProfileRestricted_1_25": ("seccompProfile_restricted", 25),
        "sysctlsV1Dot0": ("sysctls", 0),
        "sysctlsV1Dot27": ("sysctls", 27),
        "sysctlsV1Dot29": ("sysctls", 29),
        "sysctlsV1Dot32": ("sysctls", 32),
        "windowsHostProcess_1_0": ("windowsHostProcess", 0),
    ]

    @Test func agreesWithUpstreamAboutTheWorkloadsOfRealProjects() async throws {
        var expectations: [String: [Tree]] = [:]
        for line in try Conformance.lines("manifests/verdicts.jsonl") {
            await Task.yield()
            let verdict = try parseJSON(line)
            guard verdict["podSecurity"] != nil, let file = verdict["file"]?.string else { continue }
            expectations[file, default: []].append(verdict)
        }
        var agreed = 0
        for (file, verdicts) in expectations {
            var documents = parseYAML(try Conformance.read("manifests/\(file)")).documents[...]
            for verdict in verdicts.sorted(by: { ($0["doc"]?.integer ?? 0) < ($1["doc"]?.integer ?? 0) }) {
                documents = documents.drop { !isDocument($0.tree, of: verdict) }
                let tree = try #require(documents.popFirst()?.tree, "\(file): no such document")
                let object = try #require(workloadObject(tree))
                let workload = try #require(Workload(object))
                for (key, expected) in verdict["podSecurity"]?.members ?? Members() {
                    let parts = key.split(separator: "@").map(String.init)
                    try #require(parts.count == 2)
                    let level = try #require(PodSecurityLevel(rawValue: parts[0]))
                    let version = try #require(PodSecurityVersion(parts[1]))
                    let violations = checkWorkloads([workload], level: level, version: version)
                    let details = (expected["details"]?.array ?? []).compactMap(\.string)
                    let reasons = (expected["reasons"]?.array ?? []).compactMap(\.string)
                    if violations.map(\.violation.detail) == details && violations.map(\.violation.reason) == reasons {
                        agreed += 1
                    } else {
                        Issue.record("\(file) \(key): \(violations.map(\.violation)) instead of \(details)")
                    }
                }
            }
        }
        print("psa: \(agreed) verdicts about real workloads agree")
        #expect(agreed == 425 * 4)
    }

    private func isDocument(_ tree: Tree, of verdict: Tree) -> Bool {
        tree["kind"]?.string == verdict["kind"]?.string && tree["apiVersion"]?.string == verdict["apiVersion"]?.string
            && (tree["metadata"]?["name"]?.string ?? "") == verdict["name"]?.string
    }

    private func message(_ pod: PodFacts, _ setting: PodSecuritySetting) -> (reason: String, text: String) {
        let violations = pod.violations(level: setting.level, version: setting.version)
        return (
            violations.map(\.reason).joined(separator: ", "), podSecurityMessage(violations, setting: setting)
        )
    }

    private func readPod(_ file: String, defaulted: Bool) throws -> PodFacts {
        let stream = parseYAML(try Conformance.read("psa/pods/\(file)"))
        #expect(stream.problems.isEmpty)
        let pod = try #require(stream.documents.first?.tree)
        let spec = try #require(pod["spec"])
        return PodFacts(spec: defaulted ? withDefaultedVolumes(spec) : spec, annotations: annotations(pod))
    }

    private func annotations(_ pod: Tree?) -> Labels { Labels(pod?["metadata"]?["annotations"]) }
}

/// An object with the id that its own fields give it.
func workloadObject(_ tree: Tree) -> StateObject? {
    guard let kind = tree["kind"]?.string, let version = tree["apiVersion"]?.string else { return nil }
    let group = version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
    let id = ObjectID(
        group: group, kind: kind, namespace: tree["metadata"]?["namespace"]?.string ?? "default",
        name: tree["metadata"]?["name"]?.string ?? "")
    return StateObject(id: id, tree: tree)
}

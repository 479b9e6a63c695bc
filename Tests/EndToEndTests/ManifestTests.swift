import ChildProcess
import Foundation
import JSON
import Manifest
import TestSupport
import Testing
import YAML

/// What `Deploy` ships, rendered as people render it and judged by Bylaw itself.
@Suite struct ManifestTests {
    let program: Program
    let folder: ScratchDirectory
    static let deploy = sourceRoot + "/Deploy"

    init() throws {
        program = try Program()
        folder = try ScratchDirectory(named: "bylaw-e2e-manifests")
    }

    private static let kubectl = Task { () -> String? in
        let environment = ProcessInfo.processInfo.environment
        let result = try await runChildProcess(
            sourceRoot + "/.ci/provide-kubectl", [],
            environment: ["PATH": environment["PATH"] ?? "", "HOME": environment["HOME"] ?? "/root"],
            deadline: .seconds(180))
        guard result.ending == .exited(0) else { return nil }
        return result.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// - Returns: Nil where there is no kubectl that renders components, which is said.
    private func render(_ path: String) async throws -> String? {
        guard let kubectl = try await Self.kubectl.value else {
            print("ManifestTests: skipped, since no kubectl of today can be had: see .ci/provide-kubectl")
            return nil
        }
        let result = try await runChildProcess(
            kubectl, ["kustomize", path], environment: ["HOME": folder.path], deadline: .seconds(60))
        try #require(result.ending == .exited(0), "\(path): \(result.errorText)")
        return result.outputText
    }

    /// An overlay with components, below the shipped files.
    private func render(components: [String]) async throws -> String? {
        let copy = folder.path + "/Deploy"
        if !FileManager.default.fileExists(atPath: copy) {
            try FileManager.default.copyItem(atPath: Self.deploy, toPath: copy)
        }
        let name = "overlay-" + components.joined(separator: "-")
        try FileManager.default.createDirectory(atPath: "\(copy)/\(name)", withIntermediateDirectories: true)
        let list = components.map { "../components/\($0)" }.joined(separator: ", ")
        try Data(
            """
            resources: [../default]
            components: [\(list)]
            images: [{name: bylaw.dev/bylaw, newName: registry.example.com/bylaw}]
            """.utf8
        ).write(to: URL(fileURLWithPath: "\(copy)/\(name)/kustomization.yaml"))
        return try await render("\(copy)/\(name)")
    }

    private func objects(_ text: String) throws -> [Tree] {
        let stream = parseYAML(Array(text.utf8))
        try #require(stream.problems.isEmpty, "\(stream.problems)")
        return stream.documents.map(\.tree)
    }

    private func podTemplate(_ kind: String, in text: String) throws -> Tree {
        let found = try objects(text).first { $0["kind"]?.string == kind && $0["metadata"]?["name"] == "bylaw" }
        return try #require(found?["spec"]?["template"], "no \(kind)")
    }

    @Test func theSingleFileIsWhatTheFoldersRender() async throws {
        guard let rendered = try await render(Self.deploy + "/default") else { return }
        let shipped = try String(contentsOfFile: Self.deploy + "/bylaw.yaml", encoding: .utf8)
        let body = shipped.split(separator: "\n", omittingEmptySubsequences: false).drop { $0.hasPrefix("#") }
        #expect(body.joined(separator: "\n") == rendered, "write it anew with .ci/render-manifests")
    }

    @Test(arguments: [
        [], ["high-availability"], ["policy-sync"],
        ["emergency-hold", "checkpoint", "prevention", "audit-webhook", "monitoring"],
        [
            "high-availability", "emergency-hold", "checkpoint", "prevention", "audit-webhook", "monitoring",
            "policy-sync",
        ],
        ["emergency-hold", "policy-sync", "high-availability"],
    ])
    func everyCombinationIsRestrictedAndNamesItsImage(_ components: [String]) async throws {
        guard let text = try await render(components: components) else { return }
        let file = try folder.write(text, to: "rendered.yaml")
        let judged = try await program.run(["pods", "check", "--level", "restricted", "-f", file])
        #expect(judged.status == 0, "\(judged.output)\(judged.errors)")
        #expect(judged.output.contains("0 of 1 pods"), "\(judged.output)")
        let kind = components.contains("high-availability") ? "StatefulSet" : "Deployment"
        let container = try #require(podTemplate(kind, in: text)["spec"]?["containers"]?.array?.first)
        #expect(container["image"] == "registry.example.com/bylaw:0.1.0")
        let arguments = container["args"]?.array?.compactMap(\.string) ?? []
        for (component, flag) in [
            ("emergency-hold", "--hold-configmap="), ("checkpoint", "--checkpoint-configmap="),
            ("audit-webhook", "--audit-listen="), ("policy-sync", "--policy-sync=bylaw-system/bylaw"),
        ] {
            #expect(arguments.contains { $0.hasPrefix(flag) } == components.contains(component), "\(arguments)")
        }
        for other in try objects(text) where other["kind"] != .string(kind) {
            #expect(!["Deployment", "StatefulSet"].contains(other["kind"]?.string))
        }
    }

    /// The flags are ones that `run` has, in values that it takes.
    @Test(arguments: ["base", "overlays/example"]) func theConfigurationIsTaken(_ folderName: String) async throws {
        let text = try String(contentsOfFile: "\(Self.deploy)/\(folderName)/configuration.yaml", encoding: .utf8)
        let configuration = try #require(objects(text).first?["data"]?["config.yaml"]?.string)
        // Where it would reach for the cluster it is told that there is none.
        let file = try folder.write(configuration, to: "config.yaml")
        let outcome = try await program.run(["run", "--config", file, "--kubeconfig", folder.path + "/none"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("none"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("is not a setting"), "\(outcome.errors)")
    }

    @Test func thePodOfSeveralReplicasIsThatOfOne() async throws {
        guard let one = try await render(components: []),
            let several = try await render(components: ["high-availability"])
        else { return }
        var (pod, other) = (try podTemplate("Deployment", in: one), try podTemplate("StatefulSet", in: several))
        #expect(other["spec"]?["affinity"] != nil)
        let arguments = { (tree: Tree) in tree["spec"]?["containers"]?.array?.first?["args"]?.array ?? [] }
        #expect(arguments(other) == arguments(pod) + ["--leader-elect"])
        var container = try #require(other["spec"]?["containers"]?.array?.first)
        container.set(["args"], to: .array(arguments(pod)))
        other.set(["spec", "containers"], to: [container])
        other.set(["spec", "affinity"], to: nil)
        // A claim of its own takes the place of the shared one.
        let volumes = pod["spec"]?["volumes"]?.array?.filter { $0["name"] != "state" } ?? []
        #expect(volumes.count == 4)
        pod.set(["spec", "volumes"], to: .array(volumes))
        #expect(pod == other)
    }

    /// It has the rights, the journal and the configuration of the Deployment, and only lists as it is shipped.
    @Test func thePodThatUninstallsIsThatOfTheDeployment() throws {
        let one = try String(contentsOfFile: Self.deploy + "/bylaw.yaml", encoding: .utf8)
        let text = try String(contentsOfFile: Self.deploy + "/uninstall/job.yaml", encoding: .utf8)
        let job = try #require(objects(text).first)
        #expect(job["kind"] == "Job" && job["metadata"]?["namespace"] == "bylaw-system")
        var (pod, other) = (try podTemplate("Deployment", in: one), try #require(job["spec"]?["template"]))
        var (container, lister) = (
            try #require(pod["spec"]?["containers"]?.array?.first),
            try #require(other["spec"]?["containers"]?.array?.first)
        )
        #expect(lister["args"] == ["uninstall", "--config", "/etc/bylaw/config/config.yaml"])
        // It asks no Git host, answers no probe and ends.
        for field in ["args", "ports", "startupProbe", "livenessProbe", "readinessProbe"] {
            container.set([field], to: nil)
            lister.set([field], to: nil)
        }
        let mounts = container["volumeMounts"]?.array?.filter { $0["name"] != "git" } ?? []
        container.set(["volumeMounts"], to: .array(mounts))
        #expect(container == lister)
        pod.set(["spec", "containers"], to: nil)
        other.set(["spec", "containers"], to: nil)
        pod.set(["spec", "volumes"], to: .array(pod["spec"]?["volumes"]?.array?.filter { $0["name"] != "git" } ?? []))
        pod.set(["spec", "restartPolicy"], to: "Never")
        pod.set(["spec", "terminationGracePeriodSeconds"], to: nil)
        #expect(pod == other)
    }

    /// A shell beside the journal has no more than Bylaw itself, and none of its rights.
    @Test func thePodBesideTheJournalIsRestricted() async throws {
        let file = Self.deploy + "/journal/pod.yaml"
        let judged = try await program.run(["pods", "check", "--level", "restricted", "-f", file])
        #expect(judged.status == 0 && judged.output.contains("0 of 1 pods"), "\(judged.output)\(judged.errors)")
        let pod = try #require(objects(try String(contentsOfFile: file, encoding: .utf8)).first)
        let one = try podTemplate(
            "Deployment", in: try String(contentsOfFile: Self.deploy + "/bylaw.yaml", encoding: .utf8))
        for field in ["securityContext", "automountServiceAccountToken"] {
            #expect(pod["spec"]?[field] == one["spec"]?[field])
        }
        #expect(pod["spec"]?["serviceAccountName"] == nil)
        #expect(pod["metadata"]?["labels"] == nil, "it is no replica, and nothing may reach it")
    }

    /// The kinds that Bylaw manages are as it would accept them from a policy repository.
    @Test func itsOwnPolicyFilesAreValid() async throws {
        guard
            let text = try await render(components: [
                "emergency-hold", "checkpoint", "prevention", "monitoring", "policy-sync",
            ])
        else { return }
        var count = 0
        for object in try objects(text) {
            let version = object["apiVersion"]?.string ?? ""
            let group = version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
            guard Resource.managed(group: group, kind: object["kind"]?.string ?? "") != nil else { continue }
            count += 1
            _ = try folder.write(String(decoding: object.jsonBytes(), as: UTF8.self), to: "policies/\(count).yaml")
        }
        let outcome = try await program.run(["check", folder.path + "/policies"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("valid: \(count) objects"), "\(outcome.output)")
        #expect(count > 15)
    }

    /// A real API server takes each object, today's fields unknown to it or not.
    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func anAPIServerTakesTheSingleFile() async throws {
        let environment = ProcessInfo.processInfo.environment
        let kubectl = try #require(environment["BYLAW_E2E_KUBECTL"])
        let kubeconfig = try #require(environment["BYLAW_E2E_ADMIN_KUBECONFIG"])
        let result = try await runChildProcess(
            kubectl, ["--kubeconfig", kubeconfig, "apply", "--dry-run=server", "-f", Self.deploy + "/bylaw.yaml"],
            environment: ["HOME": folder.path], deadline: .seconds(60))
        #expect(result.ending == .exited(0), "\(result.errorText)")
        #expect(result.outputText.split(separator: "\n").count == 13, "\(result.outputText)")
    }
}

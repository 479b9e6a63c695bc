import Foundation
import Manifest
import Testing

/// Changes by hand that `bylaw run` undoes, each with one entry in the journal.
@Suite struct DriftTests {
    /// What a person with `kubectl` does, and how to see that it is undone.
    struct Edit: Sendable {
        var name: String
        var id: ObjectID
        var change: @Sendable (ClusterUnderTest) async throws -> Int
        var isUndone: @Sendable (Tree?) -> Bool
    }

    static func edits(in namespace: String, clusterRole: String) -> [Edit] {
        let deny = ObjectID(.networkPolicy, namespace: namespace, name: "default-deny")
        let reader = ObjectID(.roleBinding, namespace: namespace, name: "reader")
        let config = ObjectID(.roleBinding, namespace: namespace, name: "config")
        let place = ObjectID(.namespace, name: namespace)
        let readerRole = ObjectID(.role, namespace: namespace, name: "reader")
        let configRole = ObjectID(.role, namespace: namespace, name: "config")
        let cluster = ObjectID(.clusterRole, name: clusterRole)
        let group = "rbac.authorization.k8s.io"
        return [
            Edit(name: "a: egress: [{}] on a default-deny policy that omits egress", id: deny) {
                try await $0.mergePatch(deny, #"{"spec":{"egress":[{}]}}"#)
                return 1
            } isUndone: {
                $0?["spec"]?["egress"] == nil && $0 != nil
            },
            Edit(name: "b: a subject more in a binding", id: reader) {
                try await $0.jsonPatch(
                    reader,
                    #"[{"op":"add","path":"/subjects/-","value":{"apiGroup":"\#(group)","kind":"User","name":"mallory"}}]"#
                )
                return 1
            } isUndone: {
                $0?["subjects"]?.array?.count == 1
            },
            Edit(name: "c: pod-security.kubernetes.io/enforce=privileged", id: place) {
                try await $0.mergePatch(
                    place, #"{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}"#)
                return 1
            } isUndone: {
                $0?["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"]?.string == "restricted"
            },
            Edit(name: "d: a Role deleted", id: readerRole) {
                try await $0.delete(readerRole)
                return 1
            } isUndone: {
                $0?["rules"]?.array?.count == 1
            },
            Edit(name: "e: Bylaw's label stripped and a rule changed in one write", id: configRole) {
                try await $0.jsonPatch(
                    configRole,
                    #"[{"op":"remove","path":"/metadata/labels/bylaw.dev~1instance"},"#
                        + #"{"op":"replace","path":"/rules/0/verbs","value":["*"]}]"#)
                return 1
            } isUndone: {
                $0?["rules"]?.array?.first?["verbs"]?.array?.count == 3
                    && $0?["metadata"]?["labels"]?["bylaw.dev/instance"] != nil
            },
            Edit(name: "f: roleRef changed by delete and create", id: config) {
                try await $0.rebind(config, to: ["apiGroup": .string(group), "kind": "ClusterRole", "name": "admin"])
            } isUndone: {
                $0?["roleRef"]?["kind"]?.string == "Role" && $0?["metadata"]?["labels"]?["bylaw.dev/instance"] != nil
            },
            Edit(name: "g: aggregate-to-view on a managed ClusterRole", id: cluster) {
                try await $0.mergePatch(
                    cluster, #"{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}}}"#)
                return 1
            } isUndone: {
                $0?["metadata"]?["labels"]?["rbac.authorization.k8s.io/aggregate-to-view"] == nil && $0 != nil
            },
        ]
    }

    /// Makes each change, waits until it is undone, and looks for its entry.
    private func play(
        _ edits: [Edit], on cluster: ClusterUnderTest, program: Program, phase: String
    ) async throws {
        for edit in edits {
            let filters = ["--kind", edit.id.kind, "--name", edit.id.name, "--reason", "DriftCorrected"]
            let earlier = try await program.entries(filters).count
            let began = ContinuousClock.now
            let count = try await edit.change(cluster)
            let changed = ContinuousClock.now
            try await eventually("\(phase): \(edit.name) is undone") {
                edit.isUndone(try await cluster.object(edit.id))
            }
            let undone = ContinuousClock.now
            print(
                "drift, \(phase), \(edit.name): undone \(milliseconds(undone - changed)) ms after the change returned"
                    + ", \(milliseconds(undone - began)) ms after it was begun")
            // The outcome is journaled after the API call: wait for it.
            var found: [Tree] = []
            try await eventually("\(phase): \(edit.name) is journaled") {
                found = Array(try await program.entries(filters).dropFirst(earlier))
                return found.count >= count
            }
            if count == 1 { #expect(found.count == 1, "\(phase): \(edit.name): one entry, not \(found.count)") }
            for entry in found {
                #expect(entry["outcome"]?.string == "succeeded")
                #expect(entry["actor"] != nil, "\(phase): \(edit.name): \(entry["message"]?.string ?? "")")
                #expect(entry["after"]?["metadata"] != nil)
                #expect(entry["runbook"]?["path"]?.string == "Runbooks/DriftCorrected.md")
                // Who deleted an object, and what stood there, no later object tells.
                if entry["action"]?.string != "create" {
                    #expect(entry["before"]?["metadata"] != nil)
                    #expect(entry["actor"]?["name"]?.string?.isEmpty == false)
                }
            }
        }
    }

    private func milliseconds(_ duration: Duration) -> String {
        String(format: "%.0f", duration / .milliseconds(1))
    }

    @Test func isUndoneWhileAllIsWellAndWhileTheNewestRevisionIsInvalid() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.write(teamManifests("e2e-drift"), to: "team.yaml")
        try repository.write(clusterRoleManifest("e2e-drift"), to: "role.yaml")
        try await repository.commit("A team")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "drift")
        let run = try RunningProgram(program, ["run", "--interval", "500ms"] + flags)
        try await run.untilItSays("Synced")
        let edits = Self.edits(in: "e2e-drift", clusterRole: "e2e-drift")
        try await play(edits, on: cluster, program: program, phase: "all well")

        try repository.write("kind: Nonsense\n", to: "bad.yaml")
        try await repository.commit("A mistake")
        try await run.untilItSays("Revision refused")
        try await play(edits, on: cluster, program: program, phase: "newest revision invalid")
        try await run.stop()
        #expect(run.status == 0)
    }

    @Test func isUndoneDuringASyncOfAThousandObjects() async throws {
        let cluster = try ClusterUnderTest()
        let program = try Program()
        let repository = try await PolicyRepository()
        try repository.write(teamManifests("e2e-busy"), to: "team.yaml")
        try repository.write(clusterRoleManifest("e2e-busy"), to: "role.yaml")
        try await repository.commit("A team")
        let flags = program.flags(repository: repository, cluster: cluster, instance: "busy")
        let run = try RunningProgram(program, ["run", "--interval", "200ms", "--log-level", "debug"] + flags)
        try await run.untilItSays("Synced")
        let edits = Self.edits(in: "e2e-busy", clusterRole: "e2e-busy")
        let teams = ClusterUnderTest.isReal ? 100 : 20
        // Each change meets a sync of its own that is under way.
        for (number, edit) in edits.enumerated() {
            for team in 0..<teams {
                try repository.write(teamManifests("e2e-busy-\(team)", round: number), to: "teams/\(team).yaml")
            }
            let commit = try await repository.commit("Round \(number)")
            try await run.untilItSays(
                "Revision accepted instance=busy cluster=\(try clusterName(run)) revision=\(commit)")
            try await play([edit], on: cluster, program: program, phase: "during a sync")
            try await run.untilItSynced(commit)
        }
        try await run.stop()
    }

    private func clusterName(_ run: RunningProgram) throws -> String {
        let field = try #require(run.text.split(separator: " ").first { $0.hasPrefix("cluster=") })
        return String(field.dropFirst("cluster=".count))
    }
}

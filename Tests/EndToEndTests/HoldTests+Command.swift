import JSON
import Manifest
import TestSupport
import Testing

/// What the command answers.
extension HoldTests {
    @Test func theCommandShowsWhatIsSet() async throws {
        try await makePlace()
        let none = try await hold("-o", "json")
        #expect(none.status == 0, "\(none.errors)")
        let first = try await commit("pods")
        let until = try await hold("--revision", first, "--for", "90m", "--because", "It burns", "-o", "json")
        #expect(until.status == 0, "\(until.errors)")
        let shown = try await hold("-o", "json")
        #expect(shown.status == 1)
        let answer = try parseJSON(Array(shown.output.utf8))
        // A contract: what programs read.
        #expect(
            answer.members?.keys.sorted() == [
                "apiVersion", "because", "cluster", "configMap", "ended", "instance", "isActive", "kind", "problem",
                "revision", "setAt", "setBy", "until",
            ])
        #expect(try parseJSON(Array(none.output.utf8)).members?.keys.sorted() == answer.members?.keys.sorted())
        #expect(answer["kind"]?.string == "Hold")
        #expect(answer["isActive"] == .bool(true))
        #expect(answer["revision"]?.string == first)
        #expect(answer["because"]?.string == "It burns")
        let setAt = try #require(answer["setAt"]?.string.flatMap(Timestamp.init))
        #expect(answer["until"]?.string == setAt.advanced(by: .seconds(5400)).description)
        #expect(try await hold().output.contains("hold of revision \(first.prefix(12)) until "))
        #expect(try await hold("--end").output.contains("the last one was ended at"))
        #expect(try parseJSON(Array(try await hold("-o", "json").output.utf8))["isActive"] == .bool(false))
        #expect(try await hold("--end").status == 0)
    }

    @Test func aRevisionIsResolvedInTheFollowedBranch() async throws {
        try await makePlace()
        let first = try await commit("pods")
        try await repository.git("checkout", "--quiet", "-b", "side")
        let side = try await commit("services")
        try await repository.git("checkout", "--quiet", "main")
        let place = ["--repo", repository.path, "--branch", "main", "--cache", program.folder.path + "/cache"]
        func set(_ revision: String) async throws -> Program.Outcome {
            try await program.run(
                ["hold", "--revision", revision, "--for", "1h", "--because", "Wait", "-o", "json"] + place + [
                    "--kubeconfig", cluster.adminKubeconfig, "--instance", namespace, "--hold-configmap", self.place,
                ])
        }
        let short = try await set(String(first.prefix(10)))
        #expect(short.status == 0, "\(short.errors)")
        #expect(try parseJSON(Array(short.output.utf8))["revision"]?.string == first)
        let other = try await set(side)
        #expect(other.status == 2)
        #expect(try await set("0000").status == 2)
        #expect(try await set("main").errors.contains("is no id of a commit"))
    }

    @Test func mistakesAreToldWithTheNextStep() async throws {
        let first = try await commit("pods")
        let cases: [([String], String)] = [
            (["--revision", first, "--because", "x"], "for how long is not said"),
            (["--revision", first, "--for", "30s", "--because", "x"], "is not between 1m and 24h"),
            (["--revision", first, "--for", "25h", "--because", "x"], "is not between 1m and 24h"),
            (["--revision", first, "--for", "1h"], "why is not said"),
            (["--revision", first, "--for", "1h", "--because", "a\nb"], "has a control character"),
            (["--revision", first, "--for", "1h", "--because", String(repeating: "x", count: 1025)], "1024 bytes"),
            (["--revision", "abc", "--for", "1h", "--because", "x"], "is not the whole id"),
            (["--revision", first, "--end"], "contradict"), (["--for", "1h"], "without a revision"),
        ]
        for (words, expected) in cases {
            let outcome = try await program.run(
                ["hold"] + words + ["--kubeconfig", cluster.adminKubeconfig, "--hold-configmap", place])
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains(expected), "\(words): \(outcome.errors)")
        }
        // The namespace is not there.
        let nowhere = try await hold("--revision", first, "--for", "1h", "--because", "x")
        #expect(nowhere.status == 2)
        #expect(nowhere.errors.contains("Make the namespace"), "\(nowhere.errors)")
    }

    @Test(.enabled(if: ClusterUnderTest.isReal, "\(ClusterUnderTest.absence)"))
    func whoMayNotHoldIsTold() async throws {
        try await makePlace()
        let refused = try await hold(
            "--revision", String(repeating: "a", count: 40), "--for", "1h", "--because", "x",
            kubeconfig: cluster.kubeconfig)
        #expect(refused.status == 2)
        #expect(refused.errors.contains("Deploy/components/emergency-hold/rbac.yaml"), "\(refused.errors)")
    }
}

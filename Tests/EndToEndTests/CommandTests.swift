import Foundation
import JSON
import Manifest
import TestSupport
import Testing

/// The commands that need no cluster.
@Suite struct CommandTests {
    let program: Program

    init() throws { program = try Program() }

    @Test func helpNamesEveryCommandAndEachHasItsOwn() async throws {
        let help = try await program.run(["--help"])
        #expect(help.status == 0)
        let commands = [
            "run", "sync", "plan", "status", "check", "journal list", "journal show", "runbook list", "runbook show",
            "demo", "version",
        ]
        for command in commands {
            #expect(help.output.contains(command))
            let own = try await program.run(command.split(separator: " ").map(String.init) + ["--help"])
            #expect(own.status == 0, "\(command)")
            #expect(own.output.contains("bylaw \(command)"), "\(command): \(own.output)")
        }
        let nothing = try await program.run([])
        #expect(nothing.status == 2)
        let typo = try await program.run(["snyc"])
        #expect(typo.status == 2)
        #expect(typo.errors.contains("sync"), "\(typo.errors)")
        #expect(try await program.run(["help", "journal"]).output.contains("bylaw journal show"))
        #expect(try await program.run(["help", "nope"]).status == 2)
    }

    @Test func checkReportsEveryFindingWithItsPlace() async throws {
        #expect(try await program.run(["check", sourceRoot + "/PolicyRepo"]).status == 0)
        let folder = try ScratchDirectory()
        try folder.write(
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata:
              name: a
              namespace: b
            rules:
            - apiGroup: [""]
              resources: [pods]
              verbs: [get]
            """, to: "deep/er/role.yaml")
        try folder.write("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n", to: "pod.yaml")
        let text = try await program.run(["check", folder.path])
        #expect(text.status == 1)
        #expect(text.output.contains("deep/er/role.yaml:7:3"), "\(text.output)")
        #expect(text.output.contains("apiGroups"))
        #expect(text.output.contains("pod.yaml"))
        let json = try await program.run(["check", folder.path, "-o", "json"])
        #expect(json.status == 1)
        let answer = try parseJSON(Array(json.output.utf8))
        #expect(answer["apiVersion"]?.string == "bylaw.dev/v1")
        #expect((answer["findings"]?.array?.count ?? 0) >= 2)
        #expect(try await program.run(["check", "/nowhere"]).status == 2)
    }

    @Test func everyRunbookCanBeShown() async throws {
        let list = try await program.run(["runbook", "list", "-o", "json"])
        #expect(list.status == 0)
        let reasons = try #require(try parseJSON(Array(list.output.utf8))["runbooks"]?.array)
            .compactMap { $0["reason"]?.string }
        #expect(reasons.count > 10)
        for reason in reasons {
            let shown = try await program.run(["runbook", "show", reason])
            #expect(shown.status == 0 && shown.output.contains("## Mitigation"), "\(reason)")
        }
        #expect(try await program.run(["runbook", "show", "NoSuch"]).status == 2)
    }

    @Test func aFlagWinsOverTheEnvironmentAndThatOverTheFile() async throws {
        let file = try program.folder.write("journal: /from/file.sqlite\n", to: "config.yaml")
        let fromFile = try await program.run(["status", "--config", file])
        #expect(fromFile.errors.contains("/from/file.sqlite"))
        let environment = ["BYLAW_JOURNAL": "/from/environment.sqlite"]
        let fromEnvironment = try await program.run(["status", "--config", file], extraEnvironment: environment)
        #expect(fromEnvironment.errors.contains("/from/environment.sqlite"))
        let fromFlag = try await program.run(
            ["status", "--config", file, "--journal", "/from/flag.sqlite"], extraEnvironment: environment)
        #expect(fromFlag.errors.contains("/from/flag.sqlite"))
    }

    @Test func theDemoTellsItsWholeStory() async throws {
        let demo = try await program.run(["demo", "--policies", sourceRoot + "/PolicyRepo"])
        #expect(demo.status == 0, "\(demo.output)\(demo.errors)")
        for word in ["undone", "refused", "DriftCorrected", "Done in"] { #expect(demo.output.contains(word)) }
    }
}

import ChildProcess
import Foundation
import Manifest
import TestSupport
import Testing
import YAML

/// Where the templates stand, found from where this file does.
let deployFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Deploy/ci").path

@Suite struct PipelineTests {
    /// The one document of a template.
    private func template(_ name: String) throws -> Tree {
        let parsed = parseYAML([UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(deployFolder)/\(name)"))))
        #expect(parsed.problems.isEmpty)
        return try #require(parsed.documents.first?.tree)
    }

    private func githubSteps() throws -> [Tree] {
        try #require(try template("github-actions.yaml")[["jobs", "review", "steps"]]?.array)
    }

    private func githubScripts() throws -> [String] { try githubSteps().compactMap { $0["run"]?.string } }

    private func gitlabScripts() throws -> [String] {
        let job = try #require(try template("gitlab-ci.yaml")["bylaw"])
        return ["before_script", "script"].flatMap { job[$0]?.array ?? [] }.compactMap(\.string)
    }

    @Test(arguments: ["sh", "bash"]) func everyScriptIsOfTheShellsGrammar(shell: String) async throws {
        let github = try githubScripts()
        let gitlab = try gitlabScripts()
        #expect(github.count == 6)
        #expect(gitlab.count == 3)
        let hooks = try ["pre-push", "pre-receive"].map { name in
            try String(contentsOfFile: "\(deployFolder)/\(name)", encoding: .utf8)
        }
        for script in github + gitlab + hooks {
            let result = try await runChildProcess(
                shell, ["-n"], environment: ProcessInfo.processInfo.environment, input: Array(script.utf8),
                deadline: .seconds(20))
            #expect(result.ending == .exited(0), "\(result.errorText)\n\(script)")
        }
    }

    @Test func noScriptHasAnythingPutIntoIt() throws {
        #expect(try githubScripts().allSatisfy { !$0.contains("${{") })
        // What people choose reaches no step of the workflow at all.
        let text = try String(contentsOfFile: "\(deployFolder)/github-actions.yaml", encoding: .utf8)
        for name in [".title", "head_ref", "head.ref", "head.label", "pull_request.body"] {
            #expect(!text.contains(name))
        }
    }

    @Test func theWorkflowHasTheLeastOfRights() throws {
        let workflow = try template("github-actions.yaml")
        #expect(workflow["permissions"] == .object(Members()))
        let wanted: Tree = ["contents": "read", "pull-requests": "write", "security-events": "write"]
        #expect(workflow[["jobs", "review", "permissions"]] == wanted)
        // YAML 1.1 takes the key for a boolean.
        #expect((workflow["on"] ?? workflow["true"])?.members?.keys == ["pull_request"])
        let checkout = try #require(
            try githubSteps().first { $0["uses"]?.string?.hasPrefix("actions/checkout") == true })
        #expect(checkout[["with", "persist-credentials"]]?.bool == false)
        #expect(checkout[["with", "fetch-depth"]]?.integer == 0)
        // All that writes depends on having a token that may.
        for step in try githubSteps()
        where step[["env", "GITHUB_TOKEN"]] != nil || step[["with", "sarif_file"]] != nil {
            #expect(step["if"]?.string?.contains("env.MAY_WRITE == 'true'") == true)
        }
    }

    struct Review: CustomTestStringConvertible {
        var testDescription: String
        var check = "0"
        var diff = "0"
        var verdict: String
        var summary: String
        var hasSARIF: Bool
    }

    @Test(arguments: [
        Review(testDescription: "nothing", verdict: "0", summary: "the markdown report", hasSARIF: true),
        Review(testDescription: "findings", diff: "1", verdict: "1", summary: "the markdown report", hasSARIF: true),
        Review(
            testDescription: "no review", diff: "2", verdict: "2", summary: "**bylaw diff failed (status 2)",
            hasSARIF: false),
        Review(
            testDescription: "not valid", check: "1", verdict: "1",
            summary: "**This policy is not valid (bylaw check: status 1)", hasSARIF: false),
    ])
    func theWorkflowsReviewSaysWhatWasFound(_ review: Review) async throws {
        let folder = try ScratchDirectory(named: "bylaw-pipeline")
        let script = try #require(try githubSteps().first { $0["id"]?.string == "review" }?["run"]?.string)
        let result = try await run(script, in: folder, review, environment: [:])
        #expect(result.ending == .exited(0), "\(result.errorText)")
        let outputs = try text(folder, "outputs")
        #expect(outputs.contains("verdict=\(review.verdict)\n"))
        #expect(outputs.contains("sarif=true") == review.hasSARIF)
        let summary = try text(folder, "summary")
        #expect(summary.hasPrefix(review.summary))
        #expect(review.check == "0" || summary.contains("\n    ::error::forged\n"))
        #expect(try text(folder, "bylaw.md") == summary)
        #expect(result.outputText.contains("::stop-commands::"))
        let calls = try text(folder, "calls")
        #expect(calls.hasPrefix("check a policy\n"))
        #expect(review.check != "0" || calls.contains("diff BASE HEAD --path a policy --fail-on high -o markdown\n"))
    }

    @Test(arguments: ["https://bylaw.test/bylaw", ""]) func theWorkflowInstallsOnlyWhatItKnows(url: String) async throws
    {
        let folder = try ScratchDirectory(named: "bylaw-pipeline")
        let script = try #require(try githubSteps().first { $0["name"]?.string == "Install bylaw" }?["run"]?.string)
        let review = Review(testDescription: "", verdict: "", summary: "", hasSARIF: false)
        // Of "the program\n", which is what the curl in its place writes.
        let digest = "0d07f1b4e3f8d8bf9f3a1a1b24d1a26c3a8b9a4c1f2f4a5a0d0c5d5e4f3b2a10"
        let result = try await run(
            script, in: folder, review,
            environment: ["BYLAW_URL": url, "BYLAW_SHA256": digest, "GITHUB_PATH": folder.path + "/added"])
        #expect(result.ending != .exited(0))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/added"))
        guard !url.isEmpty else { return }
        let good = try await run(
            "BYLAW_SHA256=$(printf 'the program\\n' | sha256sum | cut -d ' ' -f 1)\n" + script, in: folder, review,
            environment: ["BYLAW_URL": url, "GITHUB_PATH": folder.path + "/added"])
        #expect(good.ending == .exited(0), "\(good.errorText)")
        #expect(try text(folder, "added") == folder.path + "/bin\n")
    }

    @Test func theWorkflowsCommentKeepsItsTokenInAFileOfItsOwn() async throws {
        let folder = try ScratchDirectory(named: "bylaw-pipeline")
        let script = try #require(
            try githubSteps().first { $0["name"]?.string?.hasPrefix("Comment") == true }?["run"]?.string)
        let review = Review(testDescription: "", verdict: "", summary: "", hasSARIF: false)
        let result = try await run(script, in: folder, review, environment: ["GITHUB_TOKEN": "secret-token"])
        #expect(result.ending == .exited(0), "\(result.errorText)")
        let calls = try text(folder, "calls")
        #expect(
            calls == "comment --host github --api https://api.test --repository acme/policies --pull-request 12 "
                + "--token-file \(folder.path)/bylaw-token --name review \(folder.path)/bylaw.md\n"
                + "-rw------- secret-token\n")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/bylaw-token"))
    }

    struct MergeRequest: CustomTestStringConvertible {
        var testDescription: String
        var check = "0"
        var diff = "0"
        var hasToken = true
        var status: Int32
    }

    @Test(arguments: [
        MergeRequest(testDescription: "nothing", status: 0),
        MergeRequest(testDescription: "findings", diff: "1", status: 1),
        MergeRequest(testDescription: "no review", diff: "2", status: 2),
        MergeRequest(testDescription: "not valid", check: "1", status: 1),
        MergeRequest(testDescription: "no token", hasToken: false, status: 0),
    ])
    func gitLabsJobCommentsAndEndsWithTheVerdict(_ request: MergeRequest) async throws {
        let folder = try ScratchDirectory(named: "bylaw-pipeline")
        let token = try folder.write("secret-token\n", to: "token")
        let review = Review(
            testDescription: "", check: request.check, diff: request.diff, verdict: "", summary: "", hasSARIF: false)
        let result = try await run(
            try #require(try gitlabScripts().last), in: folder, review,
            environment: request.hasToken ? ["BYLAW_TOKEN": token] : [:])
        #expect(result.ending == .exited(request.status), "\(result.errorText)")
        let calls = try text(folder, "calls")
        #expect(
            calls.contains(
                "comment --host gitlab --api https://api.test --repository 77 --pull-request 12 --token-file \(token) "
                    + "--name review bylaw.md\n") == request.hasToken)
        #expect(request.check != "0" || calls.contains("diff BASE HEAD --path a policy --fail-on high -o markdown\n"))
        #expect(try !text(folder, "bylaw.md").isEmpty)
        #expect(!result.outputText.contains("secret-token"))
    }

    private func text(_ folder: ScratchDirectory, _ name: String) throws -> String {
        try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }

    /// Runs a step with programs in the places of bylaw, git and curl that write down how they were called.
    private func run(
        _ script: String, in folder: ScratchDirectory, _ review: Review, environment: [String: String]
    ) async throws -> ChildProcessResult {
        for (name, text) in standIns { try folder.writeProgram(text, to: "bin-test/\(name)") }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let given = [
            "PATH": "\(folder.path)/bin-test:\(path)", "STAND_IN": folder.path, "CHECK": review.check,
            "DIFF": review.diff, "RUNNER_TEMP": folder.path, "GITHUB_WORKSPACE": folder.path,
            "GITHUB_OUTPUT": folder.path + "/outputs", "GITHUB_STEP_SUMMARY": folder.path + "/summary",
            "GITHUB_API_URL": "https://api.test", "GITHUB_REPOSITORY": "acme/policies", "PULL_REQUEST": "12",
            "BASE_SHA": "BASE", "HEAD_SHA": "HEAD", "BYLAW_PATH": "a policy", "BYLAW_FAIL_ON": "high",
            "BYLAW_NAME": "review", "CI_PROJECT_DIR": folder.path, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "BASE",
            "CI_COMMIT_SHA": "HEAD", "CI_API_V4_URL": "https://api.test", "CI_MERGE_REQUEST_PROJECT_ID": "77",
            "CI_MERGE_REQUEST_IID": "12", "LC_ALL": "C",
        ]
        return try await runChildProcess(
            "sh", ["-e", "-c", script], environment: given.merging(environment) { $1 }, directory: folder.path,
            deadline: .seconds(30))
    }
}

private let standIns = [
    "git": """
    #!/bin/sh
    if [ "$1" = merge-base ]; then echo "$2"; fi
    """,
    "curl": """
    #!/bin/sh
    while [ "$1" != --output ]; do shift; done
    echo "the program" >"$2"
    """,
    "bylaw": """
    #!/bin/sh
    echo "$*" >>"$STAND_IN/calls"
    case $1 in
    check)
        echo "::error::forged"
        echo "more"
        exit "$CHECK"
        ;;
    diff)
        echo "the $9 report"
        exit "$DIFF"
        ;;
    comment)
        file=
        while [ $# -gt 0 ]; do
            if [ "$1" = --token-file ]; then file=$2; fi
            shift
        done
        echo "$(ls -l "$file" | cut -c 1-10) $(cat "$file")" >>"$STAND_IN/calls"
        ;;
    esac
    """,
]

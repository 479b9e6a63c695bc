import ChildProcess
import Foundation
import TestSupport
import Testing

/// The hooks of `Deploy/ci` in real repositories, with a program in Bylaw's place that only writes down how it was
/// called.
@Suite struct HookTests {
    @Test func pushesWhatIsValidAndReviewed() async throws {
        let scene = try await Scene(hook: "pre-push", onServer: false)
        try await scene.commit("policy/a.yaml", "first")
        #expect(try await scene.push("main").isSuccess)
        #expect(try scene.calls() == ["check policy: policy/a.yaml=first"])
        let before = try await scene.git("rev-parse HEAD")
        try await scene.commit("policy/a.yaml", "second")
        #expect(try await scene.push("main").isSuccess)
        let after = try await scene.git("rev-parse HEAD")
        let calls = try scene.calls()
        #expect(
            calls == [
                "check policy: policy/a.yaml=first", "check policy: policy/a.yaml=second",
                "diff \(before) \(after) --path policy --fail-on high",
            ])
    }

    @Test func reviewsANewBranchFromWhereItLeftTheDefaultOne() async throws {
        let scene = try await Scene(hook: "pre-push", onServer: false)
        try await scene.commit("policy/a.yaml", "first")
        try await scene.push("main")
        let fork = try await scene.git("rev-parse HEAD")
        _ = try await scene.git("checkout -q -b topic")
        try await scene.commit("policy/b.yaml", "topic")
        try await scene.push("topic")
        let head = try await scene.git("rev-parse HEAD")
        #expect(try scene.calls().last == "diff \(fork) \(head) --path policy --fail-on high")
    }

    @Test func looksAtTheCommitAndNotAtTheFolder() async throws {
        let scene = try await Scene(hook: "pre-push", onServer: false)
        try await scene.commit("policy/a.yaml", "INVALID")
        try scene.write("policy/a.yaml", "corrected but not committed")
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("bylaw: refs/heads/main is not pushed: its policy is not valid (status 1)"))
        #expect(outcome.text.contains("commit, and push again"))
        #expect(try await scene.served("main") == nil)
    }

    @Test(arguments: [("1", "changes something of severity medium or above"), ("2", "could not be judged (status 2)")])
    func refusesByTheReview(status: String, message: String) async throws {
        let scene = try await Scene(hook: "pre-push", onServer: false)
        _ = try await scene.git("config bylaw.failOn medium")
        try await scene.commit("policy/a.yaml", "first")
        try await scene.push("main")
        try await scene.commit("policy/a.yaml", "second")
        try scene.write("../diff-status", status)
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains(message))
        #expect(try scene.calls().last?.hasSuffix("--fail-on medium") == true)
        #expect(try await scene.push("--no-verify main").isSuccess)
    }

    @Test func letsDeletionsAndTagsPass() async throws {
        let scene = try await Scene(hook: "pre-push", onServer: false)
        try await scene.commit("policy/a.yaml", "first")
        _ = try await scene.git("branch topic")
        try await scene.push("main topic")
        let before = try scene.calls().count
        _ = try await scene.git("tag v1")
        #expect(try await scene.push(":topic v1").isSuccess)
        #expect(try scene.calls().count == before)
    }

    @Test(arguments: ["pre-push", "pre-receive"]) func refusesWithoutTheProgram(hook: String) async throws {
        let scene = try await Scene(hook: hook, onServer: hook == "pre-receive")
        try await scene.commit("policy/a.yaml", "first")
        try FileManager.default.removeItem(atPath: scene.folder.path + "/bin/bylaw")
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("the program is not"))
    }

    @Test func takesAValidPolicyOnTheServer() async throws {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        try await scene.commit("policy/a.yaml", "first")
        #expect(try await scene.push("main").isSuccess)
        #expect(try scene.calls() == ["check policy: policy/a.yaml=first"])
        #expect(try await scene.served("main") != nil)
    }

    @Test func refusesAnInvalidPolicyOnTheServerAndKeepsNothingOfIt() async throws {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        try await scene.commit("policy/a.yaml", "first")
        try await scene.push("main")
        let before = try await scene.served("main")
        try await scene.commit("policy/a.yaml", "INVALID")
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("bylaw: refused: the policy of main would not be valid"))
        #expect(outcome.text.contains("amend the commit, and push again"))
        #expect(try await scene.served("main") == before)
        let commit = try await scene.git("rev-parse HEAD")
        #expect(try await !scene.shell("git -C '\(scene.folder.path)/server' cat-file -e \(commit)").isSuccess)
    }

    @Test func leavesOtherBranchesAlone() async throws {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        _ = try await scene.git("checkout -q -b topic")
        try await scene.commit("policy/a.yaml", "INVALID")
        #expect(try await scene.push("topic").isSuccess)
        #expect(try scene.calls().isEmpty)
        #expect(try await !scene.push("topic:main").isSuccess)
    }

    @Test func refusesToDeleteTheFollowedBranch() async throws {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        _ = try await scene.shell("git -C '\(scene.folder.path)/server' config bylaw.branch live")
        try await scene.commit("policy/a.yaml", "first")
        try await scene.push("main main:live")
        let outcome = try await scene.push(":live")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("Bylaw follows live"))
    }

    @Test(arguments: ["pre-push", "pre-receive"])
    func isNotDeceivedByAttributesOrLinks(hook: String) async throws {
        let scene = try await Scene(hook: hook, onServer: hook == "pre-receive")
        try scene.write("policy/.gitattributes", "* export-ignore\n*.yaml working-tree-encoding=UTF-16LE ident\n")
        try scene.write("policy/sub/.gitattributes", "*.yaml text eol=crlf\n")
        _ = try await scene.git("-c core.attributesFile=/dev/null add -A")
        _ = try await scene.shell("cd work && ln -s /etc/hostname policy/link.yaml && git add policy/link.yaml")
        // Written past Git's own conversion, as whoever wants to deceive would.
        _ = try await scene.shell(
            """
            cd work && put() {
                git update-index --add --cacheinfo "100644,$(git hash-object -w --no-filters --stdin),$1"
            } && printf 'INVALID $Id$' | put policy/a.yaml && printf 'c\nd\n' | put policy/sub/c.yaml &&
                git commit -q -m trick
            """)
        #expect(try await !scene.push("main").isSuccess)
        let calls = try scene.calls()
        #expect(
            calls == [
                "check policy: policy/a.yaml=INVALID $Id$ policy/link.yaml=/etc/hostname policy/sub/c.yaml=c d "
            ])
    }

    @Test(arguments: [("maxFiles", "2"), ("maxBytes", "10")]) func refusesTooMuch(setting: String, limit: String)
        async throws
    {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        for name in ["a", "b", "c"] { try scene.write("policy/\(name).yaml", "1234") }
        _ = try await scene.git("add -A")
        try await scene.commit("policy/d.yaml", "x")
        _ = try await scene.shell("git -C '\(scene.folder.path)/server' config bylaw.\(setting) \(limit)")
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("refused: the policy has more than"))
        #expect(try scene.calls().isEmpty)
    }

    /// Few objects that name one another two to the fortieth times.
    @Test func refusesATreeThatMultiplies() async throws {
        let scene = try await Scene(hook: "pre-receive", onServer: true)
        _ = try await scene.shell(
            """
            cd work && tree=$(printf '100644 blob %s\\ta.yaml\\n' $(echo x | git hash-object -w --stdin) | git mktree) &&
                for i in $(seq 40); do
                    tree=$(printf '040000 tree %s\\ta\\n040000 tree %s\\tb\\n' $tree $tree | git mktree) || exit 1
                done &&
                top=$(printf '040000 tree %s\\tpolicy\\n' $tree | git mktree) &&
                git update-ref refs/heads/main $(git commit-tree -m bomb $top)
            """)
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("more than 20000 files"))
    }

    @Test(arguments: ["pre-push", "pre-receive"]) func refusesWhereThePolicyIsMissing(hook: String) async throws {
        let scene = try await Scene(hook: hook, onServer: hook == "pre-receive")
        try await scene.commit("elsewhere/a.yaml", "first")
        let outcome = try await scene.push("main")
        #expect(!outcome.isSuccess)
        #expect(outcome.text.contains("has no folder policy"))
    }

    @Test(arguments: ["pre-push", "pre-receive"]) func takesTheWholeRepositoryByDefault(hook: String) async throws {
        let scene = try await Scene(hook: hook, onServer: hook == "pre-receive", path: nil)
        try await scene.commit("a b/c.yaml", "first")
        #expect(try await scene.push("main").isSuccess)
        #expect(try scene.calls() == ["check .: ./a b/c.yaml=first"])
    }
}

/// A working repository, a bare one that it pushes to, and a hook in one of the two.
private struct Scene {
    let folder: ScratchDirectory

    struct Outcome {
        var isSuccess: Bool
        var text: String
    }

    init(hook: String, onServer: Bool, path: String? = "policy") async throws {
        folder = try ScratchDirectory(named: "bylaw-hook")
        try folder.writeProgram(standIn, to: "bin/bylaw")
        let hooks = onServer ? "server/hooks" : "work/.git/hooks"
        let configured = onServer ? "server" : "work"
        let outcome = try await shell(
            """
            set -e
            git init -q --bare --initial-branch main server
            git init -q --initial-branch main work
            git -C work remote add origin "$PWD/server"
            mkdir -p \(hooks)
            cp '\(deployFolder)/\(hook)' \(hooks)/\(hook)
            \(path.map { "git -C \(configured) config bylaw.path \($0)" } ?? "")
            """)
        guard outcome.isSuccess else { throw HostServer.Failure(description: outcome.text) }
    }

    func write(_ path: String, _ text: String) throws { try folder.write(text, to: "work/" + path) }

    func commit(_ path: String, _ text: String) async throws {
        try write(path, text)
        _ = try await git("add '\(path)'")
        _ = try await git("commit -q -m change")
    }

    /// Runs Git in the working repository and gives back what it printed.
    func git(_ words: String) async throws -> String {
        let outcome = try await shell("git -C work \(words)")
        guard outcome.isSuccess else { throw HostServer.Failure(description: "git \(words): \(outcome.text)") }
        return outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult func push(_ words: String) async throws -> Outcome {
        try await shell("git -C work push -q origin \(words)")
    }

    /// What a branch of the server points to.
    func served(_ branch: String) async throws -> String? {
        let outcome = try await shell("git -C server rev-parse --verify --quiet refs/heads/\(branch)")
        return outcome.isSuccess ? outcome.text : nil
    }

    /// How the stand-in was called, in order.
    func calls() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder.path + "/calls") else { return [] }
        return try String(contentsOfFile: folder.path + "/calls", encoding: .utf8).split(separator: "\n").map(
            String.init)
    }

    func shell(_ script: String) async throws -> Outcome {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let result = try await runChildProcess(
            "sh", ["-c", script],
            environment: [
                "PATH": "\(folder.path)/bin:\(path)", "HOME": folder.path, "TMPDIR": folder.path,
                "STAND_IN": folder.path,
                "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.test",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.test", "LC_ALL": "C",
            ],
            directory: folder.path, deadline: .seconds(60))
        return Outcome(isSuccess: result.ending == .exited(0), text: result.outputText + result.errorText)
    }
}

/// Writes down how it was called and, for `check`, what it found; says no to files that hold `INVALID`.
private let standIn = """
    #!/bin/sh
    if [ "$1" = diff ]; then
        echo "$*" >>"$STAND_IN/calls"
        exit "$(cat "$STAND_IN/diff-status" 2>/dev/null || echo 0)"
    fi
    {
        printf '%s:' "$*"
        find "$2" -type f | sort | while read -r file; do printf ' %s=%s' "$file" "$(tr '\\n' ' ' <"$file")"; done
        echo
    } >>"$STAND_IN/calls"
    ! grep -rq INVALID "$2"
    """

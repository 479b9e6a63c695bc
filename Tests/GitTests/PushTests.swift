import Foundation
import Git
import HTTPClient
import TestSupport
import Testing

/// Pushing a new branch to each kind of remote.
@Suite(.timeLimit(.minutes(2))) struct PushTests {
    private let person = GitPerson(name: "Rita Revert", email: "rita@example.com")

    /// Fetches, and puts a commit on a new branch of the clone.
    private func prepare(_ clone: GitRepository, _ remote: ScratchRemote) async throws -> String {
        let first = try await remote.commit("First", ["a.yaml": "a"])
        let bad = try await remote.commit("Bad", ["a.yaml": "b"])
        let tip = try await clone.fetch(.branch("main")).id
        guard case .tree(let tree) = try await clone.revert(from: bad, backTo: first, onto: tip) else {
            throw ServerFailure(description: "a conflict")
        }
        let id = try await clone.makeCommit(
            tree: tree, parent: tip, author: person, committer: person, time: 1_700_000_000, message: "Back\n")
        try await clone.makeBranch("fix/one", at: id)
        return id
    }

    /// A branch arrives, arrives once, and takes the place of no other.
    private func checkPushes(_ clone: GitRepository, to remote: ScratchRemote) async throws {
        let id = try await prepare(clone, remote)
        #expect(try await clone.push(branch: "fix/one", at: id) == .pushed)
        #expect(try await remote.git("rev-parse", "fix/one") == id)
        #expect(try await clone.push(branch: "fix/one", at: id) == .wasThere)
        try await remote.git("fsck", "--strict")
        let other = try await remote.commit("Elsewhere", ["c.yaml": "c"])
        try await remote.git("branch", "fix/two")
        try await clone.makeBranch("fix/two", at: id)
        let error = try #require(await gitError { try await clone.push(branch: "fix/two", at: id) })
        #expect(error.kind == .exists)
        #expect(error.description.contains("fix/two"))
        #expect(error.hint.contains("--new-branch"))
        #expect(try await remote.git("rev-parse", "fix/two") == other)
        // And fetching goes on as before.
        #expect(try await clone.fetch(.branch("main")).id == other)
        try await checkHooks(clone, remote, at: id)
    }

    /// What the other side's hooks refuse stays away, with their words.
    private func checkHooks(_ clone: GitRepository, _ remote: ScratchRemote, at id: String) async throws {
        try installHook("pre-receive", "#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n", in: remote)
        try await clone.makeBranch("fix/three", at: id)
        let error = try #require(await gitError { try await clone.push(branch: "fix/three", at: id) })
        #expect(error.kind == .refused, "\(error)")
        #expect(error.description.contains("hook declined"), "\(error)")
        #expect(error.description.contains("not on a Friday"), "\(error)")
        #expect(!error.hint.isEmpty)
        #expect(try await remote.git("branch", "--list", "fix/three").isEmpty)
    }

    private func installHook(_ name: String, _ script: String, in remote: ScratchRemote) throws {
        try remote.folder.writeProgram(
            script, to: remote.path.dropFirst(remote.folder.path.count + 1) + "/.git/hooks/" + name)
    }

    // MARK: A folder

    @Test func intoAFolderWithAWorkTree() async throws {
        let remote = try await ScratchRemote()
        try await checkPushes(try remote.clone(), to: remote)
    }

    @Test func intoABareFolder() async throws {
        let remote = try await ScratchRemote()
        let bare = remote.folder.path + "/bare.git"
        try await remote.commit("Begin")
        try await remote.git("clone", "--quiet", "--bare", remote.path, bare)
        try await remote.git("remote", "add", "bare", bare)
        let clone = try remote.clone(from: "file://" + bare)
        let tip = try await clone.fetch(.branch("main"))
        let id = try await clone.makeCommit(
            tree: tip.tree, parent: tip.id, author: person, committer: person, time: 0, message: "Empty\n")
        try await clone.makeBranch("new", at: id)
        #expect(try await clone.push(branch: "new", at: id) == .pushed)
        #expect(try await remote.git("ls-remote", bare, "refs/heads/new").hasPrefix(id))
    }

    /// A hook that runs after the push has run to its end when the push has.
    @Test func lateHooksComeToTheirEnd() async throws {
        let remote = try await ScratchRemote()
        let clone = try remote.clone()
        let id = try await prepare(clone, remote)
        let mark = remote.folder.path + "/ran"
        try installHook("post-receive", "#!/bin/sh\nsleep 1\ntouch '\(mark)'\n", in: remote)
        #expect(try await clone.push(branch: "fix/one", at: id) == .pushed)
        #expect(FileManager.default.fileExists(atPath: mark))
    }

    @Test func aFolderThatIsGoneIsNamed() async throws {
        let remote = try await ScratchRemote()
        let clone = try remote.clone()
        let id = try await prepare(clone, remote)
        try FileManager.default.moveItem(atPath: remote.path, toPath: remote.path + "-away")
        let error = try #require(await gitError { try await clone.push(branch: "fix/one", at: id) })
        #expect(error.kind == .notFound)
        #expect(error.description.contains("push to \(remote.path)"))
        try FileManager.default.createDirectory(atPath: remote.path, withIntermediateDirectories: true)
        let none = try #require(await gitError { try await clone.push(branch: "fix/one", at: id) })
        #expect(none.kind == .network, "\(none)")
        #expect(none.description.contains("git-receive-pack"), "\(none)")
        #expect(!none.hint.isEmpty)
    }

    @Test func aNameThatStandsInTheWayIsSaidSoByTheServer() async throws {
        let remote = try await ScratchRemote()
        let clone = try remote.clone()
        let id = try await prepare(clone, remote)
        try await remote.git("branch", "fix")
        let error = try #require(await gitError { try await clone.push(branch: "fix/one", at: id) })
        #expect(error.kind == .refused, "\(error)")
        #expect(error.description.contains("fix/one"))
    }

    // MARK: Servers

    @Test func overHTTPS() async throws {
        let served = try await ServedRemote()
        try await checkPushes(try served.clone(), to: served.remote)
    }

    @Test func overHTTPToLoopback() async throws {
        let served = try await ServedRemote()
        try await checkPushes(try served.clone(at: served.server.plain), to: served.remote)
    }

    @Test func aTokenIsShownAndOneThatIsWithdrawnIsRefused() async throws {
        let served = try await ServedRemote()
        try served.setToken("s3cret")
        let clone = try served.clone(credentials: served.credentials(token: "s3cret"))
        let id = try await prepare(clone, served.remote)
        try served.setToken("another")
        let error = try #require(await gitError { try await clone.push(branch: "fix/one", at: id) })
        #expect(error.kind == .authentication)
        #expect(error.hint.contains("push"), "\(error.hint)")
        #expect(!"\(error) \(error.hint)".contains("s3cret"))
        try served.setToken("s3cret")
        #expect(try await clone.push(branch: "fix/one", at: id) == .pushed)
    }

    @Test(arguments: [
        ("503", GitError.Kind.network), ("post-503", .network), ("post-403", .authentication), ("post-page", .network),
        ("post-empty", .network), ("post-close", .network), ("post-rubbish", .network), ("page", .network),
        ("hang", .timedOut), ("post-hang", .timedOut), ("post-stall", .network),
    ])
    func aServerThatMisbehavesIsLeft(_ mode: String, _ kind: GitError.Kind) async throws {
        let served = try await ServedRemote()
        let id = try await prepare(try served.clone(), served.remote)
        let limits = FetchLimits(total: .seconds(10), stall: .seconds(2), connect: .seconds(5))
        let clone = try served.remote.clone(
            from: served.server.tls + served.path, cache: served.folder.path + "/other",
            credentials: try served.credentials(), limits: limits)
        let tip = try await clone.fetch(.branch("main"))
        let commit = try await clone.makeCommit(
            tree: tip.tree, parent: tip.id, author: person, committer: person, time: 1, message: "Empty\n")
        try await clone.makeBranch("fix/one", at: commit)
        #expect(commit != id)
        try served.setMode(mode)
        let begun = ContinuousClock.now
        let error = try #require(await gitError { try await clone.push(branch: "fix/one", at: commit) })
        #expect(ContinuousClock.now - begun < .seconds(40))
        #expect(error.kind == kind, "\(mode): \(error)")
        #expect(error.description.contains("push to"), "\(error)")
        #expect(!error.hint.isEmpty)
        try served.setMode("")
        #expect(try await clone.push(branch: "fix/one", at: commit) == .pushed)
    }
}

/// The same over ssh, to a real `sshd`.
@Suite(.timeLimit(.minutes(2)), .enabled(if: SSHServer.isPresent, SSHServer.absence)) struct SSHPushTests {
    private let person = GitPerson(name: "Rita Revert", email: "rita@example.com")
    let remote: ScratchRemote
    let server: SSHServer

    init() async throws {
        remote = try await ScratchRemote()
        server = try SSHServer.shared()
    }

    private func clone(_ key: SSHServer.Key = .good, cache: String = "cache") throws -> GitRepository {
        try remote.clone(
            from: "ssh://\(NSUserName())@127.0.0.1:\(server.port)\(remote.path)",
            cache: remote.folder.path + "/" + cache,
            credentials: GitCredentials(
                sshKeyFile: server.key(key), sshKnownHostsFile: server.knownHosts, proxy: .none),
            limits: FetchLimits(total: .seconds(30), stall: .seconds(key == .silent ? 2 : 20), connect: .seconds(20)))
    }

    private func prepare(_ clone: GitRepository) async throws -> String {
        let tip = try await clone.fetch(.branch("main"))
        let id = try await clone.makeCommit(
            tree: tip.tree, parent: tip.id, author: person, committer: person, time: 1, message: "Empty\n")
        try await clone.makeBranch("fix/one", at: id)
        return id
    }

    @Test func aBranchArrivesOnce() async throws {
        try await remote.commit("First", ["a.yaml": "a"])
        let clone = try clone()
        let id = try await prepare(clone)
        #expect(try await clone.push(branch: "fix/one", at: id) == .pushed)
        #expect(try await remote.git("rev-parse", "fix/one") == id)
        #expect(try await clone.push(branch: "fix/one", at: id) == .wasThere)
        let next = try await remote.commit("Next")
        #expect(try await clone.fetch(.branch("main")).id == next)
    }

    @Test(arguments: [
        (SSHServer.Key.stranger, GitError.Kind.authentication), (.silent, .timedOut), (.babbling, .network),
        (.leaving, .network),
    ])
    func whoeverIsNotLetInOrHeardIsToldSo(_ key: SSHServer.Key, _ kind: GitError.Kind) async throws {
        try await remote.commit("First")
        var good: GitRepository? = try clone()
        let id = try await prepare(try #require(good))
        good = nil
        // The same clone, once it is given back.
        let other = try clone(key)
        let end = ContinuousClock.now + .seconds(20)
        var error = await gitError { try await other.push(branch: "fix/one", at: id) }
        while error?.detail == "another process uses it", .now < end {
            await Task.yield()
            error = await gitError { try await other.push(branch: "fix/one", at: id) }
        }
        #expect(error?.kind == kind, "\(String(describing: error))")
        #expect(error?.description.contains("push to") == true)
        #expect(try await remote.git("branch", "--list", "fix/one").isEmpty)
    }
}

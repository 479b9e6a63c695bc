import EmbeddedCluster
import Foundation
import JSON
import Manifest
import SQLite
import TestSupport
import Testing

/// Taking what Bylaw made out of a cluster, and leaving it there.
@Suite struct UninstallTests {
    let program: Program
    let repository: PolicyRepository
    let cluster: ClusterUnderTest
    let namespace: String
    let flags: [String]

    static let marker = "bylaw.dev/instance"

    init() async throws {
        program = try Program()
        repository = try await PolicyRepository()
        cluster = try ClusterUnderTest()
        (namespace, flags) = program.ofThisRun("uninstall", repository: repository, cluster: cluster)
        try repository.write(teamManifests(namespace), to: "team.yaml")
        try await repository.commit("A team")
        let sync = try await program.run(["sync"] + flags)
        try #require(sync.status == 0, "\(sync.output)\(sync.errors)")
    }

    var instance: String { flag("--instance") }
    func flag(_ name: String) -> String {
        flags.firstIndex(of: name).map { flags[$0 + 1] } ?? ""
    }

    func uninstall(_ more: String...) async throws -> Program.Outcome {
        try await program.run(["uninstall"] + places + more)
    }

    /// The flags that say where to uninstall.
    var places: [String] { ["--kubeconfig", "--instance", "--journal"].flatMap { [$0, flag($0)] } }

    func role(_ name: String) -> ObjectID { ObjectID(.role, namespace: namespace, name: name) }
    func policy(_ name: String) -> ObjectID { ObjectID(.networkPolicy, namespace: namespace, name: name) }
    func binding(_ name: String) -> ObjectID { ObjectID(.roleBinding, namespace: namespace, name: name) }
    var team: ObjectID { ObjectID(.namespace, name: namespace) }
    var made: [ObjectID] {
        [
            ObjectID(.serviceAccount, namespace: namespace, name: "app"),
            ObjectID(.resourceQuota, namespace: namespace, name: "compute"), policy("default-deny"),
            policy("allow-dns"),
            policy("allow-web"), role("reader"), role("config"), binding("reader"), binding("config"),
        ]
    }

    func label(_ id: ObjectID) async throws -> String? {
        try await cluster.object(id)?["metadata"]?["labels"]?[Self.marker]?.string
    }

    func expectProof() async throws {
        let verify = try await program.run(["journal", "verify", "--journal", program.journal])
        #expect(verify.status == 0, "\(verify.output)\(verify.errors)")
    }

    func entries() async throws -> [Tree] { try await program.entries(["--reason", "Uninstalled"]) }

    @Test func withoutAConfirmationNothingIsChanged() async throws {
        let before = try await cluster.versions(prefix: namespace)
        // What asks for it counts on the command line alone.
        let file = program.folder.path + "/everything.yaml"
        try "confirm: \(instance)\n".write(toFile: file, atomically: true, encoding: .utf8)
        let written = try await uninstall("--config", file)
        #expect(written.status == 2 && written.errors.contains("counts on the command line only"), "\(written.errors)")
        let variable = try await program.run(
            ["uninstall", "--confirm", instance] + places, extraEnvironment: ["BYLAW_KEEP_OBJECTS": "true"])
        #expect(
            variable.status == 2 && variable.errors.contains("BYLAW_KEEP_OBJECTS counts on the command line only"),
            "\(variable.errors)")
        let listed = try await uninstall()
        #expect(listed.status == 1, "\(listed.errors)")
        #expect(listed.output.contains("delete  RoleBinding \(namespace)/reader\n"), "\(listed.output)")
        #expect(listed.output.contains("unmark  Namespace \(namespace): it stays as it is\n"), "\(listed.output)")
        #expect(listed.output.contains("9 to delete, 1 to unmark\n"), "\(listed.output)")
        #expect(listed.output.contains("4 NetworkPolicies, quotas or limits would go"), "\(listed.output)")
        #expect(listed.output.contains("Nothing was changed. Stop every Bylaw"), "\(listed.output)")
        let order = listed.output.split(separator: "\n").map(String.init)
        let places = ["RoleBinding", "Role ", "ServiceAccount", "allow-web", "default-deny"].compactMap { words in
            order.firstIndex { $0.contains(words) }
        }
        #expect(places.count == 5 && places == places.sorted(), "\(listed.output)")
        let wrong = try await uninstall("--confirm", "another")
        #expect(wrong.status == 2 && wrong.errors.contains("is not the name of the instance"), "\(wrong.errors)")
        let both = try await uninstall("--keep-objects", "--namespaces", "--confirm", instance)
        #expect(both.status == 2 && both.errors.contains("contradict each other"), "\(both.errors)")
        #expect(try await cluster.versions(prefix: namespace) == before)
        #expect(try await entries().isEmpty)
    }

    /// As after a later version, which remembers settings that this one does not know.
    @Test func whereItIsNotKnownWhatIsProtectedNothingIsDeleted() async throws {
        let listed = try await uninstall()
        let revision = try await repository.git("rev-parse", "HEAD")
        #expect(
            listed.output.contains("What bylaw.yaml protects is known as of revision \(revision)"), "\(listed.output)")
        let connection = try Connection(path: program.journal, mode: .readWrite)
        try connection.execute(
            """
            UPDATE memory SET value = json_set(value, '$.configuration.later', 1) WHERE key = 'guardedState'
            """)
        let before = try await cluster.versions(prefix: namespace)
        for arguments in [[], ["--confirm", instance]] {
            let refused = try await program.run(["uninstall"] + places + arguments)
            #expect(
                refused.status == 2 && refused.errors.contains("what bylaw.yaml protects cannot be read"),
                "\(refused.output)\(refused.errors)")
        }
        #expect(try await cluster.versions(prefix: namespace) == before)
        let keeping = try await uninstall("--keep-objects", "--confirm", instance)
        #expect(keeping.status == 0, "\(keeping.output)\(keeping.errors)")
    }

    @Test func aListingWritesNothing() async throws {
        let key = program.journal + ".key"
        try FileManager.default.removeItem(atPath: key)
        let before = FileManager.default.contents(atPath: program.journal)
        let listed = try await uninstall()
        #expect(listed.status == 1, "\(listed.errors)")
        #expect(FileManager.default.contents(atPath: program.journal) == before)
        #expect(!FileManager.default.fileExists(atPath: key))
        #expect(try await program.entries(["--reason", "SigningKeyChanged"]).count == 1)
    }

    @Test func whatItMadeIsDeletedAndTheNamespaceStays() async throws {
        try await cluster.create(
            [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": ["name": "foreign", "namespace": .string(namespace)], "rules": [],
            ], as: role("foreign"))
        let done = try await uninstall("--confirm", instance, "-o", "json")
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        let answer = try parseJSON(Array(done.output.utf8))
        #expect(answer["apiVersion"] == "bylaw.dev/v1" && answer["kind"] == "UninstallReport")
        #expect(
            answer.members?.keys.sorted() == [
                "apiVersion", "deletesNamespaces", "instance", "isDryRun", "items", "keepsObjects", "kind", "revived",
                "warnings",
            ])
        #expect(answer["isDryRun"] == false)
        #expect(
            answer["items"]?.array?.first == [
                "object": [
                    "group": "rbac.authorization.k8s.io", "kind": "RoleBinding", "name": "config",
                    "namespace": .string(namespace),
                ], "action": "delete", "outcome": "done",
            ])
        for id in made { #expect(try await cluster.object(id) == nil, "\(id)") }
        #expect(try await cluster.object(role("foreign")) != nil, "it was never Bylaw's")
        let space = try #require(try await cluster.object(team))
        #expect(space["metadata"]?["labels"]?[Self.marker] == nil)
        #expect(space["metadata"]?["annotations"]?["bylaw.dev/id"] == nil)
        #expect(space["metadata"]?["labels"]?["pod-security.kubernetes.io/enforce"] == "restricted")
        let entries = try await entries()
        #expect(entries.count == 10)
        #expect(entries.allSatisfy { $0["outcome"] == "succeeded" && $0["before"]?["metadata"]?["uid"] != nil })
        let again = try await uninstall("--confirm", instance)
        #expect(again.status == 0 && again.output.contains("Nothing carries the marker"), "\(again.output)")
        try await expectProof()
        // Whoever wants it back starts Bylaw again.
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        for id in made { #expect(try await cluster.object(id) != nil, "\(id)") }
    }

    /// It was there before Bylaw.
    @Test func whatWasTakenOverStays() async throws {
        let id = role("earlier")
        let tree: Tree = [
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": ["name": "earlier", "namespace": .string(namespace)],
            "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
        ]
        try await cluster.create(tree, as: id)
        try repository.write(tree.jsonText(), to: "earlier.json")
        try await repository.commit("Declare what is there")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        #expect(try await label(id) == instance)
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(
            done.output.contains(
                "unmark  \(id): it stays as it is: it was there before and was taken over\n"), "\(done.output)")
        #expect(try await cluster.object(id) != nil)
        #expect(try await label(id) == nil)
    }

    /// Of a binding that names another role there is a new one.
    @Test func whatItMadeAnewIsItsOwn() async throws {
        let earlier = try #require(try await cluster.object(binding("config")))
        try repository.write(
            teamManifests(namespace).replacing("kind: Role, name: config}", with: "kind: Role, name: reader}"),
            to: "team.yaml")
        try await repository.commit("Bind another role")
        let sync = try await program.run(["sync"] + flags)
        #expect(sync.status == 0, "\(sync.output)\(sync.errors)")
        let anew = try #require(try await cluster.object(binding("config")))
        #expect(anew["metadata"]?["uid"] != earlier["metadata"]?["uid"])
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(try await cluster.object(binding("config")) == nil)
    }

    @Test func namespacesGoWhereThatIsAskedFor() async throws {
        let done = try await uninstall("--confirm", instance, "--namespaces")
        // A real server has the namespace end later, which holds it as a finalizer does.
        #expect(
            done.status == 0 || done.output.contains("waiting Namespace \(namespace)"), "\(done.output)\(done.errors)")
        try await eventually("the namespace is gone, or going") {
            let space = try await cluster.object(team)
            return space == nil || space?["metadata"]?["deletionTimestamp"] != nil
        }
    }

    @Test func keepingObjectsOnlyTakesTheMarksOff() async throws {
        var before: [ObjectID: Tree] = [:]
        for id in made + [team] { before[id] = try await cluster.object(id) }
        let done = try await uninstall("--keep-objects", "--confirm", instance)
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        #expect(done.output.contains("10 unmarked\n"), "\(done.output)")
        for id in made + [team] {
            var after = try #require(try await cluster.object(id), "\(id)")
            var expected = try #require(before[id])
            #expect(expected["metadata"]?["labels"]?[Self.marker] != nil)
            expected.set(["metadata", "labels", Self.marker], to: nil)
            expected.set(["metadata", "annotations", "bylaw.dev/id"], to: nil)
            for field in ["resourceVersion", "managedFields", "generation"] {
                after.set(["metadata", field], to: nil)
                expected.set(["metadata", field], to: nil)
            }
            // Controllers write the status of some kinds by themselves.
            for tree in ["status", "secrets"] {
                after.set([tree], to: nil)
                expected.set([tree], to: nil)
            }
            if after["metadata"]?["labels"] == nil, expected["metadata"]?["labels"]?.members?.isEmpty == true {
                expected.set(["metadata", "labels"], to: nil)
            }
            #expect(after == expected, "\(id)")
        }
        #expect(try await entries().count == 10)
        try await expectProof()
        let again = try await uninstall("--keep-objects")
        #expect(again.status == 0 && again.output.contains("Nothing carries the marker"), "\(again.output)")
    }

    @Test func whatIsNotProvenIsLeftAndTold() async throws {
        // A copy of one object under another name, and a forged marker on somebody else's.
        let copied = try #require(try await cluster.object(role("reader")))
        var copy = copied
        copy.set(["metadata", "name"], to: "copy")
        try await cluster.create(copy, as: role("copy"))
        // The same name again, with our marker: it is not the one that Bylaw made.
        let replaced = try #require(try await cluster.object(role("config")))
        try await cluster.delete(role("config"))
        try await eventually("it is gone") { try await cluster.object(role("config")) == nil }
        try await cluster.create(replaced, as: role("config"))
        try await cluster.mergePatch(policy("allow-dns"), #"{"metadata":{"labels":{"bylaw.dev/instance":null}}}"#)
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        for (id, words) in [
            (role("copy"), "its marker is of another object"),
            (role("config"), "this journal does not say that Bylaw made it"),
            (policy("allow-dns"), "somebody has taken the marker off"),
        ] {
            let line = done.output.split(separator: "\n").first { $0.contains("\(id)") }
            #expect(line?.hasPrefix("left") == true && line?.contains(words) == true, "\(done.output)")
            #expect(try await cluster.object(id) != nil, "\(id)")
        }
        #expect(try await cluster.object(role("reader")) == nil)
        try await expectProof()
    }

    @Test func whatFinalizersHoldIsToldUntilItIsGone() async throws {
        try await cluster.mergePatch(role("reader"), #"{"metadata":{"finalizers":["example.com/hold"]}}"#)
        let done = try await uninstall("--confirm", instance)
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        #expect(
            done.output.contains("waiting Role \(namespace)/reader: marked for deletion; finalizers example.com/hold"),
            "\(done.output)")
        let still = try await uninstall("--confirm", instance)
        #expect(still.status == 1 && still.output.contains("it is being deleted already"), "\(still.output)")
        #expect(try await cluster.object(policy("default-deny")) != nil, "nothing opens while the role grants")
        try await cluster.mergePatch(role("reader"), #"{"metadata":{"finalizers":null}}"#)
        let over = try await uninstall("--confirm", instance)
        #expect(over.status == 0, "\(over.output)\(over.errors)")
    }

    static func refusal(_ status: Int, _ reason: String) -> Fault.Effect {
        .answer(
            status: status,
            body: [
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": .string(reason),
                "code": .integer(Int64(status)), "message": "refused by the test", "details": ["name": "it"],
            ], text: "", retryAfter: nil)
    }

    /// What is refused or fails stays, is told and recorded, and the rest goes on.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatIsForbiddenIsToldAndTheRestGoesOn() async throws {
        cluster.inject("DELETE", "/roles/reader", Self.refusal(403, "Forbidden"))
        cluster.inject("DELETE", "/rolebindings/config", Self.refusal(409, "Conflict"))
        // Nothing opens while a right is still there, and no namespace takes along what isolates.
        let done = try await uninstall("--confirm", instance, "--namespaces")
        #expect(done.status == 1, "\(done.output)\(done.errors)")
        #expect(done.output.contains("failed  Role \(namespace)/reader"), "\(done.output)")
        #expect(try await cluster.object(role("reader")) != nil)
        #expect(try await cluster.object(policy("default-deny")) != nil)
        #expect(
            done.output.contains("left    NetworkPolicy \(namespace)/default-deny: without it more"), "\(done.output)")
        #expect(done.output.contains("left    Namespace \(namespace): without it more"), "\(done.output)")
        #expect(try await cluster.object(team) != nil)
        #expect(try await cluster.object(binding("config")) == nil, "a conflict is looked at again")
        let failed = try await program.entries(["--reason", "Uninstalled", "--outcome", "failed"])
        #expect(failed.count == 1)
        let again = try await uninstall("--confirm", instance)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
        #expect(try await cluster.object(role("reader")) == nil)
        try await expectProof()
    }

    /// An answer that is lost leaves the outcome open, and the next call learns it.
    @Test(.enabled(if: !ClusterUnderTest.isReal, "skipped: a real server has no faults on demand"))
    func whatIsCutShortIsSettledByTheNextCall() async throws {
        cluster.inject("DELETE", "/roles/reader", .lostAnswer(status: 500), count: 20)
        cluster.inject("GET", "/roles/reader", Self.refusal(500, "InternalError"), count: 200)
        let cut = try await uninstall("--confirm", instance)
        cluster.clearFaults()
        #expect(cut.status == 2 && cut.output.isEmpty)
        #expect(
            cut.errors.contains("delete  RoleBinding \(namespace)/config\n"), "what was done is seen: \(cut.errors)")
        let listed = try await uninstall()
        #expect(listed.output.contains("1 change of the instance without an outcome"), "\(listed.output)")
        let again = try await uninstall("--confirm", instance)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
        for id in made { #expect(try await cluster.object(id) == nil, "\(id)") }
        let told = try await entries().filter { $0["object"]?["name"] == "reader" && $0["object"]?["kind"] == "Role" }
        #expect(told.count == 1, "\(told)")
        try await expectProof()
    }

    @Test func withoutAJournalOrWithOneInUseNothingIsDone() async throws {
        let before = try await cluster.versions(prefix: namespace)
        let none = try await program.run([
            "uninstall", "--kubeconfig", flag("--kubeconfig"), "--instance", instance, "--journal",
            program.folder.path + "/none.sqlite", "--confirm", instance,
        ])
        #expect(none.status == 2 && none.errors.contains("there is no journal there"), "\(none.errors)")
        #expect(!FileManager.default.fileExists(atPath: program.folder.path + "/none.sqlite"))
        let run = try RunningProgram(program, ["run", "--interval", "300ms"] + flags)
        try await run.untilItSays("Synced ")
        let listed = try await uninstall()
        #expect(listed.status == 1 && listed.output.contains("9 to delete, 1 to unmark\n"), "\(listed.errors)")
        let beside = try await uninstall("--confirm", instance)
        #expect(beside.status == 2 && beside.errors.contains("is writing it"), "\(beside.errors)")
        try await run.stop()
        #expect(try await cluster.versions(prefix: namespace) == before)
    }

    /// `kubectl delete -k` removes Bylaw alone: what it made stays, and so do the marks.
    @Test func whatStaysWhenBylawGoesIsAsItWas() async throws {
        let run = try RunningProgram(program, ["run", "--interval", "300ms"] + flags)
        try await run.untilItSays("Synced ")
        let before = try await cluster.versions(prefix: namespace)
        try await run.stop()
        #expect(run.status == 0)
        #expect(try await cluster.versions(prefix: namespace) == before)
        for id in made { #expect(try await label(id) == instance, "\(id)") }
    }
}

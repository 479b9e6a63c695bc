import EmbeddedCluster
import Journal
import Manifest
import Planning
import Reconciler
import Testing

/// What the record says of a change that a crash left without its outcome, and that was found done.
@Suite struct InterruptedChangeTests {
    private static let role = ObjectID(.role, namespace: RestartedController.namespace, name: "extra")

    @Test(arguments: [EntryReason.revisionChanged, .incident(.driftCorrected), .incident(.undeclaredRemoved)])
    func onlyARevisionsOwnChangeIsWhatARevertUndoes(_ reason: EntryReason) async throws {
        let run = try await RestartedController()
        let commit = try await run.commit("pods")
        _ = try await run.pass()
        let made = try #require(run.cluster.object(Self.role))
        let earlier = try await run.entries()
        var journal = try await run.journal()
        // The same write once more: its outcome is what is there.
        let change = try #require(earlier.last { $0.object == Self.role && $0.outcome == .succeeded })
        _ = try await journal.begin(
            Intent(
                at: run.clock.now, action: .update, reason: reason, object: Self.role,
                uid: made["metadata"]?["uid"]?.string, resourceVersion: nil, before: nil,
                desired: [
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                    "metadata": ["name": "extra", "namespace": .string(RestartedController.namespace)],
                    "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
                ], patch: nil, revision: change.revision, actor: nil, message: "a change"))
        await journal.close()
        _ = try await run.pass()

        let settled = try #require(try await run.entries().first { $0.message.hasPrefix("a change: found done") })
        #expect(settled.outcome == .succeeded)
        let isChange = reason == .revisionChanged
        #expect(settled.reason == (isChange ? EntryReason.incident(.actionInterrupted) : reason).word)
        journal = try await run.journal()
        let undone = try await journal.lastChange(of: Self.role, under: [commit], from: 0)
        #expect(undone?.sequence == (isChange ? settled.sequence : change.sequence))
        await journal.close()
    }

    /// Before the request, or by a lost connection: what somebody else has changed is still their doing.
    @Test(arguments: [ActionKind.update, .replace])
    func aCorrectionOfDriftThatWasNotDoneIsMadeAsOne(_ action: ActionKind) async throws {
        let run = try await RestartedController()
        let commit = try await run.commit("pods")
        _ = try await run.pass()
        let made = try #require(run.cluster.object(Self.role))
        let change = try #require(try await run.entries().last { $0.object == Self.role && $0.outcome == .succeeded })
        var drifted = made
        drifted.set(["rules"], to: [["apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]]])
        run.cluster.seed([drifted])
        var journal = try await run.journal()
        _ = try await journal.begin(
            Intent(
                at: run.clock.now, action: action, reason: .incident(.driftCorrected), object: Self.role,
                uid: made["metadata"]?["uid"]?.string, resourceVersion: nil, before: nil,
                desired: [
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                    "metadata": ["name": "extra", "namespace": .string(RestartedController.namespace)],
                    "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]],
                ], patch: nil, revision: change.revision, actor: nil, message: "a change"))
        await journal.close()
        _ = try await run.pass()

        #expect(run.resource == "pods")
        let entries = try await run.entries()
        #expect(entries.contains { $0.message.hasPrefix("a change: found not done") })
        let correction = try #require(entries.first { $0.object == Self.role && $0.outcome == .succeeded })
        // Half of a replacement may have been done by us.
        let isDrift = action == .update
        #expect(
            correction.reason == (isDrift ? EntryReason.incident(.driftCorrected) : .revisionChanged).word,
            "\(correction.message)")
        journal = try await run.journal()
        let undone = try await journal.lastChange(of: Self.role, under: [commit], from: 0)
        #expect(undone?.sequence == (isDrift ? change : correction).sequence)
        await journal.close()
    }
}

import Analysis
import Arguments
import ChildProcess
import EmbeddedCluster
import Foundation
import Guardrails
import HTTPClient
import Journal
import KubeClient
import Manifest
import Reconciler
import Policy

let demoCommand = Command(
    description: CommandDescription(
        name: "demo", summary: "all of it on an embedded cluster",
        details:
            "Starts an API server in memory, turns the sample policies into a Git repository, and shows what Bylaw does "
            + "with them: a first sync, an intruder's changes undone, a change by commit, an undo by revert, and the journal. "
            + "Nothing outside a temporary folder is touched.",
        flags: [
            FlagDescription(
                "policies", .text, valueName: "DIR", "the folder with the sample policies", default: "PolicyRepo"),
            FlagDescription("stay", .isSet, "keep the cluster and the controller running until Ctrl-C"),
        ],
        examples: ["bylaw demo", "bylaw demo --stay"],
        exitStatuses: [(0, "everything went as it should"), (2, "something did not")])
) { invocation in
    let signals = StopSignals()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bylaw-demo-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let playing = Task {
        let demo = try await Demo(invocation, folder: folder)
        do {
            try await demo.play(stayingUntil: invocation.arguments.isSet("stay") ? signals : nil)
        } catch {
            await demo.end()
            throw error
        }
        await demo.end()
    }
    let waiting = Task {
        await signals.wait()
        playing.cancel()
    }
    let result = await playing.result
    waiting.cancel()
    // Whoever presses Ctrl-C knows that it did not come to its end.
    if !signals.isSet { try result.get() }
    return ExitStatus.success
}

/// The parts of one demonstration, in a temporary folder.
private final class Demo: Sendable {
    private let terminal: Terminal
    private let environment: [String: String]
    private let folder: String
    private let cluster: EmbeddedCluster
    private let endpoint: ClusterEndpoint
    private let journal: SQLiteJournal
    private let controller: Controller
    private let notices: AsyncStream<ControllerNotice>
    private let running: Task<Void, any Error>
    private let began = ContinuousClock.now

    private var repository: String { folder + "/policies" }
    private var journalPath: String { folder + "/journal.sqlite" }

    /// - Parameter folder: Where everything is kept; made here.
    init(_ invocation: Invocation, folder: String) async throws {
        self.folder = folder
        terminal = invocation.terminal
        environment = invocation.environment.filter { ["PATH", "HOME", "LANG", "TMPDIR"].contains($0.key) }.merging([
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Ann Policy",
            "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann Policy",
            "GIT_COMMITTER_EMAIL": "ann@example.com",
        ]) { $1 }
        let policies = invocation.arguments.text("policies") ?? "PolicyRepo"
        let sample = "production/storefront/access.yaml"
        guard FileManager.default.fileExists(atPath: "\(policies)/\(sample)") else {
            throw CommandFailure(
                message: "there are no sample policies at \(policies): it has no \(sample)",
                hint: "Run it in the project's folder, or name the folder PolicyRepo of the project with --policies.")
        }
        try Self.copyContents(of: policies, to: folder + "/policies")
        try await Self.git(["init", "--quiet", "--initial-branch=main", "."], in: folder + "/policies", environment)
        try await Self.git(["add", "--all"], in: folder + "/policies", environment)
        // What the first revision grants and removes, its author has approved.
        let approvals = [Guardrail.riskyGrant, .externalAccess, .podSecurityLoosened, .scopeEnforced].map {
            "\(Approval.trailerKey): \($0.rawValue) by Ann Policy\n"
        }
        try await Self.git(
            ["commit", "--quiet", "--message=The policies of our three teams (#1)\n\n" + approvals.joined()],
            in: folder + "/policies", environment)

        cluster = try EmbeddedCluster()
        cluster.serve([.service] + Resource.workloads)
        cluster.seed(livedInObjects + livedInWorkloads)
        endpoint = ClusterEndpoint(
            server: cluster.baseURL, name: "embedded", proxy: .none, credentials: CredentialSource(.none))
        var arguments = try parseArguments(
            [
                "--repo", folder + "/policies", "--cache", folder + "/cache", "--journal", folder + "/journal.sqlite",
                "--interval", "250ms",
            ],
            for: runCommand.description, environment: [:])
        arguments.positionals = []
        let wiring = Wiring(Invocation(arguments: arguments, environment: environment, terminal: terminal))
        journal = try await wiring.journal(instance: "default", endpoint: endpoint)
        let (stream, continuation) = AsyncStream.makeStream(of: ControllerNotice.self)
        notices = stream
        let controller = wiring.controller(
            instance: "default", source: try wiring.source(), cluster: wiring.cluster(endpoint, instance: "default"),
            journal: journal
        ) { continuation.yield($0) }
        self.controller = controller
        running = Task { try await controller.run() }
    }

    func end() async {
        await controller.stop()
        _ = await running.result
        await journal.close()
        cluster.stop()
    }

    // MARK: The story

    /// - Parameter signals: Until when it stays up afterwards; nil to end at once.
    func play(stayingUntil signals: StopSignals?) async throws {
        var events = notices.makeAsyncIterator()
        title("A cluster that people have worked in, and a policy repository")
        say("API server   \(cluster.baseURL) (in memory)")
        say("repository   \(repository)")
        let first = try await nextPass(&events)
        title("1. The first sync")
        say("\(first.summary), in \(Int(first.duration / .milliseconds(1))) ms")
        say("payments-production existed before: it was adopted, and its role with all rights was cut down.")
        say("legacy-crm belongs to somebody else: nothing of it was touched.")

        title("2. An intruder opens a default-deny policy: egress: [{}]")
        let deny = ObjectID(.networkPolicy, namespace: "payments-production", name: "default-deny")
        try await tamper(deny, ["spec": ["egress": [[:]]]]) { $0["spec"]?["egress"] == nil }

        title("3. An intruder adds himself to a binding")
        let binding = ObjectID(.roleBinding, namespace: "payments-production", name: "developers")
        let mallory: Tree = [
            "subjects": [
                ["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-payments"],
                ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"],
            ]
        ]
        try await tamper(binding, mallory) { ($0["subjects"]?.array ?? []).count == 1 }

        title("4. A rogue policy that nobody declares: everything may reach payments")
        try await intrude()

        title("5. A change by commit: team storefront may read its daemon sets")
        let file = repository + "/production/storefront/access.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacingOccurrences(
            of: "  resources: [deployments, replicasets, statefulsets]",
            with: "  resources: [deployments, replicasets, statefulsets, daemonsets]"
        ).write(toFile: file, atomically: true, encoding: .utf8)
        try await Self.git(
            ["commit", "--quiet", "--all", "--message=Let storefront read its daemon sets (#2)"], in: repository,
            environment)
        say("\(try await nextPass(&events).summary)")

        title("6. A commit that lets storefront read Secrets waits for an approval")
        try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(
            of: "  resources: [deployments, replicasets, statefulsets, daemonsets]",
            with: "  resources: [deployments, replicasets, statefulsets, daemonsets]\n  verbs: [get, list, watch]\n"
                + "- apiGroups: [\"\"]\n  resources: [secrets]"
        ).write(toFile: file, atomically: true, encoding: .utf8)
        try await Self.git(
            ["commit", "--quiet", "--all", "--message=Let storefront read Secrets (#3)"], in: repository, environment)
        try await showHold(&events)
        say("Somebody says yes with an empty commit:")
        try await Self.git(
            [
                "commit", "--quiet", "--allow-empty",
                "--message=Approve #3\n\n\(Approval.trailerKey): risky-grant by Bob Platform",
            ], in: repository, environment)
        say("\(try await nextPass(&events).summary)")

        title("7. A commit with a mistake changes nothing")
        try
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: broken, namespace: payments-production}\nruls: []\n"
            .write(toFile: repository + "/production/payments/broken.yaml", atomically: true, encoding: .utf8)
        try await Self.git(["add", "--all"], in: repository, environment)
        try await Self.git(["commit", "--quiet", "--message=A typo"], in: repository, environment)
        try await showRefusal(&events)

        title("8. Undo by git revert, twice")
        try await Self.git(["revert", "--no-edit", "HEAD"], in: repository, environment)
        try await Self.git(["revert", "--no-edit", "HEAD~3"], in: repository, environment)
        say("\(try await nextPass(&events).summary)")

        try await showJournal()
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        title("Done in \(String(format: "%.1f", seconds)) seconds")
        if let signals { try await stay(until: signals) }
    }

    /// Changes an object as somebody with kubectl would, and waits until it is put back.
    private func tamper(_ id: ObjectID, _ patch: Tree, isUndone: (Tree) -> Bool) async throws {
        let intruder = KubeCluster(endpoint: endpoint, fieldManager: "kubectl-edit", userAgent: "kubectl/1.36")
        guard let live = try await intruder.read(id) else {
            throw CommandFailure(
                message: "\(id) is missing from the embedded cluster",
                hint: "The sample policies may have been changed.")
        }
        _ = try await intruder.mergePatch(patch, to: id, expecting: live)
        try await waitUntilUndone(id) { $0.map(isUndone) ?? false }
    }

    /// Makes an object that no revision declares, and waits until it is gone.
    private func intrude() async throws {
        let id = ObjectID(.networkPolicy, namespace: "payments-production", name: "allow-everything")
        let intruder = KubeCluster(endpoint: endpoint, fieldManager: "kubectl-create", userAgent: "kubectl/1.36")
        let policy: Tree = [
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": ["name": .string(id.name), "namespace": .string(id.namespace)],
            "spec": ["podSelector": [:], "ingress": [[:]]],
        ]
        _ = try await intruder.apply(policy, to: id, expecting: nil, isDryRun: false)
        try await waitUntilUndone(id) { $0 == nil }
    }

    private func waitUntilUndone(_ id: ObjectID, isUndone: (Tree?) -> Bool) async throws {
        let changedAt = ContinuousClock.now
        while ContinuousClock.now - changedAt < .seconds(10) {
            if isUndone(cluster.object(id)) {
                let milliseconds = (ContinuousClock.now - changedAt) / .milliseconds(1)
                say("\(terminal.styled("undone", .green)) after \(String(format: "%.1f", milliseconds)) ms")
                return
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw CommandFailure(
            message: "\(id) was not put back within ten seconds", hint: "This is a defect of Bylaw: please report it.")
    }

    private func nextPass(_ events: inout AsyncStream<ControllerNotice>.Iterator) async throws -> PassReport {
        while let notice = await events.next(isolation: #isolation) {
            if case .synced(let report) = notice { return report }
            if case .trouble(let message, let hint) = notice { throw CommandFailure(message: message, hint: hint) }
            if case .journalLost(let outage) = notice { throw commandFailure(outage.error) }
            if case .revisionRefused(_, let refusal) = notice {
                terminal.write(renderFindings(refusal.findings, on: terminal))
                throw CommandFailure(
                    message: "the sample policies are not valid", hint: "Correct them; bylaw check judges them too.")
            }
        }
        throw CommandFailure(message: "the controller ended", hint: "")
    }

    private func showRefusal(_ events: inout AsyncStream<ControllerNotice>.Iterator) async throws {
        while let notice = await events.next(isolation: #isolation) {
            guard case .revisionRefused(let revision, let refusal) = notice else { continue }
            let findings = renderFindings(refusal.findings, on: terminal)
            terminal.write(findings.split(separator: "\n").map { "   \($0)\n" }.joined())
            say("revision \(revision.commit.prefix(12)) is refused; the one before it stays enforced")
            return
        }
    }

    private func showHold(_ events: inout AsyncStream<ControllerNotice>.Iterator) async throws {
        while let notice = await events.next(isolation: #isolation) {
            if case .incident(let entry) = notice, entry.reason == .incident(.approvalMissing) {
                say(printable(entry.message))
                say("\(try await nextPass(&events).summary)")
                return
            }
        }
    }

    private func showJournal() async throws {
        title("What the journal says (bylaw journal list)")
        let reader = try await JournalReader.open(journalPath)
        var query = JournalQuery()
        query.limit = 12
        let entries = Array(try await reader.entries(query).reversed())
        terminal.write(renderEntryTable(entries, width: nil, isColoured: terminal.isColoured))
        query.isIncidentOnly = true
        if let entry = try await reader.entries(query).first(where: {
            $0.reason == IncidentReason.driftCorrected.rawValue
        }) {
            title("One of its entries (bylaw journal show \(entry.sequence))")
            terminal.write(try renderEntry(entry, isColoured: terminal.isColoured))
        }
        title("What to do about each (bylaw runbook show REASON)")
        for reason in Set(try await reader.entries(query).map(\.reason)).sorted() { say("Runbooks/\(reason).md") }
        await reader.close()
    }

    private func stay(until signals: StopSignals) async throws {
        let path = folder + "/kubeconfig"
        try cluster.kubeconfig().write(toFile: path, atomically: true, encoding: .utf8)
        say("It stays up until Ctrl-C. Try, in another terminal:")
        say("    kubectl --kubeconfig \(path) get networkpolicies --all-namespaces")
        say("    kubectl --kubeconfig \(path) --namespace payments-production delete role developer")
        say("    kubectl --kubeconfig \(path) label namespace payments-production pod-security.kubernetes.io/enforce-")
        say("    bylaw journal list --journal \(journalPath) --follow")
        await signals.wait()
    }

    private func title(_ text: String) { terminal.write("\n" + terminal.styled(text, .bold) + "\n") }
    private func say(_ text: String) { terminal.write("   \(text)\n") }

    /// Copies what files hold, and nothing else of them: they may belong to somebody else.
    private static func copyContents(of source: String, to target: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: source) where name != ".git" {
            let (from, to) = ("\(source)/\(name)", "\(target)/\(name)")
            var isFolder: ObjCBool = false
            if files.fileExists(atPath: from, isDirectory: &isFolder), isFolder.boolValue {
                try copyContents(of: from, to: to)
            } else {
                try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to))
            }
        }
    }

    private static func git(_ arguments: [String], in directory: String, _ environment: [String: String]) async throws {
        let result: ChildProcessResult
        do {
            result = try await runChildProcess(
                "git", arguments, environment: environment, directory: directory, deadline: .seconds(30))
        } catch {
            throw CommandFailure(message: error.description, hint: "Install git.")
        }
        guard result.ending == .exited(0) else {
            let words = [result.errorText, result.outputText].joined(separator: " ")
            throw CommandFailure(
                message: "git \(arguments.first ?? ""): \(words.trimmingCharacters(in: .whitespacesAndNewlines))",
                hint: "")
        }
    }
}

import Analysis
import Arguments
import Git
import GitSource
import Guardrails
import Manifest
import Policy
import Reconciler

let diffCommand = Command(
    description: CommandDescription(
        name: "diff", summary: "what a change means for security",
        details:
            "Compares two revisions of a local clone by meaning: who gains or loses which right, what can newly be "
            + "reached, which namespaces admit more, and what needs an approval. A revision is whatever Git reads as one: "
            + "main, origin/main, HEAD~1, a tag, an id. What only looks different is not shown. With -f a snapshot, other "
            + "manifests, or with --live the cluster, count as what is there beside the repository.",
        positionals: [
            PositionalDescription(name: "BASE", isRequired: true),
            PositionalDescription(name: "HEAD", isRequired: true),
        ],
        flags: [
            FlagDescription("repo", .text, valueName: "PATH", "the clone; the current folder where it is not given"),
            FlagDescription("path", .text, valueName: "P", "the folder of the repository with the manifests"),
            Flags.clusterOfMany,
            FlagDescription(
                "merge-base", .isSet, "compare with the commit where HEAD branched off from BASE, as pull requests show"
            ),
            FlagDescription(
                "fail-on", .choice(Severity.allCases.map(\.rawValue)), valueName: "SEVERITY",
                "exit with 1 only from this severity on", default: "info"),
            FlagDescription("live", .isSet, "look at the cluster too"), Flags.manifests,
            FlagDescription(
                "runbook-url", .text, valueName: "URL", "where the runbooks are published; findings link to them there"),
            FlagDescription(
                "output", short: "o", .choice(["text", "markdown", "json", "sarif", "junit"]), valueName: "FORMAT",
                "how the answer is written", default: "text"),
        ] + Flags.connection + [Flags.namespace, Flags.config],
        examples: [
            "bylaw diff origin/main HEAD --path production", "bylaw diff main HEAD -f production.json -o markdown",
            "bylaw diff HEAD~1 HEAD -o sarif --fail-on high > bylaw.sarif",
            "bylaw diff main HEAD --cluster production-eu",
        ],
        exitStatuses: [(0, "nothing to report"), (1, "findings"), (2, "an error, or a revision is not valid")])
) { invocation in
    let report = try await RevisionComparison(invocation).run()
    let threshold = invocation.arguments.text("fail-on").flatMap(Severity.init) ?? .info
    invocation.terminal.write(renderChange(report, invocation, failOn: threshold))
    return report.findings.contains { $0.severity >= threshold }
        ? ExitStatus.findings : ExitStatus.success
}

/// Two revisions of a clone, loaded and compared.
struct RevisionComparison {
    let invocation: Invocation
    private let source: GitRevisionSource

    init(_ invocation: Invocation) throws {
        self.invocation = invocation
        let clone = invocation.arguments.text("repo") ?? "."
        guard try RemoteURL(clone).scheme == .file else {
            throw CommandFailure(
                message: "\(clone) is no folder", hint: "Clone it first, and name the clone with --repo PATH.")
        }
        source = try GitRevisionSource(
            readingCloneAt: clone, path: invocation.arguments.text("path") ?? "",
            cluster: invocation.arguments.text("cluster"), environment: invocation.environment)
    }

    /// Compares revisions that another command has found.
    init(_ invocation: Invocation, of source: GitRevisionSource) {
        self.invocation = invocation
        self.source = source
    }

    /// Compares the revisions that the command names.
    func run() async throws -> ChangeReport {
        let names = invocation.arguments.positionals
        let head = try await source.revision(named: names[1])
        var base = try await source.revision(named: names[0])
        if invocation.arguments.isSet("merge-base") {
            guard let common = try await source.mergeBase(base.commit, head.commit) else {
                throw CommandFailure(
                    message: "\(names[0]) and \(names[1]) have no commit in common",
                    hint: "Fetch the whole history (git fetch --unshallow), or compare without --merge-base.")
            }
            base = try await source.cachedRevision(commit: common)
        }
        return try await compare(base, named: names[0], with: head, named: names[1])
    }

    /// What a change from one revision to another means; both have to be valid.
    func compare(
        _ base: Revision, named baseName: String, with head: Revision, named headName: String
    ) async throws -> ChangeReport {
        var notes: [String] = []
        let hasBase = try await source.hasFolder(base)
        let hasHead = try await source.hasFolder(head)
        guard hasBase || hasHead else {
            throw CommandFailure(
                message: "neither \(baseName) nor \(headName) has a folder \(invocation.arguments.text("path") ?? "")",
                hint: "Correct --path: it is the folder of the repository with the manifests.")
        }
        let before = hasBase ? try await state(of: base, named: baseName) : nothing(at: baseName, &notes)
        let after = hasHead ? try await state(of: head, named: headName) : nothing(at: headName, &notes)
        let surroundings = try await surroundings(&notes)
        let options = ChangeOptions(
            knowsCluster: surroundings?.isCluster ?? false,
            clusterVersion: surroundings?.serverMinorVersion.map { PodSecurityVersion(minor: $0) } ?? .latest)
        let analysis = ChangeAnalysis(
            base: before, head: after, context: surroundings?.state ?? SecurityState(), options: options)
        var findings = await Self.findings(of: analysis)
        // By the settings before the change: what the repository lets through needs no approval.
        let settings = hasBase ? try await source.load(base).declared.configuration.guardrails : GuardrailSettings()
        for index in findings.indices {
            let decision = settings.decision(about: findings[index])
            findings[index].guardrail = decision?.decision == .hold ? decision?.guardrail : nil
        }
        try await nameCommits(in: &findings, base: base, head: head)
        return ChangeReport(
            base: baseName, head: headName, findings: findings, notes: notes, changedObjects: analysis.changedObjects)
    }

    /// The areas side by side, on as many cores as there are.
    private static func findings(of analysis: ChangeAnalysis) async -> [ChangeFinding] {
        await withTaskGroup(of: [ChangeFinding].self) { group in
            for area in FindingArea.allCases { group.addTask { analysis.findings(in: area) } }
            var findings: Set<ChangeFinding> = []
            for await found in group { findings.formUnion(found) }
            return findings.sorted()
        }
    }

    /// Before the first policy and after the last one there is nothing.
    private func nothing(at name: String, _ notes: inout [String]) -> SecurityState {
        notes.append("\(name) has no folder \(invocation.arguments.text("path") ?? ""): it declares nothing")
        return SecurityState()
    }

    private func state(of revision: Revision, named name: String) async throws -> SecurityState {
        let loaded = try await source.load(revision)
        let errors = loaded.findings.filter { $0.severity == .error }
        guard errors.isEmpty else {
            invocation.terminal.writeError(renderFindings(errors, on: invocation.terminal))
            throw CommandFailure(
                message: "\(name) (\(revision.commit.prefix(12))) is not valid, so what it means cannot be said",
                hint: "Correct it; bylaw check finds mistakes in files too.")
        }
        return SecurityState(loaded.declared)
    }

    /// What is there beside the repository: a snapshot, manifests or the cluster itself.
    private func surroundings(_ notes: inout [String]) async throws -> SecurityStateSource.Answer? {
        let isLive = invocation.arguments.isSet("live")
        guard !isLive || invocation.arguments.all("file").isEmpty else {
            throw CommandFailure(
                message: "--live and -f exclude each other", hint: "Look at the cluster, or at a snapshot of it.")
        }
        guard isLive || !invocation.arguments.all("file").isEmpty else {
            notes.append(
                "Only the repository was looked at: what else grants rights, and which pods run, takes a snapshot (-f) or "
                    + "the cluster (--live)")
            return nil
        }
        return try await SecurityStateSource(invocation: invocation).read(analysedResources)
    }

    /// Says which commit each cause comes from.
    private func nameCommits(in findings: inout [ChangeFinding], base: Revision, head: Revision) async throws {
        let files = Set(findings.lazy.flatMap(\.causes).compactMap { $0.origin?.file }).sorted()
        guard !files.isEmpty else { return }
        let commits = try await source.lastTouches(of: files, after: base, upTo: head)
        for index in findings.indices {
            for cause in findings[index].causes.indices {
                guard let file = findings[index].causes[cause].origin?.file else { continue }
                findings[index].causes[cause].commit = commits[file]
            }
        }
    }
}

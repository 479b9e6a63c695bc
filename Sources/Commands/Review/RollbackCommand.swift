import Arguments
import Git
import GitSource
import Journal
import Manifest
import Policy
import Reconciler

let rollbackCommand = Command(
    description: CommandDescription(
        name: "rollback", summary: "undo a revision: a revert commit on a branch of its own",
        details:
            "Takes back what REVISION changed, or with --to everything from REVISION to a later one, by one commit on top of "
            + "the followed branch, as git revert does. The commit is made in the clone that Bylaw keeps, on a new branch; "
            + "with --push it goes to the repository, where it is reviewed and merged as any change. It says what it takes "
            + "back, for which incident, and whether it restores an earlier declared state exactly. Where later commits "
            + "changed the same places, or the result would not be valid, nothing is made. REVISION is an id, the beginning "
            + "of one, or HEAD~N; where it is left out, it is the one that the journal entry of --incident is about.",
        positionals: [PositionalDescription(name: "REVISION", isRequired: false)],
        flags: [
            FlagDescription(
                "to", .text, valueName: "REVISION", "take back everything from REVISION up to this later one"),
            FlagDescription(
                "incident", .text, valueName: "SEQ|TEXT",
                "what it is for: the number of a journal entry, or words of your own"),
            FlagDescription("because", .text, valueName: "TEXT", "why, for the commit's message"),
            FlagDescription(
                "author", .text, valueName: "NAME <ADDRESS>",
                "who makes the commit; GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL, or Git's configuration where it is not given"
            ),
            FlagDescription(
                "new-branch", .text, valueName: "NAME",
                "the branch for the commit; bylaw/rollback-ID where it is not given"),
            FlagDescription("push", .isSet, "push the new branch"),
            FlagDescription("plan", .isSet, "show what a pass would then change in the cluster, as bylaw plan does"),
            FlagDescription("live", .isSet, "look at the cluster for what the change means, as bylaw diff does"),
            Flags.manifests,
        ] + Flags.repository.filter { !["tag", "commit"].contains($0.name) } + Flags.connection + [
            Flags.namespace, Flags.cluster, Flags.instance, Flags.journal, Flags.output, Flags.config,
        ],
        examples: [
            "bylaw rollback 1a2b3c4 --repo https://git.example.com/policies --path production",
            "bylaw rollback --incident 42 --because \"The shop lost its egress\" --push",
            "bylaw rollback HEAD~3 --to HEAD --plan",
        ],
        exitStatuses: [
            (0, "the branch is made, or there is nothing to take back"),
            (1, "refused: conflicts, or the result would not be valid"), (2, "an error"),
        ])
) { invocation in
    try await Rollback(invocation).run()
}

/// What a rollback came to.
struct RollbackReport {
    enum Outcome: String {
        /// The commit is on its new branch.
        case made
        /// An earlier run has made the same commit on that branch.
        case wasThere
        case nothing
        case conflicts
        case refused
    }

    var outcome: Outcome
    var range: RollbackRange
    var branch: String
    /// Where the branch is.
    var clone: String
    var commit: Revision?
    var recognition: RevertRecognition?
    var changedFiles: [GitChangedFile] = []
    /// The folder of the manifests; empty for the root.
    var folder: String
    var changes: DeclaredChanges?
    var conflicts: [RollbackConflict] = []
    /// The newest commit that stands in the way.
    var blocking: Revision?
    var refusal: RevisionRefusal?
    var notes: [String] = []
    var plan: PlannedPass.Answer?
    var isPushed = false

    /// The files outside of the folder of the manifests.
    var otherFiles: [GitChangedFile] { changedFiles.filter { !isPolicy($0) } }

    func isPolicy(_ file: GitChangedFile) -> Bool { folder.isEmpty || file.path.hasPrefix(folder + "/") }
}

/// One rollback, from its words to its answer.
private struct Rollback {
    let invocation: Invocation
    let wiring: Wiring
    let source: GitRevisionSource

    private var arguments: ParsedArguments { invocation.arguments }

    init(_ invocation: Invocation) throws {
        self.invocation = invocation
        wiring = Wiring(invocation)
        // A clone of its own, since a controller may hold the other one.
        source = try wiring.source(cacheFolder: "rollback")
    }

    func run() async throws -> Int32 {
        let incident = try await incident()
        guard let name = arguments.positionals.first ?? incident?.revision else {
            throw CommandFailure(
                message: incident == nil
                    ? "no revision is named" : "the journal entry \(incident?.words ?? "") is about no revision",
                hint: "Name the revision to take back, as git log shows it.")
        }
        let authorship = try authorship()
        let pass = arguments.isSet("plan") ? try PlannedPass(invocation, from: source) : nil
        let tip = try await source.fetchNewest()
        let range = try await source.rollbackRange(from: name, to: arguments.text("to"), tip: tip)
        var report = RollbackReport(
            outcome: .nothing, range: range, branch: try branchName(range), clone: source.clonePath,
            folder: source.folder)
        switch try await source.takeBack(range) {
        case .nothing: break
        case .conflicts(let conflicts):
            report.outcome = .conflicts
            report.conflicts = conflicts
            report.blocking = try await newest(of: conflicts.compactMap(\.later))
        case .tree(let tree, let changed):
            report.changedFiles = changed
            try await make(tree, authorship, incident: incident?.words, pass, &report)
        }
        return try await push(&report)
    }

    // MARK: What is asked for

    /// What the rollback is for, and the revision that a journal entry is about.
    private func incident() async throws -> (words: String, revision: String?)? {
        guard let word = arguments.text("incident") else { return nil }
        guard Int64(word) != nil else { return (word, nil) }
        let reader = try await JournalReader.open(wiring.journalPath)
        let entry = try await reader.entry(named: word)
        await reader.close()
        // An entry about drift or a failure has the revision that was in force, which is not to blame.
        let isOfRevision = !(entry.kind == .action && entry.isIncident)
        return ("\(entry.sequence) \(entry.reason)", isOfRevision ? entry.revision?.commit : nil)
    }

    private func authorship() throws -> (author: GitPerson, committer: GitPerson) {
        let configured = try configuredPerson(environment: invocation.environment)
        func person(_ role: String) -> GitPerson? {
            func value(_ what: String) -> String? {
                invocation.environment["GIT_\(role)_\(what)"].flatMap { $0.isEmpty ? nil : $0 }
            }
            guard let name = value("NAME") ?? configured?.name, let email = value("EMAIL") ?? configured?.email else {
                return nil
            }
            return GitPerson(name: name, email: email)
        }
        let author = try arguments.text("author").map(readPerson) ?? person("AUTHOR")
        guard let author else {
            throw CommandFailure(
                message: "who makes the commit is not known",
                hint: "Say it with --author \"NAME <ADDRESS>\", or with git config --global user.name and user.email.")
        }
        return (author, person("COMMITTER") ?? author)
    }

    private func readPerson(_ text: String) throws(CommandFailure) -> GitPerson {
        guard let open = text.lastIndex(of: "<"), text.last == ">", text.index(after: open) < text.endIndex else {
            throw CommandFailure(
                message: "--author \"\(text)\" is no name with an address",
                hint: "Write it as --author \"NAME <ADDRESS>\".")
        }
        var name = text[..<open]
        while name.last == " " { name.removeLast() }
        return GitPerson(name: String(name), email: String(text[text.index(after: open)...].dropLast()))
    }

    private func branchName(_ range: RollbackRange) throws(CommandFailure) -> String {
        let name = arguments.text("new-branch") ?? "bylaw/rollback-\(range.oldest.commit.prefix(12))"
        guard name != arguments.text("branch") else {
            throw CommandFailure(
                message: "the new branch would be \(name), which is followed",
                hint: "Name another with --new-branch: what is merged there is enforced.")
        }
        return name
    }

    /// The newest of some commits of one line.
    private func newest(of revisions: [Revision]) async throws -> Revision? {
        var newest: Revision?
        for revision in revisions where revision != newest {
            guard let known = newest else {
                newest = revision
                continue
            }
            if try await source.isAncestor(known.commit, of: revision.commit) { newest = revision }
        }
        return newest
    }

    // MARK: The commit

    /// Writes the commit, looks at what it would do, and puts it on its branch if that is sound.
    private func make(
        _ tree: String, _ authorship: (author: GitPerson, committer: GitPerson), incident: String?,
        _ pass: PlannedPass?, _ report: inout RollbackReport
    ) async throws {
        let range = report.range
        let existing = try await existingRollback(report.branch, range, tree)
        let because = arguments.text("because")
        let commit =
            if let existing { existing } else {
                try await source.makeRollback(
                    range, tree: tree, author: authorship.author, committer: authorship.committer,
                    time: systemNow().microsecondsSinceEpoch / 1_000_000
                ) { restores in
                    RevertMessage(reverts: range.reverts, restores: restores, incident: incident, because: because)
                        .text
                }
            }
        report.recognition = try await source.recogniseRevert(commit.commit)
        let before = try await source.loadEarlier(range.tip)
        let isTipValid = !before.findings.contains { $0.severity == .error }
        let tipCluster = isTipValid ? before.declared.cluster : nil
        guard try await source.hasFolder(commit) else {
            report.outcome = .refused
            report.refusal = .empty
            return
        }
        // Its signature is another matter: whoever merges it signs.
        let examination = try await examine(
            commit, trust: .off, after: nil, from: source, cluster: { () throws(SourceError) in tipCluster })
        guard case .sound(let after) = examination else {
            report.outcome = .refused
            if case .refused(let refusal) = examination { report.refusal = refusal }
            return
        }
        if isTipValid {
            let comparison = RevisionComparison(invocation, of: source)
            report.changes = DeclaredChanges(
                from: before.declared, to: after.declared,
                meaning: try await comparison.compare(
                    range.tip, named: String(range.tip.commit.prefix(12)), with: commit, named: report.branch))
        } else {
            report.notes.append(
                "\(range.tip.commit.prefix(12)) is not valid and not enforced, so what the rollback changes cannot be "
                    + "compared with it; --plan compares with the cluster")
        }
        if after.declared.cluster != nil {
            report.notes.append("Only what is for the cluster \(after.declared.cluster ?? "") was looked at")
        }
        noteSignatures(&report)
        report.plan = try await pass?.plan(commit, trust: .off)
        report.commit = commit
        report.outcome = existing == nil ? .made : .wasThere
        if existing != nil, because != nil || incident != nil {
            report.notes.append(
                "The commit keeps the message it was made with: for another one delete the branch "
                    + "(git -C \(source.clonePath) branch -D \(report.branch)) and run this again")
        }
        if existing == nil { try await source.makeBranch(report.branch, at: commit) }
    }

    /// The commit of an earlier run that came to the same; anything else of that name is in the way.
    private func existingRollback(
        _ branch: String, _ range: RollbackRange, _ tree: String
    ) async throws -> Revision? {
        guard let existing = try await source.branch(branch) else { return nil }
        guard existing.tree == tree, existing.revision.parents == [range.tip.commit] else {
            throw CommandFailure(
                message:
                    "the branch \(branch) is there already, at \(existing.revision.commit.prefix(12)), and is another change",
                hint: "Name another with --new-branch, or delete it: git -C \(source.clonePath) branch -D \(branch)")
        }
        return existing.revision
    }

    private func noteSignatures(_ report: inout RollbackReport) {
        switch wiring.trust {
        case .off: break
        case .head:
            report.notes.append(
                "The commit is not signed, and --verify-commits head asks for it: sign it (git commit --amend --no-edit -S) "
                    + "or bring it in by a signed merge")
        case .all:
            report.notes.append(
                "The commit is not signed, and --verify-commits all asks for it whatever merges it: sign it before it is "
                    + "merged (git commit --amend --no-edit -S), or squash it into a signed one")
        }
    }

    // MARK: The end

    /// Pushes where that is asked for, and answers; what was made stays also where the push fails.
    private func push(_ report: inout RollbackReport) async throws -> Int32 {
        var failure: SourceError?
        if arguments.isSet("push"), let commit = report.commit {
            do throws(SourceError) {
                if try await source.push(branch: report.branch, at: commit) == .wasThere {
                    report.notes.append("The repository has the branch already, at this commit")
                }
                report.isPushed = true
            } catch {
                failure = error
            }
        }
        invocation.terminal.write(
            arguments.text("output") == "json"
                ? rollbackAnswer(report) : renderRollback(report, invocation, command: arguments.text("repo") ?? ""))
        if let failure { throw failure }
        switch report.outcome {
        case .made, .wasThere, .nothing: return ExitStatus.success
        case .conflicts, .refused: return ExitStatus.findings
        }
    }
}

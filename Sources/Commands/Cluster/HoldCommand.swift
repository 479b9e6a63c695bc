import Arguments
import GitSource
import JSON
import KubeClient
import Manifest
import Reconciler

let holdCommand = Command(
    description: CommandDescription(
        name: "hold", summary: "keep a revision enforced for a while, before a revert is merged",
        details:
            "Puts a hold into a ConfigMap that the controller looks at with each check of the repository and before it takes "
            + "on a new revision: until its end the revision stays enforced, newer ones are judged and wait, drift is put "
            + "right. The revision is the one in force, or an earlier one of the followed branch that was accepted here. "
            + "Going back is guarded as any change: what loosens is held, since a hold approves nothing. It ends by itself. "
            + "Without --revision and --end it shows the hold that is set.",
        flags: [
            FlagDescription(
                "revision", .text, valueName: "R",
                "the commit to keep: its id, or with --repo the beginning of it; bylaw status shows what is in force"),
            FlagDescription("for", .duration, valueName: "T", "for how long, from 1m to 24h"),
            FlagDescription("because", .text, valueName: "TEXT", "why, for everybody who wonders and for the journal"),
            FlagDescription("end", .isSet, "end the hold now"),
            Flags.holdConfigMap,
        ] + Flags.repository.filter { !$0.isAboutSignatures } + Flags.connection + [
            Flags.cluster, Flags.instance, Flags.output, Flags.config,
        ],
        examples: [
            "bylaw hold --revision 0123456789abcdef0123456789abcdef01234567 --for 2h --because \"The shop lost its egress\"",
            "bylaw hold", "bylaw hold --end --because \"The revert is merged\"",
        ],
        exitStatuses: [
            (0, "it is set or ended, or there is none"), (1, "there is a hold, or something that is none in its place"),
            (2, "an error"),
        ])
) { invocation in
    try await HoldRun(invocation).run()
}

extension FlagDescription {
    /// Nothing is judged here: the controller does.
    fileprivate var isAboutSignatures: Bool {
        ["verify-commits", "allowed-signers", "revoked-keys", "gpg-keyring"].contains(name)
    }
}

/// One call of `bylaw hold`.
private struct HoldRun {
    let invocation: Invocation
    let wiring: Wiring
    let instance: String
    let cluster: KubeCluster
    let place: HoldConfigMap

    private var arguments: ParsedArguments { invocation.arguments }

    init(_ invocation: Invocation) throws {
        self.invocation = invocation
        wiring = Wiring(invocation)
        instance = try wiring.instance()
        let endpoint = try wiring.endpoint()
        cluster = KubeCluster(
            endpoint: endpoint, fieldManager: "bylaw-hold", userAgent: "bylaw/\(bylawVersion)", concurrentCalls: 2)
        guard let place = try wiring.holds(instance: instance, cluster: cluster) else {
            throw CommandFailure(
                message: "--hold-configmap off leaves no place for a hold",
                hint: "Name the ConfigMap that the controller looks at, or leave the flag out.")
        }
        self.place = place
    }

    func run() async throws -> Int32 {
        let isEnding = arguments.isSet("end")
        let isSetting = arguments.text("revision") != nil
        guard !(isEnding && isSetting) else {
            throw CommandFailure(
                message: "--end and --revision contradict each other", hint: "End the hold, or set one in its place.")
        }
        if isSetting { return try await set() }
        guard arguments.duration("for") == nil else {
            throw CommandFailure(
                message: "--for without a revision",
                hint: "Name the one to keep with --revision; bylaw status shows it.")
        }
        return isEnding ? try await end() : try await show()
    }

    // MARK: Showing

    private func show() async throws -> Int32 {
        let reading = await place.read()
        switch reading {
        case .forbidden(let error), .failed(let error): throw explained(error, "read")
        case .none, .flawed, .record: break
        }
        let answer = HoldAnswer(place: place, instance: instance, reading: reading, now: systemNow())
        write(answer)
        if case .flawed = reading { return ExitStatus.findings }
        return answer.active == nil ? ExitStatus.success : ExitStatus.findings
    }

    private func write(_ answer: HoldAnswer) {
        invocation.terminal.write(
            arguments.text("output") == "json"
                ? answer.tree.indentedJSON() + "\n" : answer.render(on: invocation.terminal))
    }

    // MARK: Setting

    private func set() async throws -> Int32 {
        guard let time = arguments.duration("for"), (EmergencyHold.shortest...EmergencyHold.longest).contains(time)
        else {
            throw CommandFailure(
                message: arguments.duration("for") == nil
                    ? "for how long is not said" : "--for \(arguments.text("for") ?? "") is not between 1m and 24h",
                hint: "Say it as --for 2h; a hold can be extended by setting it again.")
        }
        guard let because = try because() else {
            throw CommandFailure(
                message: "why is not said", hint: "Say it with --because TEXT: others find the hold in status.")
        }
        let revision = try await revision()
        let now = systemNow()
        let hold = EmergencyHold(
            instance: instance, cluster: arguments.text("cluster"), revision: revision, until: now.advanced(by: time),
            because: because, setBy: try await ownName(), setAt: now)
        let record = EmergencyHoldRecord(hold: hold)
        try await write(record)
        write(HoldAnswer(place: place, instance: instance, reading: .record(record), now: now))
        return ExitStatus.success
    }

    private func because() throws(CommandFailure) -> String? {
        guard let text = arguments.text("because") else { return nil }
        if let flaw = flawOfHoldText(text, maximumBytes: EmergencyHold.maximumReasonBytes) {
            throw CommandFailure(message: "--because \(flaw)", hint: "Write one line of at most 1 KiB.")
        }
        return text
    }

    /// The full id of the revision, which the followed branch must contain where the repository is named.
    private func revision() async throws -> String {
        let name = (arguments.text("revision") ?? "").lowercased()
        guard arguments.text("repo") != nil else {
            guard isCommitID(name) else {
                throw CommandFailure(
                    message: "--revision \"\(name)\" is not the whole id of a commit",
                    hint: "Write all 40 digits, as bylaw status -o json shows them, or name the repository with --repo."
                )
            }
            return name
        }
        guard name.utf8.count >= 4, name.utf8.count <= 40, name.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw CommandFailure(
                message: "--revision \"\(name)\" is no id of a commit",
                hint: "Write it, or its beginning, as git log does.")
        }
        // A clone of its own, since a controller may hold the other one.
        let source = try wiring.source(cacheFolder: "hold")
        let tip: Revision
        do throws(SourceError) { tip = try await source.fetchNewest() } catch {
            guard isCommitID(name) else { throw error }
            // An emergency does not wait for the Git host, and the controller looks by itself.
            let terminal = invocation.terminal
            terminal.writeError("warning: \(printable(error.explanation.message))\n")
            terminal.writeError("    Whether the followed branch contains the revision is left to the controller.\n")
            return name
        }
        return try await source.revision(named: name, containedIn: tip).commit
    }

    /// Who we are, for people: by the server's word where it tells, else by the kubeconfig's.
    private func ownName() async throws -> String {
        var name = cluster.endpoint.userName
        do throws(ClusterError) {
            if let user = try await cluster.whoWeAre() { name = user.name }
        } catch {
            throw explained(error, "set")
        }
        let isUsable = flawOfHoldText(name, maximumBytes: EmergencyHold.maximumNameBytes) == nil
        return isUsable ? name : ""
    }

    // MARK: Ending

    private func end() async throws -> Int32 {
        let because = try because() ?? ""
        let content = try await content()
        let now = systemNow()
        var record: EmergencyHoldRecord?
        do throws(EmergencyHoldFlaw) { record = try EmergencyHoldRecord(data: content.data) } catch {
            throw CommandFailure(
                message: "what is in \(place.name) is no hold: \(error.message)",
                hint:
                    "Look at it, and empty it: kubectl --namespace \(place.namespace) patch configmap \(place.configMap) "
                    + "--type merge --patch '{\"data\":null}'"
            )
        }
        if var ending = record, ending.end == nil, ending.hold.until > now {
            ending.end = EmergencyHoldEnd(at: now, by: try await ownName(), because: because)
            try await write(ending, over: content)
            record = ending
        }
        write(
            HoldAnswer(
                place: place, instance: instance, reading: record.map(EmergencyHoldReading.record) ?? .none, now: now))
        return ExitStatus.success
    }

    // MARK: The ConfigMap

    private func content() async throws -> HoldConfigMap.Content {
        do throws(ClusterError) { return try await place.content() } catch { throw explained(error, "read") }
    }

    private func write(_ record: EmergencyHoldRecord, over content: HoldConfigMap.Content? = nil) async throws {
        let before: HoldConfigMap.Content
        if let content { before = content } else { before = try await self.content() }
        do throws(ClusterError) { try await place.write(record, over: before) } catch {
            throw explained(error, record.end == nil ? "set" : "end")
        }
    }

    private func explained(_ error: ClusterError, _ verb: String) -> CommandFailure {
        let hint =
            switch error.kind {
            case .forbidden:
                "Whoever may \(verb) holds is said in Deploy/components/emergency-hold/rbac.yaml: ask for the role bylaw-hold there."
            case .namespaceNotFound:
                "Make the namespace (Deploy/base/namespace.yaml does), or name the ConfigMap that the controller looks at with "
                    + "--hold-configmap."
            case .conflict, .alreadyExists: "Somebody wrote it at the same moment: look with bylaw hold, and try again."
            default: error.hint
            }
        return CommandFailure(message: "\(verb) the hold: \(error.message)", hint: hint)
    }
}

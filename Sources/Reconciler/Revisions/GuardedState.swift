package import Guardrails
package import Manifest
package import Policy

/// What the guardrails let through of a revision, as the journal remembers it between two runs.
///
/// What is held keeps an earlier declaration, which the revision itself no longer says: so it is kept whole.
package struct GuardedState: Sendable {
    package var configuration: RepositoryConfiguration
    package var holds: [GuardrailHold]
    /// What is in force of each held object; objects that are missing here are not declared.
    package var kept: [ObjectID: DeclaredObject]
    package var frozen: Set<ObjectID>
    package var deletableNamespaces: Set<ObjectID>
    /// Since when each held object's change has been waiting; whoever wrote it did so after that.
    ///
    /// Of what is missing here that is not known.
    package var heldSince: [ObjectID: HeldSince]
    /// Who let through what, by object: `Alice Example, in commit 0123abcd`.
    package var approvers: [ObjectID: String]
    /// What the verdict rested on; nil where that is not known.
    package var basis: JudgementBasis?

    /// What is in force of a state.
    init(of state: EnforcedState) {
        configuration = state.configuration
        holds = state.holds
        kept = [:]
        for hold in state.holds { kept[hold.id] = state.objects[hold.id] }
        frozen = state.frozen
        deletableNamespaces = state.deletableNamespaces
        heldSince = state.heldSince
        approvers = state.approvers
        basis = state.basis
    }

    /// Everything of it is let through.
    init(state: DeclaredState) {
        configuration = state.configuration
        holds = []
        kept = [:]
        frozen = []
        deletableNamespaces = []
        heldSince = [:]
        approvers = [:]
    }

    /// - Parameters:
    ///   - revision: The commit that was judged.
    ///   - inForce: What it was compared with; nil where nothing was in force, or that is not known.
    package init(
        _ verdict: GuardVerdict, basis: JudgementBasis, on revision: String, after inForce: EnforcedState?
    ) {
        self.basis = basis
        heldSince = [:]
        for hold in verdict.holds {
            heldSince[hold.id] =
                inForce != nil
                ? inForce?.waitingSince(hold.id) : HeldSince(commit: revision, isFirstRevision: true)
        }
        configuration = verdict.state.configuration
        holds = verdict.holds
        kept = [:]
        for hold in verdict.holds { kept[hold.id] = verdict.state.objects[hold.id] }
        frozen = verdict.frozen
        deletableNamespaces = verdict.deletableNamespaces
        approvers = inForce?.revision.commit == revision ? inForce?.approvers ?? [:] : [:]
        approvers.merge(
            verdict.approved.mapValues { "\($0.approval.approver), in commit \($0.commit.prefix(12))" }
        ) { $1 }
    }

    /// The declarations of a revision with what is held put back.
    func objects(of declared: DeclaredState) -> [ObjectID: DeclaredObject] {
        var objects = declared.objects
        for hold in holds { objects[hold.id] = kept[hold.id] }
        return objects
    }
}

extension GuardedState {
    /// - Parameters:
    ///   - revision: The commit that it belongs to.
    ///   - place: See ``RevisionSource/place``.
    package func encoded(revision: String, place: String) -> Tree {
        [
            "revision": .string(revision), "place": .string(place), "configuration": configuration.encoded,
            "holds": .array(
                holds.map { hold in
                    var tree: Tree = [
                        "id": hold.id.encoded,
                        "guardrails": .array(hold.guardrails.sorted().map { .string($0.rawValue) }),
                        "meanings": .array(hold.meanings.map(Tree.string)),
                        "runbook": hold.runbook.map(Tree.string) ?? .null,
                    ]
                    if !hold.removes.isEmpty { tree.set(["removes"], to: .array(hold.removes.map(\.encoded))) }
                    if let since = heldSince[hold.id] {
                        tree.set(["since"], to: .string(since.commit))
                        tree.set(["cameWithFirstRevision"], to: .bool(since.isFirstRevision))
                        if let shown = since.shownAfter { tree.set(["shownAfter"], to: .string(shown)) }
                    }
                    if let object = kept[hold.id] {
                        tree.set(["kept"], to: object.tree)
                        tree.set(["file"], to: .string(object.origin.file))
                        tree.set(["line"], to: .integer(Int64(object.origin.line)))
                    }
                    return tree
                }),
            "frozen": .array(frozen.sorted().map(\.encoded)),
            "deletableNamespaces": .array(deletableNamespaces.sorted().map(\.encoded)),
            "approvers": .array(
                approvers.sorted { $0.key < $1.key }.map { ["id": $0.key.encoded, "approver": .string($0.value)] }),
            "basis": basis?.encoded ?? .null,
        ]
    }

    /// The commit that ``encoded(revision:place:)`` was written for.
    package static func revision(of tree: Tree) -> String? { tree["revision"]?.string }

    /// Reads what ``encoded(revision:place:)`` wrote; nil where it is not that.
    package init?(_ tree: Tree) {
        guard let settings = tree["configuration"],
            let configuration = RepositoryConfiguration(encoded: settings), let held = tree["holds"]?.array
        else { return nil }
        self.configuration = configuration
        heldSince = [:]
        holds = []
        kept = [:]
        approvers = [:]
        for item in held {
            guard let id = item["id"].flatMap(ObjectID.init(encoded:)) else { return nil }
            holds.append(
                GuardrailHold(
                    id: id,
                    guardrails: Set((item["guardrails"]?.array ?? []).compactMap { $0.string.flatMap(Guardrail.init) }),
                    meanings: (item["meanings"]?.array ?? []).compactMap(\.string), runbook: item["runbook"]?.string,
                    removes: (item["removes"]?.array ?? []).compactMap(ObjectID.init(encoded:))))
            if let commit = item["since"]?.string {
                heldSince[id] = HeldSince(
                    commit: commit, isFirstRevision: item["cameWithFirstRevision"]?.bool ?? false,
                    shownAfter: item["shownAfter"]?.string)
            }
            guard let object = item["kept"] else { continue }
            kept[id] = DeclaredObject(
                id: id, tree: object,
                origin: Origin(file: item["file"]?.string ?? "", line: Int(item["line"]?.integer ?? 0)))
        }
        frozen = Set((tree["frozen"]?.array ?? []).compactMap(ObjectID.init(encoded:)))
        deletableNamespaces = Set((tree["deletableNamespaces"]?.array ?? []).compactMap(ObjectID.init(encoded:)))
        for item in tree["approvers"]?.array ?? [] {
            guard let id = item["id"].flatMap(ObjectID.init(encoded:)) else { return nil }
            approvers[id] = item["approver"]?.string
        }
        basis = tree["basis"].flatMap(JudgementBasis.init(encoded:))
    }
}

extension JudgementBasis {
    fileprivate var encoded: Tree {
        [
            "unreadKinds": Self.encoded(unreadKinds), "unseenKinds": Self.encoded(unseenKinds),
            "unseenSince": unseenSince.map(Tree.string) ?? .null, "trust": .string(trust.rawValue),
            "signaturesRequiredUpTo": signaturesRequiredUpTo.map(Tree.string) ?? .null,
            "hasMetDistrust": .bool(hasMetDistrust),
        ]
    }

    /// A kind that is not known any more cannot be read either: then nothing is known of the verdict.
    fileprivate init?(encoded tree: Tree) {
        guard let trust = tree["trust"]?.string.flatMap(TrustMode.init), let distrust = tree["hasMetDistrust"]?.bool,
            let unread = Self.kinds(tree["unreadKinds"]), let unseen = Self.kinds(tree["unseenKinds"])
        else { return nil }
        self.init(
            unreadKinds: unread, unseenKinds: unseen, unseenSince: tree["unseenSince"]?.string, trust: trust,
            signaturesRequiredUpTo: tree["signaturesRequiredUpTo"]?.string, hasMetDistrust: distrust)
    }

    private static func encoded(_ kinds: Set<Resource>) -> Tree {
        .array(kinds.map(\.qualifiedPlural).sorted().map(Tree.string))
    }

    private static func kinds(_ tree: Tree?) -> Set<Resource>? {
        guard let names = tree?.array?.compactMap(\.string) else { return nil }
        let kinds = Resource.managed.filter { names.contains($0.qualifiedPlural) }
        return kinds.count == names.count ? Set(kinds) : nil
    }
}

extension ObjectID {
    var encoded: Tree { .array([group, kind, namespace, name].map(Tree.string)) }

    init?(encoded tree: Tree) {
        let parts = (tree.array ?? []).compactMap(\.string)
        guard parts.count == 4 else { return nil }
        self.init(group: parts[0], kind: parts[1], namespace: parts[2], name: parts[3])
    }
}

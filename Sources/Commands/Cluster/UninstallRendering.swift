import JSON
import Manifest
import Planning
import Reconciler

/// What `bylaw uninstall` answers: what would become of each object, or what became of it.
struct UninstallReport {
    struct Item {
        var object: ObjectID
        var fate: UninstallStep.Fate
        /// Nil where nothing was done.
        var outcome: Uninstaller.Outcome?
        /// Where it is about to be deleted: more is possible then.
        var opens = false
    }

    var instance: String
    var wish: UninstallWish
    var isDone: Bool
    var items: [Item] = []
    /// What carries the marker again although it was done.
    var revived: [ObjectID] = []
    /// How many changes of the instance have no outcome yet.
    private var openIntents: Int64 = 0
    /// The revision by which it is known what is protected.
    private var protectedAsOf: String?
    /// Whether what Bylaw itself runs in is kept from a deletion.
    private var isOwnNamespaceKnown = true

    init(instance: String, wish: UninstallWish, isDone: Bool) {
        self.instance = instance
        self.wish = wish
        self.isDone = isDone
    }

    mutating func take(_ survey: UninstallSurvey, openIntents: Int64) {
        self.openIntents = openIntents
        isOwnNamespaceKnown = survey.ownNamespace != nil
        protectedAsOf = survey.protectedAsOf
        items = survey.policies.map { Item(object: $0.id, fate: .delete) }
        items += survey.policiesLeft.map { Item(object: $0.id, fate: .leave($0.reason)) }
        items += survey.steps.map { Item(object: $0.object.id, fate: $0.fate, opens: $0.opens) }
    }

    var isNothingLeft: Bool {
        isDone
            ? items.allSatisfy { $0.outcome?.isSettled ?? false } && revived.isEmpty : items.isEmpty && openIntents == 0
    }

    // MARK: Text

    func text(on terminal: Terminal) -> String {
        guard !items.isEmpty else {
            return "Nothing carries the marker of instance \(instance)\n" + warnings.map { "\($0)\n" }.joined()
        }
        var text = ""
        for item in items {
            let (word, detail) = words(item)
            text +=
                "\(word.padded(to: 8))\(printable(item.object.description))"
                + (detail.isEmpty ? "" : ": \(printable(detail))") + "\n"
        }
        text += summary + "\n"
        for id in revived {
            text +=
                "again   \(printable(id.description)): somebody has made or marked it anew; is a Bylaw still running?\n"
        }
        guard !isDone else { return text }
        return text + warnings.map { "\($0)\n" }.joined()
            + "Nothing was changed. Stop every Bylaw of the instance, then say it again with --confirm \(instance)\n"
    }

    /// What to know before it is done.
    private var warnings: [String] {
        guard !isDone else { return [] }
        var texts: [String] = []
        let opening = items.count { $0.opens && $0.object.resource != .namespace }
        if opening > 0 {
            texts.append(
                "\(counted(opening, "NetworkPolicy, quota or limit", "NetworkPolicies, quotas or limits")) would go: "
                    + "what they isolate or limit is open then")
        }
        if !isOwnNamespaceKnown, !wish.keepsObjects, items.contains(where: { $0.fate == .delete }) {
            texts.append(
                "In which namespace Bylaw itself runs is not known, so nothing is kept for that: look whether it is "
                    + "listed")
        }
        if !wish.keepsObjects, items.contains(where: { $0.fate == .delete }) {
            texts.append(
                protectedAsOf.map {
                    "What bylaw.yaml protects is known as of revision \($0); where another replica has led since, its journal "
                        + "may know a later one"
                }
                    ?? "What bylaw.yaml protects is not known, since this journal never had a revision in force: nothing is "
                    + "kept for that")
        }
        let unproven = items.count { $0.fate == .leave(.unproven) }
        if unproven > 0 {
            texts.append(
                "\(counted(unproven, "object", "objects")) would stay with the marker, since this journal does not say that "
                    + "Bylaw made or took over any of that: another replica's may")
        }
        if openIntents > 0 {
            texts.append(
                "\(counted(Int(openIntents), "change", "changes")) of the instance without an outcome: what came of those "
                    + "is not in this list")
        }
        return texts
    }

    private var summary: String {
        let parts = [
            (items.count { $0.fate == .delete && !isOpen($0) }, isDone ? "deleted" : "to delete"),
            (items.count { $0.fate == .unmark && !isOpen($0) }, isDone ? "unmarked" : "to unmark"),
            (items.count(where: isOpen), "left"),
        ]
        return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    /// Whether it stays, as it was decided or as it came.
    private func isOpen(_ item: Item) -> Bool {
        if case .leave = item.fate { return true }
        return item.outcome.map { !$0.isSettled } ?? false
    }

    private func words(_ item: Item) -> (word: String, detail: String) {
        switch item.outcome {
        case .pending(let finalizers): return ("waiting", "marked for deletion; finalizers \(finalizers) hold it")
        case .failed(let message, let hint): return ("failed", message + (hint.isEmpty ? "" : ". \(hint)"))
        case .left(let reason): return ("left", reason.words)
        case .passedOver: return ("gone", "it is no longer the instance's")
        case .done, nil: break
        }
        switch item.fate {
        case .delete: return ("delete", item.object.resource == .namespace ? "with everything in it" : "")
        case .unmark:
            let staysAnyway = wish.keepsObjects || item.object.resource == .namespace && !wish.deletesNamespaces
            return (
                "unmark",
                "it stays as it is" + (staysAnyway ? "" : ": it was there before and was taken over")
            )
        case .leave(let reason): return ("leave", reason.words)
        }
    }

    private func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(count) \(count == 1 ? one : many)"
    }

    // MARK: JSON

    var json: String {
        renderAnswer(
            kind: "UninstallReport",
            [
                ("instance", .string(instance)), ("isDryRun", .bool(!isDone)),
                ("keepsObjects", .bool(wish.keepsObjects)), ("deletesNamespaces", .bool(wish.deletesNamespaces)),
                ("items", .array(items.map(tree))), ("revived", .array(revived.map(objectTree))),
                ("warnings", .array(warnings.map(Tree.string))),
            ])
    }

    private func tree(_ item: Item) -> Tree {
        let (_, detail) = words(item)
        var tree: Tree = ["object": objectTree(item.object), "action": .string(item.fate.word)]
        if case .leave(let reason) = item.fate { tree.set(["reason"], to: .string(reason.rawValue)) }
        if let outcome = item.outcome { tree.set(["outcome"], to: .string(outcome.word)) }
        if !detail.isEmpty { tree.set(["detail"], to: .string(detail)) }
        return tree
    }
}

extension UninstallStep.Fate {
    fileprivate var word: String {
        switch self {
        case .delete: "delete"
        case .unmark: "unmark"
        case .leave: "leave"
        }
    }
}

extension Uninstaller.Outcome {
    fileprivate var word: String {
        switch self {
        case .done: "done"
        case .pending: "pending"
        case .failed: "failed"
        case .left: "left"
        case .passedOver: "passedOver"
        }
    }
}

extension UninstallStep.Reason {
    fileprivate var words: String {
        switch self {
        case .copied: "its marker is of another object: a copy, which Bylaw did not make"
        case .unproven:
            "it carries the marker, which anybody can write, and this journal does not say that Bylaw made it or took it "
                + "over: use the journals of all replicas in turn, or delete it by hand"
        case .unmarked: "Bylaw made it, and somebody has taken the marker off"
        case .ownAccess: "it gives whoever does this their rights, or holds what does; it goes with Bylaw itself"
        case .terminating: "it is being deleted already"
        case .protected: "it is protected, or holds what is: Bylaw itself runs there, or bylaw.yaml names it"
        case .unlabelled: "it has the name of one of Bylaw's, and not the label of the instance: delete it by hand"
        case .rightsRemain: "without it more is possible, and rights that were to go first are still there"
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

import JSON
import Manifest
import Reconciler

/// An intent as one JSON text: it is read only after a crash, so nothing has to be looked up inside it.
enum IntentContent {
    static func text(of intent: Intent) throws(JournalFailure) -> String {
        for tree in [intent.before, intent.desired, intent.patch] {
            _ = try canonicalText(tree, of: intent.object)
        }
        func line(_ text: String?) -> Tree? { text.map { .string($0.bounded(toBytes: TextLimit.line)) } }
        var content = Members()
        content["at"] = .string(intent.at.description)
        content["action"] = .string(intent.action.rawValue)
        content["reason"] = .string(intent.reason.word)
        content["object"] = [
            "group": .string(intent.object.group), "kind": .string(intent.object.kind),
            "namespace": .string(intent.object.namespace), "name": .string(intent.object.name),
        ]
        content["uid"] = intent.uid.map(Tree.string)
        content["resourceVersion"] = intent.resourceVersion.map(Tree.string)
        // Wrapped, so that a null that was sent is told from nothing sent.
        content["before"] = intent.before.map { [$0] }
        content["desired"] = intent.desired.map { [$0] }
        content["patch"] = intent.patch.map { [$0] }
        content["refersTo"] = intent.refersTo.map(Tree.integer)
        content["message"] = .string(intent.message.bounded(toBytes: TextLimit.message))
        if let revision = intent.revision {
            var facts = Members()
            facts["commit"] = .string(revision.commit)
            facts["author"] = line(revision.author)
            facts["committer"] = line(revision.committer)
            facts["subject"] = line(revision.subject)
            facts["pullRequest"] = revision.pullRequest.map { .integer(Int64($0)) }
            facts["trailers"] = .array(
                revision.trailers.prefix(64).map {
                    [
                        .string($0.key.bounded(toBytes: TextLimit.line)),
                        .string($0.value.bounded(toBytes: TextLimit.line)),
                    ]
                })
            content["revision"] = .object(facts)
        }
        if let actor = intent.actor {
            var facts = Members()
            facts["name"] = line(actor.name)
            facts["operation"] = line(actor.operation)
            facts["time"] = line(actor.time)
            facts["certainty"] = .string(actor.certainty.rawValue)
            content["actor"] = .object(facts)
        }
        return Tree.object(content).jsonText()
    }

    static func intent(from text: String, id: Int64) throws(JournalFailure) -> Intent {
        let content = try tree(fromCanonical: text, in: "intent \(id)")
        guard let at = content["at"]?.string.flatMap({ Timestamp($0) }),
            let action = content["action"]?.string.flatMap(ActionKind.init(rawValue:)),
            let reason = content["reason"]?.string.flatMap(EntryReason.init(word:)),
            let object = content["object"], let kind = object["kind"]?.string, let name = object["name"]?.string
        else {
            throw .unreadable("intent \(id) has a word that this version does not know")
        }
        return Intent(
            at: at, action: action, reason: reason,
            object: ObjectID(
                group: object["group"]?.string ?? "", kind: kind, namespace: object["namespace"]?.string ?? "",
                name: name),
            uid: content["uid"]?.string, resourceVersion: content["resourceVersion"]?.string,
            before: content["before"]?.array?.first, desired: content["desired"]?.array?.first,
            patch: content["patch"]?.array?.first, revision: content["revision"].flatMap(revision(from:)),
            actor: content["actor"].flatMap(actor(from:)), refersTo: content["refersTo"]?.integer,
            message: content["message"]?.string ?? "")
    }

    private static func revision(from facts: Tree) -> RevisionFacts? {
        guard let commit = facts["commit"]?.string else { return nil }
        return RevisionFacts(
            commit: commit, author: facts["author"]?.string ?? "", committer: facts["committer"]?.string ?? "",
            subject: facts["subject"]?.string ?? "",
            pullRequest: facts["pullRequest"]?.integer.map { Int(clamping: $0) },
            trailers: (facts["trailers"]?.array ?? []).compactMap { pair in
                guard let parts = pair.array, parts.count == 2, let key = parts[0].string, let value = parts[1].string
                else { return nil }
                return Revision.Trailer(key: key, value: value)
            })
    }

    private static func actor(from facts: Tree) -> Actor? {
        guard let name = facts["name"]?.string,
            let certainty = facts["certainty"]?.string.flatMap(Actor.Certainty.init(rawValue:))
        else { return nil }
        return Actor(
            name: name, operation: facts["operation"]?.string ?? "", time: facts["time"]?.string, certainty: certainty)
    }
}

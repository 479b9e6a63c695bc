package import Manifest

/// The form in which events are kept over a restart: all that is in the value, and nothing of the bodies it was read from.
///
/// Not the API's own form: what a request was found to be, such as a dry run or not, is what its body said, and that is
/// not kept.
extension AuditEvent {
    package var kept: Tree {
        var tree: Tree = [
            "auditID": .string(auditID), "stage": .string(stage.rawValue), "level": .string(level.rawValue),
            "verb": .string(verb), "user": user.kept, "sourceIPs": .array(sourceIPs.map(Tree.string)),
            "userAgent": .string(userAgent), "target": target.kept, "requestURI": .string(requestURI),
            "code": .integer(Int64(code)), "receivedAt": .string(receivedAt.description),
            "at": .string(at.description), "dryRun": .string(dryRun.rawValue), "isTruncated": .bool(isTruncated),
        ]
        if let impersonated { tree.set(["impersonated"], to: impersonated.kept) }
        if let answer = answer.kept { tree.set(["answer"], to: answer) }
        for (key, text) in [("condition", condition), ("decision", decision), ("reason", reason)] {
            if let text { tree.set([key], to: .string(text)) }
        }
        return tree
    }

    /// Reads what ``kept`` wrote; nil where it is not that, or more than is kept of an event.
    package init?(kept tree: Tree, limits: AuditLimits = AuditLimits()) {
        func text(_ key: String) -> String? {
            tree[key]?.string.flatMap { $0.utf8.count <= limits.maximumNameBytes ? $0 : nil }
        }
        guard let auditID = text("auditID"), let stage = text("stage").flatMap(Stage.init(rawValue:)),
            let level = text("level").flatMap(Level.init(rawValue:)), let verb = text("verb"),
            let user = tree["user"].flatMap({ AuditUser(kept: $0, limits: limits) }),
            let addresses = tree["sourceIPs"]?.array?.compactMap(\.string),
            addresses.count <= limits.maximumListLength, let userAgent = text("userAgent"),
            let target = tree["target"].flatMap({ AuditTarget(kept: $0, limits: limits) }),
            let requestURI = text("requestURI"), let code = tree["code"]?.integer.flatMap(Int.init(exactly:)),
            let receivedAt = text("receivedAt").flatMap(Timestamp.init), let at = text("at").flatMap(Timestamp.init),
            let dryRun = text("dryRun").flatMap(DryRun.init(rawValue:)), let isTruncated = tree["isTruncated"]?.bool
        else { return nil }
        var impersonated: AuditUser?
        if let kept = tree["impersonated"] {
            // Without the impersonated user the impersonator would be blamed.
            guard let user = AuditUser(kept: kept, limits: limits) else { return nil }
            impersonated = user
        }
        var answer = AuditAnswer.none
        if let kept = tree["answer"] {
            guard let read = AuditAnswer(kept: kept, limits: limits) else { return nil }
            answer = read
        }
        self.init(
            auditID: auditID, stage: stage, level: level, verb: verb, user: user, impersonated: impersonated,
            sourceIPs: addresses, userAgent: userAgent, target: target, requestURI: requestURI, code: code,
            receivedAt: receivedAt, at: at, answer: answer, condition: text("condition"), dryRun: dryRun,
            decision: text("decision"), reason: text("reason"), isTruncated: isTruncated)
    }
}

extension AuditUser {
    fileprivate var kept: Tree {
        ["name": .string(name), "uid": .string(uid), "groups": .array(groups.map(Tree.string))]
    }

    fileprivate init?(kept tree: Tree, limits: AuditLimits) {
        guard let name = tree["name"]?.string, !name.isEmpty, name.utf8.count <= limits.maximumNameBytes,
            let uid = tree["uid"]?.string, let groups = tree["groups"]?.array?.compactMap(\.string),
            groups.count <= limits.maximumListLength
        else { return nil }
        self.init(name: name, uid: uid, groups: groups)
    }
}

extension AuditTarget {
    fileprivate var kept: Tree {
        [
            "group": .string(group), "version": .string(version), "resource": .string(resource),
            "subresource": .string(subresource), "namespace": .string(namespace), "name": .string(name),
            "uid": .string(uid), "resourceVersion": .string(resourceVersion),
        ]
    }

    fileprivate init?(kept tree: Tree, limits: AuditLimits) {
        let keys = ["group", "version", "resource", "subresource", "namespace", "name", "uid", "resourceVersion"]
        let texts = keys.compactMap { tree[$0]?.string }.filter { $0.utf8.count <= limits.maximumNameBytes }
        guard texts.count == keys.count else { return nil }
        self.init(
            group: texts[0], version: texts[1], resource: texts[2], subresource: texts[3], namespace: texts[4],
            name: texts[5], uid: texts[6], resourceVersion: texts[7])
    }
}

extension AuditAnswer {
    fileprivate var kept: Tree? {
        switch self {
        case .none: nil
        case .object(let object):
            [
                "name": .string(object.name), "namespace": .string(object.namespace), "uid": .string(object.uid),
                "resourceVersion": .string(object.resourceVersion), "isTerminating": .bool(object.isTerminating),
            ]
        case .removed(let uid): ["removed": .string(uid)]
        case .collection(let uids, let isComplete):
            ["uids": .array(uids.sorted().map(Tree.string)), "isComplete": .bool(isComplete)]
        }
    }

    fileprivate init?(kept tree: Tree, limits: AuditLimits) {
        if let uid = tree["removed"]?.string {
            self = .removed(uid: uid)
        } else if let uids = tree["uids"]?.array?.compactMap(\.string), let isComplete = tree["isComplete"]?.bool,
            uids.count <= limits.maximumCollection
        {
            self = .collection(uids: Set(uids), isComplete: isComplete)
        } else if let name = tree["name"]?.string, let namespace = tree["namespace"]?.string,
            let uid = tree["uid"]?.string, let version = tree["resourceVersion"]?.string,
            let isTerminating = tree["isTerminating"]?.bool
        {
            self = .object(
                AnsweredObject(
                    name: name, namespace: namespace, uid: uid, resourceVersion: version, isTerminating: isTerminating))
        } else {
            return nil
        }
    }
}

import Manifest

/// What the answer to a request says of the objects it wrote; at the level RequestResponse only (rule M5).
///
/// Of the body itself nothing is kept.
package enum AuditAnswer: Sendable, Equatable {
    case none
    /// The object as it was after the request, or for a deletion as it was left or last.
    case object(AnsweredObject)
    /// A Status that names what was removed, with its uid: the answer to most deletions (rule F7).
    case removed(uid: String)
    /// The uids of the objects that a deletion of many found; some of them may be gone by another's hand.
    case collection(uids: Set<String>, isComplete: Bool)
}

/// An object in an answer.
package struct AnsweredObject: Sendable, Equatable {
    package var name: String
    package var namespace: String
    package var uid: String
    package var resourceVersion: String
    /// Whether it waits for finalizers: somebody asked for its deletion, now or before (rule F7).
    package var isTerminating: Bool

    package init(name: String, namespace: String, uid: String, resourceVersion: String, isTerminating: Bool = false) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.isTerminating = isTerminating
    }
}

extension AuditAnswer {
    init(_ body: RawJSON, verb: String, resource: Resource?, limits: AuditLimits) {
        let kind = body["kind"]?.string
        if kind == "Status" {
            guard verb == "delete", body["status"]?.string == "Success", let uid = body["details"]?["uid"]?.string,
                !uid.isEmpty, uid.utf8.count <= limits.maximumTextBytes
            else {
                self = .none
                return
            }
            self = .removed(uid: uid)
        } else if verb == "deletecollection" {
            self = Self.collection(body, limits: limits)
        } else if let metadata = body["metadata"],
            // Tables and the answers of subresources are other objects.
            resource == nil || kind == resource?.kind || kind == "PartialObjectMetadata",
            let object = AnsweredObject(metadata, limits: limits)
        {
            self = .object(object)
        } else {
            self = .none
        }
    }

    private static func collection(_ body: RawJSON, limits: AuditLimits) -> AuditAnswer {
        guard let items = body["items"] else { return .none }
        var uids: Set<String> = []
        var isComplete = true
        let hasEnd = items.forEachElement { item in
            guard uids.count < limits.maximumCollection, let uid = item["metadata"]?["uid"]?.string,
                uid.utf8.count <= limits.maximumTextBytes
            else {
                isComplete = false
                return
            }
            uids.insert(uid)
        }
        // Where the list goes on, the request deleted what is not shown.
        let goesOn = !(body["metadata"]?["continue"]?.string ?? "").isEmpty
        return .collection(uids: uids, isComplete: isComplete && hasEnd && !goesOn)
    }
}

extension AnsweredObject {
    init?(_ metadata: RawJSON, limits: AuditLimits) {
        var texts: [String: String] = [:]
        var isTerminating = false
        metadata.forEachMember { key, value in
            switch key {
            case "name", "namespace", "uid", "resourceVersion":
                if let text = value.string, text.utf8.count <= limits.maximumNameBytes { texts[key] = text }
            case "deletionTimestamp": isTerminating = value.string != nil
            default: break
            }
        }
        guard let name = texts["name"], let uid = texts["uid"] else { return nil }
        self.init(
            name: name, namespace: texts["namespace"] ?? "", uid: uid, resourceVersion: texts["resourceVersion"] ?? "",
            isTerminating: isTerminating)
    }
}

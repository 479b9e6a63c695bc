import Manifest

extension AuditReader {
    enum Reading {
        case event(AuditEvent)
        case ignored(AuditBatch.Ignored)
        case unreadable
    }

    /// Reads one event; the items of a list have neither kind nor version of their own.
    func reading(of item: RawJSON) -> Reading {
        var raw: [String: RawJSON] = [:]
        guard item.forEachMember({ key, value in if Self.members.contains(key) { raw[key] = value } }),
            raw["kind"].map({ $0.string == "Event" }) ?? true, Self.isKnown(raw["apiVersion"]),
            let auditID = raw["auditID"]?.string, !auditID.isEmpty,
            let stage = raw["stage"]?.string.flatMap(AuditEvent.Stage.init(rawValue:)),
            let verb = raw["verb"]?.string
        else { return .unreadable }
        guard stage == .responseComplete else { return .ignored(.otherStage) }
        guard Self.changingVerbs.contains(verb) else { return .ignored(.notAChange) }
        guard let level = raw["level"]?.string.flatMap(AuditEvent.Level.init(rawValue:)),
            let userTree = raw["user"]?.tree, let user = AuditUser(userTree, limits: limits),
            let code = raw["responseStatus"]?["code"]?.tree?.integer,
            let targetTree = raw["objectRef"]?.tree, let target = AuditTarget(targetTree, limits: limits),
            let at = (raw["stageTimestamp"] ?? raw["timestamp"])?.string.flatMap(Timestamp.init)
        else { return .unreadable }
        guard (200...299).contains(code) else { return .ignored(.failedRequest) }
        let requestURI = raw["requestURI"]?.string ?? ""
        let isTruncated = raw["annotations"]?["audit.k8s.io/truncated"]?.string == "true"
        let event = AuditEvent(
            auditID: auditID.bounded(toBytes: limits.maximumTextBytes), stage: stage, level: level, verb: verb,
            user: user, impersonated: raw["impersonatedUser"]?.tree.flatMap { AuditUser($0, limits: limits) },
            sourceIPs: sourceIPs(raw["sourceIPs"]), userAgent: text(raw["userAgent"]), target: target,
            requestURI: requestURI.bounded(toBytes: limits.maximumTextBytes), code: Int(code),
            receivedAt: raw["requestReceivedTimestamp"]?.string.flatMap(Timestamp.init) ?? at, at: at,
            answer: level == .full
                ? raw["responseObject"].map {
                    AuditAnswer($0, verb: verb, resource: target.managedResource, limits: limits)
                } ?? .none : .none,
            condition: condition(verb, target: target, body: level == .metadata ? nil : raw["requestObject"]),
            dryRun: DryRun(
                verb: verb, requestURI: requestURI, body: raw["requestObject"],
                showsBodies: level != .metadata && !isTruncated),
            decision: raw["annotations"]?["authorization.k8s.io/decision"].map(text),
            reason: raw["annotations"]?["authorization.k8s.io/reason"].map(text), isTruncated: isTruncated)
        return whyIgnored(event, userName: userTree["username"]?.string).map(Reading.ignored) ?? .event(event)
    }

    private static let members: Set<String> = [
        "kind", "apiVersion", "auditID", "stage", "level", "verb", "user", "impersonatedUser", "sourceIPs", "userAgent",
        "objectRef", "requestURI", "responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp",
        "stageTimestamp", "timestamp", "annotations",
    ]

    private static let versionPlaces: Set<String> = ["", "/metadata", "/metadata/resourceVersion"]

    static let changingVerbs: Set<String> = ["create", "update", "patch", "delete", "deletecollection"]

    private func whyIgnored(_ event: AuditEvent, userName: String?) -> AuditBatch.Ignored? {
        // Whoever acts in our name is not us; whoever we act for is.
        if let ourUser, userName?.hasSameBytes(as: ourUser) == true { return .ourOwn }
        if event.dryRun == .yes { return .dryRun }
        switch event.target.subresource {
        case "": break
        // Labels and annotations can be written through these; what the control plane does there is status (rule M9).
        case "status", "finalize": if event.isControlPlane { return .notAChange }
        default: return .notAChange
        }
        // Only a write that changed nothing leaves the version that it was made on (rule D3).
        if let condition = event.condition, event.answered?.resourceVersion == condition, event.code != 201,
            event.verb != "delete"
        {
            return .notAChange
        }
        return nil
    }

    /// The version that the object had to have: an update says it in its reference, a patch in its body.
    ///
    /// Zero stands for any version, as in a request without one.
    private func condition(_ verb: String, target: AuditTarget, body: RawJSON?) -> String? {
        var version: String?
        switch verb {
        case "update": version = target.resourceVersion
        case "patch":
            if let body, body.isArray {
                // A JSON patch puts the version that was read in its place (rule D15); where another step may undo that,
                // nothing is certain.
                var versions: [String?] = []
                body.forEachElement { step in
                    let places = [step["path"]?.string, step["from"]?.string].compactMap { $0 }
                    guard places.contains(where: Self.versionPlaces.contains) else { return }
                    let isSet = ["add", "replace"].contains(step["op"]?.string ?? "")
                    versions.append(isSet && places == ["/metadata/resourceVersion"] ? step["value"]?.string : nil)
                }
                version = versions.count == 1 ? versions[0] : nil
            } else {
                version = body?["metadata"]?["resourceVersion"]?.string
            }
        default: break
        }
        return version.flatMap { isVersion($0) ? $0 : nil }
    }

    private func text(_ raw: RawJSON?) -> String { (raw?.string ?? "").bounded(toBytes: limits.maximumTextBytes) }

    /// The last of them, since only the last is the server's own (rule M6).
    private func sourceIPs(_ raw: RawJSON?) -> [String] {
        (raw?.tree?.array ?? []).compactMap(\.string).suffix(limits.maximumListLength).map { $0.bounded(toBytes: 64) }
    }
}

/// Whether a text is a resource version that can be compared as a number and stands for one state (rule C5).
func isVersion(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        && text.utf8.contains { $0 != 0x30 }
}

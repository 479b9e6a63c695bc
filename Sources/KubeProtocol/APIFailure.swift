package import Manifest

/// A refusal of the API server, told apart by what it means.
package struct APIFailure: Error, Sendable, Equatable {
    /// The kinds have the meaning of the reconciler's kinds of the same names.
    package enum Kind: String, Sendable, Equatable, CaseIterable {
        case busy, unauthenticated, forbidden, notFound, namespaceNotFound, roleNotFound, resourceNotServed, conflict
        case fieldConflict, alreadyExists, terminating, invalid, roleRefImmutable, fieldImmutable, denied, expired
    }

    package var kind: Kind
    package var status: Int
    /// The server's own words, on one line.
    package var message: String
    package var causes: [Cause]
    package var retryAfter: Duration?

    package struct Cause: Sendable, Equatable {
        package var field: String
        package var reason: String
        package var message: String

        package init(field: String, reason: String, message: String) {
            self.field = field
            self.reason = reason
            self.message = message
        }
    }

    package init(kind: Kind, status: Int, message: String, causes: [Cause] = [], retryAfter: Duration? = nil) {
        self.kind = kind
        self.status = status
        self.message = message
        self.causes = causes
        self.retryAfter = retryAfter
    }
}

/// Finds out what a failed request means, by its body: the HTTP status alone tells too little (rules B7, D4, D20, N5).
///
/// - Parameters:
///   - body: The answer as JSON; nil where it was none, as with priority and fairness (rule A14).
///   - text: The answer as text, used where `body` is no Status.
///   - retryAfter: The value of the header of that name, in seconds.
package func classifyFailure(status: Int, body: Tree?, text: String, retryAfter: Int?) -> APIFailure {
    let isStatus = body?["kind"]?.string == "Status"
    let details = body?["details"]
    var causes: [APIFailure.Cause] = []
    for cause in details?["causes"]?.array ?? [] {
        let value = APIFailure.Cause(
            field: cause["field"]?.string ?? "", reason: cause["reason"]?.string ?? "",
            message: oneLine(cause["message"]?.string ?? ""))
        // Old servers list each cause twice (rule I10).
        if !causes.contains(value) { causes.append(value) }
    }
    let message = isStatus ? body?["message"]?.string ?? "" : text
    let seconds = retryAfter ?? details?["retryAfterSeconds"]?.integer.map { Int(clamping: $0) }
    let facts = Facts(
        status: status, reason: body?["reason"]?.string ?? "", message: message, isStatus: isStatus,
        detailsKind: details?["kind"]?.string ?? "", detailsName: details?["name"]?.string ?? "", causes: causes)
    return APIFailure(
        kind: facts.kind, status: status, message: message.isEmpty ? "HTTP \(status)" : oneLine(message),
        causes: causes,
        // A maintenance page may ask for an hour: drift is not left alone for as long as somebody else's default.
        retryAfter: seconds.map { .seconds(min(max($0, 0), 60)) })
}

/// What an answer says, as far as its meaning depends on it.
private struct Facts {
    var status: Int
    var reason: String
    var message: String
    var isStatus: Bool
    var detailsKind: String
    var detailsName: String
    var causes: [APIFailure.Cause]

    var kind: APIFailure.Kind {
        if causes.contains(where: { $0.reason == "NamespaceTerminating" }) { return .terminating }
        if message.contains("admission webhook"), message.contains("denied the request") { return .denied }
        // Names of objects stand in messages too, and may hold any word: only such a refusal counts.
        if [400, 403, 422].contains(status), message.contains("ValidatingAdmissionPolicy"),
            message.contains("denied request")
        {
            return .denied
        }
        switch status {
        // Whatever redirects is no API server but something in front of it, such as a login page.
        case 300..<400: return .resourceNotServed
        case 400, 413, 415: return .invalid
        case 401: return .unauthenticated
        case 403: return message.contains("exceeded quota") ? .denied : .forbidden
        case 404: return notFoundKind
        case 405: return .resourceNotServed
        case 408: return .busy
        case 409: return conflictKind
        case 410: return .expired
        case 422: return invalidKind
        case 429: return .busy
        case 500: return isTypeError ? .invalid : .busy
        case 501...: return reason == "ServerTimeout" || reason == "Timeout" || status < 600 ? .busy : .invalid
        default: return .denied
        }
    }

    /// The five shapes of "not found"; only one of them says that the object is absent (rule B7).
    private var notFoundKind: APIFailure.Kind {
        guard isStatus, !detailsName.isEmpty else { return .resourceNotServed }
        switch detailsKind {
        case "namespaces" where message.hasPrefix("namespaces "): return .namespaceNotFound
        case "roles", "clusterroles": return .roleNotFound
        default: return .notFound
        }
    }

    private var conflictKind: APIFailure.Kind {
        if causes.contains(where: { $0.reason == "FieldManagerConflict" }) { return .fieldConflict }
        if reason == "AlreadyExists" { return message.contains("is being deleted") ? .terminating : .alreadyExists }
        return message.contains("is being deleted") ? .terminating : .conflict
    }

    private var invalidKind: APIFailure.Kind {
        if causes.contains(where: { $0.field == "roleRef" && $0.message.contains("cannot change roleRef") }) {
            return .roleRefImmutable
        }
        if causes.contains(where: { $0.field == "spec.scopes" && $0.message.contains("immutable") }) {
            return .fieldImmutable
        }
        // A uid in an apply that is not the live object's is answered like a wrong field (rule D24).
        if causes.contains(where: { $0.field == "metadata.uid" }) || message.contains("Precondition failed: UID") {
            return .conflict
        }
        return .invalid
    }

    /// A mistake in the object, although the status says that the server is at fault (rule D20).
    private var isTypeError: Bool {
        guard reason.isEmpty || reason == "Unknown" else { return false }
        return [
            "typed patch object", "convert new object", "field not declared", "failed to create typed",
            "failed to merge config",
        ]
        .contains { message.contains($0) }
    }
}

/// A server's text on one line and of bounded length.
package func oneLine(_ text: String, maximumCharacters: Int = 4096) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    return line.count <= maximumCharacters ? line : line.prefix(maximumCharacters) + "..."
}

/// The texts of `Warning` headers: each is `299 agent "text"` with backslash escapes (rule D26).
package func parseWarnings(_ headers: [String]) -> [String] {
    headers.compactMap { header in
        guard let opening = header.firstIndex(of: "\"") else { return nil }
        var text = ""
        var isEscaped = false
        for character in header[header.index(after: opening)...] {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                break
            } else {
                text.append(character)
            }
        }
        return text
    }
}

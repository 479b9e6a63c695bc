import JSON
import Manifest
import Signatures

/// A request's headers as they came; names without regard to case.
package typealias WebhookHeaders = [(name: String, value: String)]

/// A push that a Git host told us of, and that it is proven to have told.
package struct PushEvent: Sendable, Equatable {
    package var kind: GitHostKind
    /// `refs/heads/main` or `refs/tags/v1`.
    package var reference: String
    /// What the reference points to now; nil where it was deleted.
    package var commit: String?

    package init(kind: GitHostKind, reference: String, commit: String?) {
        self.kind = kind
        self.reference = reference
        self.commit = commit
    }
}

/// What a delivery is.
package enum WebhookVerdict: Sendable, Equatable {
    case push(PushEvent)
    /// Proven, but about something else; the event's name as the host sent it, bounded.
    case ignored(event: String)
    case refused(WebhookRefusal)
}

/// Why a delivery is not taken.
package enum WebhookRefusal: Error, Sendable, Equatable {
    /// No secret is set here, or the delivery is unsigned, or signed with another secret, or of no host that we know.
    ///
    /// Who sends a forgery learns no more than that.
    case notProven
    case tooLarge(bytes: Int)
    /// Proven, but no JSON with the members of a push.
    case unreadable(String)

    /// The HTTP status to answer with.
    package var status: Int {
        switch self {
        case .notProven: 401
        case .tooLarge: 413
        case .unreadable: 400
        }
    }

    /// One sentence for whoever looks at the delivery in the host's settings.
    package var message: String {
        switch self {
        case .notProven: "the delivery is not signed with the secret that is set here"
        case .tooLarge(let bytes):
            "the delivery has \(bytes) bytes, more than the \(maximumWebhookBytes) that are taken"
        case .unreadable(let why): "\(why); choose application/json as the webhook's content type"
        }
    }
}

/// The largest body of a delivery that is looked at.
package let maximumWebhookBytes = 1 << 20

/// Proves a delivery and reads it.
///
/// GitHub, Gitea and Forgejo sign the body with HMAC-SHA256 (`X-Hub-Signature-256`, `X-Gitea-Signature`,
/// `X-Forgejo-Signature`); GitLab sends the secret itself (`X-Gitlab-Token`). Nothing of the body is read before it is
/// proven, and all comparisons take a time that tells nothing. A delivery has no date, so one that was caught can be
/// sent again: act on the repository's present state, never on what an event says.
package func verifyWebhook(headers: WebhookHeaders, body: [UInt8], secret: [UInt8]?) -> WebhookVerdict {
    guard body.count <= maximumWebhookBytes else { return .refused(.tooLarge(bytes: body.count)) }
    guard let secret, !secret.isEmpty, let delivery = Delivery(headers), delivery.isProven(body, secret) else {
        return .refused(.notProven)
    }
    guard ["push", "Push Hook", "Tag Push Hook"].contains(delivery.event) else {
        return .ignored(event: delivery.event.onOneLine(maximum: 64))
    }
    do throws(WebhookRefusal) {
        return .push(try readPush(body, from: delivery.kind))
    } catch {
        return .refused(error)
    }
}

/// The headers that say what a delivery is.
private struct Delivery {
    var kind: GitHostKind
    var event: String
    private var proof: String

    /// Nil where no host that we know would send these.
    ///
    /// Gitea also sends GitHub's headers and Forgejo also Gitea's, so the more particular ones are looked at first;
    /// what they prove or do not prove is then final.
    init?(_ headers: WebhookHeaders) {
        let known: [(GitHostKind, event: String, proof: String)] = [
            (.gitea, "x-forgejo-event", "x-forgejo-signature"), (.gitea, "x-gitea-event", "x-gitea-signature"),
            (.gitlab, "x-gitlab-event", "x-gitlab-token"), (.github, "x-github-event", "x-hub-signature-256"),
        ]
        func values(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name }.map(\.value) }
        for (kind, eventName, proofName) in known {
            let events = values(eventName)
            guard let event = events.first else { continue }
            let proofs = values(proofName)
            // Of two of a kind, something in between may have looked at the other one.
            guard events.count == 1, proofs.count == 1 else { return nil }
            self.kind = kind
            self.event = event
            proof = proofs[0]
            return
        }
        return nil
    }

    func isProven(_ body: [UInt8], _ secret: [UInt8]) -> Bool {
        let given: [UInt8]?
        let wanted: [UInt8]?
        switch kind {
        case .gitlab:
            // The codes of both are compared, so that not even the secret's length shows.
            given = hmacSHA256(proof.utf8, key: secret)
            wanted = hmacSHA256(secret, key: secret)
        case .github:
            given = proof.hasPrefix("sha256=") ? bytes(hexadecimal: proof.dropFirst(7)) : nil
            wanted = hmacSHA256(body, key: secret)
        case .gitea:
            given = bytes(hexadecimal: proof[...])
            wanted = hmacSHA256(body, key: secret)
        }
        guard let given, let wanted else { return false }
        return isEqualInConstantTime(given, wanted)
    }
}

/// The 32 bytes of a code; nil where it is anything else.
private func bytes(hexadecimal text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8.prefix(65))
    guard digits.count == 64 else { return nil }
    var result: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
        guard let high = hexadecimalValue(digits[index]), let low = hexadecimalValue(digits[index + 1]) else {
            return nil
        }
        result.append(high << 4 | low)
    }
    return result
}

private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func readPush(_ body: [UInt8], from kind: GitHostKind) throws(WebhookRefusal) -> PushEvent {
    let tree: Tree
    do throws(JSONError) {
        tree = try parseJSON(body, limits: JSONLimits(maximumBytes: maximumWebhookBytes, maximumDepth: 100))
    } catch {
        throw .unreadable("the body is not JSON")
    }
    guard let reference = tree["ref"]?.string, let after = tree["after"]?.string else {
        throw .unreadable("the body lacks ref or after")
    }
    guard reference.hasPrefix("refs/"), reference.utf8.count <= 1024,
        reference.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
    else { throw .unreadable("ref is no reference") }
    guard [40, 64].contains(after.utf8.count), after.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
        throw .unreadable("after is no object id")
    }
    let isDeletion = after.allSatisfy { $0 == "0" }
    return PushEvent(kind: kind, reference: reference, commit: isDeletion ? nil : after.lowercased())
}

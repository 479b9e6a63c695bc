import GitHost
import HTTPClient
import Signatures
import Synchronization
import Testing

private let secret = Array("It's a Secret to Everybody".utf8)
private let commit = "0123456789abcdef0123456789abcdef01234567"
private let push = Array(#"{"ref":"refs/heads/main","before":"\#(commit)","after":"\#(commit)","commits":[]}"#.utf8)

private func code(_ body: [UInt8], _ key: [UInt8] = secret) -> String {
    (hmacSHA256(body, key: key) ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The headers that a host sends with a delivery.
private func headers(
    _ kind: String, event: String? = nil, body: [UInt8] = push, key: [UInt8] = secret
) -> WebhookHeaders {
    let signature = code(body, key)
    let github: WebhookHeaders = [
        ("X-GitHub-Event", event ?? "push"), ("X-Hub-Signature-256", "sha256=\(signature)"),
    ]
    let gitea: WebhookHeaders = [("X-Gitea-Event", event ?? "push"), ("X-Gitea-Signature", signature)] + github
    switch kind {
    case "github": return github
    case "gitea": return gitea
    case "forgejo": return [("X-Forgejo-Event", event ?? "push"), ("X-Forgejo-Signature", signature)] + gitea
    default:
        return [
            ("X-Gitlab-Event", event ?? "Push Hook"), ("X-Gitlab-Token", String(decoding: key, as: UTF8.self)),
        ]
    }
}

@Suite struct WebhookTests {
    static let hosts = [("github", GitHostKind.github), ("gitlab", .gitlab), ("gitea", .gitea), ("forgejo", .gitea)]

    /// The example of GitHub's documentation of webhooks.
    @Test func agreesWithGitHubsExample() {
        #expect(
            code(Array("Hello, World!".utf8)) == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    }

    @Test(arguments: hosts) func takesAPush(host: String, kind: GitHostKind) {
        let verdict = verifyWebhook(headers: headers(host), body: push, secret: secret)
        #expect(verdict == .push(PushEvent(kind: kind, reference: "refs/heads/main", commit: commit)))
    }

    @Test func takesATagAndADeletion() {
        let zero = String(repeating: "0", count: 40)
        let body = Array(#"{"ref":"refs/tags/v1","after":"\#(zero)"}"#.utf8)
        let verdict = verifyWebhook(headers: headers("gitlab", event: "Tag Push Hook"), body: body, secret: secret)
        #expect(verdict == .push(PushEvent(kind: .gitlab, reference: "refs/tags/v1", commit: nil)))
    }

    @Test(arguments: [("github", "ping"), ("github", "issues"), ("gitlab", "Note Hook"), ("gitea", "pull_request")])
    func ignoresOtherEventsOnceTheyAreProven(host: String, event: String) {
        let body = Array("{}".utf8)
        #expect(
            verifyWebhook(headers: headers(host, event: event, body: body), body: body, secret: secret)
                == .ignored(event: event))
        #expect(
            verifyWebhook(headers: headers(host, event: event, body: body, key: [1]), body: body, secret: secret)
                == .refused(.notProven))
    }

    @Test(arguments: hosts) func refusesAnotherSecret(host: String, kind: GitHostKind) {
        let forged = headers(host, key: Array("It's a Secret to Everybodx".utf8))
        #expect(verifyWebhook(headers: forged, body: push, secret: secret) == .refused(.notProven))
    }

    @Test(arguments: hosts.filter { $0.0 != "gitlab" }) func refusesAChangedBody(host: String, kind: GitHostKind) {
        #expect(verifyWebhook(headers: headers(host), body: push + [0x20], secret: secret) == .refused(.notProven))
    }

    @Test(arguments: hosts) func refusesWhereNoSecretIsSet(host: String, kind: GitHostKind) {
        #expect(verifyWebhook(headers: headers(host, key: []), body: push, secret: []) == .refused(.notProven))
        #expect(verifyWebhook(headers: headers(host, key: []), body: push, secret: nil) == .refused(.notProven))
    }

    struct Forgery: CustomTestStringConvertible {
        var testDescription: String
        var headers: WebhookHeaders
    }

    @Test(arguments: [
        Forgery(testDescription: "nothing", headers: []),
        Forgery(testDescription: "an event alone", headers: [("X-GitHub-Event", "push")]),
        Forgery(testDescription: "a signature alone", headers: [("X-Hub-Signature-256", "sha256=" + code(push))]),
        Forgery(
            testDescription: "no algorithm",
            headers: [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", code(push))]),
        Forgery(
            testDescription: "the older algorithm",
            headers: [("X-GitHub-Event", "push"), ("X-Hub-Signature", "sha1=" + code(push))]),
        Forgery(
            testDescription: "half a code",
            headers: [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "sha256=" + code(push).prefix(32))]),
        Forgery(
            testDescription: "a longer code",
            headers: [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "sha256=" + code(push) + "00")]),
        Forgery(
            testDescription: "no digits",
            headers: [("X-Gitea-Event", "push"), ("X-Gitea-Signature", String(repeating: "é", count: 64))]),
        Forgery(testDescription: "Gitea unsigned", headers: [("X-Gitea-Event", "push"), ("X-Gitea-Signature", "")]),
        Forgery(
            testDescription: "two signatures",
            headers: [
                ("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "sha256=" + code(push)),
                ("x-hub-signature-256", "sha256=00"),
            ]),
        Forgery(
            testDescription: "a good signature of another host beside",
            headers: [("X-Forgejo-Event", "push"), ("X-Forgejo-Signature", code(push, [1]))] + headers("gitea")),
        Forgery(
            testDescription: "a beginning of GitLab's secret",
            headers: [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", "It's a Secret")]),
        Forgery(
            testDescription: "GitLab without token", headers: [("X-Gitlab-Event", "Push Hook"), ("X-Gitlab-Token", "")]),
    ])
    func refusesAForgery(_ forgery: Forgery) {
        #expect(verifyWebhook(headers: forgery.headers, body: push, secret: secret) == .refused(.notProven))
    }

    @Test func looksAtHeadersWithoutRegardToCase() {
        let upper = headers("github").map { (name: $0.name.uppercased(), value: $0.value) }
        guard case .push = verifyWebhook(headers: upper, body: push, secret: secret) else {
            Issue.record("refused")
            return
        }
    }

    @Test(arguments: [
        "", "no JSON", "[]", "{}", #"{"ref":"refs/heads/main"}"#, #"{"ref":7,"after":"\#(commit)"}"#,
        #"{"ref":"main","after":"\#(commit)"}"#, #"{"ref":"refs/heads/a b","after":"\#(commit)"}"#,
        #"{"ref":"refs/heads/main","after":"HEAD"}"#, "payload=%7B%7D",
        String(repeating: "[", count: 100_000),
    ])
    func refusesAProvenBodyThatIsNoPush(text: String) {
        let body = Array(text.utf8)
        let verdict = verifyWebhook(headers: headers("github", body: body), body: body, secret: secret)
        guard case .refused(.unreadable) = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test func looksAtNothingTooLarge() {
        let body = [UInt8](repeating: 0x20, count: maximumWebhookBytes + 1)
        #expect(
            verifyWebhook(headers: headers("github", body: body), body: body, secret: secret)
                == .refused(.tooLarge(bytes: body.count)))
        let largest = push + [UInt8](repeating: 0x20, count: maximumWebhookBytes - push.count)
        guard
            case .push = verifyWebhook(headers: headers("github", body: largest), body: largest, secret: secret)
        else {
            Issue.record("the largest allowed was refused")
            return
        }
    }
}

@Suite struct WebhookReceiverTests {
    private final class Pushes: Sendable {
        private let references = Mutex<[String]>([])
        func add(_ reference: String) { references.withLock { $0.append(reference) } }
        var all: [String] { references.withLock { $0 } }
    }

    struct Example: CustomTestStringConvertible {
        var testDescription: String
        var method = "POST"
        var path = "/webhook"
        var headers = GitHostTests.headers("github")
        var body = push
        var key: [UInt8]? = secret
        var status: Int
        var pushes: [String] = []
    }

    @Test(arguments: [
        Example(testDescription: "a push", status: 202, pushes: ["refs/heads/main"]),
        Example(
            testDescription: "a ping", headers: headers("github", event: "ping", body: [0x7b, 0x7d]),
            body: [0x7b, 0x7d],
            status: 202),
        Example(testDescription: "unsigned", headers: [("X-GitHub-Event", "push")], status: 401),
        Example(testDescription: "no secret set", key: nil, status: 401),
        Example(testDescription: "another method", method: "GET", status: 405),
        Example(testDescription: "another path", path: "/webhook/", status: 404),
        Example(testDescription: "no JSON", headers: headers("gitlab"), body: [0x78], status: 400),
        Example(
            testDescription: "too large", body: [UInt8](repeating: 0x20, count: maximumWebhookBytes + 1), status: 413),
    ])
    func answersAndPassesOnWhatIsProven(_ example: Example) {
        let pushes = Pushes()
        let receiver = WebhookReceiver(secret: example.key.map { SecretBytes($0) }) { pushes.add($0) }
        let answer = receiver.answer(
            WebhookReceiver.Request(
                method: example.method, path: example.path, headers: example.headers, body: example.body))
        #expect(answer.status == example.status)
        #expect(!answer.text.isEmpty)
        #expect(pushes.all == example.pushes)
    }

    @Test func neverShowsItsSecret() {
        let receiver = WebhookReceiver(secret: SecretBytes(secret)) { _ in }
        var text = "\(receiver) \(String(reflecting: receiver))"
        dump(receiver, to: &text)
        #expect(!text.contains("Everybody") && !text.contains("\(secret)"))
    }
}

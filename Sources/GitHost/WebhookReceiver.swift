package import HTTPClient

/// Takes a Git host's deliveries and passes on which reference was pushed.
///
/// A delivery is a reason to look at once, no more: the poll goes on beside it, so a delivery that is lost, refused or
/// sent again changes nothing but when the repository is looked at.
package struct WebhookReceiver: Sendable {
    /// A request as the HTTP server has it.
    package struct Request: Sendable {
        package var method: String
        package var path: String
        package var headers: WebhookHeaders
        package var body: [UInt8]

        package init(method: String, path: String, headers: WebhookHeaders, body: [UInt8]) {
            self.method = method
            self.path = path
            self.headers = headers
            self.body = body
        }
    }

    /// What to answer: plain text of one line.
    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var text: String

        package init(status: Int, text: String) {
            self.status = status
            self.text = text
        }
    }

    /// Where deliveries are taken, such as `/webhook`.
    package let path: String
    private let secret: SecretBytes?
    private let onPush: @Sendable (_ reference: String) -> Void

    /// - Parameters:
    ///   - secret: What the host signs with; without one every delivery is refused.
    ///   - onPush: Called before the answer, so it must not wait; it may be called for any reference, several times.
    package init(
        path: String = "/webhook", secret: SecretBytes?, onPush: @escaping @Sendable (_ reference: String) -> Void
    ) {
        self.path = path
        self.secret = secret
        self.onPush = onPush
    }

    /// Answers 202 to all that is proven, pushes and others, and says no by 400, 401, 404, 405 or 413.
    package func answer(_ request: Request) -> Answer {
        guard request.path == path else { return Answer(status: 404, text: "there is nothing here") }
        guard request.method == "POST" else { return Answer(status: 405, text: "deliveries come by POST") }
        switch verifyWebhook(headers: request.headers, body: request.body, secret: secret?.bytes) {
        case .push(let event):
            onPush(event.reference)
            return Answer(status: 202, text: "the repository is looked at now")
        case .ignored: return Answer(status: 202, text: "nothing to do for this event")
        case .refused(let refusal): return Answer(status: refusal.status, text: refusal.message)
        }
    }
}

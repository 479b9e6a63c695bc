import HTTPClient
import JSON
import KubeProtocol
import Manifest

/// An answer of the API server as it came.
struct Answer: CustomStringConvertible {
    let status: Int
    /// The body, or null where it is no JSON.
    let tree: Tree
    let text: String

    init(_ response: HTTPResponse) {
        status = response.status
        tree = (try? parseJSON(response.body)) ?? .null
        text = String(decoding: response.body, as: UTF8.self)
    }

    var isSuccess: Bool { (200..<300).contains(status) }
    var reason: String { tree["reason"]?.string ?? "" }
    var details: Tree { tree["details"] ?? [:] }
    var resourceVersion: String? { tree["metadata"]?["resourceVersion"]?.string }
    /// What the client makes of a refusal.
    var failure: APIFailure {
        classifyFailure(status: status, body: tree.isNull ? nil : tree, text: text, retryAfter: nil)
    }
    var description: String { "\(status) \(text.prefix(1000))" }
}

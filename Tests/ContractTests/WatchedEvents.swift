import HTTPClient
import JSON
import KubeProtocol
import Manifest

/// The events of one watch, in the order they came.
final class WatchedEvents {
    struct Event: CustomStringConvertible {
        var type: String
        var object: Tree

        var name: String { object["metadata"]?["name"]?.string ?? "" }
        var resourceVersion: String { object["metadata"]?["resourceVersion"]?.string ?? "" }
        var description: String { "\(type) \(object.jsonText().prefix(300))" }
    }

    private let stream: HTTPBodyStream
    private var splitter = WatchStreamSplitter()
    private var pending: [Event] = []

    init(_ stream: HTTPBodyStream) { self.stream = stream }

    var status: Int { stream.status }

    /// The next event that is no bookmark, or nil at the stream's clean end.
    func next() async throws -> Event? {
        while pending.isEmpty {
            guard let chunk = try await stream.next() else { return nil }
            for value in try splitter.append(chunk) {
                let tree = try decode(Array(value))
                let event = Event(type: tree["type"]?.string ?? "", object: tree["object"] ?? .null)
                if event.type != "BOOKMARK" { pending.append(event) }
            }
        }
        return pending.removeFirst()
    }
}

import JSON
package import Manifest

/// One page of a list.
package struct ListPage: Sendable {
    package var objects: [LiveObject]
    package var resourceVersion: String
    /// The token for the next page; nil on the last one.
    package var continuation: String?
}

/// An answer that is not what the API promises.
package struct DecodingFailure: Error, Sendable, Equatable {
    package var message: String
    /// Nothing is wrong with it but its size: a smaller part may be asked for.
    package var isTooLarge: Bool

    package init(message: String, isTooLarge: Bool = false) {
        self.message = message
        self.isTooLarge = isTooLarge
    }
}

/// Reads one page of a list.
///
/// Its items have no kind of their own (rule B8); an item without a name, uid and version makes the whole list
/// unusable, since a list with a hole must never count as complete.
package func decodeList(
    _ bytes: [UInt8], of resource: Resource, maximumBytes: Int = 64 << 20
) throws(DecodingFailure) -> ListPage {
    let tree = try decode(bytes, maximumBytes: maximumBytes)
    guard let items = tree["items"] else { throw DecodingFailure(message: "the list has no items") }
    guard let version = tree["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
        throw DecodingFailure(message: "the list has no resourceVersion")
    }
    var objects: [LiveObject] = []
    // Go writes an empty list without elements as null.
    for item in items.array ?? [] {
        guard let object = LiveObject(item, of: resource) else {
            throw DecodingFailure(message: "an item of the list has no name, uid or resourceVersion")
        }
        objects.append(object)
    }
    guard items.array != nil || items.isNull else { throw DecodingFailure(message: "items is no list") }
    let token = tree["metadata"]?["continue"]?.string
    return ListPage(objects: objects, resourceVersion: version, continuation: token.flatMap { $0.isEmpty ? nil : $0 })
}

/// Reads any JSON answer.
package func decode(_ bytes: [UInt8], maximumBytes: Int = 64 << 20) throws(DecodingFailure) -> Tree {
    guard bytes.count <= maximumBytes else {
        throw DecodingFailure(
            message: "the answer has \(bytes.count) bytes, more than the \(maximumBytes) allowed", isTooLarge: true)
    }
    do throws(JSONError) {
        return try parseJSON(bytes, limits: JSONLimits(maximumBytes: maximumBytes))
    } catch {
        throw DecodingFailure(message: "the answer is not JSON: \(error)")
    }
}

/// One event of a watch.
package enum WatchEvent: Sendable {
    case upserted(LiveObject)
    case deleted(LiveObject)
    case bookmark(resourceVersion: String)
    case failed(APIFailure)
}

/// Reads one event of a watch; what it is of is known from the request (rule B8).
package func decodeWatchEvent(_ bytes: ArraySlice<UInt8>, of resource: Resource) throws(DecodingFailure) -> WatchEvent {
    let tree = try decode(Array(bytes))
    guard let type = tree["type"]?.string, let object = tree["object"] else {
        throw DecodingFailure(message: "a watch event has no type or object")
    }
    switch type {
    case "ADDED", "MODIFIED", "DELETED":
        guard let live = LiveObject(object, of: resource) else {
            throw DecodingFailure(message: "a watch event's object has no name, uid or resourceVersion")
        }
        return type == "DELETED" ? .deleted(live) : .upserted(live)
    case "BOOKMARK":
        guard let version = object["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
            throw DecodingFailure(message: "a bookmark has no resourceVersion")
        }
        return .bookmark(resourceVersion: version)
    case "ERROR":
        let status = Int(object["code"]?.integer ?? 500)
        return .failed(classifyFailure(status: status, body: object, text: "", retryAfter: nil))
    default:
        throw DecodingFailure(message: "a watch event of the unknown type \(type)")
    }
}

/// Splits the bytes of a watch into its JSON values, wherever the chunks end (rule C21).
///
/// It looks at braces outside strings only; whether a value is sound is found out when it is decoded.
package struct WatchStreamSplitter: Sendable {
    private var pending: [UInt8] = []
    private var scanned = 0
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private let maximumEventBytes: Int

    package init(maximumEventBytes: Int = 16 << 20) { self.maximumEventBytes = maximumEventBytes }

    /// Takes the next chunk and gives back the values that are complete.
    package mutating func append(_ chunk: [UInt8]) throws(DecodingFailure) -> [ArraySlice<UInt8>] {
        pending += chunk
        var values: [ArraySlice<UInt8>] = []
        var start = 0
        while scanned < pending.count {
            let byte = pending[scanned]
            scanned += 1
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                depth -= 1
                guard depth >= 0 else { throw DecodingFailure(message: "the watch stream is not JSON") }
                if depth == 0 {
                    values.append(pending[start..<scanned])
                    start = scanned
                }
            }
        }
        if start > 0 {
            pending.removeFirst(start)
            scanned -= start
        }
        guard pending.count <= maximumEventBytes else {
            throw DecodingFailure(message: "a watch event has more than \(maximumEventBytes) bytes")
        }
        return values
    }
}

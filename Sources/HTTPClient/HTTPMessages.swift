/// A request, complete with its body and its limits.
package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    package var limits: HTTPLimits
    /// What messages call it in place of method and address.
    var title: String?

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        limits: HTTPLimits = HTTPLimits()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
    }

    /// What a message calls this request; without credentials.
    var name: String { title ?? "\(method) \(redactedURL(url))" }
}

/// How long and how much a request may take.
package struct HTTPLimits: Sendable {
    package var connect: Duration
    /// The whole exchange; nil for a stream without an end.
    package var total: Duration?
    /// Nothing of the exchange is begun or goes on from this moment on, whatever the machine or the process slept through
    /// before; nil for none.
    ///
    /// Asked again while the exchange goes on, since the moment may move.
    package var deadline: (@Sendable () -> ContinuousClock.Instant)?
    /// The longest time without a byte, once connected; nil to wait for ever.
    ///
    /// A reader that is slow itself does not count.
    package var idle: Duration?
    /// The longest time until the answer begins, once connected; nil for the same as `idle`.
    package var firstByte: Duration?
    /// Of the body, after decompression; ``HTTPBodyStream`` has no such limit.
    package var maximumAnswerBytes: Int

    package init(
        connect: Duration = .seconds(30), total: Duration? = .seconds(65), idle: Duration? = nil,
        firstByte: Duration? = nil, maximumAnswerBytes: Int = 256 << 20
    ) {
        self.connect = connect
        self.total = total
        self.idle = idle
        self.firstByte = firstByte
        self.maximumAnswerBytes = maximumAnswerBytes
    }
}

/// The headers of an answer, in order; names without regard to case.
package struct HTTPHeaders: Sendable {
    private var lines: [(name: String, value: String)] = []

    package init() {}

    package mutating func append(name: String, value: String) { lines.append((name.lowercased(), value)) }

    /// The first value under a name.
    package subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return lines.first { $0.name == wanted }?.value
    }

    /// All values under a name, in the order they came.
    package func all(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return lines.filter { $0.name == wanted }.map(\.value)
    }
}

/// An answer with its whole body.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]
}

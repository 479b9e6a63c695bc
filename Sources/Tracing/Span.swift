package import Manifest

/// One stage of something that was done, from its beginning to its end; the words are those of OpenTelemetry.
package struct Span: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Work of our own.
        case inner
        /// A request to somebody else.
        case client
    }

    package enum Status: Sendable, Equatable {
        case unset
        /// It failed, with what was wrong.
        case failed(String)
    }

    package var trace: TraceID
    package var id: SpanID
    /// Nil for the root of the trace.
    package var parent: SpanID?
    /// One of few: what varies is an attribute.
    package var name: String
    package var kind: Kind
    package var begin: Timestamp
    package var end: Timestamp
    package var attributes: [SpanAttribute]
    package var status: Status

    /// - Parameter status: Of its words the first kilobyte is kept.
    package init(
        trace: TraceID, id: SpanID, parent: SpanID? = nil, name: String, kind: Kind = .inner, begin: Timestamp,
        end: Timestamp, attributes: [SpanAttribute] = [], status: Status = .unset
    ) {
        self.trace = trace
        self.id = id
        self.parent = parent
        self.name = name
        self.kind = kind
        self.begin = begin
        self.end = max(begin, end)
        self.attributes = attributes
        if case .failed(let words) = status { self.status = .failed(bounded(words)) } else { self.status = status }
    }
}

/// A fact about a span, or about the program that it is of.
package struct SpanAttribute: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case flag(Bool)
    }

    package var key: String
    package var value: Value

    /// - Parameter text: The first kilobyte of it is kept.
    package init(_ key: String, _ text: String) {
        self.key = key
        value = .text(bounded(text))
    }

    package init(_ key: String, _ number: Int) {
        self.key = key
        value = .integer(Int64(number))
    }

    package init(_ key: String, _ flag: Bool) {
        self.key = key
        value = .flag(flag)
    }
}

private let maximumTextBytes = 1024

/// Cut between scalars: one character may have any number of combining marks.
private func bounded(_ text: String) -> String {
    guard text.utf8.count > maximumTextBytes else { return text }
    var result = String.UnicodeScalarView()
    var size = 0
    for scalar in text.unicodeScalars {
        size += UTF8.width(scalar)
        guard size <= maximumTextBytes else { break }
        result.append(scalar)
    }
    return String(result)
}

/// A header of a request; whatever came from the configuration is a secret.
package struct DeliveryHeader: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var name: String
    package var value: String
    package var isSecret: Bool

    package init(_ name: String, _ value: String, isSecret: Bool = true) {
        self.name = name
        self.value = value
        self.isSecret = isSecret
    }

    package var description: String { isSecret ? "\(name): (redacted)" : "\(name): \(value)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["header": description]) }

    /// Whether it is one line of RFC 9110 (sections 5.1 and 5.5): anything else could add lines of its own to a request.
    var isUsable: Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        let isName = name.utf8.allSatisfy { byte in
            marks.contains(byte) || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
        }
        return isName && !name.isEmpty && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

/// A request to a receiver of logs as a value: nothing is sent here.
package struct DeliveryRequest: Sendable, Equatable {
    package var url: String
    package var method = "POST"
    package var headers: [DeliveryHeader]
    package var body: [UInt8]

    package init(url: String, headers: [DeliveryHeader], body: [UInt8]) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// What a receiver answered.
package struct DeliveryAnswer: Sendable, Equatable {
    package var status: Int
    /// The value of the header of that name, as it came.
    package var retryAfter: String?
    package var body: [UInt8]

    package init(status: Int, retryAfter: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }

    /// How long the receiver asks to be left alone (RFC 9110, section 10.2.3), at most a day.
    ///
    /// Only the form in seconds is understood: the other is a date, and there is no clock here. Without an answer to
    /// this the back-off of the sender counts.
    package var pause: Duration? {
        guard let digits = retryAfter?.split(separator: " ", omittingEmptySubsequences: true).first,
            !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return .seconds(min(Int64(digits) ?? 86_400, 86_400))
    }
}

/// Why no request could be made.
package enum DeliveryRefusal: Error, Sendable, Equatable {
    case nothingToDeliver
    /// A header of the configuration holds what would break the request; its value is not repeated.
    case unusableHeader(name: String)
    /// There is no key, or the signature could not be made: nothing goes out unsigned where a signature was asked for.
    case unsigned

    /// What the sender is to make of it.
    package var outcome: DeliveryOutcome {
        switch self {
        case .nothingToDeliver: DeliveryOutcome(next: .goOn)
        case .unusableHeader(let name):
            DeliveryOutcome(
                next: .stop(
                    why: "the header \(quoted(name)) cannot be sent",
                    hint: "Take line feeds and other control characters out of its value, and of the file it is from."))
        case .unsigned:
            DeliveryOutcome(
                next: .stop(
                    why: "the delivery could not be signed",
                    hint: "Check that the file with the signing key is not empty."))
        }
    }
}

import JSON
package import Manifest

/// Any receiver of our own format: a POST of signed JSON.
///
/// The signature is `sha256=` and the HMAC-SHA256, in hex, of the value of `X-Bylaw-Timestamp`, a full stop and the body.
/// A receiver checks it over the bytes as they came, compares the time with its own clock so that nobody can play an old
/// request again, and knows a repeated delivery by `X-Bylaw-Delivery`, or each entry by journal and sequence.
package struct WebhookReceiver: LogReceiver {
    /// Gives the HMAC-SHA256 of a message under a key, 32 bytes, or nil where it could not be computed.
    package typealias Authenticator = @Sendable (_ message: [UInt8], _ key: [UInt8]) -> [UInt8]?

    package var address: ReceiverAddress
    private let key: Secret
    private let authenticate: Authenticator

    package init(address: ReceiverAddress, key: Secret, authenticate: @escaping Authenticator) {
        self.address = address
        self.key = key
        self.authenticate = authenticate
    }

    package func request(
        delivering entries: [ShippedEntry], at time: Timestamp
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        guard let first = entries.first, let last = entries.last else { throw .nothingToDeliver }
        let batch: Tree = [
            "apiVersion": "bylaw.dev/v1", "kind": "JournalEntryBatch", "journal": .string(first.journal),
            "firstSequence": .integer(first.sequence), "lastSequence": .integer(last.sequence),
            "entries": .array(entries.map(\.document)),
        ]
        let body = batch.jsonBytes()
        let seconds = String(time.epochSeconds)
        guard !key.bytes.isEmpty, let code = authenticate(Array("\(seconds).".utf8) + body, key.bytes), code.count == 32
        else {
            throw .unsigned
        }
        return try address.post(
            to: "", contentType: "application/json",
            headers: [
                DeliveryHeader("X-Bylaw-Signature-256", "sha256=\(hex(code))", isSecret: false),
                DeliveryHeader("X-Bylaw-Timestamp", seconds, isSecret: false),
                DeliveryHeader("X-Bylaw-Delivery", deliveryID(first, last), isSecret: false),
            ], body: body)
    }

    /// Reads an answer: any success will do, as there is nothing that a receiver has to say.
    ///
    /// A wrong token or path (401, 403, 404, 405, 407) is about the configuration and not about the entries, none of which
    /// may be given up for it; every other 4xx but 408, 425 and 429 rejects what was sent.
    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        if (200..<300).contains(answer.status) { return .delivered(entries) }
        let why = address.words(nil, of: answer, hiding: [key.bytes])
        switch answer.status {
        case 406, 415: return DeliveryOutcome(next: .rejected(sequence: nil, why: why))
        default: return DeliveryOutcome(next: meaning(of: answer, why: why))
        }
    }
}

/// The journal and the range of sequences.
///
/// The id of a journal is hex digits; whatever else it might hold must not become part of a header.
private func deliveryID(_ first: ShippedEntry, _ last: ShippedEntry) -> String {
    let digits = first.journal.unicodeScalars.filter { $0.properties.isASCIIHexDigit }.prefix(64)
    return "\(String(String.UnicodeScalarView(digits)))-\(first.sequence)-\(last.sequence)"
}

private func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = String.UnicodeScalarView()
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(text)
}

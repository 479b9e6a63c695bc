import Foundation
import Signatures

/// Standard base64 with padding (RFC 4648, section 4), in the one form that the encoder writes.
package func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

/// Reads what ``base64(_:)`` writes; any other way to write the same bytes is nil, so that a text has one meaning.
package func bytes(fromBase64 text: some StringProtocol) -> [UInt8]? {
    let text = String(text)
    guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else { return nil }
    return [UInt8](data)
}

extension SHA256Digest {
    package var base64Text: String { base64(bytes) }

    package init?(base64Text text: some StringProtocol) {
        guard let bytes = TransparencyLog.bytes(fromBase64: text) else { return nil }
        self.init(bytes)
    }
}

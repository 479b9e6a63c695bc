/// Where a receiver is, and what of the configuration goes with each request to it.
package struct ReceiverAddress: Sendable, Equatable {
    /// Without the path that the protocol adds, which does no harm where it stands there already.
    package var url: String
    /// Such as `Authorization`, or the tenant of a Loki; a header that the protocol itself sets is not taken from here.
    package var headers: [DeliveryHeader]

    package init(url: String, headers: [DeliveryHeader] = []) {
        self.url = url
        self.headers = headers
    }

    func post(
        to suffix: String, contentType: String, headers own: [DeliveryHeader] = [], body: [UInt8]
    ) throws(DeliveryRefusal) -> DeliveryRequest {
        let own = [DeliveryHeader("Content-Type", contentType, isSecret: false)] + own
        let taken = Set(own.map { $0.name.lowercased() })
        let all = own + headers.filter { !taken.contains($0.name.lowercased()) }
        for header in all where !header.isUsable { throw .unusableHeader(name: header.name) }
        return DeliveryRequest(url: joined(with: suffix), headers: all, body: body)
    }

    /// The receiver's words about an answer, without what was sent as a secret.
    func words(_ text: String?, of answer: DeliveryAnswer, hiding more: [[UInt8]] = []) -> String {
        let bytes = text.map { Array($0.utf8) } ?? answer.body
        let said = quoted(bytes, hiding: secrets + more)
        return said.isEmpty ? "HTTP \(answer.status)" : "HTTP \(answer.status): \(said)"
    }

    /// The whole values, and what stands in them behind a scheme such as `Bearer`.
    private var secrets: [[UInt8]] {
        headers.filter(\.isSecret).flatMap { header in
            [Array(header.value.utf8)] + header.value.split(separator: " ").dropFirst().map { Array($0.utf8) }
        }
    }

    private func joined(with suffix: String) -> String {
        guard !suffix.isEmpty else { return url }
        let queryStart = url.firstIndex(of: "?") ?? url.endIndex
        var path = url[..<queryStart]
        while path.hasSuffix("/") { path.removeLast() }
        return (path.hasSuffix(suffix) ? String(path) : path + suffix) + url[queryStart...]
    }
}

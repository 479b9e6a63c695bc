import Manifest

extension ReceiverAddress {
    /// What an answer of OTLP over HTTP means: the statuses that may be tried again are few, and a partial success must not
    /// be.
    ///
    /// An empty body is the default message in the binary form, which some receivers answer whatever they were sent
    /// (Loki with 204): it promises as much as `{}`.
    ///
    /// - Parameter rejected: The field that counts what was not taken, such as `rejectedSpans`.
    /// - Returns: Besides, what the receiver says of something that it took all the same.
    func meaning(
        ofOTLP answer: DeliveryAnswer, rejected: String
    ) -> (next: DeliveryOutcome.Next, advice: String?) {
        let tree = answer.tree
        let why = words(tree?["message"]?.string, of: answer)
        switch answer.status {
        case 200..<300 where answer.body.isEmpty: return (.goOn, nil)
        case 200..<300:
            guard let members = tree?.members else { return (unexpectedSuccess(answer, why: why), nil) }
            return partialSuccess(members["partialSuccess"], answer, rejected)
        case 429, 502, 503, 504: return (.retry(after: answer.pause, why: why), nil)
        case 400, 408, 425, 500, 501, 505...599: return (.rejected(sequence: nil, why: why), nil)
        default: return (Shipping.meaning(of: answer, why: why), nil)
        }
    }

    private func partialSuccess(
        _ partial: Tree?, _ answer: DeliveryAnswer, _ rejected: String
    ) -> (next: DeliveryOutcome.Next, advice: String?) {
        guard let partial, !partial.isNull else { return (.goOn, nil) }
        let field = partial[rejected]
        let message = partial["errorMessage"]?.string ?? ""
        let why = words(message, of: answer)
        guard let count = field.map({ $0.integer ?? $0.string.flatMap { Int64($0) } }) ?? 0, count >= 0 else {
            return (unexpectedSuccess(answer, why: why), nil)
        }
        // A message without a count is advice about something that was taken.
        guard count > 0 else { return (.goOn, message.isEmpty ? nil : why) }
        return (.dropped(count: count, why: why), nil)
    }
}

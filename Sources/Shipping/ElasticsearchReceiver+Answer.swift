import Manifest

extension ElasticsearchReceiver {
    /// Reads the statuses of the items, which come in the order of the request; the status of the whole is 200 whatever
    /// became of them.
    ///
    /// Nothing behind the first item that failed counts, although it may have arrived: it is sent again, and conflicts.
    package func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome {
        guard answer.status == 200 else {
            return DeliveryOutcome(next: meaning(of: answer, why: address.words(errorText(answer), of: answer)))
        }
        guard let items = answer.tree?["items"]?.array, items.count == entries.count else {
            return DeliveryOutcome(next: unexpectedSuccess(answer, why: address.words(nil, of: answer)))
        }
        var deliveredThrough: Int64?
        for (item, entry) in zip(items, entries) {
            guard let result = item["create"], let status = result["status"]?.integer,
                (result["_id"]?.string).map({ $0 == entry.deliveryID }) ?? true
            else {
                let next = unexpectedSuccess(answer, why: address.words(nil, of: answer))
                return DeliveryOutcome(deliveredThrough: deliveredThrough, next: next)
            }
            if let next = problem(of: result, status, entry, answer) {
                return DeliveryOutcome(deliveredThrough: deliveredThrough, next: next)
            }
            deliveredThrough = entry.sequence
        }
        return .delivered(entries)
    }

    /// What is wrong with one item; nil where it has arrived, now or earlier.
    private func problem(
        of result: Tree, _ status: Int64, _ entry: ShippedEntry, _ answer: DeliveryAnswer
    ) -> DeliveryOutcome.Next? {
        let type = result["error"]?["type"]?.string ?? ""
        let reason = result["error"]?["reason"]?.string ?? ""
        let why = "item \(status), " + address.words("\(type): \(reason)", of: answer)
        switch status {
        case 200, 201: return nil
        case 409 where type.isEmpty || type == "version_conflict_engine_exception": return nil
        case 401, 403: return .stop(why: why, hint: "Check that the token may create documents in \(quoted(index)).")
        case 404:
            return .stop(why: why, hint: "Create the index or data stream \(quoted(index)), or a template for it.")
        case 400 where Self.typesOfTheIndex.contains(type):
            return .stop(
                why: why, hint: "Check the index or data stream \(quoted(index)): it takes no document at all.")
        case 408, 409, 425, 429: return .retry(after: answer.pause, why: why)
        case 400..<500: return .rejected(sequence: entry.sequence, why: why)
        default: return .retry(after: answer.pause, why: why)
        }
    }

    /// Errors with status 400 that say something about the index, or about the number of shards, and not about the entry.
    private static let typesOfTheIndex: Set<String> = [
        "index_closed_exception", "invalid_index_name_exception", "validation_exception",
    ]

    private func errorText(_ answer: DeliveryAnswer) -> String? {
        guard let error = answer.tree?["error"] else { return nil }
        if let text = error.string { return text }
        guard let reason = error["reason"]?.string else { return nil }
        return "\(error["type"]?.string ?? "error"): \(reason)"
    }
}

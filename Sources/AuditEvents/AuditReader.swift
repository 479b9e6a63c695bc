import Manifest

/// Reads what API servers send or write of their requests.
///
/// Nothing it is given is an error for the caller: the server would send the same batch again (rule M2), so the result
/// counts what could not be read.
package struct AuditReader: Sendable {
    /// The name that we are authenticated as; nil where it is not known, and then our own writes are taken for others'.
    package var ourUser: String?
    package var limits: AuditLimits

    package init(ourUser: String?, limits: AuditLimits = AuditLimits()) {
        self.ourUser = ourUser
        self.limits = limits
    }

    /// Reads the body of a webhook request: an `EventList`, or a single `Event` (rule M1).
    ///
    /// Events without a version and of `v1beta1` are read as those of `v1`, which they equal in all that is used here.
    package func readList(_ body: [UInt8]) -> AuditBatch {
        var batch = AuditBatch()
        var kind: RawJSON?
        var version: RawJSON?
        var lists: [RawJSON] = []
        let root = RawJSON(body)
        let hasEnd = root.forEachMember { key, value in
            switch key {
            case "kind": kind = value
            case "apiVersion": version = value
            case "items": lists.append(value)
            default: break
            }
        }
        if kind?.string == "Event" {
            read(root, into: &batch)
            return batch
        }
        guard kind == nil ? !lists.isEmpty : kind?.string == "EventList", Self.isKnown(version),
            hasEnd || !lists.isEmpty
        else {
            batch.unreadable += 1
            return batch
        }
        for list in lists {
            let isWhole = list.forEachElement { read($0, into: &batch) }
            // A body that was cut still has the events before the cut.
            if !isWhole, list.tree?.isNull != true { batch.unreadable += 1 }
        }
        return batch
    }

    /// Reads an audit log: one event a line (rule M11).
    ///
    /// - Parameter isComplete: Whether nothing will be added to the last line; otherwise it is left for the next time
    ///   unless it has ended.
    package func readLog(_ text: [UInt8], isComplete: Bool = true) -> AuditBatch {
        var batch = AuditBatch()
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: 0x0a)
            if end == nil, !isComplete {
                batch.unfinishedBytes = text.count - start
                break
            }
            let line = RawJSON(text, in: start..<(end ?? text.count))
            if !line.isEmpty { read(line, into: &batch) }
            start = (end ?? text.count) + 1
        }
        return batch
    }

    private func read(_ item: RawJSON, into batch: inout AuditBatch) {
        guard batch.count < limits.maximumItems else {
            batch.beyondLimit += 1
            return
        }
        switch reading(of: item) {
        case .event(let event): batch.events.append(event)
        case .ignored(let why): batch.ignored[why, default: 0] += 1
        case .unreadable: batch.unreadable += 1
        }
    }

    static func isKnown(_ version: RawJSON?) -> Bool {
        guard let version else { return true }
        guard let text = version.string else { return false }
        return text.isEmpty || ["audit.k8s.io/v1", "audit.k8s.io/v1beta1", "audit.k8s.io/v1alpha1"].contains(text)
    }
}

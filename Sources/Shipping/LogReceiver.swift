import JSON
package import Manifest

/// A protocol that takes journal entries over HTTP: how they are sent, and what an answer means.
///
/// Every receiver here gets entries at least once and in order. A batch whose answer was lost is sent again; whether the
/// receiver can tell depends on its protocol, so that each entry carries its journal and sequence.
package protocol LogReceiver: Sendable {
    /// - Parameters:
    ///   - entries: In order, of one journal, at least one.
    ///   - time: Now.
    func request(delivering entries: [ShippedEntry], at time: Timestamp) throws(DeliveryRefusal) -> DeliveryRequest

    /// - Parameter entries: Those that the answered request was made of.
    func outcome(of answer: DeliveryAnswer, to entries: [ShippedEntry]) -> DeliveryOutcome
}

/// What an HTTP status means where the protocol gives it no meaning of its own (RFC 9110, section 15).
///
/// - Parameter why: The receiver's words.
func meaning(of answer: DeliveryAnswer, why: String) -> DeliveryOutcome.Next {
    switch answer.status {
    case 200..<300: unexpectedSuccess(answer, why: why)
    case 300..<400:
        .stop(
            why: why, hint: "The receiver redirects, which is not followed: give the address that it redirects to.")
    case 401, 403, 407: .stop(why: why, hint: "Check the token and what it is allowed to write to.")
    case 404, 405: .stop(why: why, hint: "Check the address: what answers there takes no such requests.")
    case 406, 415: .stop(why: why, hint: "Check the address and the kind of receiver: it reads another format.")
    // Early data that came too early, time that ran out, too much at once: nothing is wrong with the entries.
    case 408, 425, 429: .retry(after: answer.pause, why: why)
    case 400..<500: .rejected(sequence: nil, why: why)
    default: .retry(after: answer.pause, why: why)
    }
}

/// A success without the body that the protocol promises says nothing of what arrived.
///
/// What answers with a page is no receiver but something in front of it, such as a login.
func unexpectedSuccess(_ answer: DeliveryAnswer, why: String) -> DeliveryOutcome.Next {
    let first = answer.body.first { $0 > 0x20 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF }
    if first == UInt8(ascii: "<") {
        return .stop(
            why: "not the answer of such a receiver, \(why)",
            hint: "Check the address: a page came back, as from a login in front of the receiver.")
    }
    return .retry(after: answer.pause, why: "not the answer of such a receiver, \(why)")
}

extension DeliveryAnswer {
    /// The body as JSON, where it is.
    var tree: Tree? { try? parseJSON(body, limits: JSONLimits(maximumBytes: 16 << 20, maximumDepth: 64)) }
}

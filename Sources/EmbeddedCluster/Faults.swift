import Foundation
import HTTPServer
import JSON
package import Manifest

/// Something that goes wrong with the next requests that match.
package struct Fault: Sendable {
    package enum Effect: Sendable {
        /// An answer with this status; the body is JSON where one is given, else the text.
        case answer(status: Int, body: Tree?, text: String, retryAfter: Int?)
        /// The usual answer, late.
        case late
        /// What was asked for is done, and this is answered instead of what came of it.
        case lostAnswer(status: Int)
        /// What was asked for is done, and this merge patch with it, as an admission webhook does.
        case altered(by: Tree)
    }

    package var method: String
    /// A part of the path with its query (`/roles?watch=1`); empty for every request.
    package var pathPart: String
    /// Whose requests it strikes; nil for everybody's.
    package var fieldManager: String?
    package var effect: Effect
    /// How long it lets the client wait first.
    package var delay: Duration
    /// How many requests it strikes.
    package var count: Int

    package init(
        method: String, pathPart: String = "", fieldManager: String? = nil, effect: Effect, delay: Duration = .zero,
        count: Int = 1
    ) {
        self.method = method
        self.pathPart = pathPart
        self.fieldManager = fieldManager
        self.effect = effect
        self.delay = delay
        self.count = count
    }
}

/// The faults that wait to strike.
///
/// `@unchecked Sendable`: `waiting` is only touched under `lock`, `holdsNamespaces` under the store's.
final class Faults: @unchecked Sendable {
    enum Outcome { case none, answer(ServerResponse), lostAnswer(ServerResponse), altered(by: Tree) }

    private let lock = NSLock()
    private var waiting: [Fault] = []
    var holdsNamespaces = false

    func add(_ fault: Fault) { lock.withLock { waiting.append(fault) } }

    var waitingCount: Int { lock.withLock { waiting.reduce(0) { $0 + $1.count } } }

    func clear() { lock.withLock { waiting = [] } }

    func strike(_ request: ServerRequest) async -> Outcome {
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let target = query.isEmpty ? request.path : "\(request.path)?\(query)"
        let struck: Fault? = lock.withLock {
            let index = waiting.firstIndex {
                $0.method == request.method && ($0.pathPart.isEmpty || target.contains($0.pathPart))
                    && ($0.fieldManager == nil || $0.fieldManager == request.query("fieldManager"))
            }
            guard let index else { return nil }
            let fault = waiting[index]
            waiting[index].count -= 1
            if waiting[index].count <= 0 { waiting.remove(at: index) }
            return fault
        }
        if let delay = struck?.delay, delay > .zero {
            do { try await Task.sleep(for: delay) } catch { return .none }
        }
        switch struck?.effect {
        case nil, .late?: return .none
        case .altered(let patch)?: return .altered(by: patch)
        case .lostAnswer(let status)?:
            return .lostAnswer(
                ServerResponse(
                    status: status, headers: [(name: "Content-Type", value: "text/plain")], body: Array("lost".utf8)))
        case .answer(let status, let body, let text, let retryAfter)?:
            var headers: [(name: String, value: String)] = [
                ("Content-Type", body == nil ? "text/plain" : "application/json")
            ]
            if let retryAfter { headers.append(("Retry-After", String(retryAfter))) }
            return .answer(
                ServerResponse(status: status, headers: headers, body: body?.jsonBytes() ?? Array(text.utf8)))
        }
    }
}

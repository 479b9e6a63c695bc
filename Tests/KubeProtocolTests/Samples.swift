import JSON
import KubeProtocol
import Manifest
import Testing

/// Objects, answers and refusals as an API server sends them.
enum Sample {
    static func tree(_ name: String, version: String = "1", namespace: String = "a", uid: String? = nil) -> Tree {
        [
            "metadata": [
                "name": .string(name), "namespace": .string(namespace), "uid": .string(uid ?? "uid-\(name)"),
                "resourceVersion": .string(version),
            ],
            "rules": [],
        ]
    }

    static func role(_ name: String, version: String = "1", uid: String? = nil) throws -> LiveObject {
        try #require(LiveObject(tree(name, version: version, uid: uid), of: .role))
    }

    static func page(_ names: [String], version: String = "10", continuing token: String? = nil) throws -> ListPage {
        var metadata: Tree = ["resourceVersion": .string(version)]
        if let token { metadata.set(["continue"], to: .string(token)) }
        let list: Tree = ["metadata": metadata, "items": .array(names.map { tree($0) })]
        return try decodeList(list.jsonBytes(), of: .role)
    }

    static func event(_ type: String, _ object: Tree) throws -> WatchEvent {
        let bytes = (["type": .string(type), "object": object] as Tree).jsonBytes()
        return try decodeWatchEvent(bytes[...], of: .role)
    }

    /// An `ERROR` event with a Status in it.
    static func error(_ code: Int, _ reason: String, retryAfterSeconds: Int? = nil) throws -> WatchEvent {
        var status: Tree = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": "words",
            "reason": .string(reason), "code": .integer(Int64(code)),
        ]
        if let retryAfterSeconds {
            status.set(["details", "retryAfterSeconds"], to: .integer(Int64(retryAfterSeconds)))
        }
        return try event("ERROR", status)
    }

    static func failure(
        _ kind: APIFailure.Kind, _ status: Int, retryAfter: Duration? = nil
    ) -> APIFailure {
        APIFailure(kind: kind, status: status, message: "words", retryAfter: retryAfter)
    }
}

/// What the state machine wants, in words that a test can compare.
func words(_ actions: [WatchStateMachine.Action]) -> [String] {
    actions.map { action in
        switch action {
        case .list(let token): token.map { "list \($0)" } ?? "list"
        case .listWhole: "list whole"
        case .publish(let objects, let version, let isRewound):
            "publish \(objects.map(\.id.name).joined(separator: ",")) @\(version)" + (isRewound ? " rewound" : "")
        case .watch(let version): "watch \(version)"
        case .emit(.upserted(let object)): "upsert \(object.id.name)"
        case .emit(.deleted(let object)): "delete \(object.id.name)"
        case .emit(.bookmark), .emit(.failed): "emit what is no change"
        case .wait(let duration): "wait \(duration)"
        case .report(let failure): failure.map { "report \($0.kind)" } ?? "report"
        case .reloadCredentials: "reload credentials"
        }
    }
}

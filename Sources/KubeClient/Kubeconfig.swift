import Foundation
import HTTPClient
import Manifest
import YAML

/// One or several kubeconfig files: the first that defines a name wins (rule A1).
struct Kubeconfig {
    var clusters: [String: KubeconfigEntry] = [:]
    var users: [String: KubeconfigEntry] = [:]
    var contexts: [String: KubeconfigEntry] = [:]
    var currentContext: String?

    private static let maximumBytes = 8 << 20

    /// Reads one file; YAML and JSON alike.
    init(file path: String) throws(ClusterConfigurationError) {
        let file = URL(fileURLWithPath: path).standardizedFileURL.path
        let bytes = try readBounded(file, maximumBytes: Self.maximumBytes, what: "the kubeconfig")
        let stream = parseYAML(bytes)
        let hint = "Check the file with: kubectl config view --kubeconfig \(path)"
        if let problem = stream.problems.first {
            throw ClusterConfigurationError(
                message: "read the kubeconfig \(file): line \(problem.position.line): \(problem.message)", hint: hint)
        }
        guard let tree = stream.documents.first?.tree, !tree.isNull else { return }
        guard case .object = tree else {
            throw ClusterConfigurationError(
                message: "read the kubeconfig \(file): it is \(tree.kindName), not a map", hint: hint)
        }
        let whole = KubeconfigEntry(tree: tree, what: "the kubeconfig", file: file)
        currentContext = try whole.text("current-context")
        clusters = try Self.entries(whole, list: "clusters", field: "cluster")
        users = try Self.entries(whole, list: "users", field: "user")
        contexts = try Self.entries(whole, list: "contexts", field: "context")
    }

    private static func entries(
        _ whole: KubeconfigEntry, list: String, field: String
    ) throws(ClusterConfigurationError) -> [String: KubeconfigEntry] {
        var result: [String: KubeconfigEntry] = [:]
        for (index, item) in try whole.list(list).enumerated() {
            let place = KubeconfigEntry(tree: item, what: "\(list)[\(index)]", file: whole.file)
            guard let name = try place.text("name") else {
                throw place.failure("has no name", hint: "Give each entry of \(list) a name.")
            }
            guard result[name] == nil else {
                throw place.failure("has the name \"\(name)\" of an earlier entry", hint: "Remove one of the two.")
            }
            let tree = item[field] ?? .null
            guard tree.isNull || tree.members != nil else {
                throw place.failure("holds \(tree.kindName) under \(field), not a map", hint: "Correct it.")
            }
            result[name] = KubeconfigEntry(tree: tree, what: "\(field) \"\(name)\"", file: whole.file)
        }
        return result
    }

    /// Adds what another file defines and this one does not.
    mutating func merge(_ other: Kubeconfig) {
        clusters.merge(other.clusters) { first, _ in first }
        users.merge(other.users) { first, _ in first }
        contexts.merge(other.contexts) { first, _ in first }
        currentContext = currentContext ?? other.currentContext
    }
}

/// A part of a kubeconfig, with the file that its relative paths start from.
struct KubeconfigEntry {
    var tree: Tree
    /// What a message calls it.
    var what: String
    var file: String

    var directory: String { (file as NSString).deletingLastPathComponent }

    /// A text, or nil where it is absent or empty.
    func text(_ field: String) throws(ClusterConfigurationError) -> String? {
        guard let value = tree[field], !value.isNull else { return nil }
        guard let text = value.string else {
            throw failure("holds \(value.kindName) under \(field), not a string", hint: "Put the value in quotes.")
        }
        return text.isEmpty ? nil : text
    }

    func flag(_ field: String) throws(ClusterConfigurationError) -> Bool {
        guard let value = tree[field], !value.isNull else { return false }
        guard let flag = value.bool else {
            throw failure("holds \(value.kindName) under \(field), not a boolean", hint: "Write true or false.")
        }
        return flag
    }

    func list(_ field: String) throws(ClusterConfigurationError) -> [Tree] {
        guard let value = tree[field], !value.isNull else { return [] }
        guard let list = value.array else {
            throw failure("holds \(value.kindName) under \(field), not a list", hint: "Write it as a list.")
        }
        return list
    }

    func has(_ field: String) -> Bool { tree[field].map { !$0.isNull } ?? false }

    /// `NAME-data` holds the bytes in base64 and counts for more than the file that `NAME` names (rule A2).
    func file(
        _ field: String, _ flaw: ([UInt8]) -> String?
    ) throws(ClusterConfigurationError) -> CredentialFile? {
        if let text = try text(field + "-data") {
            let hint = "Write the whole PEM text there, in base64."
            guard let content = Data(base64Encoded: text.filter { !$0.isWhitespace }), !content.isEmpty else {
                throw failure("has a \(field)-data that is not base64", hint: hint)
            }
            let bytes = [UInt8](content)
            if let flaw = flaw(bytes) { throw failure("has a \(field)-data that \(flaw)", hint: hint) }
            return .inline(SecretBytes(bytes))
        }
        return try text(field).map { .path(resolve($0)) }
    }

    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : directory + "/" + path }

    func failure(_ message: String, hint: String) -> ClusterConfigurationError {
        ClusterConfigurationError(message: "\(what) in \(file) \(message)", hint: hint)
    }
}

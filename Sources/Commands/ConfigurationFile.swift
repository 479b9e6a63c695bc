import Foundation
import Manifest
import YAML

/// Reads the file that `--config` names: a YAML map from flag names to a value or a list of values.
func readConfigurationFile(_ path: String) throws(CommandFailure) -> [String: [String]] {
    func failure(_ detail: String, _ hint: String) -> CommandFailure {
        CommandFailure(message: "read the configuration file \(path): \(detail)", hint: hint)
    }
    let hint = "Write one flag a line, such as \"repo: https://git.example.com/policies\"."
    guard let data = FileManager.default.contents(atPath: path) else {
        throw failure("it does not exist or cannot be read", "Check --config and the file's permissions.")
    }
    let stream = parseYAML([UInt8](data), limits: YAMLLimits(maximumBytes: 1 << 20))
    if let problem = stream.problems.first {
        throw failure("line \(problem.position.line): \(problem.message)", problem.hint)
    }
    guard stream.documents.count <= 1 else { throw failure("it has several documents", hint) }
    guard let tree = stream.documents.first?.tree, !tree.isNull else { return [:] }
    guard let members = tree.members else { throw failure("it is no map", hint) }
    var values: [String: [String]] = [:]
    for (key, value) in members {
        let items = value.array ?? [value]
        values[key] = try items.map { item throws(CommandFailure) in
            switch item {
            case .string(let text): text
            case .bool(let flag): flag ? "true" : "false"
            case .integer(let number): String(number)
            default: throw failure("\"\(key)\" is \(item.kindName)", hint)
            }
        }
    }
    return values
}

import Arguments
import Foundation
import Manifest
import YAML

/// The file that `--config` names, and everything that stands beside it, so that another content can be judged as this was.
struct ConfigurationFile: Sendable {
    var path: String
    /// What the process was started with.
    var content: [UInt8]
    fileprivate var words: [String]
    fileprivate var command: CommandDescription
    fileprivate var environment: [String: String]
    fileprivate var knownKeys: Set<String>

    static let maximumBytes = 1 << 20

    /// Reads the file.
    ///
    /// - Parameters:
    ///   - words: The words after the command's name, which count for more than the file.
    ///   - knownKeys: Flags of other commands, since one file serves all of them.
    init(
        _ path: String, words: [String], command: CommandDescription, environment: [String: String],
        knownKeys: Set<String>
    ) throws(CommandFailure) {
        self.path = path
        self.words = words
        self.command = command
        self.environment = environment
        self.knownKeys = knownKeys
        guard let data = FileManager.default.contents(atPath: path) else { throw Self.unreadable(path) }
        content = [UInt8](data)
    }

    /// What the command is called with where the file has this content.
    func arguments(_ content: [UInt8]) throws -> ParsedArguments {
        try parseArguments(
            words, for: command, environment: environment, file: try readConfiguration(content, of: path),
            fileName: path, knownFileKeys: knownKeys)
    }

    /// Reads what the file holds now; the path may be of links, which lead somewhere else by then.
    ///
    /// Of a pipe nothing can be read a second time, so only a regular file is read.
    func read() throws(CommandFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        guard isRegular(descriptor) else { throw Self.unreadable(path) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        // One byte more than is taken shows that it is too large, as parsing then tells.
        while content.count <= Self.maximumBytes {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(path) }
            guard count > 0 else { break }
            content += buffer.prefix(count)
        }
        return content
    }

    /// Whether a content sets anything; one that is empty or has comments alone does not.
    func hasSettings(_ content: [UInt8]) throws -> Bool { try !readConfiguration(content, of: path).isEmpty }

    /// Whether another content comes all at once: the kubelet makes a folder for each version of a ConfigMap that is
    /// mounted, and `..data` is the link that it lets lead to the next one.
    var isSwappedWhole: Bool {
        var target = [UInt8](repeating: 0, count: 7)
        return readlink(path, &target, target.count) == target.count && target == Array("..data/".utf8)
    }

    /// Whether it can be read again and again.
    var canBeFollowed: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    private static func unreadable(_ path: String) -> CommandFailure {
        CommandFailure(
            message: "read the configuration file \(path): it does not exist or cannot be read",
            hint: "Check --config and the file's permissions.")
    }
}

/// Reads the content of a configuration file: a YAML map from flag names to a value or a list of values.
private func readConfiguration(_ content: [UInt8], of path: String) throws(CommandFailure) -> [String: [String]] {
    func failure(_ detail: String, _ hint: String) -> CommandFailure {
        CommandFailure(message: "read the configuration file \(path): \(detail)", hint: hint)
    }
    let hint = "Write one flag a line, such as \"repo: https://git.example.com/policies\"."
    let stream = parseYAML(content, limits: YAMLLimits(maximumBytes: ConfigurationFile.maximumBytes))
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

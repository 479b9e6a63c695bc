import Analysis
import Foundation
import Manifest
import Policy
import PolicyFiles
import Testing

/// A pull request against the sample policy repository, as its author would make it.
struct PullRequest: CustomTestStringConvertible, Sendable {
    /// What somebody did to one file.
    enum Edit: Sendable {
        /// The old text stands in the file exactly once.
        case replace(String, old: String, new: String)
        case append(String, String)
        case write(String, String)
        case delete(String)
    }

    var testDescription: String
    var edits: [Edit]
    /// `severity Reason subject @ scope`, in the order of the report.
    var expected: [String]

    /// What `bylaw diff` says of it, and the two states.
    func findings() throws -> [ChangeFinding] {
        analyseChange(base: try Self.state(of: try Self.repository()), head: try Self.state(of: try edited()))
    }

    private func edited() throws -> [String: String] {
        var files = try Self.repository()
        for edit in edits {
            switch edit {
            case .replace(let path, let old, let new):
                let text = try #require(files[path], "\(path)")
                try #require(text.components(separatedBy: old).count == 2, "\(path): \(old)")
                files[path] = text.replacingOccurrences(of: old, with: new)
            case .append(let path, let text):
                files[path] = try #require(files[path], "\(path)") + "---\n" + text + "\n"
            case .write(let path, let text): files[path] = text + "\n"
            case .delete(let path):
                try #require(files[path] != nil, "\(path)")
                files[path] = nil
            }
        }
        return files
    }

    private static func repository() throws -> [String: String] {
        let root = FileManager.default.currentDirectoryPath + "/PolicyRepo"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root).filter(isManifestPath)
        var files: [String: String] = [:]
        try #require(!paths.isEmpty)
        for path in paths { files[path] = try String(contentsOfFile: root + "/" + path, encoding: .utf8) }
        return files
    }

    private static func state(of files: [String: String]) throws -> SecurityState {
        let verdicts = files.map { readManifestFile(path: $0.key, bytes: Array($0.value.utf8)) }
        let (state, findings) = assembleDeclaredState(verdicts)
        try #require(findings.filter { $0.severity == .error }.map(\.message) == [])
        return SecurityState(state)
    }
}

extension ChangeFinding {
    /// As the expectations write it.
    var line: String { "\(severity.rawValue) \(reason.rawValue) \(subject.description) @ \(scope)" }
}

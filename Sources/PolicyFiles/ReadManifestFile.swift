import Manifest
package import Policy
import JSON
import YAML

/// Reads and judges one file of the policy repository.
///
/// - Parameters:
///   - path: Below the repository's root, with `/`; its ending decides between JSON and YAML.
///   - bytes: The whole file.
///   - kinds: What may stand in it.
/// - Returns: What it declares and every finding; never fails, because a broken file is a finding.
package func readManifestFile(
    path: String, bytes: [UInt8], limits: RepositoryLimits = RepositoryLimits(),
    accepting kinds: AcceptedKinds = .managed
) -> FileVerdict {
    if kinds == .managed, isMisnamedConfiguration(path) {
        return refusal(
            of: path, "the repository's configuration is read from \(RepositoryConfiguration.fileName) only",
            hint: "Rename the file.")
    }
    guard bytes.count <= limits.maximumFileBytes else {
        return oversizedFile(path: path, limits: limits)
    }
    let verdict = readManifestFile(
        path: path, bytes: bytes, limits: limits, accepting: kinds, singleLettersAreText: false)
    guard kinds != .managed, verdict.hasErrors else { return verdict }
    // Tools that know YAML 1.2 only write a namespace y without quotation marks. The server would refuse the boolean that
    // it reads there; an analysis can say what is meant.
    let lenient = readManifestFile(
        path: path, bytes: bytes, limits: limits, accepting: kinds, singleLettersAreText: true)
    return lenient.hasErrors ? verdict : lenient
}

private func readManifestFile(
    path: String, bytes: [UInt8], limits: RepositoryLimits, accepting kinds: AcceptedKinds, singleLettersAreText: Bool
) -> FileVerdict {
    let stream = parse(path: path, bytes: bytes, limits: limits, singleLettersAreText: singleLettersAreText)
    guard stream.documents.count <= limits.maximumDocumentsPerFile else {
        return refusal(
            of: path, "the file has \(stream.documents.count) documents, more than \(limits.maximumDocumentsPerFile)",
            hint: "Split it into several files.")
    }
    return evaluateDocuments(stream, file: path, accepting: kinds)
}

/// The verdict on a file that is too large to be read.
package func oversizedFile(path: String, limits: RepositoryLimits) -> FileVerdict {
    refusal(
        of: path, "the file is larger than \(limits.maximumFileBytes) bytes", hint: "Split it into several files.")
}

/// The verdict on a manifest that is a symbolic link out of what may be read.
package func unfollowedLink(path: String) -> FileVerdict {
    refusal(
        of: path, "a symbolic link or submodule is not followed", hint: "Put the file or folder itself in its place.")
}

/// A verdict that is one error about a file as a whole.
package func refusal(of path: String, _ message: String, hint: String) -> FileVerdict {
    FileVerdict(
        file: path,
        findings: [
            Finding(
                severity: .error, file: path, position: SourcePosition(line: 1, column: 1), object: nil, path: .root,
                message: message, hint: hint)
        ])
}

/// A YAML file that begins with a brace is read as JSON where it is sound JSON, as Kubernetes does, and else as YAML.
private func parse(
    path: String, bytes: [UInt8], limits: RepositoryLimits, singleLettersAreText: Bool
) -> ParsedStream {
    if path.lowercased().hasSuffix(".json") { return parseJSONDocument(bytes, limits: limits.json) }
    let first = bytes.first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
    if first == UInt8(ascii: "{") {
        let stream = parseJSONDocument(bytes, limits: limits.json)
        if stream.problems.isEmpty { return stream }
    }
    var stream = parseYAML(
        bytes, limits: limits.yaml(forBytes: bytes.count), singleLettersAreText: singleLettersAreText)
    if !stream.problems.isEmpty { explainTemplates(&stream.problems, in: bytes) }
    return stream
}

/// To YAML the braces of a template are maps in maps; what that breaks says nothing to the template's author.
private func explainTemplates(_ problems: inout [SourceProblem], in bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for index in problems.indices {
        let line = problems[index].position.line - 1
        guard lines.indices.contains(line), lines[line].contains([UInt8(ascii: "{"), UInt8(ascii: "{")]) else {
            continue
        }
        problems[index].hint =
            "This is a Helm template: commit what helm template makes of it, or move it out of the policy path."
    }
}

package import Manifest

/// What a YAML text may be at most before it is refused.
package struct YAMLLimits: Sendable {
    package var maximumBytes: Int
    package var maximumDepth: Int
    /// Values after aliases have been expanded, in the whole text.
    package var maximumExpandedNodes: Int
    /// Bytes of keys and texts after aliases have been expanded, in the whole text.
    package var maximumExpandedBytes: Int
    package var maximumDocuments: Int

    package init(
        maximumBytes: Int = 16 << 20, maximumDepth: Int = 100, maximumExpandedNodes: Int = 1_000_000,
        maximumExpandedBytes: Int = 16 << 20, maximumDocuments: Int = 10_000
    ) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
        self.maximumExpandedNodes = maximumExpandedNodes
        self.maximumExpandedBytes = maximumExpandedBytes
        self.maximumDocuments = maximumDocuments
    }
}

/// Reads a YAML text as Kubernetes does: split at lines of `---`, then YAML 1.1 as `sigs.k8s.io/yaml` reads it, strictly.
///
/// Where it accepts a document it gives what Kubernetes gives. It refuses what Kubernetes would silently read in part:
/// whatever follows the end of a document within one part of the text, and keys that appear twice. A document that is
/// wrong is a problem; the others remain.
///
/// - Parameter singleLettersAreText: Reads a plain `y` or `n` as YAML 1.2 does, where Kubernetes reads a boolean.
package func parseYAML(
    _ bytes: [UInt8], limits: YAMLLimits = YAMLLimits(), singleLettersAreText: Bool = false
) -> ParsedStream {
    var stream = ParsedStream()
    guard bytes.count <= limits.maximumBytes else {
        stream.problems.append(
            SourceProblem(
                position: SourcePosition(line: 1, column: 1),
                message: "the text has \(bytes.count) bytes, more than the \(limits.maximumBytes) allowed",
                hint: "Split it into several files."))
        return stream
    }
    var remaining = Expansion(nodes: limits.maximumExpandedNodes, bytes: limits.maximumExpandedBytes)
    var partCount = 0
    let bytes = withoutByteOrderMark(bytes)
    let (parts, badSeparators) = splitDocuments(bytes)
    for line in badSeparators.sorted() {
        stream.problems.append(
            SourceProblem(
                position: SourcePosition(line: line, column: 1),
                message: "a line that begins with --- holds more than that, which Kubernetes refuses",
                hint: "Put what follows the --- on the next line."))
    }
    for part in parts {
        partCount += 1
        guard partCount <= limits.maximumDocuments else {
            stream.problems.append(
                SourceProblem(
                    position: SourcePosition(line: part.firstLine, column: 1),
                    message: "the text has more than the \(limits.maximumDocuments) documents allowed",
                    hint: "Split it into several files."))
            break
        }
        do throws(YAMLFailure) {
            let reader = DocumentReader(
                bytes: bytes[part.range], firstLine: part.firstLine, limits: limits, remaining: remaining,
                singleLettersAreText: singleLettersAreText)
            if let document = try reader.readOnlyDocument() { stream.documents.append(document) }
            remaining = reader.remaining
        } catch {
            var problem = error.problem
            if error.isSyntax, lineHoldsTemplate(bytes[part.range], line: problem.position.line - part.firstLine) {
                problem.hint = "This looks like a Helm or Go template: render it first, Bylaw reads plain manifests."
            }
            stream.problems.append(problem)
        }
    }
    return stream
}

/// What editors of Windows put before a text: the parser takes it, but counts it as the first character of the first line.
private func withoutByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
}

private struct DocumentPart {
    var range: Range<Int>
    var firstLine: Int
}

/// Splits a text where Kubernetes does: at lines that begin with `---` and hold nothing else but space or a comment.
///
/// - Returns: The parts, and the lines that begin with `---` but hold more: they split the text too, and what follows
///   them is no part, since its beginning stands on that line.
private func splitDocuments(_ bytes: [UInt8]) -> (parts: [DocumentPart], badSeparators: Set<Int>) {
    var parts: [DocumentPart] = []
    var badSeparators: Set<Int> = []
    var partStart = 0
    var partLine = 1
    var line = 1
    var lineStart = 0
    func close(at end: Int) {
        guard !badSeparators.contains(partLine - 1) else { return }
        if end > partStart { parts.append(DocumentPart(range: partStart..<end, firstLine: partLine)) }
    }
    while lineStart < bytes.count {
        let lineEnd = bytes[lineStart...].firstIndex(of: 0x0a) ?? bytes.count
        if bytes[lineStart..<lineEnd].starts(with: [0x2d, 0x2d, 0x2d]) {
            close(at: lineStart)
            if !isSeparator(bytes[lineStart..<lineEnd]) { badSeparators.insert(line) }
            partStart = min(lineEnd + 1, bytes.count)
            partLine = line + 1
        }
        lineStart = lineEnd + 1
        line += 1
    }
    close(at: bytes.count)
    return (parts, badSeparators)
}

private func isSeparator(_ line: ArraySlice<UInt8>) -> Bool {
    let rest = line.dropFirst(3).drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
    return rest.isEmpty || rest.first == UInt8(ascii: "#")
}

private func lineHoldsTemplate(_ bytes: ArraySlice<UInt8>, line: Int) -> Bool {
    let lines = bytes.split(separator: 0x0a, maxSplits: max(0, line) + 1, omittingEmptySubsequences: false)
    // The parser often notices a line later than the one that is wrong.
    return [line - 1, line].contains { index in
        lines.indices.contains(index) && String(decoding: lines[index], as: UTF8.self).contains("{{")
    }
}

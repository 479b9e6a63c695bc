import Manifest

/// Something wrong with one object, before it is known where in a file that object stands.
struct Problem {
    var severity: Finding.Severity = .error
    /// As the API server writes it.
    var path: FieldPath
    /// Where to look, if the path does not lead there: the key of a label, for one.
    var place: FieldPath?
    var message: String
    var hint: String
}

/// Collects what is wrong with one object, in the words of the API server.
///
/// Keeps as many problems as are ever shown of a file and counts the others, so that a hostile object stays cheap.
struct Problems {
    private(set) var all: [Problem] = []
    /// How many problems of each severity came after the bound was reached.
    private(set) var omitted: [Finding.Severity: Int] = [:]
    private var kept: [Finding.Severity: Int] = [:]
    /// The places that hold something of a wrong type: what stands there does not count as missing too.
    private var unreadable: Set<FieldPath> = []

    var hasErrors: Bool { kept[.error] != nil }

    private mutating func add(
        _ path: FieldPath, place: FieldPath? = nil, _ message: @autoclosure () -> String,
        as severity: Finding.Severity = .error, hint: () -> String
    ) {
        let count = kept[severity, default: 0]
        guard count < ManifestLimits.findingsPerFile else {
            omitted[severity, default: 0] += 1
            return
        }
        kept[severity] = count + 1
        all.append(Problem(severity: severity, path: path, place: place, message: message(), hint: hint()))
    }

    mutating func add(_ problem: Problem) {
        add(problem.path, place: problem.place, problem.message, as: problem.severity) { problem.hint }
    }

    mutating func unreadable(
        _ path: FieldPath, _ message: @autoclosure () -> String, hint: @autoclosure () -> String
    ) {
        if kept[.error, default: 0] < ManifestLimits.findingsPerFile { unreadable.insert(path) }
        add(path, message(), hint: hint)
    }

    mutating func invalid(
        _ path: FieldPath, _ value: @autoclosure () -> String, _ detail: String, hint: @autoclosure () -> String,
        place: FieldPath? = nil
    ) {
        guard !isUnreadable(path) else { return }
        add(path, place: place, "Invalid value: \(quoted(value())): \(detail)", hint: hint)
    }

    mutating func invalid(_ path: FieldPath, number: Int64, _ detail: String, hint: @autoclosure () -> String) {
        guard !isUnreadable(path) else { return }
        add(path, "Invalid value: \(number): \(detail)", hint: hint)
    }

    mutating func required(_ path: FieldPath, _ detail: String = "", hint: @autoclosure () -> String) {
        guard !isUnreadable(path) else { return }
        add(path, "Required value" + (detail.isEmpty ? "" : ": \(detail)"), hint: hint)
    }

    mutating func duplicate(_ path: FieldPath, _ value: String, hint: @autoclosure () -> String) {
        add(path, "Duplicate value: \(quoted(value))", hint: hint)
    }

    mutating func forbidden(_ path: FieldPath, _ detail: String, hint: @autoclosure () -> String) {
        add(path, "Forbidden: \(detail)", hint: hint)
    }

    mutating func tooLong(_ path: FieldPath, maximumBytes: Int, hint: @autoclosure () -> String) {
        add(path, "Too long: may not be more than \(maximumBytes) bytes", hint: hint)
    }

    /// A value that is not one of a few.
    mutating func unsupported(_ path: FieldPath, _ value: String, supported: [String], hint: String? = nil) {
        guard !isUnreadable(path) else { return }
        let known = supported.map(quoted).joined(separator: ", ")
        add(path, "Unsupported value: \(quoted(value)): supported values: \(known)") {
            hint ?? suggestion(for: value, among: supported)
        }
    }

    /// Something that the API server would take, and Bylaw does not.
    mutating func refuse(
        _ path: FieldPath, _ message: String, hint: @autoclosure () -> String, place: FieldPath? = nil
    ) {
        add(path, place: place, message, hint: hint)
    }

    mutating func warn(_ path: FieldPath, _ message: @autoclosure () -> String, hint: @autoclosure () -> String) {
        add(path, message(), as: .warning, hint: hint)
    }

    private func isUnreadable(_ path: FieldPath) -> Bool {
        guard !unreadable.isEmpty else { return false }
        return (0...path.steps.count).contains { unreadable.contains(FieldPath(Array(path.steps.prefix($0)))) }
    }

}

private func suggestion(for value: String, among known: [String]) -> String {
    if let near = nearest(to: value, among: known) { return "Write \(near)." }
    return known.count == 1 ? "Write \(known[0])." : "Write one of \(known.joined(separator: ", "))."
}

/// A value between quotation marks, cut to a length that a line can bear, without control characters.
func quoted(_ value: String) -> String { "\"\(escape(value, quotes: true, limit: ManifestLimits.quotedCharacters))\"" }

/// A name from the file as a message can bear it; unchanged where it is short and plain.
func printable(_ name: String) -> String { escape(name, quotes: false, limit: ManifestLimits.nameCharacters) }

private func escape(_ value: String, quotes: Bool, limit: Int) -> String {
    var text = ""
    for (count, scalar) in value.unicodeScalars.enumerated() {
        guard count < limit else { return text + "..." }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            text += "\\u{\(String(scalar.value, radix: 16))}"
        case _ where quotes && (scalar == "\"" || scalar == "\\"): text += "\\\(scalar)"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return text
}

/// The known name that somebody most likely meant, or nil where none is near.
func nearest(to name: String, among known: [String]) -> String? {
    let wanted = Array(name.utf8.prefix(64)).map(lowercase)
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(wanted, candidate.utf8.map(lowercase))
        if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

private func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }

/// How many letters must change, come, go or swap with a neighbour to make one word of the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, byte) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var cost = min(current[column] + 1, last[column + 1] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}

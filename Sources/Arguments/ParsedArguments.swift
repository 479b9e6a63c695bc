/// What a command was given, after flags, environment, file and defaults were put together.
package struct ParsedArguments: Sendable {
    package var positionals: [String] = []
    private var values: [String: [String]] = [:]

    package init() {}

    mutating func set(_ name: String, _ value: [String]) { values[name] = value }

    /// Takes the values of a flag over from another call, also that there are none.
    mutating func take(_ name: String, from other: ParsedArguments) { values[name] = other.values[name] }

    /// The flags that have other values, sorted by name.
    func namesOfDifferences(from other: ParsedArguments) -> [String] {
        Set(values.keys).union(other.values.keys).filter { values[$0] != other.values[$0] }.sorted()
    }

    /// The last value of a flag; nil where none was given and it has no default.
    package func text(_ name: String) -> String? { values[name]?.last }

    /// All values of a repeatable flag.
    package func all(_ name: String) -> [String] { values[name] ?? [] }

    package func isSet(_ name: String) -> Bool { values[name]?.last == "true" }

    /// A number; its range was checked when it was read.
    package func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    package func duration(_ name: String) -> Duration? { text(name).flatMap(parseDuration) }
}

/// Something that a command cannot be called with.
package struct UsageMistake: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String
    /// The reader's next step, one sentence.
    package var hint: String

    package init(message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.isEmpty ? message : "\(message); \(hint)" }
}

/// Everything that is wrong with a call, reported together.
package struct UsageMistakes: Error, Sendable, Equatable {
    package var all: [UsageMistake]
}

/// Puts together what a command was given: flags count for more than the environment, that for more than the file, that for
/// more than the default.
///
/// - Parameters:
///   - words: The words after the command's name.
///   - environment: All variables; those that begin with `BYLAW_` count.
///   - file: The entries of the configuration file, by flag name.
///   - fileName: How messages name that file.
///   - knownFileKeys: Names that the file may hold besides this command's flags, since one file serves all commands.
package func parseArguments(
    _ words: [String], for command: CommandDescription, environment: [String: String],
    file: [String: [String]] = [:], fileName: String = "", knownFileKeys: Set<String> = []
) throws(UsageMistakes) -> ParsedArguments {
    var reader = ArgumentReader(command: command)
    reader.readWords(words)
    reader.readEnvironment(environment)
    reader.readFile(file, named: fileName, known: knownFileKeys)
    return try reader.finish()
}

private struct ArgumentReader {
    let command: CommandDescription
    private var given: [String: [String]] = [:]
    private var positionals: [String] = []
    private var mistakes: [UsageMistake] = []
    /// How each flag that was given was spelled there.
    private var spellings: [String: String] = [:]
    /// The groups that a stronger source chose from.
    private var decidedGroups: Set<String> = []

    init(command: CommandDescription) { self.command = command }

    private func isDecided(_ flag: FlagDescription) -> Bool {
        given[flag.name] != nil || flag.group.map(decidedGroups.contains) == true
    }

    /// Ends a source: its choices set those of weaker sources aside, and must not exclude each other.
    private mutating func endSource() {
        var chosen: [String: [String]] = [:]
        for flag in command.flags {
            guard let group = flag.group, let spelling = spellings[flag.name], !decidedGroups.contains(group) else {
                continue
            }
            chosen[group, default: []].append(spelling)
        }
        for (group, names) in chosen.sorted(by: { $0.key < $1.key }) {
            decidedGroups.insert(group)
            guard names.count > 1 else { continue }
            mistakes.append(
                UsageMistake(
                    message: names.joined(separator: " and ") + " exclude each other", hint: "give one of them"))
        }
    }

    // MARK: Sources

    mutating func readWords(_ words: [String]) {
        var rest = words[...]
        var areFlagsOver = false
        while let word = rest.popFirst() {
            if areFlagsOver || word == "-" || !word.hasPrefix("-") {
                positionals.append(word)
            } else if word == "--" {
                areFlagsOver = true
            } else if word.hasPrefix("--") {
                readLong(word, &rest)
            } else {
                readShort(word, &rest)
            }
        }
        endSource()
    }

    private mutating func readLong(_ word: String, _ rest: inout ArraySlice<String>) {
        let text = word.dropFirst(2)
        let equals = text.firstIndex(of: "=")
        let name = String(equals.map { text[..<$0] } ?? text)
        guard let flag = command.flags.first(where: { $0.name == name }) else {
            let nearest = nearestWord(to: name, among: command.flags.map(\.name))
            mistakes.append(
                UsageMistake(
                    message: "--\(name) is not a flag of bylaw \(command.name)",
                    hint: nearest.map { "did you mean --\($0)?" } ?? "see bylaw \(command.name) --help"))
            let takesValue = command.flags.first { $0.name == nearest }.map { $0.kind != .isSet } ?? false
            if equals == nil, let next = rest.first, !next.hasPrefix("-"), takesValue { rest.removeFirst() }
            return
        }
        let value = equals.map { String(text[text.index(after: $0)...]) }
        take(flag, value, &rest, as: "--\(name)")
    }

    private mutating func readShort(_ word: String, _ rest: inout ArraySlice<String>) {
        let letters = word.dropFirst()
        guard let letter = letters.first, let flag = command.flags.first(where: { $0.shortName == letter }) else {
            mistakes.append(
                UsageMistake(
                    message: "\(word.prefix(2)) is not a flag of bylaw \(command.name)",
                    hint: "see bylaw \(command.name) --help"))
            return
        }
        var attached = letters.dropFirst()
        let isAttached = !attached.isEmpty
        // `-n=payments` means what `--namespace=payments` means: no value begins with that sign.
        if attached.first == "=" { attached = attached.dropFirst() }
        take(flag, isAttached ? String(attached) : nil, &rest, as: "-\(letter)")
    }

    private mutating func take(
        _ flag: FlagDescription, _ attached: String?, _ rest: inout ArraySlice<String>, as spelling: String
    ) {
        let value: String
        if flag.kind == .isSet {
            value = attached ?? "true"
        } else if let attached {
            value = attached
        } else if let next = rest.first, next == "-" || !next.hasPrefix("-") {
            value = next
            rest.removeFirst()
        } else {
            mistakes.append(
                UsageMistake(message: "\(spelling) needs a value", hint: "write \(spelling) \(flag.valueName)"))
            return
        }
        if !flag.isRepeatable, given[flag.name] != nil {
            mistakes.append(UsageMistake(message: "\(spelling) is given twice", hint: "give it once"))
        }
        spellings[flag.name] = "--\(flag.name)"
        if check(value, flag, source: spelling) { given[flag.name, default: []].append(value) }
    }

    mutating func readEnvironment(_ environment: [String: String]) {
        for flag in command.flags {
            guard let value = environment[flag.environmentName], !value.isEmpty else { continue }
            guard !flag.isForCommandLineOnly else {
                noteOnlyForCommandLine(flag.environmentName)
                continue
            }
            guard !isDecided(flag) else { continue }
            let values = flag.isRepeatable ? value.split(separator: ",").map(String.init) : [value]
            spellings[flag.name] = flag.environmentName
            if values.allSatisfy({ check($0, flag, source: flag.environmentName) }) { given[flag.name] = values }
        }
        endSource()
    }

    mutating func readFile(_ file: [String: [String]], named fileName: String, known: Set<String>) {
        for (name, values) in file.sorted(by: { $0.key < $1.key }) {
            guard let flag = command.flags.first(where: { $0.name == name }) else {
                guard !known.contains(name) else { continue }
                let nearest = nearestWord(to: name, among: known.union(command.flags.map(\.name)).sorted())
                mistakes.append(
                    UsageMistake(
                        message: "\(fileName): \"\(name)\" is not a setting",
                        hint: nearest.map { "did you mean \"\($0)\"?" } ?? "see bylaw --help"))
                continue
            }
            guard !flag.isForCommandLineOnly else {
                noteOnlyForCommandLine("\(fileName): \"\(name)\"")
                continue
            }
            guard !isDecided(flag) else { continue }
            guard flag.isRepeatable || values.count == 1 else {
                mistakes.append(UsageMistake(message: "\(fileName): \"\(name)\" takes one value", hint: "give one"))
                continue
            }
            spellings[name] = "\(fileName): \(name)"
            if values.allSatisfy({ check($0, flag, source: "\(fileName): \(name)") }) { given[name] = values }
        }
        endSource()
    }

    /// Also where the command line says the same: somebody relies on what will not do.
    private mutating func noteOnlyForCommandLine(_ spelling: String) {
        mistakes.append(UsageMistake(message: "\(spelling) counts on the command line only", hint: "take it out"))
    }

    // MARK: Values

    private mutating func check(_ value: String, _ flag: FlagDescription, source: String) -> Bool {
        let problem: (String, String)?
        switch flag.kind {
        case .isSet:
            problem = ["true", "false"].contains(value) ? nil : ("is neither true nor false", "write true or false")
        case .text:
            problem = value.isEmpty ? ("is empty", "give a value or leave it out") : nil
        case .number(let range):
            problem =
                Int(value).map(range.contains) == true
                ? nil : ("is no number from \(range.lowerBound) to \(range.upperBound)", "give such a number")
        case .duration:
            problem =
                parseDuration(value).map { $0 > .zero } == true
                ? nil : ("is no time such as 15s, 5m, 1h30m or 500ms", "give such a time, more than none")
        case .choice(let words):
            problem =
                words.contains(value)
                ? nil
                : (
                    "is not known",
                    nearestWord(to: value, among: words).map { "did you mean \($0)?" }
                        ?? "use one of: \(words.joined(separator: ", "))"
                )
        }
        if let (what, hint) = problem {
            mistakes.append(UsageMistake(message: "\(source): \"\(value)\" \(what)", hint: hint))
        }
        return problem == nil
    }

    mutating func finish() throws(UsageMistakes) -> ParsedArguments {
        let required = command.positionals.filter(\.isRequired)
        if positionals.count < required.count {
            mistakes.append(
                UsageMistake(
                    message: "\(required[positionals.count].name) is missing",
                    hint: "write bylaw \(command.name) " + command.positionals.map(\.name).joined(separator: " ")))
        } else if positionals.count > command.positionals.count, command.positionals.last?.isRepeatable != true {
            mistakes.append(
                UsageMistake(
                    message: "\"\(positionals[command.positionals.count])\" is one word too many",
                    hint: "see bylaw \(command.name) --help"))
        }
        guard mistakes.isEmpty else { throw UsageMistakes(all: mistakes) }
        var parsed = ParsedArguments()
        parsed.positionals = positionals
        for flag in command.flags {
            if let values = given[flag.name] {
                parsed.set(flag.name, values)
            } else if let value = flag.defaultValue {
                parsed.set(flag.name, [value])
            }
        }
        return parsed
    }
}

/// Reads a time: whole numbers, each with `ms`, `s`, `m`, `h` or `d`, the largest unit first or not.
package func parseDuration(_ text: String) -> Duration? {
    var total = Duration.zero
    var rest = text[...]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
        rest = rest.dropFirst(digits.count)
        let unit = rest.prefix { $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(unit.count)
        switch unit {
        case "ms": total += .milliseconds(number)
        case "s": total += .seconds(number)
        case "m": total += .seconds(number * 60)
        case "h": total += .seconds(number * 3600)
        case "d": total += .seconds(number * 86_400)
        default: return nil
        }
    }
    return total
}

/// The word that differs from another by the fewest letters, if few enough to be a slip.
package func nearestWord(to word: String, among words: [String]) -> String? {
    let limit = max(2, word.count / 3)
    return words.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }.filter { $0.1 <= limit }.min { $0.1 < $1.1 }?
        .0
}

/// The Levenshtein distance of two words.
private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var previous = Array(0...right.count)
    for (row, letter) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            current.append(
                min(previous[column] + (letter == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
        }
        previous = current
    }
    return previous[right.count]
}

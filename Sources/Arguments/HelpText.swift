/// The help of one command, wrapped for a terminal of 90 columns.
package func renderHelp(for command: CommandDescription) -> String {
    var usage = "bylaw \(command.name)"
    if !command.flags.isEmpty { usage += " [FLAGS]" }
    for positional in command.positionals {
        usage += positional.isRequired ? " \(positional.name)" : " [\(positional.name)]"
        usage += positional.isRepeatable ? "..." : ""
    }
    var text = "\(command.summary)\n\nUsage: \(usage)\n"
    if !command.details.isEmpty { text += "\n" + wrap(command.details, indentation: 0) + "\n" }
    if !command.examples.isEmpty {
        text += "\nExamples:\n" + command.examples.map { "    \($0)\n" }.joined()
    }
    if !command.flags.isEmpty {
        let exception =
            command.flags.contains(where: \.isForCommandLineOnly) ? " where it is not for the command line only" : ""
        text +=
            "\n"
            + wrap(
                "Flags (each also as an environment variable, such as --repo as BYLAW_REPO\(exception)):",
                indentation: 0) + "\n"
        for flag in command.flags { text += describe(flag) }
    }
    if !command.exitStatuses.isEmpty {
        text += "\nExit status:\n"
        for (status, meaning) in command.exitStatuses { text += "    \(status)  \(meaning)\n" }
    }
    return text
}

private func describe(_ flag: FlagDescription) -> String {
    var name = flag.shortName.map { "-\($0), " } ?? "    "
    name += "--\(flag.name)"
    if flag.kind != .isSet { name += " \(flag.valueName)" }
    var summary = flag.summary
    if case .choice(let words) = flag.kind { summary += " (\(words.joined(separator: ", ")))" }
    if flag.isForCommandLineOnly { summary += "; on the command line only" }
    if flag.isRepeatable { summary += "; may be given several times" }
    if let value = flag.defaultValue, flag.kind != .isSet { summary += " [default: \(value)]" }
    let column = 34
    let head = "  \(name)"
    let lines = wrap(summary, indentation: column)
    if head.count + 1 < column {
        return head + String(repeating: " ", count: column - head.count) + lines.dropFirst(column) + "\n"
    }
    return head + "\n" + lines + "\n"
}

/// Breaks a text into lines of at most 90 columns, each indented.
private func wrap(_ text: String, indentation: Int) -> String {
    let margin = String(repeating: " ", count: indentation)
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
        var line = margin
        for word in paragraph.split(separator: " ") {
            if line.count > indentation, line.count + 1 + word.count > 90 {
                lines.append(line)
                line = margin
            }
            if line.count > indentation { line += " " }
            line += word
        }
        lines.append(line)
    }
    return lines.joined(separator: "\n")
}

import Manifest

/// How upstream words the messages of its checks.
enum Wording {
    /// As in `type "a"` and `types "a", "b"`.
    static func named(_ noun: String, _ items: [String]) -> String {
        "\(plural(noun, items.count)) \(quoted(items))"
    }

    static func plural(_ noun: String, _ count: Int) -> String { count == 1 ? noun : noun + "s" }

    /// Upstream puts quotation marks around and escapes nothing here.
    static func quoted(_ items: [String]) -> String { items.map { "\"\($0)\"" }.joined(separator: ", ") }

    /// In byte order and each once, as upstream's sets are listed.
    static func sortedSet(_ items: [String]) -> [String] {
        var result: [String] = []
        for item in items.sorted(by: { $0.precedesByBytes($1) }) where !(result.last?.hasSameBytes(as: item) ?? false) {
            result.append(item)
        }
        return result
    }

    /// A string in quotation marks with the escapes of Go's `%q`, which upstream uses for the values of annotations.
    static func goQuoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{07}": result += "\\a"
            case "\u{08}": result += "\\b"
            case "\u{0C}": result += "\\f"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0B}": result += "\\v"
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x80: result += "\\x" + hexadecimal(scalar.value, digits: 2)
            case _ where scalar.value < 0x10000: result += "\\u" + hexadecimal(scalar.value, digits: 4)
            default: result += "\\U" + hexadecimal(scalar.value, digits: 8)
            }
        }
        return result + "\""
    }

    /// Go calls letters, marks, numbers, punctuation, symbols and the space of ASCII printable.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

extension String {
    /// By bytes: Swift's `==` would take the Kelvin sign for the K of a capability.
    func isOne(of names: [String]) -> Bool { names.contains { $0.hasSameBytes(as: self) } }

    func startsWithBytes(of prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}

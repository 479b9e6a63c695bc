import Manifest
import Policy

/// A text as a string literal of CEL, in single quotes.
///
/// Everything but plain ASCII is escaped, so that no name, wherever it came from, can end the literal.
func literal(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars {
        switch scalar {
        case "'", "\\": result += "\\\(scalar)"
        case " "..."~": result.unicodeScalars.append(scalar)
        default:
            let digits = String(scalar.value, radix: 16)
            let width = scalar.value > 0xFFFF ? 8 : 4
            result +=
                (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    }
    return result + "'"
}

/// A list of string literals, in one order and without repetitions.
func literals(_ texts: some Sequence<String>) -> String {
    var unique: [String] = []
    for text in texts.sorted(by: { $0.precedesByBytes($1) }) where unique.last?.hasSameBytes(as: text) != true {
        unique.append(text)
    }
    return "[" + unique.map(literal).joined(separator: ", ") + "]"
}

/// Whether any of the terms holds; false where there is none.
func anyOf(_ terms: [String]) -> String {
    terms.isEmpty ? "false" : terms.map { "(\($0))" }.joined(separator: " || ")
}

/// Whether all of the terms hold; true where there is none.
func allOf(_ terms: [String]) -> String {
    terms.isEmpty ? "true" : terms.map { "(\($0))" }.joined(separator: " && ")
}

/// Whether a value is one of these texts.
func isOne(_ value: String, of texts: some Sequence<String>) -> String {
    let list = literals(texts)
    return list == "[]" ? "false" : "\(value) in \(list)"
}

/// Whether a name fits one of the patterns.
func fits(_ name: String, _ patterns: [NamePattern]) -> String {
    let exact = patterns.compactMap(\.exactName)
    let others = patterns.filter { $0.exactName == nil }.map { pattern in
        // `s`: the names of RBAC objects may hold line feeds. Text is all that stands beside the asterisks.
        let expression = pattern.description.unicodeScalars.map { scalar in
            switch scalar {
            case "*": ".*"
            case "a"..."z", "A"..."Z", "0"..."9", "-": String(scalar)
            case _ where scalar.isASCII: "\\x{\(String(scalar.value, radix: 16))}"
            default: String(scalar)
            }
        }
        return "\(name).matches(\(literal("(?s)^" + expression.joined() + "$")))"
    }
    return anyOf((exact.isEmpty ? [] : [isOne(name, of: exact)]) + others)
}

/// Whether a map of labels fits a selector.
///
/// As ``LabelSelector/matches(_:)`` has it: `NotIn` and `DoesNotExist` hold where the key is absent.
func fits(_ labels: String, _ selector: LabelSelector) -> String {
    let terms = selector.requirements.map { requirement in
        switch requirement {
        case .isIn(let key, let values):
            allOf(["\(literal(key)) in \(labels)", isOne("\(labels)[\(literal(key))]", of: values)])
        case .notIn(let key, let values):
            anyOf(["!(\(literal(key)) in \(labels))", "!(\(isOne("\(labels)[\(literal(key))]", of: values)))"])
        case .exists(let key): "\(literal(key)) in \(labels)"
        case .doesNotExist(let key): "!(\(literal(key)) in \(labels))"
        case .never: "false"
        }
    }
    return allOf(terms.sorted())
}

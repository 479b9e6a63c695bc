/// Text from outside with everything made visible that a reader could not see or that would move what stands beside it.
///
/// That is: control and format characters, line and paragraph separators, odd spaces, characters that are not assigned,
/// and all that Unicode lets a renderer leave out, such as zero-width and direction marks. They become `\u{...}`, a
/// newline `\n` and a tab `\t`. What comes back is one line, safe on a terminal and allowed in XML.
package func printable(_ text: String) -> String {
    guard !text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0a: result += "\\n"
        case 0x09: result += "\\t"
        default:
            if isVisible(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
    }
    return result
}

private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned:
        return false
    default: return !scalar.properties.isDefaultIgnorableCodePoint
    }
}

/// A field of the header of RFC 5424, section 6: printable ASCII without spaces, of bounded length, or `-` for none.
///
/// Every other character becomes `_`: a space or a line feed would end the field, or the message.
func syslogField(_ text: String, maximumBytes: Int) -> String {
    let scalars = text.unicodeScalars.prefix(maximumBytes).map { scalar in
        (33...126).contains(scalar.value) ? scalar : "_"
    }
    return scalars.isEmpty ? "-" : String(String.UnicodeScalarView(scalars))
}

/// The value of a parameter of structured data (RFC 5424, section 6.3.3), with its quotation marks.
///
/// `"`, `\` and `]` must be escaped. Control characters are allowed but not handled by many (section 8.2): they become
/// U+FFFD.
func syslogParameterValue(_ text: String, maximumBytes: Int) -> String {
    var value = "\""
    for scalar in text.cut(toBytes: maximumBytes).unicodeScalars {
        switch scalar {
        case "\"", "\\", "]":
            value.unicodeScalars.append("\\")
            value.unicodeScalars.append(scalar)
        case _ where scalar.properties.generalCategory == .control: value.unicodeScalars.append("\u{FFFD}")
        default: value.unicodeScalars.append(scalar)
        }
    }
    value.unicodeScalars.append("\"")
    return value
}

/// JSON in which no control character stands as itself.
///
/// The writer escapes those that JSON forbids; the others (DEL and U+0080 to U+009F) may stand in strings alone, so that
/// an escape means the same.
func escapingControls(_ json: String) -> String {
    guard json.unicodeScalars.contains(where: { (0x7F...0x9F).contains($0.value) }) else { return json }
    var text = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
        if (0x7F...0x9F).contains(scalar.value) {
            text.append(contentsOf: ("\\u00" + String(scalar.value, radix: 16)).unicodeScalars)
        } else {
            text.append(scalar)
        }
    }
    return String(text)
}

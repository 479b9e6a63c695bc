/// What a name may look like.
///
/// Each check gives back what is wrong, in the API server's words; nothing where all is well.
enum Names {
    static func labelProblems(_ name: String) -> [String] {
        let form =
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            + "end with an alphanumeric character (e.g. 'my-name', or '123-abc')"
        return lengthProblems(name, limit: 63) + (isDNSLabel(name.utf8[...]) ? [] : [form])
    }

    static func subdomainProblems(_ name: String) -> [String] {
        let form =
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            + "start and end with an alphanumeric character (e.g. 'example.com')"
        return lengthProblems(name, limit: 253) + (isSubdomain(name) ? [] : [form])
    }

    /// Names of roles and bindings: whatever can stand in a URL (rule I10).
    static func pathSegmentProblems(_ name: String) -> [String] {
        if name == "." || name == ".." { return ["may not be '\(name)'"] }
        return ["/", "%"].filter(name.contains).map { "may not contain '\($0)'" }
    }

    /// A label key: a name of at most 63 characters, with at most one prefix that is a DNS name.
    static func qualifiedNameProblems(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let name = parts.last else {
            return [
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                    + "an alphanumeric character, with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        var problems: [String] = []
        if parts.count == 2 {
            if parts[0].isEmpty {
                problems.append("prefix part must be non-empty")
            } else {
                problems += subdomainProblems(parts[0]).map { "prefix part \($0)" }
            }
        }
        if name.isEmpty { return problems + ["name part must be non-empty"] }
        problems += lengthProblems(name, limit: 63).map { "name part \($0)" }
        if !isLabelWord(name) {
            problems.append(
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    + "alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc')")
        }
        return problems
    }

    static func labelValueProblems(_ value: String) -> [String] {
        let form =
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            + "start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345')"
        return lengthProblems(value, limit: 63) + (value.isEmpty || isLabelWord(value) ? [] : [form])
    }

    /// The name of a container port, as an IANA service name.
    static func portNameProblems(_ name: String) -> [String] {
        let bytes = Array(name.utf8)
        var problems: [String] = []
        if bytes.count > 15 { problems.append("must be no more than 15 characters") }
        if !bytes.allSatisfy({ isLowerAlphanumeric($0) || $0 == hyphen }) {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !bytes.contains(where: { (0x61...0x7A).contains($0) }) {
            problems.append("must contain at least one letter (a-z)")
        }
        if name.contains("--") { problems.append("must not contain consecutive hyphens") }
        if bytes.first == hyphen || bytes.last == hyphen { problems.append("must not begin or end with a hyphen") }
        return problems
    }

    private static let hyphen = UInt8(ascii: "-")
    private static let dot = UInt8(ascii: ".")

    private static func lengthProblems(_ text: String, limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) bytes"] : []
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte)
    }

    private static func isDNSLabel(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == hyphen }
    }

    private static func isSubdomain(_ text: String) -> Bool {
        text.utf8.split(separator: dot, omittingEmptySubsequences: false).allSatisfy { isDNSLabel($0) }
    }

    private static func isLabelWord(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == hyphen || $0 == dot || $0 == UInt8(ascii: "_") }
    }
}

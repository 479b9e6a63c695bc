import Manifest

/// Whether a request was only tried out.
///
/// It is the client who writes the address, so only what the server is sure to have understood counts as a dry run: a
/// parameter `dryRun` that has the value `All`. The server reads the parameters of a DELETE only where it has no body, so
/// a real deletion may well carry `?dryRun=All`; and the other way round the body may ask for a dry run, which the level
/// Metadata does not show (rules M5, M7).
package enum DryRun: String, Sendable {
    case no
    case yes
    /// Nothing that the event holds decides it: counted as a change, but as no proof of one.
    case unknown
}

extension DryRun {
    /// What the parameters of an address say.
    init(requestURI: String) {
        guard let mark = requestURI.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            self = .no
            return
        }
        var isSure = false
        var isOdd = false
        for pair in requestURI.utf8[requestURI.utf8.index(after: mark)...].split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = decodePercents(halves[0])
            let value = halves.count > 1 ? decodePercents(halves[1]) : []
            // Servers differ in what they make of a semicolon.
            let isClear = !pair.contains(UInt8(ascii: ";"))
            if isClear, name == Array("dryRun".utf8) {
                if value == Array("All".utf8) { isSure = true } else { isOdd = true }
            } else if !isClear || name == nil {
                isOdd = isOdd || pair.contains(UInt8(ascii: "d")) || pair.contains(UInt8(ascii: "%"))
            }
        }
        self = isOdd ? .unknown : isSure ? .yes : .no
    }

    /// What the whole request says.
    ///
    /// - Parameter body: The request's body, where the level shows bodies and there was one.
    init(verb: String, requestURI: String, body: RawJSON?, showsBodies: Bool) {
        let parameters = DryRun(requestURI: requestURI)
        switch verb {
        case "delete" where !showsBodies, "deletecollection" where !showsBodies: self = .unknown
        case "delete", "deletecollection":
            if let body, !body.isEmpty, body.tree?.isNull != true {
                guard body.isObject else {
                    self = .unknown
                    return
                }
                switch body["dryRun"]?.tree {
                case .array(let stages)?: self = stages.isEmpty ? .no : .yes
                case .null?: self = .no
                case nil where body["dryRun"] == nil: self = .no
                default: self = .unknown
                }
            } else {
                // Old servers read no parameters where many objects are deleted.
                self = verb == "deletecollection" && parameters != .no ? .unknown : parameters
            }
        default: self = parameters
        }
    }
}

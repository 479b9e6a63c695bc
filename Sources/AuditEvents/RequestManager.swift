import Manifest

/// The field manager of a request: what it names, else the program in the user agent.
///
/// Both are the client's words, and who wants another blamed writes them so that they are read differently here than by
/// the server. So a name counts only where no server can take it for another one.
enum RequestManager: Equatable {
    case named(String)
    /// It may be any name.
    case unclear
}

extension RequestManager {
    init(requestURI: String, userAgent: String) {
        guard !requestURI.isCut else {
            self = .unclear
            return
        }
        let query =
            requestURI.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            .dropFirst().first ?? ""
        var named: String?
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count > 1 ? decodePercents(halves[1]) : []
            // Servers leave out what is broken, and differ in what they make of a semicolon; nobody else escapes a name.
            guard !pair.contains(UInt8(ascii: ";")), let value, halves[0].allSatisfy(isPlain) else {
                self = .unclear
                return
            }
            guard named == nil, halves[0].elementsEqual("fieldManager".utf8) else { continue }
            named = String(decoding: value, as: UTF8.self)
        }
        if let named, !named.isEmpty {
            self = .named(named)
        } else {
            self.init(userAgent: userAgent)
        }
    }

    /// The server leaves out what cannot be printed, which depends on the Unicode that it knows, and what is too long.
    private init(userAgent: String) {
        let program = userAgent.utf8.prefix { $0 != UInt8(ascii: "/") }
        guard !program.isEmpty, program.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            self = .unclear
            return
        }
        self = .named(String(decoding: program.prefix(Self.longestName), as: UTF8.self))
    }

    private static let longestName = 128

    func isCertainly(_ name: String) -> Bool {
        if case .named(let own) = self { own.hasSameBytes(as: name) } else { false }
    }

    func mayBe(_ other: RequestManager) -> Bool {
        guard case .named(let name) = self, case .named(let otherName) = other else { return true }
        return name.hasSameBytes(as: otherName)
    }
}

private func isPlain(_ byte: UInt8) -> Bool { byte != UInt8(ascii: "%") && byte != UInt8(ascii: "+") }

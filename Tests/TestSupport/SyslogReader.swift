/// A reader of RFC 5424 after its ABNF, and of the frames of RFC 5425, which takes nothing that they do not allow.
///
/// Written from the documents and not from the writer, and on bytes.
package struct SyslogReader {
    /// A message by its parts.
    package struct Message: Equatable {
        package var priority = 0
        package var timestamp = ""
        package var hostname = ""
        package var application = ""
        package var process = ""
        package var messageID = ""
        package var elementID = ""
        package var parameters: [String: String] = [:]
        package var text = ""
    }

    /// Something that the documents do not allow.
    package struct Malformed: Error { package var place: String }

    private var bytes: ArraySlice<UInt8>

    /// The messages of a connection, by their lengths alone.
    ///
    /// - Parameter isCut: Whether the connection was lost, so that the last message may be in there by half.
    package static func messages(ofStream stream: [UInt8], isCut: Bool = false) throws -> [Message] {
        var rest = stream[...]
        var messages: [Message] = []
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            if isCut, digits.count == rest.count { break }
            guard let first = digits.first, first != 0x30, let length = Int(String(decoding: digits, as: UTF8.self)),
                rest.dropFirst(digits.count).first == 0x20
            else { throw Malformed(place: "frame") }
            guard rest.count >= digits.count + 1 + length else {
                if isCut { break }
                throw Malformed(place: "the end")
            }
            rest = rest.dropFirst(digits.count + 1)
            var reader = SyslogReader(bytes: rest.prefix(length))
            messages.append(try reader.message())
            rest = rest.dropFirst(length)
        }
        return messages
    }

    private mutating func message() throws -> Message {
        var message = Message()
        try expect("<")
        let digits = take { (0x30...0x39).contains($0) }
        guard (1...3).contains(digits.utf8.count), let number = Int(digits), number <= 191, String(number) == digits
        else { throw Malformed(place: "PRI") }
        message.priority = number
        try expect(">1 ")
        message.timestamp = try timestamp()
        try expect(" ")
        message.hostname = try field(255)
        message.application = try field(48)
        message.process = try field(128)
        message.messageID = try field(32)
        try expect("[")
        message.elementID = try name()
        while bytes.first == UInt8(ascii: " ") {
            try expect(" ")
            let name = try name()
            try expect("=\"")
            guard message.parameters.updateValue(try value(), forKey: name) == nil else {
                throw Malformed(place: "a parameter twice")
            }
        }
        try expect("] ")
        guard bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { throw Malformed(place: "BOM") }
        guard let text = String(validating: bytes.dropFirst(3), as: UTF8.self) else { throw Malformed(place: "MSG") }
        message.text = text
        return message
    }

    private mutating func expect(_ text: String) throws {
        guard bytes.starts(with: text.utf8) else { throw Malformed(place: "before \(text)") }
        bytes = bytes.dropFirst(text.utf8.count)
    }

    private mutating func take(_ isWanted: (UInt8) -> Bool) -> String {
        let taken = bytes.prefix(while: isWanted)
        bytes = bytes.dropFirst(taken.count)
        return String(decoding: taken, as: UTF8.self)
    }

    private mutating func field(_ maximum: Int) throws -> String {
        let text = take { (33...126).contains($0) }
        guard (1...maximum).contains(text.utf8.count) else { throw Malformed(place: "a field of the header") }
        try expect(" ")
        return text
    }

    private mutating func timestamp() throws -> String {
        let text = take { $0 != 0x20 }
        let pattern =
            /[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z/
        guard text.wholeMatch(of: pattern) != nil else { throw Malformed(place: "TIMESTAMP") }
        return text
    }

    private mutating func name() throws -> String {
        let text = take { (33...126).contains($0) && !"=]\"".utf8.contains($0) }
        guard (1...32).contains(text.utf8.count) else { throw Malformed(place: "SD-NAME") }
        return text
    }

    private mutating func value() throws -> String {
        var value: [UInt8] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: value, as: UTF8.self) else { throw Malformed(place: "PARAM-VALUE") }
                return text
            case UInt8(ascii: "]"): throw Malformed(place: "a bracket without its escape")
            case UInt8(ascii: "\\"):
                guard let next = bytes.popFirst(), "\"\\]".utf8.contains(next) else { throw Malformed(place: "escape") }
                value.append(next)
            default: value.append(byte)
            }
        }
        throw Malformed(place: "PARAM-VALUE without an end")
    }
}

/// The armour around a signature: which tool is for it, and whether there is exactly one block.
///
/// Both tools read the first block they find and pass over what stands around it. So a second block, or anything beside
/// the first, would be something that nobody checked.
enum SignatureArmor: Equatable {
    case ssh([UInt8])
    case openPGP([UInt8])
    case refused(SignatureVerdict)

    /// Enough for a certificate with hundreds of principals; the usual signature has less than a kibibyte.
    static let maximumBytes = 65_536

    /// Reads a signature; what the tools get has line feeds only, since `ssh-keygen` does not read other ends of lines.
    static func read(_ text: String) -> SignatureArmor {
        guard text.utf8.count <= maximumBytes else {
            return .refused(.bad("the signature has more than \(maximumBytes) bytes"))
        }
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map(withoutTrailingSpace)
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard let first = lines.first, let last = lines.last else { return .refused(.unsigned) }
        guard lines.allSatisfy({ line in line.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } }) else {
            return .refused(.bad("the signature holds control characters"))
        }
        let kind: String
        switch String(decoding: first, as: UTF8.self) {
        case "-----BEGIN SSH SIGNATURE-----": kind = "SSH"
        case "-----BEGIN PGP SIGNATURE-----": kind = "PGP"
        case "-----BEGIN SIGNED MESSAGE-----":
            return .refused(.untrusted("X.509 signatures are not supported"))
        case "-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----":
            return .refused(.bad("it is an OpenPGP message, not a signature that stands apart from what it signs"))
        default:
            return .refused(.bad("it is neither an SSH signature nor an OpenPGP signature"))
        }
        guard lines.filter({ $0.starts(with: "-----".utf8) }).count <= 2 else {
            return .refused(.bad("there is more than one signature"))
        }
        guard last.elementsEqual("-----END \(kind) SIGNATURE-----".utf8) else {
            return .refused(.bad("the signature's block does not end where the signature does"))
        }
        let armor = Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
        return kind == "SSH" ? .ssh(armor) : .openPGP(armor)
    }

    private static func withoutTrailingSpace(_ line: Substring.UTF8View) -> [UInt8] {
        var line = Array(line)
        while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0d { line.removeLast() }
        return line
    }
}

/// A profile of the Pod Security Standards; a stricter one compares greater.
package enum PodSecurityLevel: String, CaseIterable, Comparable, Sendable {
    case privileged
    case baseline
    case restricted

    package static func < (left: PodSecurityLevel, right: PodSecurityLevel) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .privileged: 0
        case .baseline: 1
        case .restricted: 2
        }
    }
}

/// The Kubernetes version whose controls a level means; `latest` compares above every minor version.
///
/// What `latest` stands for is the server's version, never ours: whoever asks about a cluster gives that version
/// instead.
package struct PodSecurityVersion: Hashable, Sendable {
    /// The N of `v1.N`; nil for `latest`.
    package let minor: Int?

    /// The newest version there is.
    package static let latest = PodSecurityVersion(minor: nil)

    private init(minor: Int?) { self.minor = minor }

    /// The version `v1.minor`; versions that Kubernetes never had are allowed and compare by number.
    package init(minor: Int) { self.minor = minor }

    /// Reads `latest` or `v1.N` without leading zeros, and nothing else, as Kubernetes does.
    package init?(_ text: String) {
        let bytes = text.utf8
        if bytes.elementsEqual("latest".utf8) {
            self = .latest
            return
        }
        guard bytes.starts(with: "v1.".utf8) else { return nil }
        let digits = bytes.dropFirst(3)
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0"),
            let minor = Int(String(decoding: digits, as: UTF8.self))
        else { return nil }
        self.init(minor: minor)
    }
}

extension PodSecurityVersion: Comparable, CustomStringConvertible {
    package static func < (left: PodSecurityVersion, right: PodSecurityVersion) -> Bool {
        guard let minor = left.minor else { return false }
        return right.minor.map { minor < $0 } ?? true
    }

    package var description: String { minor.map { "v1.\($0)" } ?? "latest" }
}

/// A level at a version, as one mode of a namespace sets it.
package struct PodSecuritySetting: Hashable, Sendable, CustomStringConvertible {
    package var level: PodSecurityLevel
    package var version: PodSecurityVersion

    package init(_ level: PodSecurityLevel, _ version: PodSecurityVersion = .latest) {
        self.level = level
        self.version = version
    }

    /// What holds where nothing is set.
    package static let privileged = PodSecuritySetting(.privileged)

    /// As admission writes it: `restricted:v1.36`.
    package var description: String { "\(level.rawValue):\(version)" }
}

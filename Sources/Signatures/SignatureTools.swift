internal import ChildProcess
import Foundation

/// Why a signature could not be judged.
struct Uncheckable: Error, Equatable {
    /// One sentence without a full stop.
    var reason: String
}

/// The programs that judge a signature, under one deadline for all that one check runs.
struct SignatureTools: Sendable {
    /// What a tool may write; the list of a certificate's principals is the longest.
    private static let maximumOutputBytes = 1 << 20

    /// Where private folders are made.
    let temporaryFolder: String
    private let environment: [String: String]
    private let limit: Duration
    private let end: ContinuousClock.Instant

    init(environment: [String: String], limit: Duration) {
        self.limit = limit
        end = .now + limit
        temporaryFolder = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        // The words of the tools are read, so they speak one language. A time without a zone in an allowed-signers file
        // is local time.
        var own = environment.filter { ["PATH", "TZ"].contains($0.key) }
        own["LC_ALL"] = "C"
        self.environment = own
    }

    /// Runs one of them to its end.
    func run(
        _ program: String, _ arguments: [String], input: [UInt8] = []
    ) async throws(Uncheckable) -> ChildProcessResult {
        let left = end - ContinuousClock.now
        guard left > .zero else { throw late(program) }
        do throws(ChildProcessError) {
            return try await runChildProcess(
                program, arguments, environment: environment, input: input,
                maximumOutputBytes: Self.maximumOutputBytes, deadline: left)
        } catch {
            switch error.kind {
            case .notFound:
                let package = program == "gpg" ? "gpg" : "openssh-client"
                throw Uncheckable(reason: "there is no \(program) on the search path (Debian: \(package))")
            case .timedOut: throw late(program)
            case .notStarted, .tooMuchOutput, .cancelled: throw Uncheckable(reason: "\(program): \(error.detail)")
            }
        }
    }

    private func late(_ program: String) -> Uncheckable {
        Uncheckable(reason: "\(program) did not end within \(limit)")
    }
}

/// A folder that only this user can enter, removed with all it holds when the last reference to it goes.
final class PrivateFolder: Sendable {
    let path: String

    init(in parent: String) throws(Uncheckable) {
        var template = Array("\(parent)/bylaw-keys-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Uncheckable(reason: "no private folder can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file that only this user can read; gives back its path.
    func write(_ bytes: [UInt8], to name: String) throws(Uncheckable) -> String {
        let file = path + "/" + name
        guard
            FileManager.default.createFile(
                atPath: file, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw Uncheckable(reason: "the file \(file) cannot be written") }
        return file
    }
}

/// Makes sure of a file of the operator's, so that a missing one is told from a key that is not in it.
func requireReadable(_ file: String, _ what: String) throws(Uncheckable) {
    var facts = stat()
    guard stat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, access(file, R_OK) == 0 else {
        throw Uncheckable(reason: "\(what) \(file) is missing or cannot be read")
    }
}

// MARK: Words of others

/// Text of somebody else for one line of ours: without control characters, and cut at a bound.
func boundedLine(_ text: String, maximumBytes: Int = 512) -> String {
    var line = ""
    var count = 0
    for scalar in text.unicodeScalars {
        let isHidden =
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: true
            default: false
            }
        let shown: Unicode.Scalar = isHidden ? "\u{fffd}" : scalar
        count += String(shown).utf8.count
        guard count <= maximumBytes else { break }
        line.unicodeScalars.append(shown)
    }
    return line
}

/// The mail address in a principal or a user id: what stands between the last angle brackets, or the whole text.
///
/// - Returns: Empty where that is no address; a pattern such as `*@example.com` is none.
func mailAddress(in name: String) -> String {
    var candidate = Substring(name)
    if name.hasSuffix(">"), let open = name.lastIndex(of: "<") {
        candidate = name[name.index(after: open)...].dropLast()
    }
    let parts = candidate.split(separator: "@", omittingEmptySubsequences: false)
    let isAddress =
        parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
        && candidate.unicodeScalars.allSatisfy {
            !$0.properties.isWhitespace && $0 != "\u{fffd}" && !"*?!,<>()\"".unicodeScalars.contains($0)
        }
    return isAddress ? String(candidate) : ""
}

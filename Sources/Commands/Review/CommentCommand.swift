import Arguments
import Foundation
import GitHost

let commentCommand = Command(
    description: CommandDescription(
        name: "comment", summary: "puts a report into the one comment of a pull request",
        details:
            "Writes FILE, or with - what comes by standard input, into a comment of a pull or merge request: the first "
            + "time it is made, from then on it is updated, and where it says the same already nothing is written. "
            + "It is told from others by a hidden mark with NAME and by being ours.",
        positionals: [PositionalDescription(name: "FILE", isRequired: true)],
        flags: [
            FlagDescription(
                "host", .choice(GitHostKind.allCases.map(\.rawValue)), valueName: "KIND", "which kind of Git host it is"
            ),
            FlagDescription("api", .text, valueName: "URL", "the address of its API"),
            FlagDescription("repository", .text, valueName: "R", "OWNER/NAME there, or on GitLab the project"),
            FlagDescription("pull-request", .number(1...Int(Int32.max)), valueName: "N", "the pull or merge request"),
            FlagDescription("token-file", .text, valueName: "F", "a file with a token of the host"),
            FlagDescription(
                "name", .text, valueName: "NAME", "which of our comments it is, where there are several",
                default: "default"),
            FlagDescription(
                "git-ca-file", .text, valueName: "F", "PEM certificates to trust in place of the system's"),
            Flags.config,
        ],
        examples: [
            "bylaw diff origin/main HEAD -o markdown | bylaw comment --host github --api https://api.github.com "
                + "--repository o/r --pull-request 7 --token-file token -"
        ],
        exitStatuses: [(0, "it says so"), (2, "an error")])
) { invocation in
    let arguments = invocation.arguments
    var missing: [String] = []
    for name in ["host", "api", "repository", "pull-request", "token-file"] where arguments.text(name) == nil {
        missing.append("--\(name)")
    }
    guard missing.isEmpty, let tokenFile = arguments.text("token-file"), let number = arguments.number("pull-request")
    else {
        throw CommandFailure(
            message: "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") not given",
            hint: "See bylaw comment --help.")
    }
    let host = try Wiring(invocation).gitHost(
        kind: arguments.text("host"), api: arguments.text("api"), repository: arguments.text("repository"),
        tokenFile: tokenFile)
    let comment = try RequestComment(
        name: arguments.text("name") ?? "default", text: try readReport(arguments.positionals[0]))
    let client = GitHostClient(host, userAgent: "bylaw/\(bylawVersion)")
    let words =
        switch try await client.put(comment, onRequest: number) {
        case .created: "made"
        case .updated: "updated"
        case .unchanged: "left as it is: it says the same already"
        }
    invocation.terminal.write("The comment on request \(number) of \(printable(host.repository)) was \(words).\n")
    return ExitStatus.success
}

private func readReport(_ path: String) throws(CommandFailure) -> String {
    let limit = 4 << 20
    do {
        let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let data = try handle.read(upToCount: limit) ?? Data()
        return String(decoding: data, as: UTF8.self)
    } catch {
        throw CommandFailure(
            message: "read the report \(path): \((error as NSError).localizedDescription)",
            hint: "Name the file that bylaw diff -o markdown wrote, or - for standard input.")
    }
}

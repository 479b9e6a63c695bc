import Manifest

/// The one comment that a name has on a pull or merge request.
package struct RequestComment: Sendable, Equatable {
    /// Which of our comments it is, such as `production`: each name has one of its own.
    package let name: String
    /// What it says, in the host's Markdown.
    package let text: String

    /// - Parameter name: 1 to 64 ASCII letters, digits, dots, dashes and underscores, without `--`.
    package init(name: String, text: String) throws(GitHostError) {
        let isName =
            (1...64).contains(name.utf8.count) && !name.contains("--")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        // It stands in an HTML comment, which `--` may end.
        guard isName else {
            throw .unusable(
                what: "\"\(name.onOneLine(maximum: 80))\" is no name for a comment",
                hint: "Use up to 64 letters, digits, dots, underscores and single dashes, such as --name production.")
        }
        self.name = name
        self.text = text
    }

    /// The hidden line that a comment of ours begins with.
    var marker: String { "<!-- bylaw:\(name) -->" }

    /// The comment as it is sent: the marker, then the text, cut to what the host takes.
    func body(on kind: GitHostKind) -> String {
        (marker + "\n" + text).cut(
            toScalars: kind.maximumComment,
            note: "_The rest was cut off: \(kind) takes no more in one comment. The whole is in the pipeline's output._"
        )
    }

    /// Whether a body is of this comment, whoever wrote it: the marker stands at its very start.
    ///
    /// Not anywhere else, where a quotation of our comment has it too.
    func isMarked(_ body: String) -> Bool { body.utf8.starts(with: marker.utf8) }
}

/// A comment as a host lists it.
struct HostComment: Sendable, Equatable {
    var id: Int64
    var author: Int64?
    /// Whether the host says that its author is a program.
    var isByBot: Bool
    var body: String

    /// Nil for what is no comment of a person or program: GitLab lists its own notices too.
    init?(_ tree: Tree, on kind: GitHostKind) {
        guard let id = tree["id"]?.integer, let body = tree["body"]?.string, tree["system"]?.bool != true else {
            return nil
        }
        self.id = id
        self.body = body
        let author = tree[kind == .gitlab ? "author" : "user"]
        self.author = author?["id"]?.integer
        isByBot = author?["type"]?.string == "Bot"
    }
}

/// Whom our comments are by.
enum OwnAccount: Sendable, Equatable {
    case known(Int64)
    /// GitHub tells apps, and so a workflow's token, nothing about themselves; but all that they write is by a bot.
    case someBot

    func isAuthor(of comment: HostComment) -> Bool {
        switch self {
        case .known(let id): comment.author == id
        case .someBot: comment.isByBot
        }
    }
}

/// Whether two bodies say the same, whatever the host made of line ends and of white space at the end.
func hasSameText(_ left: String, _ right: String) -> Bool {
    func normal(_ text: String) -> String.UnicodeScalarView.SubSequence {
        var scalars = String.UnicodeScalarView()
        var isReturnPending = false
        for scalar in text.unicodeScalars {
            if isReturnPending, scalar != "\n" { scalars.append("\n") }
            isReturnPending = scalar == "\r"
            if !isReturnPending { scalars.append(scalar) }
        }
        var result = scalars[...]
        while let last = result.last, last.properties.isWhitespace { result.removeLast() }
        return result
    }
    return normal(left).elementsEqual(normal(right))
}

extension GitHostConfiguration {
    private func named(_ number: Int) -> String { "\(kind.requestName) \(kind.requestSign)\(number) of \(repository)" }

    private func commentsTarget(_ number: Int) -> String {
        kind == .gitlab
            ? "\(repositoryPath)/merge_requests/\(number)/notes" : "\(repositoryPath)/issues/\(number)/comments"
    }

    /// - Parameter query: Of the page, as the one before named it; nil for the first.
    func requestListing(commentsOn number: Int, query: String?) -> HostRequest {
        var first = "per_page=\(kind.commentsPerPage)"
        switch kind {
        case .github: break
        case .gitlab: first += "&order_by=created_at&sort=asc"
        case .gitea: first = "limit=\(kind.commentsPerPage)"
        }
        // GitLab's X-Next-Page names nothing but the page.
        let wanted = query.map { $0.hasPrefix("page=") && !$0.contains("&") ? "\(first)&\($0)" : $0 } ?? first
        return HostRequest(
            method: .get, target: "\(commentsTarget(number))?\(wanted)",
            operation: "read the comments on \(named(number))", right: .comments)
    }

    func requestCreating(_ body: String, on number: Int) -> HostRequest {
        HostRequest(
            method: .post, target: commentsTarget(number), body: ["body": .string(body)],
            operation: "comment on \(named(number))", right: .comments)
    }

    func requestUpdating(_ id: Int64, to body: String, on number: Int) -> HostRequest {
        HostRequest(
            method: kind == .gitlab ? .put : .patch,
            target: kind == .gitlab
                ? "\(commentsTarget(number))/\(id)" : "\(repositoryPath)/issues/comments/\(id)",
            body: ["body": .string(body)], operation: "update our comment on \(named(number))", right: .comments)
    }
}

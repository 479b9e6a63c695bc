/// A kind of Git host, by the API that it speaks.
package enum GitHostKind: String, Sendable, CaseIterable, CustomStringConvertible {
    /// github.com and GitHub Enterprise.
    case github
    /// gitlab.com and GitLab of one's own.
    case gitlab
    /// Gitea and Forgejo, which keeps Gitea's API.
    case gitea

    /// The name that people know it by.
    package var description: String {
        switch self {
        case .github: "GitHub"
        case .gitlab: "GitLab"
        case .gitea: "Gitea or Forgejo"
        }
    }

    /// What people there call the thing that is to be merged.
    var requestName: String { self == .gitlab ? "merge request" : "pull request" }

    /// What goes before the number of such a request.
    var requestSign: String { self == .gitlab ? "!" : "#" }

    /// Where the API stands below a host's address, on hosts of one's own.
    var apiPath: String {
        switch self {
        case .github: "/api/v3"
        case .gitlab: "/api/v4"
        case .gitea: "/api/v1"
        }
    }

    /// The most that a status's description may be, in Unicode scalars.
    ///
    /// GitHub and GitLab refuse more. Gitea keeps any length and shows one line of it, so there it is GitLab's.
    var maximumDescription: Int { self == .github ? 140 : 255 }

    /// The most that a comment may be, in Unicode scalars.
    ///
    /// GitHub and GitLab refuse more. Gitea has no limit of its own; GitHub's keeps a page there readable.
    var maximumComment: Int { self == .gitlab ? 1_000_000 : 65_536 }

    /// How many comments to ask for at a time.
    ///
    /// So many of the longest still fit in an answer. Gitea lists all at once whatever it is asked.
    var commentsPerPage: Int { self == .gitlab ? 20 : 100 }
}

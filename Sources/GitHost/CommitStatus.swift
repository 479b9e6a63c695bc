import Manifest

/// What a commit's page is to say about one thing that looked at it.
package struct CommitStatus: Sendable, Equatable {
    /// How it went.
    package enum State: String, Sendable, CaseIterable {
        case pending, success
        /// It was judged and is not good.
        case failure
        /// It could not be judged.
        case error
    }

    /// The full object id.
    package var commit: String
    /// Which thing looked, such as `bylaw/production`: a later status of the same name replaces an earlier one.
    package var context: String
    package var state: State
    /// One line for people; cut to what the host takes.
    package var description: String
    /// Where there is more to read; http or https.
    package var targetURL: String?

    package init(commit: String, context: String, state: State, description: String, targetURL: String? = nil) {
        self.commit = commit
        self.context = context
        self.state = state
        self.description = description
        self.targetURL = targetURL
    }
}

extension GitHostConfiguration {
    /// The request that records a status.
    ///
    /// GitLab knows no `error`, so it becomes `failed` there, and it takes no address of more than 255 characters: a
    /// longer one is left out, since half of one leads nowhere.
    func request(recording status: CommitStatus) throws(GitHostError) -> HostRequest {
        guard [40, 64].contains(status.commit.utf8.count), status.commit.allSatisfy({ $0.isASCII && $0.isHexDigit })
        else {
            throw .unusable(
                what: "\"\(status.commit.onOneLine(maximum: 80))\" is not the whole id of a commit",
                hint: "Give all of its 40 or 64 digits, as git rev-parse prints them.")
        }
        let context = status.context.onOneLine(maximum: 255)
        guard !context.isEmpty, context.hasSameBytes(as: status.context) else {
            throw .unusable(
                what: "the status's name is empty, of several lines, or longer than 255 characters",
                hint: "Give it a short name of one line, such as bylaw/production.")
        }
        var members: [(String, Tree)] = [
            ("state", .string(stateName(status.state))), (kind == .gitlab ? "name" : "context", .string(context)),
            ("description", .string(status.description.onOneLine(maximum: kind.maximumDescription))),
        ]
        if let url = status.targetURL, kind != .gitlab || url.unicodeScalars.count <= 255 {
            guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
                throw .unusable(
                    what: "the status's address is not of the web", hint: "Begin it with https:// or http://.")
            }
            members.append(("target_url", .string(url)))
        }
        return HostRequest(
            method: .post, target: "\(repositoryPath)/statuses/\(status.commit.lowercased())",
            body: .object(Members(members)),
            operation: "record the status \(context) of \(status.commit.prefix(12)) in \(repository)", right: .statuses)
    }

    private func stateName(_ state: CommitStatus.State) -> String {
        switch (kind, state) {
        case (.gitlab, .failure), (.gitlab, .error): "failed"
        default: state.rawValue
        }
    }

    /// Whether a refusal only says that the status is what it is to be already.
    ///
    /// GitLab moves a status from state to state and refuses with 400 to move it to where it is, naming the step and
    /// that state: `Cannot transition status via :enqueue from :pending`.
    func isUnchanged(_ status: CommitStatus, _ refusal: GitHostError.Refusal) -> Bool {
        kind == .gitlab && refusal.status == 400 && refusal.said.contains("Cannot transition status")
            && refusal.said.contains("from :\(stateName(status.state))")
    }
}

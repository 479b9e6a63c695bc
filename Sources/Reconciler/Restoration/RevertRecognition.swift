/// What a commit says that it takes back; nothing of it is proven.
///
/// Anybody may write such words. ``RevertRecognition`` says what they are worth.
package struct RevertClaims: Sendable, Equatable {
    /// The commits that are said to be taken back, in the order in which they are named.
    package var reverts: [String]
    /// The commits whose declared state is said to be restored.
    package var restores: [String]

    /// More than any revert names; what goes beyond is passed over.
    package static let maximumCount = 1000

    /// The trailers that `bylaw rollback` writes.
    package static let revertsTrailer = "Bylaw-Reverts"
    package static let restoresTrailer = "Bylaw-Restores"
    package static let incidentTrailer = "Bylaw-Incident"

    /// Reads the words of a commit.
    ///
    /// Recognised are the lines that `git revert` writes, each of which has to be a line of its own:
    /// `This reverts commit <40 digits>.`, and of a merge `This reverts commit <40 digits>, reversing` before
    /// `changes made to <40 digits>.`; also where a squash has indented them. A sentence that only has these words in it
    /// is none. Besides, the trailers `Bylaw-Reverts` and `Bylaw-Restores`.
    package init(message: String, trailers: [Revision.Trailer]) {
        var reverts = UniqueList(maximumCount: Self.maximumCount)
        let lines = message.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(trimmed)
        for (index, line) in lines.enumerated() {
            guard let rest = line.rest(after: "This reverts commit "), let commit = commitID(rest.prefix(40)) else {
                continue
            }
            let next = index + 1 < lines.count ? lines[index + 1] : ""
            switch rest.dropFirst(40) {
            case ".": reverts.append(commit)
            case ", reversing":
                guard let made = next.rest(after: "changes made to "), commitID(made.prefix(40)) != nil,
                    made.dropFirst(40) == "."
                else { continue }
                reverts.append(commit)
            default: continue
            }
        }
        var restores = UniqueList(maximumCount: Self.maximumCount)
        for trailer in trailers {
            guard let commit = commitID(trimmed(trailer.value[...])) else { continue }
            if trailer.key.lowercased() == Self.revertsTrailer.lowercased() { reverts.append(commit) }
            if trailer.key.lowercased() == Self.restoresTrailer.lowercased() { restores.append(commit) }
        }
        self.reverts = reverts.items
        self.restores = restores.items
    }
}

/// What a commit takes back, and which earlier declared state it brings back exactly.
///
/// What it says decides only where one looks. That a state is restored is told by the tree ids alone: Git names a tree by
/// a digest of everything in it, so equal ids are equal files, whoever wrote the message.
package struct RevertRecognition: Sendable, Equatable {
    /// What is known of a commit that came before.
    package struct EarlierRevision: Sendable, Equatable {
        /// The id of its tree below the folder of the manifests; nil where it has no such folder.
        package var tree: String?
        /// Nil where it begins the history.
        package var firstParent: String?

        package init(tree: String?, firstParent: String?) {
            self.tree = tree
            self.firstParent = firstParent
        }
    }

    /// The commits that it says it takes back, in the order in which it names them.
    package var reverts: [String]
    /// The earlier revision whose declared files it has, all of them and no other; nil where there is none.
    package var restores: String?

    package var isRevert: Bool { !reverts.isEmpty || restores != nil }
    package var isExact: Bool { restores != nil }

    /// Compares a commit with what it says of itself.
    ///
    /// Looked at are the revisions that it names as restored, then what came before each commit that it names as taken
    /// back.
    ///
    /// - Parameters:
    ///   - tree: The id of the commit's tree below the folder of the manifests; nil where it has no such folder.
    ///   - lookUp: What is known of a commit of its history; nil for any other.
    package init(_ claims: RevertClaims, tree: String?, lookUp: (_ commit: String) -> EarlierRevision?) {
        reverts = claims.reverts
        guard let tree else { return }
        for commit in claims.restores where lookUp(commit)?.tree == tree {
            restores = commit
            return
        }
        for commit in claims.reverts {
            guard let before = lookUp(commit)?.firstParent, lookUp(before)?.tree == tree else { continue }
            restores = before
            return
        }
    }
}

/// A list without repetitions and with an end.
private struct UniqueList {
    let maximumCount: Int
    private(set) var items: [String] = []
    private var known: Set<String> = []

    init(maximumCount: Int) { self.maximumCount = maximumCount }

    mutating func append(_ item: String) {
        guard items.count < maximumCount, known.insert(item).inserted else { return }
        items.append(item)
    }
}

/// The whole id of a commit in lower case; nil for anything else.
private func commitID(_ text: Substring) -> String? {
    guard text.utf8.count == 40,
        text.utf8.allSatisfy({
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
                || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0)
        })
    else { return nil }
    return text.lowercased()
}

private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
    return text
}

extension Substring {
    /// What follows a beginning; nil where it is not there.
    fileprivate func rest(after beginning: String) -> Substring? {
        hasPrefix(beginning) ? dropFirst(beginning.count) : nil
    }
}

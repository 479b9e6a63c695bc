import Policy

/// Which commits are verified where every one must be signed.
extension Controller {
    /// Verifies a part of what came since the last trusted commit, where all of it is too much for one look.
    ///
    /// A replica that has not led for long, as one that was not there, goes on from what it knew.
    ///
    /// - Returns: Why the newest revision has to wait for the rest, or one of the commits is not trusted; nil where nothing
    ///   is left but what is verified with the newest one.
    func verifyPart(before newest: Revision) async throws -> RevisionRefusal? {
        guard configuration.trust == .all, let trusted = try await journal.remembered(.trustedRevision),
            let next = try await nextToVerify(
                after: trusted, before: newest, atMost: configuration.verifiedCommitsPerLook, from: source)
        else { return nil }
        if let (reason, message, commit) = try await findDistrust(
            of: next, isFollowed: false, mode: .all, after: trusted, suspect: distrustedCommit,
            atMost: configuration.verifiedCommitsPerLook, from: source)
        {
            return .untrusted(reason, message, commit: commit)
        }
        try await journal.remember(.trustedRevision, next.commit)
        return .untrusted(
            .signatureUncheckable,
            "more than \(configuration.verifiedCommitsPerLook) commits came since the last trusted one; they are trusted up "
                + "to \(next.commit.prefix(12)), and the next look goes on from there", commit: newest.commit)
    }
}

/// A commit on the way to the newest one up to which there are not too many since the last trusted one.
///
/// - Returns: Nil where that is so of the newest one, or it does not come from the trusted one.
private func nextToVerify(
    after trusted: String, before newest: Revision, atMost count: Int, from source: any RevisionSource
) async throws(SourceError) -> Revision? {
    guard newest.commit != trusted, try await source.hasCommit(trusted),
        try await source.isAncestor(trusted, of: newest.commit)
    else { return nil }
    var next: Revision?
    while true {
        let commits = try await source.commits(upTo: next ?? newest, after: trusted, wholeHistory: false)
        guard commits.count >= count else { return next }
        // Whoever comes from it alone may take its place: what was merged from elsewhere may be older.
        var earlier: Revision?
        for commit in commits.suffix(count - 1) where earlier == nil {
            if try await source.isAncestor(trusted, of: commit.commit) { earlier = commit }
        }
        guard let earlier else { return next }
        next = earlier
    }
}

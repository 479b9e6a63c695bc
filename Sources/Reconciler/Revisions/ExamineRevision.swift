import Manifest
import Policy

/// What comes of examining a revision.
package enum RevisionExamination: Sendable {
    case sound(LoadedRevision)
    case refused(RevisionRefusal)
}

/// Loads a newest revision, and looks at whether it is trusted and sound (design, section 5.1).
///
/// What it means is judged apart: see ``RevisionJudgement``.
///
/// - Parameters:
///   - isFollowed: Whether it is what the followed reference leads to; see ``RevisionSource/trust(of:isNewest:)``.
///   - trusted: The last commit that was trusted.
///   - suspect: The commit that was not trusted when one looked last.
///   - cluster: Gives the one of many clusters that the enforced revision was read for; nil where it was for one.
package func examine<Failure: Error>(
    _ newest: Revision, isFollowed: Bool = true, trust: TrustMode, after trusted: String?, suspect: String? = nil,
    atMost count: Int = maximumVerifiedCommits, from source: any RevisionSource, trace: SyncTrace? = nil,
    cluster: () async throws(Failure) -> String?
) async throws -> RevisionExamination {
    let distrust = try await trace.stage("verify signatures") { _ in
        try await findDistrust(
            of: newest, isFollowed: isFollowed, mode: trust, after: trusted, suspect: suspect, atMost: count,
            from: source)
    }
    if let (reason, message, commit) = distrust { return .refused(.untrusted(reason, message, commit: commit)) }
    let loaded = try await trace.stage("read revision") { _ in try await source.load(newest) }
    let cluster = try await cluster()
    let findings = loaded.findings + lostClusters(in: loaded, for: cluster)
    guard !findings.contains(where: { $0.severity == .error }) else { return .refused(.invalid(findings)) }
    guard !loaded.declared.objects.isEmpty else { return .refused(.empty) }
    return .sound(loaded)
}

/// A repository that was for many clusters, and no longer says so, has lost folders or its list of clusters.
///
/// Read as one cluster's it would take away what stood in a folder that is gone, or give this one the objects of all
/// (rule H9).
private func lostClusters(in loaded: LoadedRevision, for cluster: String?) -> [Finding] {
    guard let cluster, loaded.declared.cluster == nil,
        !loaded.findings.contains(where: { $0.severity == .error })
    else { return [] }
    return [
        Finding(
            severity: .error, file: RepositoryConfiguration.fileName, position: SourcePosition(line: 1, column: 1),
            object: nil, path: .root.field("clusters"),
            message: "the repository was for many clusters, and nothing says any longer what of it is for \(cluster)",
            hint: "Bring the folders base and clusters/\(cluster) back, or list the cluster with its folders.")
    ]
}

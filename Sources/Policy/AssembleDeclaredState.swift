import Manifest

/// Puts the files of one revision for one cluster together and checks what only shows across files: an object declared
/// twice, of a kind that the repository says it does not manage, or a configuration out of its place.
///
/// - Parameter folder: The repository's path, from its root as in the files' paths; its configuration stands there.
/// - Returns: All findings in the order of files and places, and the declared state. The state is empty where any
///   finding is an error: a revision is good as a whole or not at all, and a part of it must never be applied.
package func assembleDeclaredState(
    _ verdicts: [FileVerdict], folder: String = ""
) -> (state: DeclaredState, findings: [Finding]) {
    let layout = RepositoryLayout(configuration: nil, paths: EmptyCollection<String>(), folder: folder)
    return RepositoryAssembly(verdicts, in: layout).state(for: nil)
}

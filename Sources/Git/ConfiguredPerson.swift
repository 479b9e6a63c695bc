internal import CGit2
import Foundation

/// The name and address that Git's own configuration has for whoever runs this.
///
/// Read are the files of the user and of the machine, as Git finds them, and never those of a repository.
///
/// - Returns: Nil where it has none, or only one of the two.
package func configuredPerson(environment: [String: String]) throws(GitError) -> GitPerson? {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    try check("start libgit2") { libraryStarts }
    var files: [(path: String, level: git_config_level_t)] = []
    if value("GIT_CONFIG_NOSYSTEM") == nil {
        files.append((value("GIT_CONFIG_SYSTEM") ?? "/etc/gitconfig", GIT_CONFIG_LEVEL_SYSTEM))
    }
    if let path = value("GIT_CONFIG_GLOBAL") {
        files.append((path, GIT_CONFIG_LEVEL_GLOBAL))
    } else if let home = value("HOME") {
        files.append(((value("XDG_CONFIG_HOME") ?? home + "/.config") + "/git/config", GIT_CONFIG_LEVEL_XDG))
        files.append((home + "/.gitconfig", GIT_CONFIG_LEVEL_GLOBAL))
    }
    var configuration: OpaquePointer?
    try check("read Git's configuration") { git_config_new(&configuration) }
    defer { git_config_free(configuration) }
    for file in files where isRegularFile(file.path) {
        do throws(GitError) {
            try check("read Git's configuration \(file.path)") {
                git_config_add_file_ondisk(configuration, file.path, file.level, nil, 0)
            }
        } catch {
            throw GitError(
                kind: error.kind, operation: error.operation, detail: error.detail,
                hint: "Correct the file, or say who makes the commit with --author \"NAME <ADDRESS>\".")
        }
    }
    func setting(_ name: String) -> String? {
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        guard git_config_get_string_buf(&buffer, configuration, name) == 0, let text = buffer.ptr, buffer.size > 0
        else { return nil }
        return String(cString: text)
    }
    guard let name = setting("user.name"), let email = setting("user.email") else { return nil }
    return GitPerson(name: name, email: email)
}

private func isRegularFile(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
}

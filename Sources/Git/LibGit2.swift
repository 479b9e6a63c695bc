internal import CGit2

/// A libgit2 call that failed.
package struct GitError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a failure means for whoever asked.
    package enum Kind: String, Equatable, Sendable {
        case notFound
        /// The remote could not be reached, or did not answer as a Git server.
        case network
        case authentication
        case untrustedServer
        case timedOut
        case tooLarge
        case cancelled
        /// The cache's files are damaged.
        case corrupt
        case noSuchReference
        /// What was to be made is there already, and is something else.
        case exists
        /// The remote understood, and does not want it.
        case refused
        /// The cache's folder cannot be written.
        case unwritable
        case other
    }

    package var kind: Kind
    package var operation: String
    package var detail: String
    package var hint: String

    package init(kind: Kind, operation: String, detail: String, hint: String = "") {
        self.kind = kind
        self.operation = operation
        self.detail = detail
        self.hint = hint
    }

    package var description: String { "\(operation): \(detail)" }
}

/// Turns a negative libgit2 result into a ``GitError``.
///
/// The library keeps its message per thread, so it is copied here, before anything can suspend.
func check(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(GitError) {
    let code = call()
    guard code < 0 else { return }
    let last = git_error_last()
    let detail = last.map { String(cString: $0.pointee.message) } ?? "no detail"
    let family = last?.pointee.klass ?? 0
    throw GitError(kind: kind(code: code, family: family), operation: operation(), detail: detail)
}

private func kind(code: Int32, family: Int32) -> GitError.Kind {
    switch code {
    case GIT_ENOTFOUND.rawValue: .notFound
    case GIT_EAUTH.rawValue: .authentication
    case GIT_ECERTIFICATE.rawValue: .untrustedServer
    case GIT_EUSER.rawValue: .cancelled
    default:
        switch UInt32(bitPattern: family) {
        case GIT_ERROR_NET.rawValue, GIT_ERROR_SSL.rawValue, GIT_ERROR_SSH.rawValue, GIT_ERROR_HTTP.rawValue: .network
        case GIT_ERROR_ODB.rawValue, GIT_ERROR_ZLIB.rawValue, GIT_ERROR_INDEXER.rawValue: .corrupt
        case GIT_ERROR_OS.rawValue: .unwritable
        default: .other
        }
    }
}

/// Starts libgit2 once: any other call crashes before it.
///
/// No configuration of the machine is read: what a fetch does must not depend on somebody's `insteadOf` or proxy setting.
let libraryStarts: Int32 = {
    let result = git_libgit2_init()
    guard result >= 0 else { return result }
    for level in [GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA]
    {
        _ = shim_git_set_search_path(level.rawValue, "")
    }
    _ = shim_git_set_flag(Int32(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION.rawValue), 1)
    // The cache is ours whoever owns its folder, as on a mounted volume.
    _ = shim_git_set_flag(Int32(GIT_OPT_SET_OWNER_VALIDATION.rawValue), 0)
    _ = shim_git_set_size(Int32(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT.rawValue), 256 << 20)
    return result
}()

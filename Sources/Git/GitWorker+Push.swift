internal import CGit2
import ChildProcess
import Foundation

/// What became of a branch that was pushed.
package enum GitPushOutcome: Sendable, Equatable {
    case pushed
    /// The remote has a branch of that name at that very commit already.
    case wasThere
}

/// Pushing a new branch to the remote.
extension GitWorker {
    func push(
        branch: String, at commit: String, isCancelled: CancellationFlag
    ) throws(GitError) -> GitPushOutcome {
        let repository = try open()
        try checkFolder("push to \(url)")
        let context = try FetchContext(
            .push, url: url, credentials: credentials, limits: limits, isCancelled: isCancelled,
            environment: environment)
        slot.current = context
        // One of its own: the kept one has a transport that fetches, which for a folder is libgit2's own.
        var remote: OpaquePointer?
        try check("prepare to push to \(url)") { git_remote_create_anonymous(&remote, repository, url.text) }
        defer { git_remote_free(remote) }
        do throws(GitError) {
            return try push(
                "refs/heads/\(branch)", at: commit, to: remote, context,
                payload: Unmanaged.passUnretained(slot).toOpaque())
        } catch {
            throw context.withoutSecrets(context.failure ?? explainPush(error, context))
        }
    }

    private func push(
        _ name: String, at commit: String, to remote: OpaquePointer?, _ context: FetchContext,
        payload: UnsafeMutableRawPointer
    ) throws(GitError) -> GitPushOutcome {
        var options = git_push_options()
        git_push_options_init(&options, UInt32(GIT_PUSH_OPTIONS_VERSION))
        options.pb_parallelism = 1
        listen(&options.callbacks, payload)
        try check(context.operation) { git_remote_connect(remote, GIT_DIRECTION_PUSH, &options.callbacks, nil, nil) }
        defer {
            context.isOver = true
            git_remote_disconnect(remote)
        }
        if let there = try advertisedHeads(of: remote).first(where: { $0.name == name }) {
            guard there.id == commit else {
                throw GitError(
                    kind: .exists, operation: context.operation,
                    detail: "it has a branch \(name.dropFirst("refs/heads/".count)) already, at \(there.id.prefix(12))",
                    hint: "Name another branch with --new-branch, or delete that one there.")
            }
            return .wasThere
        }
        try upload("\(name):\(name)", &options, to: remote, context)
        guard let answer = context.refusals[name] else {
            throw GitError(
                kind: .network, operation: context.operation, detail: "the server does not say whether it took \(name)",
                hint: "Look there whether the branch has arrived.")
        }
        if let refusal = answer {
            throw GitError(
                kind: .refused, operation: context.operation,
                detail: "the server refuses \(name): \(refusal.prefix(500))\(heard(by: context))",
                hint: "Its rules or hooks forbid it: correct what they name, or push to another name with --new-branch."
            )
        }
        context.conversation?.finish(within: .seconds(10))
        return .pushed
    }

    private func upload(
        _ refspec: String, _ options: inout git_push_options, to remote: OpaquePointer?, _ context: FetchContext
    ) throws(GitError) {
        var strings: [UnsafeMutablePointer<CChar>?] = [strdup(refspec)]
        defer { for string in strings { free(string) } }
        let code = strings.withUnsafeMutableBufferPointer { buffer in
            var array = git_strarray(strings: buffer.baseAddress, count: buffer.count)
            return git_remote_upload(remote, &array, &options)
        }
        try check(context.operation) { code }
    }

    /// Sets what libgit2 calls while it pushes.
    private func listen(_ callbacks: inout git_remote_callbacks, _ payload: UnsafeMutableRawPointer) {
        callbacks.payload = payload
        callbacks.transport = makeTransport
        callbacks.push_update_reference = { name, status, payload in
            guard let context = pushContext(payload), let name else { return -1 }
            context.refusals.updateValue(status.map { String(cString: $0) }, forKey: String(cString: name))
            return 0
        }
        callbacks.sideband_progress = { words, length, payload in
            guard let context = pushContext(payload) else { return -1 }
            if let words, length > 0 { context.hear(UnsafeRawBufferPointer(start: words, count: Int(length))) }
            return endIfDue(context)
        }
        callbacks.pack_progress = { _, _, _, payload in pushContext(payload).map(endIfDue) ?? -1 }
        callbacks.push_transfer_progress = { _, _, _, payload in pushContext(payload).map(endIfDue) ?? -1 }
    }

    /// What the other side's hooks said, on one line.
    private func heard(by context: FetchContext) -> String {
        let words = String(decoding: context.remoteWords, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.joined(separator: "; ")
        return words.isEmpty ? "" : " (it says: \(words.prefix(1000)))"
    }

    private func explainPush(_ error: GitError, _ context: FetchContext) -> GitError {
        var error = error
        guard error.hint.isEmpty else { return error }
        error.detail += heard(by: context)
        error.hint = "Check that the address is that of a Git repository, and that you may push there."
        return error
    }
}

private func pushContext(_ payload: UnsafeMutableRawPointer?) -> FetchContext? {
    payload.flatMap { Unmanaged<FetchSlot>.fromOpaque($0).takeUnretainedValue().current }
}

private func endIfDue(_ context: FetchContext) -> Int32 {
    guard let error = context.mustEnd else { return 0 }
    context.note(error)
    return -1
}

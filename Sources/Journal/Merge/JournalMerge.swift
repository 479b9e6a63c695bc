import Foundation
import Glibc
package import Reconciler
import SQLite
import Signatures

/// Which journals are merged, and how.
package struct MergeRequest: Sendable {
    package var journals: [String]
    /// What the journals are verified with.
    package var verification: VerificationRequest
    /// Whether entries are taken as well that no checkpoint covers yet.
    package var takesUnsigned: Bool
    /// Whether journals of several instances or clusters are merged.
    package var takesDifferentInstances: Bool

    package init(
        journals: [String], verification: VerificationRequest = VerificationRequest(), takesUnsigned: Bool = false,
        takesDifferentInstances: Bool = false
    ) {
        self.journals = journals
        self.verification = verification
        self.takesUnsigned = takesUnsigned
        self.takesDifferentInstances = takesDifferentInstances
    }
}

/// What was merged.
package struct MergeReport: Sendable, Equatable {
    /// One journal that the history was made of.
    package struct Log: Sendable, Equatable {
        package var path: String
        package var origin: String
        /// Up to which of its entries they were taken.
        package var size: Int64
        /// How many were left out at its end, because no checkpoint covers them yet.
        package var unsignedCount: Int64
        /// Up to which entry retention had removed what nothing in force depends on.
        package var removedThrough: Int64
    }

    /// In the order of their numbers in the history.
    package var logs: [Log]
    /// Copies of one of the logs that say nothing more.
    package var copies: [String]
    /// How many entries the history has.
    package var entryCount: Int64
}

/// Makes one history out of several journals, each of which stays a log of its own in it.
package enum JournalMerge {
    /// Writes the history to a new file, or in place of an earlier history of the same journals.
    ///
    /// Each journal is verified before, and the history as a whole before it gets its name. The same journals give the same
    /// history. They may be written meanwhile.
    ///
    /// - Throws: ``JournalError`` where a journal is not what was signed, where they do not belong together, and where there is
    ///   something else already at `path`; nothing is left behind then.
    package static func merge(_ request: MergeRequest, into path: String) async throws(JournalError) -> MergeReport {
        var sources: [MergeSource] = []
        for journal in request.journals {
            do throws(JournalFailure) { sources.append(try await MergeSource(journal, request.verification)) } catch {
                throw JournalError(error, doing: "merge", path: journal)
            }
        }
        do throws(JournalFailure) {
            let logs = try await MergeSource.withoutCopies(sources)
            if !request.takesDifferentInstances { try MergeSource.expectOneScope(logs) }
            // Of this process alone: what a killed one left behind must not be in the way.
            let temporary = "\(path).part-\(getpid())"
            try createPrivately(temporary)
            defer { for suffix in ["", "-journal"] { unlink(temporary + suffix) } }
            let taken = logs.map { request.takesUnsigned ? $0.size : $0.signed }
            let count = try await write(logs, taken, to: temporary)
            try await expectIntact(temporary, request.verification)
            try await give(temporary, theName: path)
            return MergeReport(
                logs: zip(logs, taken).map { log, taken in
                    MergeReport.Log(
                        path: log.path, origin: log.origin, size: taken, unsignedCount: log.size - taken,
                        removedThrough: log.removedThrough)
                }, copies: sources.map(\.path).filter { path in !logs.contains { $0.path == path } }, entryCount: count)
        } catch {
            throw JournalError(error, doing: "merge journals into", path: path)
        }
    }

    private static func createPrivately(_ path: String) throws(JournalFailure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .database(systemCallFailure(errno, operation: "create \(path)")) }
        close(descriptor)
    }

    private static func write(
        _ logs: [MergeSource], _ taken: [Int64], to path: String
    ) async throws(JournalFailure) -> Int64 {
        let target = try await SerializedConnection(label: "bylaw.journal.merge") {
            () throws(JournalFailure) -> sending Connection in
            try JournalFailure.wrapping { () throws(DatabaseError) in try Connection(path: path, mode: .readWrite) }
        }
        do throws(JournalFailure) {
            let count = try await target.perform(
                { (connection) throws(JournalFailure) in
                    try MergedHistoryWriter(connection: connection).write(logs, taken)
                }, orElse: { .database($0) })
            await target.close()
            return count
        } catch {
            await target.close()
            throw error
        }
    }

    /// What the journals' own verification has not seen, such as what was written since, this one sees.
    private static func expectIntact(_ path: String, _ request: VerificationRequest) async throws(JournalFailure) {
        let report = try await JournalVerifier.verifyMerged(
            path, VerificationRequest(keys: request.keys, checkpoints: request.checkpoints))
        guard let finding = report.findings.first else { return }
        throw .unmergeable(
            "what they give together does not hold: \(finding.message)",
            hint: "Verify each with bylaw journal verify and the same keys and checkpoints, and merge them again.")
    }

    // MARK: The file's name

    private static func give(_ temporary: String, theName path: String) async throws(JournalFailure) {
        if try JournalFile.isMerged(path) {
            try await expectContinued(path, by: temporary)
            guard rename(temporary, path) == 0 else {
                throw .database(systemCallFailure(errno, operation: "replace \(path)"))
            }
            return
        }
        // A link refuses where there is something already, which a rename would replace.
        guard link(temporary, path) == 0 else {
            let code = errno
            guard code != EEXIST else {
                throw .unmergeable(
                    "there is a file of that name, which is no merged history; it was left as it is",
                    hint: "Name another file with --into.")
            }
            throw .database(systemCallFailure(code, operation: "name \(path)"))
        }
    }

    /// An earlier history may only be replaced by one that holds all that it holds.
    private static func expectContinued(_ earlier: String, by later: String) async throws(JournalFailure) {
        let before = try await logs(of: earlier)
        let after = try await logs(of: later)
        for log in before {
            guard let same = after.first(where: { $0.identity == log.identity }), same.size >= log.size else {
                throw notContinued("it has more of the log \(log.origin) than is given now")
            }
            let before = try await beginning(of: log.id, in: earlier, size: log.size)
            let now = try await beginning(of: same.id, in: later, size: log.size)
            guard now.root == before.root else {
                throw notContinued("its log \(log.origin) went on differently: one of the two was changed")
            }
            guard now.cut <= before.cut else {
                throw notContinued("it has entries of the log \(log.origin) that retention has removed since")
            }
        }
    }

    private static func logs(of path: String) async throws(JournalFailure) -> [MergedLog] {
        try await JournalVerifier.onConnection(to: path) { (connection) throws(JournalFailure) in
            try MergedLog.all(on: connection)
        }
    }

    /// The root over the first entries of a log, and up to where they were removed.
    private static func beginning(
        of log: Int64, in path: String, size: Int64
    ) async throws(JournalFailure) -> (root: SHA256Digest, cut: Int64) {
        try await JournalVerifier.onConnection(to: path, log: log) { (connection) throws(JournalFailure) in
            (
                try StoredTree(connection: connection, hasher: try newHasher()).root(size: size),
                try JournalCut.through(on: connection)
            )
        }
    }

    private static func notContinued(_ detail: String) -> JournalFailure {
        .unmergeable("\(detail); it was left as it is", hint: "Name another file with --into.")
    }
}

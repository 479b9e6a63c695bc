import AuditEvents
import Telemetry

/// Follows an API server's audit log file, for servers that have no webhook (rule M11).
struct AuditLogFollower: Sendable {
    let path: String
    let identifier: ActorIdentifier
    let logger: Logger
    /// How long nothing is read where there was nothing new.
    var pause = Duration.milliseconds(500)

    /// Reads until it is cancelled.
    func run() async {
        let tail = LogTail(path: path)
        var told = ""
        var leftOut = 0
        while !Task.isCancelled {
            do {
                // Who we are must be known: our own writes would be taken for others'.
                if let ourUser = await identifier.ourUser, let lines = try tail.read() {
                    let batch = AuditReader(ourUser: ourUser).readLog(lines)
                    tell(of: batch)
                    try await identifier.take(batch)
                    told = ""
                } else {
                    if await identifier.ourUser != nil, !tail.isOpen, told.isEmpty {
                        told = "absent"
                        logger.log(.warning, "The audit log is not there; waiting for it", [("file", path)])
                    }
                    try await Task.sleep(for: pause)
                    // What could not be recorded is tried again also where nothing new comes.
                    try await identifier.take(AuditBatch())
                }
            } catch is CancellationError {
                return
            } catch {
                let failure = auditFailure(error)
                if failure.message != told {
                    logger.log(
                        .warning, "The audit log cannot be used; trying again",
                        [("error", failure.message), ("hint", failure.hint)])
                }
                told = failure.message
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
            }
            if tail.longLines + tail.truncations > leftOut {
                leftOut = tail.longLines + tail.truncations
                logger.log(
                    .warning, "Some of the audit log may be missing",
                    [
                        ("file", path), ("longLines", String(tail.longLines)),
                        ("truncations", String(tail.truncations)),
                    ])
            }
        }
    }

    private func tell(of batch: AuditBatch) {
        logger.log(
            .debug, "Audit log",
            [
                ("file", path), ("events", String(batch.count)), ("changes", String(batch.events.count)),
                ("unreadable", String(batch.unreadable)), ("ignored", ignoredText(batch)),
            ])
    }
}

/// Why events were left out, with how many.
func ignoredText(_ batch: AuditBatch) -> String {
    batch.ignored.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        .joined(separator: ", ")
}

/// The message and the next step of what can go wrong with audit events.
func auditFailure(_ error: any Error) -> CommandFailure {
    switch error {
    case let error as LogTail.Failure: CommandFailure(message: error.message, hint: error.hint)
    case let error as AuditEventFile.Failure: CommandFailure(message: error.message, hint: error.hint)
    default: commandFailure(error)
    }
}

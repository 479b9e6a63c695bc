internal import CCurl
import Foundation
import Synchronization

/// A thread that drives transfers over the connections of one TLS configuration.
///
/// Callers leave commands in a mailbox. `@unchecked Sendable`: the mailbox has a lock; `multi` is called from other
/// threads only by `curl_multi_wakeup`, under that lock and never after its end; all else belongs to the thread.
final class TransferLoop: @unchecked Sendable {
    enum Command {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
        case drain
        case stop
    }

    private struct Mailbox {
        var commands: [Command] = []
        var takesNew = true
        var isClosed = false
    }

    private let mailbox: Mutex<Mailbox>
    private let multi: UnsafeMutableRawPointer?

    init(tls: TLSConfiguration, proxy: ProxyConfiguration, userAgent: String, maximumConnections: Int) {
        multi = curlStarts ? curl_multi_init() : nil
        mailbox = Mutex(Mailbox(takesNew: multi != nil, isClosed: multi == nil))
        guard let multi else { return }
        shim_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, maximumConnections)
        shim_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, maximumConnections)
        let engine = TransferEngine(multi: multi, tls: tls, proxy: proxy, userAgent: userAgent)
        // The thread is the engine's only user from here on.
        nonisolated(unsafe) let ownedByThread = engine
        let thread = Thread { [self] in ownedByThread.run(takingFrom: self) }
        thread.name = "bylaw.http"
        thread.start()
    }

    /// - Returns: False where it no longer takes new transfers.
    func start(_ transfer: Transfer) -> Bool {
        guard transfer.attach(self) else { return true }
        return post(.start(transfer))
    }

    func cancel(_ transfer: Transfer) { _ = post(.cancel(transfer)) }
    func resume(_ transfer: Transfer) { _ = post(.resume(transfer)) }

    /// Takes nothing new, closes idle connections, and ends when the last transfer has.
    func drain() { _ = post(.drain) }

    /// Ends all transfers and the thread.
    func stop() { _ = post(.stop) }

    private func post(_ command: Command) -> Bool {
        mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return false }
            switch command {
            case .start: guard mailbox.takesNew else { return false }
            case .drain, .stop: mailbox.takesNew = false
            case .cancel, .resume: break
            }
            mailbox.commands.append(command)
            if mailbox.commands.count == 1, let multi { curl_multi_wakeup(multi) }
            return true
        }
    }

    // MARK: The thread's side

    func take() -> [Command] {
        mailbox.withLock { mailbox in
            let commands = mailbox.commands
            mailbox.commands = []
            return commands
        }
    }

    var hasCommands: Bool { mailbox.withLock { !$0.commands.isEmpty } }

    /// After this nothing is posted any more, and nobody touches `multi` but the thread.
    func close() -> [Command] {
        mailbox.withLock { mailbox in
            mailbox.isClosed = true
            let commands = mailbox.commands
            mailbox.commands = []
            return commands
        }
    }
}

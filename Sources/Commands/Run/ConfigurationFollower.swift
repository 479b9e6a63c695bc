import Arguments
import Dispatch
import Foundation
import StatusServer
import Synchronization
import Telemetry

/// Takes up another content of the file of `--config` while the controller runs.
///
/// Context: a ConfigMap that is mounted changes under the process that reads it, and a new process for each changed flag
/// takes the lease, the clone and everything else with it. Choice: what the file holds is looked at every few seconds and
/// judged as a start would judge it; what is good is put into force as a whole, what is not leaves everything as it is.
/// Given up: files that flags name are not followed here; whoever uses them reads them as ever.
struct ConfigurationFollower: Sendable {
    let file: ConfigurationFile
    let active: ActiveConfiguration

    private static let pause = Duration.seconds(2)

    /// At how many looks in a row a content must be the same, so that one that is being written is not taken for the whole.
    private var neededLooks: Int { file.isSwappedWhole ? 2 : 6 }

    /// Nil where the file cannot be read a second time.
    init?(_ file: ConfigurationFile, _ active: ActiveConfiguration) {
        guard file.canBeFollowed else { return nil }
        self.file = file
        self.active = active
    }

    /// Looks now and then, and at once on SIGHUP, until it is cancelled.
    func run() async {
        let looks = Looks()
        let ticking = Task {
            while true {
                do { try await Task.sleep(for: Self.pause) } catch { return }
                looks.wish()
            }
        }
        defer { ticking.cancel() }
        var settling = SettlingContent(judged: Content.read(file.content), neededLooks: neededLooks)
        for await _ in looks.wishes {
            let content = Content(file)
            if looks.takeRequest() {
                // Whoever asks may ask too early.
                do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
                guard Content(file) == content else {
                    looks.ask()
                    continue
                }
                settling.noteJudged(content)
            } else if !settling.isToBeJudged(content) {
                continue
            }
            judge(content)
        }
    }

    /// What was found at one look.
    private enum Content: Equatable {
        case read([UInt8])
        case unreadable(String, hint: String)

        static func == (left: Content, right: Content) -> Bool {
            switch (left, right) {
            case (.read(let left), .read(let right)): left == right
            case (.unreadable(let left, _), .unreadable(let right, _)): left == right
            default: false
            }
        }

        init(_ file: ConfigurationFile) {
            do throws(CommandFailure) {
                self = .read(try file.read())
            } catch {
                self = .unreadable(error.message, hint: error.hint)
            }
        }
    }

    // MARK: Judging

    private func judge(_ content: Content) {
        switch content {
        case .unreadable(let message, let hint): refuse(message, hint)
        case .read(let bytes):
            do {
                // It may be the beginning of one that is being written, such as the comment at its head.
                guard try file.hasSettings(bytes) else {
                    throw CommandFailure(
                        message: "the configuration file \(file.path) says nothing now",
                        hint: "Write what is to be in force.")
                }
                try take(try file.arguments(bytes))
            } catch let mistakes as UsageMistakes {
                refuse(mistakes.all.map(\.description).joined(separator: "; "), "")
            } catch {
                let failure = commandFailure(error)
                refuse(failure.message, failure.hint)
            }
        }
    }

    /// - Throws: What a start with these arguments would be refused for; then nothing has changed.
    private func take(_ arguments: ParsedArguments) throws {
        let running = active.run
        try running.expectStart(with: arguments)
        let change = ConfigurationChange(
            from: running.wiring.arguments, to: arguments, effect: Flags.effect(of:))
        let effective = change.effective(from: running.wiring.arguments, to: arguments)
        // What is new may not go with what stays until the next start.
        if !change.nextStart.isEmpty { try running.expectStart(with: effective) }
        let next = change.takingEffect.isEmpty ? running : try running.changed(to: effective, by: change)
        let isTaken = active.replace(running, by: next, isBegunAnew: !change.anew.isEmpty) {
            tell(change, to: next.logger)
            // Afterwards, so that the line is written as its readers expect it.
            running.process.voice.follow(effective)
        }
        // What it was judged against was given up meanwhile.
        if !isTaken { try take(arguments) }
    }

    private func tell(_ change: ConfigurationChange, to logger: Logger) {
        if !change.takingEffect.isEmpty {
            logger.log(
                .notice,
                change.anew.isEmpty
                    ? "The configuration has changed" : "The configuration has changed; beginning anew with it",
                [("file", file.path), ("flags", change.takingEffect.joined(separator: ", "))])
        } else if change.nextStart.isEmpty {
            logger.log(.notice, "The configuration is what runs", [("file", file.path)])
        }
        if !change.nextStart.isEmpty {
            logger.log(
                .warning, "Some of the configuration changes with the next start",
                [("file", file.path), ("flags", change.nextStart.joined(separator: ", "))])
        }
    }

    private func refuse(_ message: String, _ hint: String) {
        active.noteRefused()
        active.run.logger.log(
            .error, "The changed configuration is refused; the one before stays in force",
            [
                ("file", file.path), ("error", message), ("hint", hint), ("runbook", "ConfigurationRefused"),
            ])
    }
}

/// When to look at the file: every few seconds, and when somebody asks.
private final class Looks: Sendable {
    let wishes: AsyncStream<Void>
    private let put: AsyncStream<Void>.Continuation
    private let isAsked = Mutex(false)
    private let source: HangupSource

    init() {
        let (wishes, put) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.wishes, self.put) = (wishes, put)
        source = HangupSource()
        source.begin { [weak self] in self?.ask() }
    }

    func wish() { put.yield() }

    /// Whether somebody has asked since the last call.
    func takeRequest() -> Bool {
        isAsked.withLock { isAsked in
            defer { isAsked = false }
            return isAsked
        }
    }

    func ask() {
        isAsked.withLock { $0 = true }
        put.yield()
    }
}

/// SIGHUP, which ends a process that does not ask for it.
///
/// `@unchecked Sendable`: the source is made once and its handler set before it is resumed.
private final class HangupSource: @unchecked Sendable {
    private let source: any DispatchSourceSignal

    init() {
        signal(SIGHUP, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "bylaw.hangup"))
    }

    func begin(_ body: @escaping @Sendable () -> Void) {
        source.setEventHandler(handler: body)
        source.resume()
    }
}

import Synchronization

/// One exchange on its way, between the thread that drives it and the task that waits for it.
///
/// `@unchecked Sendable`: everything mutable is inside `state`, except `lastProgress` and `hasAnswered`, which belong to the
/// driving thread.
final class Transfer: TransferSink, @unchecked Sendable {
    let request: HTTPRequest
    let isStream: Bool
    /// When the last byte came.
    ///
    /// Of the driving thread alone.
    var lastProgress = ContinuousClock.now
    /// Whether the answer has begun.
    ///
    /// Of the driving thread alone.
    private var hasAnswered = false
    private let state = Mutex(State())

    typealias Beginning = (status: Int, headers: HTTPHeaders)

    /// Each continuation is taken out of here under the lock by whoever resumes it, so it is resumed once.
    private struct State {
        var head = AnswerHead()
        var buffer: [UInt8] = []
        var isPaused = false
        var refusal: HTTPError?
        var ending: Result<HTTPResponse, HTTPError>?
        var loop: TransferLoop?
        var whole: CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>?
        var beginning: CheckedContinuation<Result<Beginning, HTTPError>, Never>?
        var chunk: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
    }

    /// A reader that falls behind by this much makes the transfer pause.
    private static let bufferBytes = 1 << 20

    init(_ request: HTTPRequest, isStream: Bool) {
        self.request = request
        self.isStream = isStream
    }

    // MARK: The waiting task

    func awaitWhole(_ continuation: CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>) {
        let ending = state.withLock { state in
            if state.ending == nil { state.whole = continuation }
            return state.ending
        }
        if let ending { continuation.resume(returning: ending) }
    }

    func awaitBeginning(_ continuation: CheckedContinuation<Result<Beginning, HTTPError>, Never>) {
        let ending = state.withLock { state in
            if state.ending == nil { state.beginning = continuation }
            return state.ending
        }
        if let ending { continuation.resume(returning: ending.map { ($0.status, $0.headers) }) }
    }

    /// Notes who drives it.
    ///
    /// - Returns: False where it has already ended, by cancellation.
    func attach(_ loop: TransferLoop) -> Bool {
        state.withLock { state in
            guard state.ending == nil else { return false }
            state.loop = loop
            return true
        }
    }

    var hasEnded: Bool { state.withLock { $0.ending != nil } }

    /// Ends it at once, from any thread.
    func cancel() {
        let loop = state.withLock { state in
            // What is still unread was meant for somebody who no longer wants it.
            state.buffer = []
            return state.loop
        }
        end(
            .failure(
                HTTPError(kind: .cancelled, message: "\(request.name): cancelled", mayHaveBeenSent: loop != nil)))
        loop?.cancel(self)
    }

    func awaitChunk(_ continuation: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>) {
        enum Step { case now(Result<[UInt8]?, HTTPError>, unpause: TransferLoop?), later }
        let step: Step = state.withLock { state in
            if !state.buffer.isEmpty {
                let bytes = state.buffer
                state.buffer = []
                let wasPaused = state.isPaused
                state.isPaused = false
                return .now(.success(bytes), unpause: wasPaused ? state.loop : nil)
            }
            if let ending = state.ending { return .now(ending.map { _ in nil }, unpause: nil) }
            guard state.chunk == nil else {
                let message = "\(request.name): two tasks read one stream"
                return .now(.failure(HTTPError(kind: .other, message: message, mayHaveBeenSent: true)), unpause: nil)
            }
            state.chunk = continuation
            return .later
        }
        guard case .now(let result, let loop) = step else { return }
        loop?.resume(self)
        continuation.resume(returning: result)
    }

    // MARK: The driving thread

    /// For how long nothing may come from here on; nil for ever.
    var longestSilence: Duration? {
        hasAnswered ? request.limits.idle : request.limits.firstByte ?? request.limits.idle
    }

    override func receiveHeaderLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        lastProgress = .now
        hasAnswered = true
        var answer: Beginning = (0, HTTPHeaders())
        var goesOn = true
        let continuation: CheckedContinuation<Result<Beginning, HTTPError>, Never>? = state.withLock { state in
            switch state.head.append(line) {
            case .unfinished: return nil
            case .tooLarge:
                state.refusal = HTTPError(
                    kind: .tooLarge, message: "\(request.name): the headers do not end", mayHaveBeenSent: true)
                goesOn = false
                return nil
            case .complete:
                answer = (state.head.status, state.head.headers)
                return state.beginning.take()
            }
        }
        continuation?.resume(returning: .success(answer))
        return goesOn
    }

    override func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        lastProgress = .now
        var reader: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
        let taken: Int = state.withLock { state in
            guard state.ending == nil else { return 0 }
            guard isStream else {
                guard bytes.count <= request.limits.maximumAnswerBytes - state.buffer.count else {
                    state.refusal = HTTPError(
                        kind: .tooLarge,
                        message: "\(request.name): the answer has more than the "
                            + "\(request.limits.maximumAnswerBytes) bytes allowed", mayHaveBeenSent: true)
                    return 0
                }
                state.buffer.append(contentsOf: bytes)
                return bytes.count
            }
            guard state.buffer.count < Self.bufferBytes else {
                state.isPaused = true
                return transferPause
            }
            reader = state.chunk.take()
            if reader == nil { state.buffer.append(contentsOf: bytes) }
            return bytes.count
        }
        reader?.resume(returning: .success(Array(bytes)))
        return taken
    }

    /// Whether it waits for its reader, so that silence is not the server's.
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Ends it, once; later calls change nothing.
    func end(_ outcome: Result<Void, HTTPError>) {
        let (ending, waiting) = state.withLock { state -> (Result<HTTPResponse, HTTPError>?, State) in
            guard state.ending == nil else { return (nil, State()) }
            let ending: Result<HTTPResponse, HTTPError>
            switch (state.refusal, outcome) {
            case (let refusal?, _): ending = .failure(refusal)
            case (nil, .failure(let error)): ending = .failure(error)
            case (nil, .success):
                ending = .success(
                    HTTPResponse(
                        status: state.head.status, headers: state.head.headers, body: isStream ? [] : state.buffer))
            }
            let waiting = state
            state.ending = ending
            state.whole = nil
            state.beginning = nil
            state.chunk = nil
            state.isPaused = false
            if !isStream { state.buffer = [] }
            return (ending, waiting)
        }
        guard let ending else { return }
        waiting.whole?.resume(returning: ending)
        waiting.beginning?.resume(returning: ending.map { ($0.status, $0.headers) })
        waiting.chunk?.resume(returning: ending.map { _ in nil })
    }
}

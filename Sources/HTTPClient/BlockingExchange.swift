internal import CCurl

/// One exchange driven by the thread that reads it, for callers that have to block, such as a Git transport.
///
/// Never for the cooperative pool. A deadline, a longest silence, a cap on the bytes and a cancellation flag are looked
/// at ten times a second, however the server behaves.
package final class BlockingExchange {
    private let handle: CurlHandle
    private let multi: UnsafeMutableRawPointer
    private let sink: BlockingSink
    private let request: HTTPRequest
    private let deadline: ContinuousClock.Instant
    private let isCancelled: @Sendable () -> Bool
    private var readOffset = 0
    private var ending: Result<Void, HTTPError>?

    /// The status of the answer; 0 before its headers have come.
    package var status: Int { sink.head.status }
    package var headers: HTTPHeaders { sink.head.headers }

    /// Prepares the exchange; nothing is sent before ``begin()`` or the first read.
    package init(
        _ request: HTTPRequest, tls: TLSConfiguration, proxy: ProxyConfiguration, userAgent: String,
        deadline: ContinuousClock.Instant, isCancelled: @escaping @Sendable () -> Bool
    ) throws(HTTPError) {
        var request = request
        request.limits.total = nil
        guard curlStarts, let multi = curl_multi_init() else {
            throw HTTPError(kind: .other, message: "libcurl could not be started", mayHaveBeenSent: false)
        }
        self.multi = multi
        self.request = request
        self.deadline = deadline
        self.isCancelled = isCancelled
        sink = BlockingSink(request)
        do throws(HTTPError) {
            handle = try CurlHandle(request, isStream: false, tls: tls, proxy: proxy, userAgent: userAgent)
            try handle.attach(Unmanaged<TransferSink>.passUnretained(sink))
            guard curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
                throw HTTPError(
                    kind: .other, message: "\(request.name): libcurl takes no transfer", mayHaveBeenSent: false)
            }
        } catch {
            curl_multi_cleanup(multi)
            throw error
        }
    }

    deinit {
        curl_multi_remove_handle(multi, handle.easy)
        curl_multi_cleanup(multi)
    }

    /// Sends the request and waits for the headers of the answer.
    package func begin() throws(HTTPError) {
        sink.lastProgress = .now
        while !sink.hasHead, ending == nil { try step() }
        if !sink.hasHead, case .failure(let error) = ending { throw error }
    }

    /// Reads what has come; waits while nothing has.
    ///
    /// - Returns: The number of bytes, 0 at the end of the body.
    package func read(into target: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int {
        guard !target.isEmpty else { return 0 }
        // Silence counts from here: until now it was the caller who took its time.
        sink.lastProgress = .now
        while readOffset == sink.buffer.count {
            sink.buffer.removeAll(keepingCapacity: true)
            readOffset = 0
            if let ending {
                if case .failure(let error) = ending { throw error }
                return 0
            }
            if sink.isPaused {
                sink.isPaused = false
                curl_easy_pause(handle.easy, CURLPAUSE_CONT)
            }
            try step()
        }
        let count = min(target.count, sink.buffer.count - readOffset)
        sink.buffer[readOffset..<readOffset + count].withUnsafeBytes { target.copyMemory(from: $0) }
        readOffset += count
        return count
    }

    private func step() throws(HTTPError) {
        guard !isCancelled() else { throw failure(.cancelled, "cancelled") }
        let now = ContinuousClock.now
        guard now < deadline else { throw failure(.timedOut, "not finished within the time allowed") }
        if let idle = request.limits.idle, now - sink.lastProgress > idle {
            guard !handle.isConnected else { throw failure(.stalled, "no byte came for \(idle)") }
            // The time to connect has a limit of its own.
            sink.lastProgress = now
        }
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        if let refusal = sink.refusal {
            ending = .failure(refusal)
            throw refusal
        }
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let code = shim_curl_message_result(message)
            ending = code == CURLE_OK ? .success(()) : .failure(handle.failure(code))
        }
        if ending == nil, readOffset == sink.buffer.count { curl_multi_poll(multi, nil, 0, 100, nil) }
    }

    private func failure(_ kind: HTTPError.Kind, _ message: String) -> HTTPError {
        HTTPError(kind: kind, message: "\(request.name): \(message)", mayHaveBeenSent: handle.mayHaveBeenSent)
    }
}

/// What has come and was not read yet.
///
/// Of the reading thread alone.
private final class BlockingSink: TransferSink {
    private let request: HTTPRequest
    var head = AnswerHead()
    var hasHead = false
    var buffer: [UInt8] = []
    var isPaused = false
    var lastProgress = ContinuousClock.now
    var refusal: HTTPError?
    private var receivedBytes = 0

    private static let bufferBytes = 4 << 20

    init(_ request: HTTPRequest) { self.request = request }

    override func receiveHeaderLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        lastProgress = .now
        switch head.append(line) {
        case .unfinished: return true
        case .complete:
            hasHead = true
            return true
        case .tooLarge:
            refusal = HTTPError(
                kind: .tooLarge, message: "\(request.name): the headers do not end", mayHaveBeenSent: true)
            return false
        }
    }

    override func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        lastProgress = .now
        guard buffer.count < Self.bufferBytes else {
            isPaused = true
            return transferPause
        }
        guard bytes.count <= request.limits.maximumAnswerBytes - receivedBytes else {
            refusal = HTTPError(
                kind: .tooLarge,
                message:
                    "\(request.name): the answer has more than the \(request.limits.maximumAnswerBytes) bytes allowed",
                mayHaveBeenSent: true)
            return 0
        }
        receivedBytes += bytes.count
        buffer.append(contentsOf: bytes)
        return bytes.count
    }
}

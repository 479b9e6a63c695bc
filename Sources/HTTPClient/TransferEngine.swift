internal import CCurl

/// What one thread knows of its transfers; every libcurl handle is touched here only.
final class TransferEngine {
    private struct Running {
        var transfer: Transfer
        var handle: CurlHandle
        /// Keeps the transfer alive while libcurl holds its address.
        var sink: Unmanaged<TransferSink>
    }

    private let multi: UnsafeMutableRawPointer
    private let tls: TLSConfiguration
    private let proxy: ProxyConfiguration
    private let userAgent: String
    private var running: [ObjectIdentifier: Running] = [:]
    private var transfers: [UnsafeMutableRawPointer: ObjectIdentifier] = [:]
    /// Transfers with a limit on silence.
    private var guarded: Set<ObjectIdentifier> = []
    /// Transfers that have to be over by some moment.
    private var dated: Set<ObjectIdentifier> = []
    private var spares: [UnsafeMutableRawPointer] = []
    private var isDraining = false
    private var isStopping = false

    private static let maximumSpares = 32

    init(multi: UnsafeMutableRawPointer, tls: TLSConfiguration, proxy: ProxyConfiguration, userAgent: String) {
        self.multi = multi
        self.tls = tls
        self.proxy = proxy
        self.userAgent = userAgent
    }

    /// Drives transfers until it is told to stop, or to drain and the last one has ended.
    func run(takingFrom loop: TransferLoop) {
        while true {
            for command in loop.take() { obey(command) }
            if isStopping || isDraining && running.isEmpty && !loop.hasCommands { break }
            // libcurl's own timers stand still while the machine sleeps, and it sends before it looks at them.
            endOverdue()
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            collect()
            let wait = min(endStalled(), untilNextDeadline)
            if !loop.hasCommands, !(isDraining && running.isEmpty) { curl_multi_poll(multi, nil, 0, wait, nil) }
        }
        for command in loop.close() { if case .start(let transfer) = command { transfer.cancel() } }
        for (id, entry) in running {
            entry.transfer.cancel()
            remove(id)
        }
        for spare in spares { curl_easy_cleanup(spare) }
        curl_multi_cleanup(multi)
    }

    private func obey(_ command: TransferLoop.Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .cancel(let transfer): remove(ObjectIdentifier(transfer))
        case .resume(let transfer):
            guard let entry = running[ObjectIdentifier(transfer)] else { return }
            transfer.lastProgress = .now
            curl_easy_pause(entry.handle.easy, CURLPAUSE_CONT)
        case .drain: isDraining = true
        case .stop: isStopping = true
        }
    }

    private func start(_ transfer: Transfer) {
        guard !transfer.hasEnded else { return }
        if let deadline = transfer.request.limits.deadline, deadline() <= .now {
            transfer.end(.failure(overdue(transfer.request, mayHaveBeenSent: false)))
            return
        }
        let handle: CurlHandle
        do throws(HTTPError) {
            handle = try CurlHandle(
                transfer.request, isStream: transfer.isStream, tls: tls, proxy: proxy, userAgent: userAgent,
                reusing: spares.popLast())
            try handle.attach(Unmanaged<TransferSink>.passUnretained(transfer))
        } catch {
            transfer.end(.failure(error))
            return
        }
        guard curl_multi_add_handle(multi, handle.easy) == CURLM_OK else {
            let message = "\(transfer.request.name): libcurl takes no more transfers"
            transfer.end(.failure(HTTPError(kind: .other, message: message, mayHaveBeenSent: false)))
            return
        }
        let id = ObjectIdentifier(transfer)
        let sink = Unmanaged<TransferSink>.passRetained(transfer)
        running[id] = Running(transfer: transfer, handle: handle, sink: sink)
        transfers[handle.easy] = id
        transfer.lastProgress = .now
        let limits = transfer.request.limits
        if limits.idle != nil || limits.firstByte != nil { guarded.insert(id) }
        if limits.deadline != nil { dated.insert(id) }
    }

    // MARK: Deadlines

    /// Ends the transfers whose moment has passed.
    private func endOverdue() {
        guard !dated.isEmpty else { return }
        let now = ContinuousClock.now
        for id in dated {
            guard let entry = running[id], let deadline = entry.transfer.request.limits.deadline, deadline() <= now
            else { continue }
            let error = overdue(entry.transfer.request, mayHaveBeenSent: entry.handle.mayHaveBeenSent)
            remove(id)
            entry.transfer.end(.failure(error))
        }
    }

    /// In milliseconds.
    private var untilNextDeadline: Int32 {
        let now = ContinuousClock.now
        let next = dated.compactMap { running[$0]?.transfer.request.limits.deadline?() }.min()
        return next.map { Int32(clamping: milliseconds(max($0 - now, .zero))) } ?? 1000
    }

    private func overdue(_ request: HTTPRequest, mayHaveBeenSent: Bool) -> HTTPError {
        HTTPError(
            kind: .timedOut, message: "\(request.name): the moment until which it was allowed has passed",
            mayHaveBeenSent: mayHaveBeenSent)
    }

    // MARK: Ends

    /// Ends the transfers that libcurl has finished with.
    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let id = transfers[easy], let entry = running[id]
            else { continue }
            let code = shim_curl_message_result(message)
            let outcome: Result<Void, HTTPError> =
                code == CURLE_OK ? .success(()) : .failure(entry.handle.failure(code))
            remove(id)
            entry.transfer.end(outcome)
        }
    }

    /// Ends the transfers that were silent for too long.
    ///
    /// - Returns: For how many milliseconds there is nothing to look at.
    private func endStalled() -> Int32 {
        guard !guarded.isEmpty else { return 1000 }
        let now = ContinuousClock.now
        var wait = Duration.seconds(1)
        for id in guarded {
            guard let entry = running[id], let longest = entry.transfer.longestSilence else { continue }
            // The time to connect has a limit of its own, and a slow reader is not the server's silence.
            if !entry.handle.isConnected || entry.transfer.isPaused {
                entry.transfer.lastProgress = now
                continue
            }
            let left = longest - (now - entry.transfer.lastProgress)
            wait = min(wait, left)
            guard left <= .zero else { continue }
            let error = HTTPError(
                kind: .stalled, message: "\(entry.transfer.request.name): no byte came for \(longest)",
                mayHaveBeenSent: entry.handle.mayHaveBeenSent)
            remove(id)
            entry.transfer.end(.failure(error))
        }
        return Int32(clamping: milliseconds(max(wait, .zero)))
    }

    private func remove(_ id: ObjectIdentifier) {
        guard let entry = running.removeValue(forKey: id) else { return }
        guarded.remove(id)
        dated.remove(id)
        transfers[entry.handle.easy] = nil
        curl_multi_remove_handle(multi, entry.handle.easy)
        entry.sink.release()
        if spares.count < Self.maximumSpares { spares.append(entry.handle.releaseEasy()) }
    }
}

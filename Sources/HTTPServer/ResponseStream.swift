internal import CMicroHTTPD
import Foundation

/// A body that is written while it is sent.
///
/// `@unchecked Sendable`: everything mutable is only touched under `lock`. A connection without anything to send is
/// suspended, and resumed by whoever adds something.
package final class ResponseStream: @unchecked Sendable {
    private let lock = NSLock()
    private var buffer: [UInt8] = []
    private var isFinished = false
    private var isGone = false
    private var suspended: OpaquePointer?
    private let maximumBufferedBytes: Int
    private var whenGone: (@Sendable () -> Void)?

    package init(maximumBufferedBytes: Int = 64 << 20) { self.maximumBufferedBytes = maximumBufferedBytes }

    /// Adds bytes to be sent.
    ///
    /// - Returns: false where the reader is gone, or so far behind that it is let go.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard !isFinished, !isGone else { return false }
        guard buffer.count + bytes.count <= maximumBufferedBytes else {
            isFinished = true
            resume()
            return false
        }
        buffer += bytes
        resume()
        return true
    }

    /// Ends the body when everything added has been sent.
    package func finish() {
        lock.withLock {
            isFinished = true
            resume()
        }
    }

    /// Called once when the reader has gone or the body has been sent.
    package func onEnd(_ body: @escaping @Sendable () -> Void) {
        let isOver = lock.withLock {
            whenGone = body
            return isGone
        }
        if isOver { body() }
    }

    private func resume() {
        guard let connection = suspended else { return }
        suspended = nil
        MHD_resume_connection(connection)
    }

    /// Fills the server's buffer; called on its thread.
    func read(into target: UnsafeMutablePointer<CChar>, capacity: Int, connection: OpaquePointer) -> Int {
        lock.lock()
        defer { lock.unlock() }
        if buffer.isEmpty {
            if isFinished { return -1 }
            suspended = connection
            MHD_suspend_connection(connection)
            return 0
        }
        let count = min(capacity, buffer.count)
        buffer[..<count].withUnsafeBytes {
            UnsafeMutableRawPointer(target).copyMemory(
                from: $0.baseAddress ?? UnsafeRawPointer(target), byteCount: count)
        }
        buffer.removeFirst(count)
        return count
    }

    func end() {
        let body = lock.withLock {
            isGone = true
            suspended = nil
            let body = whenGone
            whenGone = nil
            return body
        }
        body?()
    }
}

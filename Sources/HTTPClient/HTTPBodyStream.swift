/// The body of an answer as it arrives, buffered up to about a megabyte: a slow reader slows the server down.
///
/// For one reader at a time. Letting go of it ends the transfer.
package final class HTTPBodyStream: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    private let transfer: Transfer

    init(status: Int, headers: HTTPHeaders, transfer: Transfer) {
        self.status = status
        self.headers = headers
        self.transfer = transfer
    }

    deinit { transfer.cancel() }

    /// The next bytes; nil at the end of the body.
    package func next() async throws(HTTPError) -> [UInt8]? {
        let result: Result<[UInt8]?, HTTPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { transfer.awaitChunk($0) }
        } onCancel: {
            transfer.cancel()
        }
        return try result.get()
    }

    /// Reads the rest, up to a bound, for short answers such as errors.
    package func rest(maximumBytes: Int) async throws(HTTPError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < maximumBytes, let chunk = try await next() {
            bytes += chunk.prefix(maximumBytes - bytes.count)
        }
        return bytes
    }
}

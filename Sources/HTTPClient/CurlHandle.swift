internal import CCurl
import Foundation

/// Starts libcurl once for the process; every other call crashes before it.
let curlStarts: Bool = {
    signal(SIGPIPE, SIG_IGN)
    return curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}()

/// Who takes what one transfer brings.
///
/// All calls come on the thread that drives the handle.
///
/// A class, not a protocol: libcurl hands back a bare address, and a cast for every piece of data would cost more than
/// taking it.
class TransferSink {
    /// - Returns: Whether the transfer goes on.
    func receiveHeaderLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool { true }
    /// - Returns: How many bytes were taken; ``transferPause`` to be called again later, anything else ends the
    ///   transfer.
    func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Int { bytes.count }
}

/// What ``TransferSink/receive(_:)`` answers when its buffer is full.
let transferPause = Int(CURL_WRITEFUNC_PAUSE)

/// A body on its way out.
struct Upload {
    var bytes: UnsafeMutableBufferPointer<UInt8>
    var offset = 0
}

/// One libcurl easy handle with everything it points to, for one exchange.
final class CurlHandle {
    let easy: UnsafeMutableRawPointer
    let request: HTTPRequest
    var headerList: UnsafeMutablePointer<curl_slist>?
    var connectList: UnsafeMutablePointer<curl_slist>?
    var upload: UnsafeMutablePointer<Upload>?
    let errorText: UnsafeMutableBufferPointer<CChar>
    /// May hold credentials: never shown.
    var proxyAddress: String?
    private var ownsEasy = true

    /// - Parameter spare: A handle of an earlier exchange to use again; it becomes this object's.
    init(
        _ request: HTTPRequest, isStream: Bool, tls: TLSConfiguration, proxy: ProxyConfiguration, userAgent: String,
        reusing spare: UnsafeMutableRawPointer? = nil
    ) throws(HTTPError) {
        guard curlStarts, let easy = spare ?? curl_easy_init() else {
            throw HTTPError(kind: .other, message: "libcurl could not be started", mayHaveBeenSent: false)
        }
        self.easy = easy
        self.request = request
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE) + 1)
        errorText.initialize(repeating: 0)
        try configure(isStream: isStream, tls: tls, proxy: proxy, userAgent: userAgent)
    }

    deinit {
        if ownsEasy { curl_easy_cleanup(easy) }
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectList)
        if let upload {
            upload.pointee.bytes.deallocate()
            upload.deallocate()
        }
        errorText.deallocate()
    }

    /// Gives the libcurl handle away for another exchange, without anything of this one.
    ///
    /// Only after the transfer.
    func releaseEasy() -> UnsafeMutableRawPointer {
        ownsEasy = false
        curl_easy_reset(easy)
        return easy
    }

    /// Lets a sink take what arrives.
    ///
    /// It is not retained: the caller keeps it until the transfer has ended.
    func attach(_ sink: Unmanaged<TransferSink>) throws(HTTPError) {
        var setting = Setting()
        setting += shim_curl_set_data_callback(easy, CURLOPT_HEADERFUNCTION) { pointer, size, count, context in
            guard let pointer, let context else { return 0 }
            let length = size * count
            let goesOn = pointer.withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
                transferSink(at: context).receiveHeaderLine(UnsafeBufferPointer(start: bytes, count: length))
            }
            return goesOn ? length : 0
        }
        setting += shim_curl_set_pointer(easy, CURLOPT_HEADERDATA, sink.toOpaque())
        setting += shim_curl_set_data_callback(easy, CURLOPT_WRITEFUNCTION) { pointer, size, count, context in
            guard let pointer, let context else { return 0 }
            let length = size * count
            return pointer.withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
                transferSink(at: context).receive(UnsafeBufferPointer(start: bytes, count: length))
            }
        }
        setting += shim_curl_set_pointer(easy, CURLOPT_WRITEDATA, sink.toOpaque())
        try setting.check(request)
    }

    // MARK: What became of it

    var status: Int {
        var value = 0
        shim_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &value)
        return value
    }

    /// Whether there is a connection for it, ready for the request.
    var isConnected: Bool {
        var microseconds: curl_off_t = 0
        shim_curl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds)
        return microseconds > 0
    }

    /// Whether bytes of the request may have reached the server.
    var mayHaveBeenSent: Bool {
        var bytes = 0
        shim_curl_get_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
        return bytes > 0
    }
}

private func transferSink(at context: UnsafeMutableRawPointer) -> TransferSink {
    Unmanaged<TransferSink>.fromOpaque(context).takeUnretainedValue()
}

/// The results of setting options: the first that failed is kept.
struct Setting {
    private var failure: CURLcode?

    static func += (setting: inout Setting, result: CURLcode) {
        if result != CURLE_OK, setting.failure == nil { setting.failure = result }
    }

    func check(_ request: HTTPRequest) throws(HTTPError) {
        guard let failure else { return }
        throw HTTPError(
            kind: .invalidURL,
            message: "prepare \(request.name): \(String(cString: curl_easy_strerror(failure)))", mayHaveBeenSent: false)
    }
}

/// Whole milliseconds, at least one, for libcurl's options.
func milliseconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    // A year is for ever, and far from where libcurl's sums would overflow.
    let bounded = min(max(Int(clamping: seconds), 0), 31_536_000)
    return max(1, bounded * 1000 + Int(attoseconds / 1_000_000_000_000_000))
}

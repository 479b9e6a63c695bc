internal import CCurl
import Foundation

extension CurlHandle {
    func configure(
        isStream: Bool, tls: TLSConfiguration, proxy: ProxyConfiguration, userAgent: String
    ) throws(HTTPError) {
        var setting = Setting()
        let url = setServerName(tls.serverName, &setting)
        setting += shim_curl_set_string(easy, CURLOPT_URL, url)
        setting += shim_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        setting += shim_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText.baseAddress)
        setting += shim_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // Else the end of a transfer waits for a name that is being looked up.
        setting += shim_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        setting += shim_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        setting += shim_curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        // Not HTTP/2: where transfers share a connection, libcurl 7.88 sometimes leaves the bytes of one in a buffer until
        // something else wakes it, and sometimes for good. On a real API server one of ten syncs waited a second, and one
        // of some hundred lists hung to its time limit. Measured, sharing gained nothing over sixteen connections.
        setting += shim_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // A stream's events must not wait in a compressor.
        if !isStream { setting += shim_curl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "gzip") }
        setting += shim_curl_set_string(easy, CURLOPT_USERAGENT, userAgent)
        setting += shim_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.limits.connect))
        if let total = request.limits.total {
            setting += shim_curl_set_long(easy, CURLOPT_TIMEOUT_MS, milliseconds(total))
        }
        setLiveness(&setting)
        setMethod(&setting)
        setHeaders(&setting)
        setTLS(tls, &setting)
        setProxy(proxy, &setting)
        try setting.check(request)
    }

    /// A connection whose other end is gone without a word is given up after 45 s (rule A10): probes begin after 30 s
    /// of silence and are repeated every 5 s.
    private func setLiveness(_ setting: inout Setting) {
        setting += shim_curl_set_long(easy, CURLOPT_TCP_NODELAY, 1)
        setting += shim_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        setting += shim_curl_set_long(easy, CURLOPT_TCP_KEEPIDLE, 30)
        setting += shim_curl_set_long(easy, CURLOPT_TCP_KEEPINTVL, 5)
        setting += shim_curl_set_socket_callback(easy, CURLOPT_SOCKOPTFUNCTION) { _, socket, _ in
            var probes: Int32 = 3
            var unanswered: UInt32 = 45_000
            // Where a kernel refuses, its own slower limits stay: no reason to refuse the connection.
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_KEEPCNT, &probes, socklen_t(MemoryLayout<Int32>.size))
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &unanswered, socklen_t(MemoryLayout<UInt32>.size))
            return 0
        }
    }

    private func setMethod(_ setting: inout Setting) {
        if let body = request.body, !body.isEmpty {
            setUpload(body, &setting)
            return
        }
        switch request.method {
        case "GET": setting += shim_curl_set_long(easy, CURLOPT_HTTPGET, 1)
        case "HEAD": setting += shim_curl_set_long(easy, CURLOPT_NOBODY, 1)
        default:
            if request.body != nil || ["POST", "PUT", "PATCH"].contains(request.method) {
                setting += shim_curl_set_long(easy, CURLOPT_POST, 1)
                setting += shim_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
                setting += shim_curl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
            }
            setting += shim_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
            // Without a body there is nothing that could not be rewound; a new connection is never tried twice.
            setting += shim_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
        }
    }

    /// The body is read through a callback that is never rewound.
    ///
    /// libcurl repeats a request by itself when a kept connection turns out dead, but only a GET may be sent twice without
    /// asking (rule A15).
    private func setUpload(_ body: [UInt8], _ setting: inout Setting) {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: body.count)
        _ = bytes.initialize(from: body)
        let upload = UnsafeMutablePointer<Upload>.allocate(capacity: 1)
        upload.initialize(to: Upload(bytes: bytes))
        self.upload = upload
        setting += shim_curl_set_long(easy, CURLOPT_POST, 1)
        setting += shim_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        setting += shim_curl_set_data_callback(easy, CURLOPT_READFUNCTION) { buffer, size, count, context in
            guard let buffer, let context else { return 0 }
            let upload = context.assumingMemoryBound(to: Upload.self)
            let bytes = upload.pointee.bytes
            let length = min(size * count, bytes.count - upload.pointee.offset)
            guard length > 0, let start = bytes.baseAddress else { return 0 }
            memcpy(buffer, start + upload.pointee.offset, length)
            upload.pointee.offset += length
            return length
        }
        setting += shim_curl_set_pointer(easy, CURLOPT_READDATA, upload)
        setting += shim_curl_set_seek_callback(easy, CURLOPT_SEEKFUNCTION) { _, _, _ in CURL_SEEKFUNC_FAIL }
        if request.method != "POST" { setting += shim_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
    }

    private func setHeaders(_ setting: inout Setting) {
        var hasType = false
        for (name, value) in request.headers {
            // A line break in a value would begin another header.
            let clean = String(value.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f || $0 == "\t" })
            addHeader(clean.isEmpty ? "\(name);" : "\(name): \(clean)", &setting)
            hasType = hasType || name.lowercased() == "content-type"
        }
        addHeader("Expect:", &setting)
        if !hasType { addHeader("Content-Type:", &setting) }
        setting += shim_curl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
    }

    private func addHeader(_ line: String, _ setting: inout Setting) {
        guard let list = curl_slist_append(headerList, line) else {
            setting += CURLE_OUT_OF_MEMORY
            return
        }
        headerList = list
    }

    private func setTLS(_ tls: TLSConfiguration, _ setting: inout Setting) {
        setting += shim_curl_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities = tls.certificateAuthorities {
            setting += shim_curl_set_blob(easy, CURLOPT_CAINFO_BLOB, authorities, authorities.count)
            // Else the system's folder of authorities would be trusted as well.
            setting += shim_curl_set_string(easy, CURLOPT_CAPATH, nil)
        }
        if let certificate = tls.clientCertificate, let key = tls.clientKey {
            setting += shim_curl_set_string(easy, CURLOPT_SSLCERTTYPE, "PEM")
            setting += shim_curl_set_blob(easy, CURLOPT_SSLCERT_BLOB, certificate, certificate.count)
            setting += shim_curl_set_string(easy, CURLOPT_SSLKEYTYPE, "PEM")
            setting += shim_curl_set_blob(easy, CURLOPT_SSLKEY_BLOB, key.bytes, key.bytes.count)
        }
        if tls.isVerificationDisabled {
            setting += shim_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
            setting += shim_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    /// Makes TLS ask for and verify another name than the address's (rule A7): the URL names the server, and the
    /// connection goes to the address.
    ///
    /// - Returns: The URL to use.
    private func setServerName(_ name: String?, _ setting: inout Setting) -> String {
        guard let name, !name.isEmpty, var parts = URLComponents(string: request.url), let host = parts.host,
            parts.scheme?.lowercased() == "https"
        else { return request.url }
        let port = parts.port ?? 443
        let address = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let asked = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
        connectList = curl_slist_append(nil, "\(asked):\(port):\(address):\(port)")
        guard connectList != nil else {
            setting += CURLE_OUT_OF_MEMORY
            return request.url
        }
        setting += shim_curl_set_list(easy, CURLOPT_CONNECT_TO, connectList)
        if !request.headers.contains(where: { $0.name.lowercased() == "host" }) {
            addHeader(port == 443 ? "Host: \(address)" : "Host: \(address):\(port)", &setting)
        }
        parts.host = asked
        guard let url = parts.string else {
            setting += CURLE_URL_MALFORMAT
            return request.url
        }
        return url
    }

    /// The choice is made here, by the address: libcurl would look at the name that TLS asks for instead, and apply the
    /// environment's exceptions to an explicit proxy.
    private func setProxy(_ proxy: ProxyConfiguration, _ setting: inout Setting) {
        proxyAddress = proxy.address(for: request.url)
        setting += shim_curl_set_string(easy, CURLOPT_PROXY, proxyAddress.map(resolvingAtProxy) ?? "")
        setting += shim_curl_set_string(easy, CURLOPT_NOPROXY, "")
    }
}

/// A SOCKS proxy's address such that the proxy resolves the server's name, as kubectl and Git hosts' tools do: behind a
/// bastion nobody else can.
private func resolvingAtProxy(_ address: String) -> String {
    let scheme = "socks5://"
    guard address.prefix(scheme.count).lowercased() == scheme else { return address }
    return "socks5h://" + address.dropFirst(scheme.count)
}

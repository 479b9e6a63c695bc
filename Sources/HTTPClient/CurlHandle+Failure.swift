internal import CCurl

extension CurlHandle {
    /// What a failed transfer means.
    ///
    /// Called once, after the transfer.
    func failure(_ code: CURLcode) -> HTTPError {
        let detail = errorText.baseAddress.map { String(cString: $0) } ?? ""
        let general = String(cString: curl_easy_strerror(code))
        let text = detail.isEmpty ? general : detail
        // libcurl quotes a proxy's address that it cannot use, with its password.
        var shown = text
        if let proxyAddress, holdsCredentials(of: proxyAddress, text) {
            shown = "\(general) (proxy \(redactedURL(proxyAddress)))"
        }
        return HTTPError(
            kind: kind(of: code, text), message: "\(request.name): \(shown)", mayHaveBeenSent: mayHaveBeenSent)
    }

    private func kind(of code: CURLcode, _ text: String) -> HTTPError.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: .couldNotResolve
        case CURLE_COULDNT_CONNECT: .couldNotConnect
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
        case CURLE_PEER_FAILED_VERIFICATION: isChainTrusted ? .tlsNameMismatch : .tlsUntrusted
        case CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CACERT_BADFILE: .tlsUntrusted
        case CURLE_SSL_CERTPROBLEM: .tlsClientCertificate
        case CURLE_SSL_CONNECT_ERROR: isAboutOurCertificate(text) ? .tlsClientCertificate : .tlsOther
        case CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND: .tlsOther
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        // With TLS 1.3 a server refuses our certificate only after the handshake.
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR: kindOfBreak(text)
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND: .closedEarly
        case CURLE_URL_MALFORMAT: .invalidURL
        // Also what an answer gets that is not HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL: mayHaveBeenSent ? .other : .invalidURL
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        default: .other
        }
    }

    private func kindOfBreak(_ text: String) -> HTTPError.Kind {
        if isAboutOurCertificate(text) { return .tlsClientCertificate }
        // A proxy that refuses to connect looks like a broken receipt.
        return text.contains("CONNECT") ? .proxy : .closedEarly
    }

    /// Whether the chain of certificates was in order, so that only the name can have been refused.
    ///
    /// libcurl notes OpenSSL's reason where the chain failed; else its own first value, 1, still stands.
    private var isChainTrusted: Bool {
        var result = -1
        shim_curl_get_long(easy, CURLINFO_SSL_VERIFYRESULT, &result)
        return result == 0 || result == 1
    }

    /// TLS alerts that a server sends about a client's certificate; libcurl tells them by their text only.
    private func isAboutOurCertificate(_ text: String) -> Bool {
        text.contains("alert") && (text.contains("certificate") || text.contains("unknown ca"))
    }
}

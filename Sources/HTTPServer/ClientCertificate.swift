internal import CMicroHTTPD

/// What came of asking a client for a certificate.
///
/// libmicrohttpd asks and looks at nothing, so the chain is verified here, for each request anew: a certificate that ran
/// out ends a connection that stays open as well.
package enum ClientCertificate: Sendable, Equatable {
    /// Why a certificate proves nothing.
    package enum Refusal: Sendable, Equatable {
        /// No authority that is trusted here has signed it.
        case untrusted
        case expired
        case notYetValid
        /// It has a list of purposes, and that of a client is not among them.
        case notForClients
        /// It is malformed, signed with an algorithm that is too weak, or has not exactly one common name.
        case unusable
    }

    case absent
    case refused(Refusal)
    /// It is of a trusted authority, in force, for clients, and of this common name.
    case verified(commonName: String)
}

extension ClientCertificate {
    /// Judges what the client of a connection has shown; only on the thread that drives the connection.
    init(of connection: OpaquePointer) {
        guard let session = shim_httpd_session(connection) else {
            self = .absent
            return
        }
        var count: UInt32 = 0
        guard let chain = gnutls_certificate_get_peers(session, &count), count > 0 else {
            self = .absent
            return
        }
        if let refusal = refusal(of: session) {
            self = .refused(refusal)
        } else if let name = commonName(of: chain[0]) {
            self = .verified(commonName: name)
        } else {
            self = .refused(.unusable)
        }
    }
}

/// How many certificates a text in PEM holds; 0 as well where one of them cannot be read.
func countCertificates(in pem: [UInt8]) -> Int {
    var list: gnutls_x509_trust_list_t?
    guard gnutls_x509_trust_list_init(&list, 0) == GNUTLS_E_SUCCESS, let list else { return 0 }
    defer { gnutls_x509_trust_list_deinit(list, 1) }
    var bytes = pem
    return bytes.withUnsafeMutableBufferPointer { buffer in
        var text = gnutls_datum_t(data: buffer.baseAddress, size: UInt32(clamping: buffer.count))
        return Int(max(0, gnutls_x509_trust_list_add_trust_mem(list, &text, nil, GNUTLS_X509_FMT_PEM, 0, 0)))
    }
}

/// Verifies the chain of certificates that a client has shown, with its dates and its purpose; nil where all is well.
private func refusal(of session: gnutls_session_t) -> ClientCertificate.Refusal? {
    var status: UInt32 = 0
    var purpose = Array(GNUTLS_KP_TLS_WWW_CLIENT.utf8) + [0]
    let code = purpose.withUnsafeMutableBufferPointer { buffer in
        var wanted = gnutls_typed_vdata_st(type: GNUTLS_DT_KEY_PURPOSE_OID, data: buffer.baseAddress, size: 0)
        return gnutls_certificate_verify_peers(session, &wanted, 1, &status)
    }
    guard code == GNUTLS_E_SUCCESS else { return .unusable }
    guard status != 0 else { return nil }
    func has(_ flag: gnutls_certificate_status_t) -> Bool { status & flag.rawValue != 0 }
    if has(GNUTLS_CERT_SIGNER_NOT_FOUND) || has(GNUTLS_CERT_SIGNER_NOT_CA) || has(GNUTLS_CERT_SIGNATURE_FAILURE) {
        return .untrusted
    }
    if has(GNUTLS_CERT_EXPIRED) { return .expired }
    if has(GNUTLS_CERT_NOT_ACTIVATED) { return .notYetValid }
    if has(GNUTLS_CERT_PURPOSE_MISMATCH) { return .notForClients }
    return .unusable
}

/// The common name of a certificate's subject; nil where it has none, or several, which readers choose from differently.
private func commonName(of encoded: gnutls_datum_t) -> String? {
    var certificate: gnutls_x509_crt_t?
    guard gnutls_x509_crt_init(&certificate) == GNUTLS_E_SUCCESS, let certificate else { return nil }
    defer { gnutls_x509_crt_deinit(certificate) }
    var encoded = encoded
    var subject: gnutls_x509_dn_t?
    guard gnutls_x509_crt_import(certificate, &encoded, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS,
        gnutls_x509_crt_get_subject(certificate, &subject) == GNUTLS_E_SUCCESS, let subject
    else { return nil }
    var names: [String?] = []
    // Beyond these bounds no name is honest.
    for part in 0..<Int32(64) {
        for value in 0..<Int32(16) {
            var pair = gnutls_x509_ava_st()
            guard gnutls_x509_dn_get_rdn_ava(subject, part, value, &pair) == GNUTLS_E_SUCCESS else {
                if value == 0 { return names.count == 1 ? names[0] : nil }
                break
            }
            guard bytes(of: pair.oid).prefix(while: { $0 != 0 }) == Array(GNUTLS_OID_X520_COMMON_NAME.utf8)[...] else {
                continue
            }
            names.append(text(of: pair))
        }
    }
    return nil
}

/// A name in one of the encodings that are plain text: UTF8String, PrintableString, IA5String.
private func text(of pair: gnutls_x509_ava_st) -> String? {
    let value = bytes(of: pair.value)
    guard [12, 19, 22].contains(pair.value_tag), !value.isEmpty, value.count <= 512, !value.contains(0) else {
        return nil
    }
    return String(validating: value, as: UTF8.self)
}

private func bytes(of datum: gnutls_datum_t) -> [UInt8] {
    Array(UnsafeBufferPointer(start: datum.data, count: Int(datum.size)))
}

import Arguments
import HTTPClient
import HTTPServer
import Signatures

/// The largest body that an API server sends with its documented truncation (10 MiB a batch), with room to spare.
let maximumAuditBytes = 16 << 20

/// Who may send audit events: whoever could send them without being asked could blame others (rule M10).
///
/// Each way in is open only where it was configured: with authorities alone a token is worth nothing, and the other way
/// round.
struct AuditAccess: Sendable {
    /// What a `Bearer` token must be; nil where no token is a way in.
    var token: SecretBytes?
    /// The common names whose certificates are a way in, all of the authorities' where it is empty; nil where none is.
    var certificateNames: [String]?

    /// Refuses what is no audit event of whoever may send some, before its body is read.
    func refusal(of request: ServerRequest) -> ServerResponse? {
        if let answer = refusalOfSender(request) { return .line(401, answer) }
        // The path alone: the server may add a query (rule M1).
        guard request.path == "/audit" else { return .line(404, "audit events go to /audit") }
        guard request.method == "POST" else { return .line(405, "audit events are sent with POST") }
        guard let length = request.header("Content-Length").map({ Int($0) ?? .max }), length > maximumAuditBytes else {
            return nil
        }
        return .line(413, "the batch is too large")
    }

    /// Nil where the sender may send; what is said instead repeats nothing of what was sent.
    private func refusalOfSender(_ request: ServerRequest) -> String? {
        if let token {
            let given = Array((request.header("Authorization") ?? "").utf8)
            if isEqualInConstantTime(given, Array("Bearer ".utf8) + token.bytes) { return nil }
        }
        guard let certificateNames else { return "the token is wrong" }
        switch request.clientCertificate {
        case .verified(let name):
            // Byte by byte: two spellings of one name are two names.
            guard !certificateNames.isEmpty, !certificateNames.contains(where: { $0.utf8.elementsEqual(name.utf8) })
            else { return nil }
            return "the client certificate has none of the allowed names"
        case .absent:
            return token == nil ? "a client certificate is needed" : "a client certificate or the token is needed"
        case .refused(.untrusted): return "the client certificate is of no trusted authority"
        case .refused(.expired): return "the client certificate has expired"
        case .refused(.notYetValid): return "the client certificate is not yet valid"
        case .refused(.notForClients): return "the client certificate is not for clients (clientAuth)"
        case .refused(.unusable): return "the client certificate cannot be used"
        }
    }
}

extension Wiring {
    /// Who may send audit events, and what we show them.
    ///
    /// - Throws: ``CommandFailure`` where nobody could, or where anybody could.
    func auditAccess() throws -> (access: AuditAccess, identity: ServerIdentity) {
        guard let certificate = arguments.text("audit-cert-file"), let key = arguments.text("audit-key-file") else {
            throw CommandFailure(
                message: "--audit-listen needs --audit-cert-file and --audit-key-file",
                hint:
                    "Make a certificate that the API server trusts, as Deploy/components/audit-webhook/audit-webhook.yaml says."
            )
        }
        let token = try arguments.text("audit-token-file").map(secret(in:))
        let authorities = try arguments.text("audit-client-ca-file").map(readFile)
        let names = arguments.all("audit-client-name")
        guard token != nil || authorities != nil else {
            throw CommandFailure(
                message: "--audit-listen needs --audit-token-file or --audit-client-ca-file",
                hint: "Anybody could blame others else: make a token or client certificate for the API server, as "
                    + "Deploy/components/audit-webhook/audit-webhook.yaml says.")
        }
        guard authorities != nil || names.isEmpty else {
            throw CommandFailure(
                message: "--audit-client-name without --audit-client-ca-file",
                hint: "Name the file with the authority that signs the API server's client certificate.")
        }
        return (
            AuditAccess(token: token, certificateNames: authorities == nil ? nil : names),
            ServerIdentity(
                certificate: try readFile(certificate), key: try readFile(key), clientAuthorities: authorities)
        )
    }
}

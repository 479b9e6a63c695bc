/// An exchange that did not come to an answer.
///
/// The message names no credential.
package struct HTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, Equatable {
        case couldNotResolve, couldNotConnect
        /// The server's certificate is of no trusted authority, has expired, or is damaged.
        case tlsUntrusted
        /// The certificate is trusted, but for another name than the one asked for.
        case tlsNameMismatch
        /// The server refused our certificate, wants one, or ours is unusable.
        case tlsClientCertificate
        case tlsOther, timedOut
        /// No byte came for the longest silence allowed.
        case stalled
        case closedEarly, tooLarge, cancelled
        case invalidURL, proxy, other
    }

    package var kind: Kind
    package var message: String
    /// Whether the server may have got the request; false only where that is certain.
    package var mayHaveBeenSent: Bool

    package init(kind: Kind, message: String, mayHaveBeenSent: Bool) {
        self.kind = kind
        self.message = message
        self.mayHaveBeenSent = mayHaveBeenSent
    }

    package var description: String { message }
}

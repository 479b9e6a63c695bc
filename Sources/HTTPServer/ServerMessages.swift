/// A request as a handler sees it, with its whole body.
package struct ServerRequest: Sendable {
    package var method: String
    /// Percent-decoded.
    package var path: String
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Who the client has proven to be, where it was asked (``ServerIdentity/clientAuthorities``).
    package var clientCertificate = ClientCertificate.absent

    /// The first header of a name, without regard to case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The first query item of a name.
    package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// What a handler answers.
package struct ServerResponse: Sendable {
    package enum Body: Sendable {
        case whole([UInt8])
        case stream(ResponseStream)
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = .whole(body)
    }

    package init(status: Int, headers: [(name: String, value: String)] = [], stream: ResponseStream) {
        self.status = status
        self.headers = headers
        body = .stream(stream)
    }
}

/// The bounds of a listener.
package struct ListenerLimits: Sendable {
    package var maximumConnections: Int
    package var maximumBodyBytes: Int
    package var idleTimeout: Duration

    package init(maximumConnections: Int = 512, maximumBodyBytes: Int = 8 << 20, idleTimeout: Duration = .seconds(120))
    {
        self.maximumConnections = maximumConnections
        self.maximumBodyBytes = maximumBodyBytes
        self.idleTimeout = idleTimeout
    }
}

/// What a server proves its name with.
package struct ServerIdentity: Sendable {
    /// PEM, the server's own certificate first.
    package var certificate: [UInt8]
    /// PEM without a pass phrase.
    package var key: [UInt8]
    /// PEM; with it clients are asked for a certificate of one of these authorities.
    ///
    /// Whoever shows none, or a wrong one, is connected all the same: each request says what came of it.
    package var clientAuthorities: [UInt8]?

    package init(certificate: [UInt8], key: [UInt8], clientAuthorities: [UInt8]? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
    }
}

/// A listener could not be started.
package struct ListenerError: Error, Sendable, Equatable {
    package var message: String
}

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

    /// An answer of one line of text.
    package static func line(
        _ status: Int, _ text: String, headers: [(name: String, value: String)] = []
    ) -> ServerResponse {
        ServerResponse(
            status: status, headers: headers + [("Content-Type", "text/plain; charset=utf-8")],
            body: Array((text + "\n").utf8))
    }
}

/// The bounds of a listener.
package struct ListenerLimits: Sendable {
    package var maximumConnections: Int
    /// How many of them one address may have, so that it cannot take them all; nil for any number.
    ///
    /// What is beyond it is closed at once.
    package var maximumConnectionsPerAddress: Int?
    package var maximumBodyBytes: Int
    /// How long a connection may be silent, in whole seconds.
    package var idleTimeout: Duration
    /// How long one may last of which no request has passed the precheck; as any other where it is nil.
    package var unprovenTimeout: Duration?
    /// How long one exchange may take as a whole: the wait for the request since the connection was opened or the answer
    /// before it was sent, the request, and the client's taking the answer.
    ///
    /// A client that sends or takes a byte now and then is never silent, and holds a connection for ever without it. Nil where
    /// answers are streams.
    package var exchangeTimeout: Duration?

    package init(
        maximumConnections: Int = 512, maximumConnectionsPerAddress: Int? = nil, maximumBodyBytes: Int = 8 << 20,
        idleTimeout: Duration = .seconds(120), unprovenTimeout: Duration? = nil, exchangeTimeout: Duration? = nil
    ) {
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerAddress = maximumConnectionsPerAddress
        self.maximumBodyBytes = maximumBodyBytes
        self.idleTimeout = idleTimeout
        self.unprovenTimeout = unprovenTimeout
        self.exchangeTimeout = exchangeTimeout
    }

    /// In seconds, of which libmicrohttpd takes none for no bound at all.
    func seconds(isProven: Bool) -> UInt32 {
        let timeout = isProven ? idleTimeout : unprovenTimeout ?? idleTimeout
        return UInt32(clamping: max(1, timeout.components.seconds))
    }
}

/// What a server proves its name with.
package struct ServerIdentity: Sendable, Equatable {
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

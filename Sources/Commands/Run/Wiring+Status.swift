import Arguments
import HTTPServer
import StatusServer
import Telemetry

extension Wiring {
    /// Where metrics and health are served, and with which files; nil where they are not.
    func statusPlace() throws(CommandFailure) -> (address: String, port: Int, certificate: String?, key: String?)? {
        let files = (certificate: arguments.text("status-cert-file"), key: arguments.text("status-key-file"))
        guard (files.certificate == nil) == (files.key == nil) else {
            throw CommandFailure(
                message: "--status-cert-file and --status-key-file go together",
                hint: "Name the certificate and its key, or neither for plain HTTP.")
        }
        guard let text = arguments.text("status-listen") else {
            guard files.certificate == nil else {
                throw CommandFailure(
                    message: "--status-cert-file without --status-listen",
                    hint: "Say where status is served, such as --status-listen 0.0.0.0:9464, or leave it out.")
            }
            return nil
        }
        let (address, port) = try listeningAddress(text, flag: "status-listen")
        return (address, port, files.certificate, files.key)
    }

    /// Serves metrics and health from now on; nil where no address is given.
    func statusListener(_ answer: StatusAnswer, logger: Logger) throws -> StatusListener? {
        guard let place = try statusPlace() else { return nil }
        do {
            return try StatusListener(address: place.address, port: place.port, answer: answer, logger: logger) {
                guard let certificate = place.certificate, let key = place.key else { return nil }
                return ServerIdentity(certificate: try readFile(certificate), key: try readFile(key))
            }
        } catch let error as ListenerError {
            throw CommandFailure(
                message: error.message,
                hint: "Choose another --status-listen address or port, or check the certificate and its key.")
        }
    }
}
